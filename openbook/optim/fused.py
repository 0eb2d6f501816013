"""An update rule as a single loop over memory: what NumPy does in a dozen passes, in one, and with the same bits.

A rule is written once, for NumPy (`Optimizer.update`). Here it is called with symbols in place of arrays, which write down
what is done to them; LLVM (llvmlite comes with numba) makes one loop of that. Every operation in it is rounded by itself,
as IEEE 754 says, just as NumPy's are. What a rule does beyond these operations stays with NumPy, and `Unfusable` says why.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from openbook.errors import InputError

__all__ = ["Fused", "Loop", "Script", "Unfusable", "compiled", "written"]

Update = Callable[..., None]
PATIENCE = 10  # steps with NumPy before a loop is compiled, which takes as long as some hundred steps
# What may stand in a loop: operations that IEEE 754 rounds correctly, and so the same everywhere.
WORDS = frozenset(("add", "subtract", "multiply", "divide", "negative", "sqrt", "absolute", "maximum"))


class Unfusable(Exception):
    """Why a rule has no form as one loop."""


@dataclass
class Script:
    """What a rule does to one entry: numbered values, each loaded, given, or made of earlier ones.

    `lines` hold (word, operands); `arrays` name what is loaded, `stores` which value each of them ends with; `reads` are the
    options the rule looked at, with what it found.
    """

    arrays: list[str] = field(default_factory=list)
    lines: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    constants: dict[int, float] = field(default_factory=dict)
    stores: dict[str, int] = field(default_factory=dict)
    reads: dict[str, Any] = field(default_factory=dict)

    def line(self, word: str, *operands: int) -> int:
        self.lines.append((word, operands))
        return len(self.lines) - 1

    def load(self, name: str) -> int:
        self.arrays.append(name)
        return self.line("load")

    def constant(self, value: float) -> int:
        number = self.line("constant")
        self.constants[number] = float(value)
        return number

    def holds(self, group: Mapping[str, Any], shared: int) -> bool:
        """Whether the rule would do the same under these options, with so many shared numbers."""
        same = all(group[name] == value for name, value in self.reads.items())
        return same and shared == sum(word == "shared" for word, _ in self.lines)

    def key(self, dtype: np.dtype) -> tuple[Any, ...]:
        return dtype.char, tuple(self.lines), tuple(self.constants.items()), tuple(self.stores.items())


class _Symbol(NDArrayOperatorsMixin):
    """Stands for an array while a rule is written down: `value` is the number of what it holds by now."""

    def __init__(self, script: Script, value: int | None):
        self.script, self.value = script, value

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **options: Any) -> _Symbol:
        if method != "__call__" or options or ufunc.__name__ not in WORDS:
            raise Unfusable(f"{ufunc.__name__} has no place in a loop")
        number = self.script.line(ufunc.__name__, *map(self._number, inputs))
        target = _Symbol(self.script, None) if out is None else out[0]
        target.value = number
        return target

    def _number(self, operand: Any) -> int:
        if not isinstance(operand, _Symbol):
            return self.script.constant(operand)
        if operand.value is None:
            raise Unfusable("memory is read before it is written to")
        return operand.value

    def __bool__(self) -> bool:
        raise Unfusable("what is done depends on a number")


class _Read(dict[str, Any]):
    """A group's options; what is looked up is remembered in a script."""

    def __init__(self, options: Mapping[str, Any], script: Script):
        super().__init__(options)
        self.script = script

    def __getitem__(self, name: str) -> Any:
        value = self.script.reads[name] = super().__getitem__(name)
        return value


def written(update: Update, names: Sequence[str], shared: int, group: Mapping[str, Any]) -> Script:
    """The rule as a script, for arrays kept under these names and so many shared numbers; Unfusable says why not."""
    script = Script()
    p, g = (_Symbol(script, script.load(name)) for name in ("p", "g"))
    state = {name: _Symbol(script, script.load(name)) for name in names}
    numbers = tuple(_Symbol(script, script.line("shared")) for _ in range(shared))
    work = tuple(_Symbol(script, None) for _ in range(3))
    update(p, g, state, numbers, _Read(group, script), work)
    if g.value != 1:
        raise Unfusable("the gradient itself is written to")
    ends = {"p": p.value, **{name: symbol.value for name, symbol in state.items()}}
    script.stores = {name: value for name, value in ends.items() if script.lines[value or 0][0] != "load"}  # type: ignore[misc]
    return script


class Loop:
    """A compiled script: called with the addresses of its arrays, of the shared numbers, and a length."""

    def __init__(self, script: Script, dtype: np.dtype):
        from openbook.optim.loops import machine_code

        self.arrays = tuple(script.arrays)
        self._engine, address = machine_code(script, dtype)  # the code lives as long as its engine
        kinds = [ctypes.c_void_p] * (len(self.arrays) + 1)
        self._call = ctypes.CFUNCTYPE(None, *kinds, ctypes.c_int64)(address)

    def __call__(self, addresses: Sequence[int], shared: int, length: int) -> None:
        self._call(*addresses, shared, length)


_loops: dict[tuple[Any, ...], Loop] = {}
_compiling = threading.Lock()


def compiled(script: Script, dtype: np.dtype) -> Loop:
    """The loop of a script, compiled once for each dtype; ImportError or Unfusable where there is no LLVM for it."""
    key = script.key(dtype)
    with _compiling:
        if key not in _loops:
            _loops[key] = Loop(script, dtype)
        return _loops[key]


class Fused:
    """The rule of one large parameter as a loop, from the step on at which compiling it pays.

    The group's option `fused` says when: None after some steps, True at once (and an error where it cannot be), False
    never. `refused` says why there is no loop.
    """

    def __init__(self, p: np.ndarray, state: Mapping[str, np.ndarray]):
        self.p, self.names, self.refused = p, tuple(state), ""
        self.addresses = {name: array.ctypes.data for name, array in {"p": p, **state}.items()}
        self.steps = 0
        self.script: Script | None = None
        self.loop: Loop | None = None

    def moved(self, g: np.ndarray, update: Update, group: Mapping[str, Any], shared: np.ndarray) -> bool:
        """Take the step, if that can be done in a loop by now; say whether it was taken."""
        wish = group.get("fused")
        self.steps += 1
        if wish is False or self.refused or (wish is None and self.steps <= PATIENCE):
            return False
        if self.script is None or not self.script.holds(group, len(shared)):
            self._compile(update, group, len(shared), required=wish is True)
        if self.loop is None or g.dtype != self.p.dtype or not g.flags.aligned or np.may_share_memory(g, self.p):
            return False
        self.addresses["g"] = g.ctypes.data
        self.loop([self.addresses[name] for name in self.loop.arrays], shared.ctypes.data, self.p.size)
        return True

    def _compile(self, update: Update, group: Mapping[str, Any], shared: int, required: bool) -> None:
        try:
            if self.p.dtype.char not in "fd" or not self.p.flags.aligned:
                raise Unfusable(f"a loop is for float32 and float64 in their own places, not for {self.p.dtype}")
            self.script = written(update, self.names, shared, group)
            self.loop = compiled(self.script, self.p.dtype)
        except (Unfusable, ImportError, RuntimeError, OSError) as problem:  # LLVM speaks in RuntimeErrors
            self.loop, self.refused = None, str(problem)
            if required:
                raise InputError(
                    f"this step cannot be fused: {problem}", where="fused=True", do="leave fused out"
                ) from problem
