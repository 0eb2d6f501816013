"""Operators, comparisons, and every operation on single numbers as a method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openbook.errors import InputError
from openbook.ops import vocabulary as word
from openbook.ops.op import Op, dispatch, for_every_operation

if TYPE_CHECKING:
    from openbook.tensor.tensor import Tensor

__all__ = ["Arithmetic"]


class Arithmetic:
    """Entry by entry, and the matrix product."""

    __slots__ = ()

    def __add__(self, other: Any) -> Tensor:
        return word.add(self, other)

    def __radd__(self, other: Any) -> Tensor:
        return word.add(other, self)

    def __sub__(self, other: Any) -> Tensor:
        return word.sub(self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return word.sub(other, self)

    def __mul__(self, other: Any) -> Tensor:
        return word.mul(self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return word.mul(other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return word.div(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return word.div(other, self)

    def __floordiv__(self, other: Any) -> Tensor:
        return word.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return word.floor_divide(other, self)

    def __mod__(self, other: Any) -> Tensor:
        return word.remainder(self, other)

    def __rmod__(self, other: Any) -> Tensor:
        return word.remainder(other, self)

    def __pow__(self, other: Any) -> Tensor:
        return word.power(self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return word.power(other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return word.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return word.matmul(other, self)

    def __neg__(self) -> Tensor:
        return word.neg(self)

    def __pos__(self) -> Tensor:
        return self  # type: ignore[return-value]

    def __abs__(self) -> Tensor:
        return word.absolute(self)

    def __invert__(self) -> Tensor:
        return word.bitwise_not(self)

    def __and__(self, other: Any) -> Tensor:
        return word.bitwise_and(self, other)

    def __or__(self, other: Any) -> Tensor:
        return word.bitwise_or(self, other)

    def __rand__(self, other: Any) -> Tensor:
        return word.bitwise_and(other, self)

    def __ror__(self, other: Any) -> Tensor:
        return word.bitwise_or(other, self)

    def __rxor__(self, other: Any) -> Tensor:
        return word.bitwise_xor(other, self)

    def __xor__(self, other: Any) -> Tensor:
        return word.bitwise_xor(self, other)

    def __gt__(self, other: Any) -> Tensor:
        return word.greater(self, other)

    def __lt__(self, other: Any) -> Tensor:
        return word.less(self, other)

    def __ge__(self, other: Any) -> Tensor:
        return word.greater_equal(self, other)

    def __le__(self, other: Any) -> Tensor:
        return word.less_equal(self, other)

    def __eq__(self, other: Any) -> Any:
        return word.eq(self, other)

    def __ne__(self, other: Any) -> Any:
        return word.not_equal(self, other)

    def __hash__(self) -> int:
        return id(self)

    # --- methods that take more than their operation does -------------------------------------------------------

    def add(self, other: Any, *, alpha: float = 1) -> Tensor:
        """The sum, of `alpha` times the other."""
        return word.add(self, other if alpha == 1 else other * alpha)

    def sub(self, other: Any, *, alpha: float = 1) -> Tensor:
        """The difference, to `alpha` times the other."""
        return word.sub(self, other if alpha == 1 else other * alpha)

    def div(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """The quotient; rounded down with "floor", towards zero with "trunc"."""
        if rounding_mode is None:
            return word.div(self, other)
        if rounding_mode not in ("floor", "trunc"):
            raise InputError(f"div rounds by None, 'floor' or 'trunc', not {rounding_mode!r}")
        if rounding_mode == "floor":
            return word.floor_divide(self, other)
        whole = not _is_real(self) and not _is_real(other)
        return word.floor_divide(self - word.fmod(self, other), other) if whole else word.trunc(word.div(self, other))

    def clamp(self, min: Any = None, max: Any = None) -> Tensor:
        """Into an interval; the bounds are numbers, or tensors entry by entry."""
        if min is None and max is None:
            raise InputError("clamp needs at least one bound", do="give min=, max= or both")
        if all(b is None or isinstance(b, (int, float)) for b in (min, max)):
            return word.clamp(self, min=min, max=max)
        raised = self if min is None else word.maximum(self, min)
        return raised if max is None else word.minimum(raised, max)  # type: ignore[return-value]

    def equal(self, other: Any) -> bool:
        """Whether shapes and all entries are the same."""
        return self.shape == other.shape and bool((self == other).all())  # type: ignore[attr-defined]

    def isclose(self, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
        """Whether entries differ by at most atol + rtol·|other|."""
        near = word.less_equal(word.absolute(self - other), atol + rtol * word.absolute(other))
        near = word.logical_or(word.logical_and(near, word.isfinite(other)), word.eq(self, other))
        both = word.logical_and(word.isnan(self), word.isnan(other))
        return word.logical_or(near, both) if equal_nan else near

    def allclose(self, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
        """Whether all entries differ by at most atol + rtol·|other|."""
        return bool(self.isclose(other, rtol, atol, equal_nan).all())


def _is_real(x: Any) -> bool:
    return x.dtype.kind == "f" if hasattr(x, "dtype") else isinstance(x, float)


# The other names that PyTorch has for a method.
_SYNONYMS = {
    "absolute": "abs",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "clip": "clamp",
    "divide": "div",
    "fix": "trunc",
    "ge": "greater_equal",
    "gt": "greater",
    "le": "less_equal",
    "lt": "less",
    "multiply": "mul",
    "ne": "not_equal",
    "negative": "neg",
    "negate": "neg",
    "subtract": "sub",
    "true_divide": "div",
}


def _method(op: type[Op]) -> Any:
    positional = tuple(op.options)

    def method(self: Tensor, *others: Any, **parameters: Any) -> Tensor:
        count = len(op.arguments) - 1
        if len(others) > count:  # options may be given by position, as in x.clamp(0, 1)
            parameters = {**dict(zip(positional, others[count:], strict=False)), **parameters}
        inputs = list(others[:count])
        for argument in op.arguments[1 + len(inputs) :]:
            if argument in parameters:
                inputs.append(parameters.pop(argument))
        return dispatch(op, (self, *inputs), parameters)

    method.__name__, method.__doc__ = op.name, op.__doc__
    return method


def _add_method(op: type[Op]) -> None:
    """Every operation on single numbers is a method too, without being written down here a second time."""
    if op.elementwise and op.name not in ("where", *Arithmetic.__dict__):
        setattr(Arithmetic, op.name, _method(op))


def _add_synonyms() -> None:
    for synonym, name in _SYNONYMS.items():
        if hasattr(Arithmetic, name):
            setattr(Arithmetic, synonym, getattr(Arithmetic, name))


for_every_operation(_add_method)
_add_synonyms()
