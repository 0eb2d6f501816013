"""The operation class, the list of all operations, and how one is applied.

To add an operation, write one class. Eager computation calls `forward`; autograd calls `gradient`; `explain` shows
`formula`; the tests are generated from all of its fields.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from openbook.expr import FUNCTIONS, Expr, Name, Negate, Number, define, parse, source, substitute
from openbook.ops.domain import Reals, reals

__all__ = ["OPS", "Elementwise", "Op", "apply", "scalar"]

OPS: dict[str, type[Op]] = {}


class Op:
    """One operation.

    `formula` is what people read, in the names of `forward`'s arguments and parameters; `latex` how its name is set on paper.
    `forward` takes and gives NumPy arrays. `gradient(g, y, *inputs, **parameters)` gives, for the cotangent `g` of the
    output `y`, the cotangent of every input (None where there is none): linear in `g`, and written in the shared
    vocabulary, so that it is differentiated in its turn. A cotangent may be a function of no arguments, which is only
    called if somebody wants it. Broadcasting is undone by the caller.
    """

    name: ClassVar[str] = ""
    formula: ClassVar[str] = ""
    latex: ClassVar[str] = ""
    arguments: ClassVar[tuple[str, ...]] = ()
    elementwise: ClassVar[bool] = False
    differentiable: ClassVar[bool] = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "forward" not in cls.__dict__:
            return  # a family, not an operation
        cls.name = cls.__dict__.get("name", cls.__name__.lower())
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        signature = inspect.signature(cls.forward)
        cls.arguments = tuple(p.name for p in signature.parameters.values() if p.kind in positional)
        OPS[cls.name] = cls

    @staticmethod
    def forward(*inputs: Any, **parameters: Any) -> Any:
        raise TypeError("an operation says what it does in `forward`")

    @staticmethod
    def gradient(g: Any, y: Any, *inputs: Any, **parameters: Any) -> Any:
        raise TypeError("an operation without `gradient` sets `differentiable = False`")

    @classmethod
    def expression(cls, **parameters: float) -> Expr:
        """The formula, read; the parameters in it as numbers, `forward`'s defaults where none are given."""
        read = parse(cls.formula)
        given = inspect.signature(cls.forward).parameters.values()
        defaults = {p.name: p.default for p in given if p.kind is inspect.Parameter.KEYWORD_ONLY}
        for name, value in {**defaults, **parameters}.items():
            if name in read.names():
                number = Number(abs(value)) if value >= 0 else Negate(Number(abs(value)))
                read = substitute(read, Name(name), number)
        return read


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
            define(cls.name, cls.arguments, source(cls.expression()), cls.latex, cls.slope)


def scalar(value: float, like: Any) -> Any:
    """A constant in the dtype of an array, so that float32 stays float32."""
    return np.asarray(value, dtype=like.dtype) if isinstance(like, (np.ndarray, np.generic)) else value


def apply(op: type[Op], *inputs: Any, **parameters: Any) -> Any:
    """Apply an operation to arrays, or to anything that says how by `__openbook_apply__` (a Tensor does)."""
    for value in inputs:
        handler = getattr(value, "__openbook_apply__", None)
        if handler is not None:
            return handler(op, inputs, parameters)
    return op.forward(*inputs, **parameters)
