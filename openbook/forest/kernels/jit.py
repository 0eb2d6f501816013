"""How kernels are compiled, and the machine instructions that NumPy has no word for.

A kernel chooses its variant by which arguments are None: numba then leaves the other branches out, so that a variant nobody
uses is never compiled. (A function as an argument would be compiled afresh in every process.) No fast-math anywhere: the
sums are whole numbers and the scores IEEE doubles, so that `textbook.py` can say them to the last bit.
"""

from __future__ import annotations

import gc
import sys
from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils, config, event
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from openbook.forest.kernels import forget_stale

__all__ = ["as_float", "bare", "bits", "grower", "inlined", "inner", "jit", "ones", "part", "prefetch", "trailing_zeros",
           "u64", "while_held", "written_in"]  # fmt: skip


class _Uncollected(event.Listener):
    """While a kernel is being compiled nothing is collected: numba makes millions of objects that stay until it is done, and to
    look through them again and again takes a tenth of the time."""

    depth, before = 0, False  # numba compiles one function at a time, and what it calls within

    def on_start(self, event: Any) -> None:
        """Functions of others are none of our business."""
        if event.data["dispatcher"].py_func.__module__.startswith(__package__):
            if self.depth == 0:
                self.before = gc.isenabled()
                gc.disable()
            self.depth += 1

    def on_end(self, event: Any) -> None:
        """Collect as before."""
        if event.data["dispatcher"].py_func.__module__.startswith(__package__):
            self.depth -= 1
            if self.depth == 0 and self.before:
                gc.enable()


if not config.DISABLE_JIT:  # type: ignore[attr-defined]
    forget_stale()
    event.register("numba:compile", _Uncollected())

# "numpy": a division does not branch to look for zero, which would keep loops from being vectorised.
_compiled: Any = partial(njit, nogil=True, error_model="numpy")
jit = _compiled(cache=True)
# To let other threads run and to take the lock back would take longer than the work of a few microseconds.
while_held: Any = partial(_compiled, cache=True, nogil=False, no_cfunc_wrapper=True)
# Growing allocates nothing, so it goes without counts of references, which two threads would fight over (and which cost a
# sixth of the time even in one); and a wrapper for Python, for what only kernels call, would take a third of the compiling.
_lean: Any = partial(_compiled, _nrt=False, no_cfunc_wrapper=True)
grower = _lean(cache=True)
inner = _lean(no_cpython_wrapper=True)
# An array is seven words, and each is handed over with every call: where a kernel calls for each feature of each node, that
# would cost more than the work.
inlined = _lean(no_cpython_wrapper=True, forceinline=True)
# Written into the only function that calls it before LLVM sees either: one of them less to make fast, which saves a tenth of the
# compiling. Of small functions, or of two that call one, it would cost more; and what is None must be so by the argument's name.
written_in = _lean(no_cpython_wrapper=True, inline="always")
u64 = np.uint64  # unsigned indices: numba then leaves out what Python's negative ones would need


if config.DISABLE_JIT:  # type: ignore[attr-defined]

    def trailing_zeros(x: Any) -> Any:
        """The place of the lowest bit that is set; 64 for 0."""
        x = int(x)
        return u64((x & -x).bit_length() - 1 if x else 64)

    def ones(x: Any) -> Any:
        """How many bits are set."""
        return u64(int(x).bit_count())

    def bits(x: Any) -> Any:
        """How many bits a number needs: the place of the highest one that is set, counted from 1; 0 for 0."""
        return u64(int(x).bit_length())

    def prefetch(array: Any, k: Any) -> None:
        """Ask for `array[k]` before it is needed; does nothing else."""

    def as_float(word: Any) -> Any:
        """The float whose bits a word has."""
        return np.uint64(word).view(np.float64)

    def part(words: Any, k: Any, bits: int, place: int) -> Any:
        """Part `place` of word k, all of them being so many bits: one load, where shifting costs a register and time."""
        return u64((int(words[k]) >> (bits * place)) & ((1 << bits) - 1))

    def bare(array: Any) -> Any:
        """The array without its count of references, which two threads would fight over (and which costs a sixth of the
        time even in one). The caller keeps the array alive."""
        return array

else:

    @intrinsic
    def trailing_zeros(typing: Any, x: Any) -> Any:
        """The place of the lowest bit that is set; 64 for 0."""

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.cttz(args[0], context.get_constant(types.boolean, False))

        return types.uint64(types.uint64), build

    @intrinsic
    def ones(typing: Any, x: Any) -> Any:
        """How many bits are set."""

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.ctpop(args[0])

        return types.uint64(types.uint64), build

    @intrinsic
    def bits(typing: Any, x: Any) -> Any:
        """How many bits a number needs: the place of the highest one that is set, counted from 1; 0 for 0."""

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            zeros = builder.ctlz(args[0], context.get_constant(types.boolean, False))
            return builder.sub(ir.Constant(args[0].type, 64), zeros)

        return types.uint64(types.uint64), build

    @intrinsic
    def prefetch(typing: Any, array: Any, k: Any) -> Any:
        """Ask for `array.flat[k]` (C order) before it is needed; does nothing else."""

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = make_array(signature.args[0])(context, builder, args[0]).data
            place = builder.bitcast(builder.gep(data, [args[1]]), cgutils.voidptr_t)
            i32 = ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, i32, i32, i32])
            ask = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
            builder.call(ask, [place, i32(0), i32(3), i32(1)])
            return context.get_dummy_value()

        return types.none(array, types.uint64), build

    @intrinsic
    def as_float(typing: Any, word: Any) -> Any:
        """The float whose bits a word has."""

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.bitcast(args[0], ir.DoubleType())

        return types.float64(types.uint64), build

    @intrinsic(prefer_literal=True)
    def part(typing: Any, words: Any, k: Any, bits: Any, place: Any) -> Any:
        """Part `place` of word k, all of them being so many bits: one load, where shifting costs a register and time."""
        wide, at = bits.literal_value, place.literal_value

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = make_array(signature.args[0])(context, builder, args[0]).data
            word = builder.bitcast(builder.gep(data, [args[1]]), ir.IntType(wide).as_pointer())
            which = at if sys.byteorder == "little" else 64 // wide - 1 - at
            return builder.zext(builder.load(builder.gep(word, [ir.IntType(64)(which)])), ir.IntType(64))

        return types.uint64(words, types.uint64, bits, place), build

    @intrinsic
    def bare(typing: Any, array: Any) -> Any:
        """The array without its count of references, which two threads would fight over (and which costs a sixth of the
        time even in one). The caller keeps the array alive."""

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            made = make_array(signature.return_type)(context, builder, args[0])
            made.meminfo = cgutils.get_null_value(made.meminfo.type)
            made.parent = cgutils.get_null_value(made.parent.type)
            return made._getvalue()

        return array(array), build
