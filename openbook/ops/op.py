"""The operation class, the list of all operations, and how one is applied.

To add an operation, write one class. Eager computation calls `forward`; autograd calls `gradient`; `explain` shows
`formula`; the tests are generated from all of its fields.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Mapping
from itertools import pairwise
from types import CodeType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from openbook.expr import FUNCTIONS, define
from openbook.ops.domain import Reals, reals

if TYPE_CHECKING:
    from openbook.expr import Expr

__all__ = ["OPS", "Elementwise", "Op", "apply", "for_every_operation", "scalar"]

OPS: dict[str, type[Op]] = {}
_GIVES_REALS: dict[str, bool] = {}
_LISTENERS: list[Callable[[type[Op]], None]] = []


class Op:
    """One operation.

    `formula` is what people read, in the names of `forward`'s arguments and parameters; `latex` how its name is set on paper.
    `forward` takes and gives NumPy arrays. `gradient(g, y, *inputs, **parameters)` gives, for the cotangent `g` of the
    output `y`, the cotangent of every input (None where there is none): linear in `g`, and written in the shared
    vocabulary, so that it is differentiated in its turn. A cotangent may be a function of no arguments, which is only
    called if somebody wants it; a rule gives back `g` itself, or arrays that nobody else holds. Broadcasting is undone by
    the caller.

    Where `keeping` is defined, it gives (output, kept): what `forward` came by that spares `gradient` work. `gradient` is
    handed it as `kept=`, or None where it must be differentiated in its turn (unless it is `constant`, like a position).
    """

    name: ClassVar[str] = ""
    formula: ClassVar[str] = ""
    latex: ClassVar[str] = ""
    arguments: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[dict[str, Any]] = {}  # forward's keyword parameters with their defaults
    elementwise: ClassVar[bool] = False
    differentiable: ClassVar[bool] = True
    aliases: ClassVar[bool] = False  # the output may share the first input's memory: a view
    keeping: ClassVar[Any] = None
    # What the cotangent of each input looks at (0 the output, 1 the first input, …), where `gradient` as written shows more.
    reads: ClassVar[tuple[frozenset[int], ...]] = ()
    multilinear: ClassVar[bool] = False  # linear in each input: the cotangent of one looks at the others only
    recovers: ClassVar[bool] = False  # the output, if it was changed since, may be computed again
    constant: ClassVar[bool] = False  # what is kept does not move with the inputs

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "forward" not in cls.__dict__:
            return  # a family, not an operation
        cls.name = cls.__dict__.get("name", cls.__name__.lower())
        code = cls.forward.__code__  # what inspect.signature would say, at a fifth of the time
        positional, named = code.co_argcount, code.co_kwonlyargcount
        cls.arguments = code.co_varnames[:positional]
        defaults = cls.forward.__kwdefaults__ or {}
        names = code.co_varnames[positional : positional + named]
        cls.options = {name: defaults.get(name, inspect.Parameter.empty) for name in names}
        OPS[cls.name] = cls
        for tell in _LISTENERS:
            tell(cls)

    @staticmethod
    def forward(*inputs: Any, **parameters: Any) -> Any:
        raise TypeError("an operation says what it does in `forward`")

    @staticmethod
    def gradient(g: Any, y: Any, *inputs: Any, **parameters: Any) -> Any:
        raise TypeError("an operation without `gradient` sets `differentiable = False`")

    @classmethod
    def batched(cls, size: int, inputs: tuple[Any, ...], stacked: tuple[bool, ...], parameters: dict[str, Any]) -> Any:
        """The operation on each of `size` cases at once: inputs that are `stacked` have the cases on their first axis.

        A family says how that is done in one stroke; here, case by case.
        """
        return case_by_case(cls, size, inputs, stacked, parameters)

    @classmethod
    def gives_reals(cls) -> bool:
        """Whether whole numbers go in and real ones come out, as of a square root."""
        if cls.name not in _GIVES_REALS:
            try:
                value = cls.forward(*(np.ones(1, np.int64) for _ in cls.arguments))
            except (TypeError, ValueError):
                value = np.ones(1)
            _GIVES_REALS[cls.name] = np.asarray(value).dtype.kind == "f"
        return _GIVES_REALS[cls.name]

    @classmethod
    def needs(cls) -> frozenset[int]:
        """What the rule in `gradient` looks at, as it is written: 0 for the output, 1 for the first input, and so on."""
        parameters = list(inspect.signature(cls.gradient).parameters.values())[1:]
        used = _names_read(cls.gradient.__code__)
        found = {i for i, p in enumerate(parameters) if p.name in used}
        rest = {i for i, p in enumerate(parameters) if p.kind is inspect.Parameter.VAR_POSITIONAL and p.name in used}
        return frozenset(found | {i + k for i in rest for k in range(1000)})

    @classmethod
    def expression(cls, **parameters: float) -> Expr:
        """The formula, read; the parameters in it as numbers, `forward`'s defaults where none are given."""
        from openbook.expr import Name, Negate, Number, parse, substitute

        read = parse(cls.formula)
        for name, value in {**cls.options, **parameters}.items():
            if name in read.names():
                number = Number(abs(value)) if value >= 0 else Negate(Number(abs(value)))
                read = substitute(read, Name(name), number)
        return read


