"""Loops for the processor at hand: LLVM's intermediate language with explicit vectors, so that no optimiser need find them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import llvmlite.binding as llvm
import llvmlite.ir as ir
import numpy as np

if TYPE_CHECKING:
    from openbook.optim.fused import Script

__all__ = ["machine_code"]

BYTES = 64  # a vector: one register of the widest processors, several of others
_FLOATS = {"f": ir.FloatType(), "d": ir.DoubleType()}
_ARITHMETIC = {"add": "fadd", "subtract": "fsub", "multiply": "fmul", "divide": "fdiv", "negative": "fneg"}
_INTRINSICS = {"sqrt": "sqrt", "absolute": "fabs", "maximum": "maximum"}  # maximum: NaN if either is, as NumPy's


def machine_code(script: Script, dtype: np.dtype) -> tuple[Any, int]:
    """The engine that holds the compiled loop, and the loop's address.

    The loop takes pointers to the script's arrays, one to the shared numbers, and a length; arrays must not overlap.
    """
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=2
    )
    module = llvm.parse_assembly(str(_Writer(script, dtype).module))
    module.verify()
    engine = llvm.create_mcjit_compiler(module, target)
    engine.finalize_object()
    return engine, engine.get_function_address(_Writer.NAME)


class _Writer:
    """Writes the function: a loop over whole vectors, then one over the entries that are left."""

    NAME = "openbook_update"

    def __init__(self, script: Script, dtype: np.dtype):
        self.script, self.float = script, _FLOATS[dtype.char]
        self.size = dtype.itemsize
        self.module = ir.Module(name="openbook")
        self.module.triple = llvm.get_default_triple()
        pointer, length = self.float.as_pointer(), ir.IntType(64)
        signature = ir.FunctionType(ir.VoidType(), [pointer] * (len(script.arrays) + 1) + [length])
        function = ir.Function(self.module, signature, self.NAME)
        *self.pointers, self.shared, self.length = function.args
        for argument in self.pointers:
            argument.add_attribute("noalias")
        entry = function.append_basic_block("entry")
        self.builder = ir.IRBuilder(entry)
        lanes = BYTES // self.size
        whole = self.builder.and_(self.length, ir.Constant(length, -lanes))
        self._loop(ir.VectorType(self.float, lanes), lanes, ir.Constant(length, 0), whole)
        self._loop(self.float, 1, whole, self.length)
        self.builder.ret_void()

    def _loop(self, kind: Any, step: int, start: Any, end: Any) -> None:
        """for (i = start; i < end; i += step), the script on each."""
        b = self.builder
        shared = iter(
            [
                self._everywhere(b.load(b.gep(self.shared, [ir.Constant(ir.IntType(64), i)])), kind)
                for i in range(self._given())
            ]
        )
        given = {n: next(shared) for n, (word, _) in enumerate(self.script.lines) if word == "shared"}
        before, body, after = b.block, b.append_basic_block("body"), b.append_basic_block("after")
        b.cbranch(b.icmp_signed("<", start, end), body, after)
        b.position_at_end(body)
        i = b.phi(ir.IntType(64))
        i.add_incoming(start, before)
        self._entry(kind, i, given)
        following = b.add(i, ir.Constant(ir.IntType(64), step))
        i.add_incoming(following, b.block)
        b.cbranch(b.icmp_signed("<", following, end), body, after)
        b.position_at_end(after)

    def _given(self) -> int:
        return sum(word == "shared" for word, _ in self.script.lines)

    def _everywhere(self, value: Any, kind: Any) -> Any:
        """A single number in every lane."""
        if kind is self.float:
            return value
        lanes = ir.VectorType(ir.IntType(32), kind.count)
        one = self.builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
        return self.builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), ir.Constant(lanes, [0] * kind.count))

    def _entry(self, kind: Any, i: Any, given: dict[int, Any]) -> None:
        """Load, compute line by line, store."""
        b, values = self.builder, {}
        places = {
            name: b.bitcast(b.gep(pointer, [i]), kind.as_pointer())
            for name, pointer in zip(self.script.arrays, self.pointers, strict=True)
        }
        arrays = iter(self.script.arrays)
        for number, (word, operands) in enumerate(self.script.lines):
            if word == "load":
                values[number] = b.load(places[next(arrays)], align=self.size)
            elif word == "shared":
                values[number] = given[number]
            elif word == "constant":
                values[number] = self._everywhere(ir.Constant(self.float, self.script.constants[number]), kind)
            else:
                values[number] = self._applied(word, [values[k] for k in operands], kind)
        for name, number in self.script.stores.items():
            b.store(values[number], places[name], align=self.size)

    def _applied(self, word: str, operands: list[Any], kind: Any) -> Any:
        if word in _ARITHMETIC:
            return getattr(self.builder, _ARITHMETIC[word])(*operands)
        bits = f"f{8 * self.size}"
        name = f"llvm.{_INTRINSICS[word]}.{bits if kind is self.float else f'v{kind.count}{bits}'}"
        known = self.module.globals.get(name)
        signature = ir.FunctionType(kind, [kind] * len(operands))
        return self.builder.call(known or ir.Function(self.module, signature, name), operands)