def for_every_operation(tell: Callable[[type[Op]], None]) -> None:
    """Tell of every operation there is, and of every one that will be defined: floors above derive from it what they offer."""
    for op in list(OPS.values()):
        tell(op)
    _LISTENERS.append(tell)


def case_by_case(
    op: type[Op], size: int, inputs: tuple[Any, ...], stacked: tuple[bool, ...], parameters: dict[str, Any]
) -> Any:
    """The operation on one case after the other, and the results stacked."""
    cases = (tuple(x[i] if s else x for x, s in zip(inputs, stacked, strict=True)) for i in range(size))
    return apply(OPS["stack"], *(apply(op, *case, **parameters) for case in cases), axis=0)


def aligned(inputs: tuple[Any, ...], stacked: tuple[bool, ...]) -> tuple[Any, ...]:
    """Stacked inputs with as many axes after the first as the others have, so that broadcasting pairs the cases."""
    depth = max(np.ndim(x) - s for x, s in zip(inputs, stacked, strict=True))
    return tuple(_deepened(x, depth) if s else x for x, s in zip(inputs, stacked, strict=True))


def _deepened(x: Any, depth: int) -> Any:
    missing = depth + 1 - x.ndim
    return apply(OPS["reshape"], x, shape=(x.shape[0], *(1,) * missing, *x.shape[1:])) if missing > 0 else x


class Elementwise(Op):
    """The same for every entry; inputs are broadcast against each other.

    `domain` holds one interval per input (or one for all); `edges` the values at ±inf and NaN, checked by the tests;
    `slope` the derivative as people write it, where that is not what the rules make of the formula.
    """

    elementwise = True
    slope: ClassVar[str] = ""
    domain: ClassVar[Reals | tuple[Reals, ...]] = reals()
    edges: ClassVar[Mapping[float, float]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.formula and cls.name not in FUNCTIONS and len(cls.arguments) == 1:
            define(cls.name, cls.arguments, cls.expression, cls.latex, cls.slope)

    @classmethod
    def batched(cls, size: int, inputs: tuple[Any, ...], stacked: tuple[bool, ...], parameters: dict[str, Any]) -> Any:
        return apply(cls, *aligned(inputs, stacked), **parameters)


def _names_read(code: CodeType) -> set[str]:
    """The variables whose values a function, or one defined inside it, reads; to ask for their shape is not to read them."""
    steps = list(dis.get_instructions(code))
    names = {
        step.argval
        for step, following in pairwise(steps)
        if step.opname.startswith("LOAD_")
        and step.opname != "LOAD_CLOSURE"
        and isinstance(step.argval, str)
        and not (following.opname == "LOAD_ATTR" and following.argval in ("shape", "ndim", "dtype"))
    }
    return names.union(*(_names_read(inner) for inner in code.co_consts if isinstance(inner, CodeType)))


def scalar(value: float, like: Any) -> Any:
    """A constant in the dtype of an array, so that float32 stays float32."""
    return np.asarray(value, dtype=like.dtype) if isinstance(like, (np.ndarray, np.generic)) else value


def apply(op: type[Op], *inputs: Any, **parameters: Any) -> Any:
    """Apply an operation to arrays, or to anything that says how by `__openbook_apply__` (a Tensor does)."""
    return dispatch(op, inputs, parameters)


def dispatch(op: type[Op], inputs: tuple[Any, ...], parameters: dict[str, Any]) -> Any:
    """`apply` without unpacking: this is the path of every operation of a training step."""
    for value in inputs:
        if type(value) is not np.ndarray:
            handler = getattr(value, "__openbook_apply__", None)
            if handler is not None:
                return handler(op, inputs, parameters)
    return op.forward(*inputs, **parameters)
