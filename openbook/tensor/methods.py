"""The arithmetic of Tensors, spelt as methods and operators: each is one word of the vocabulary."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import ShapeError
from openbook.ops import vocabulary as word
from openbook.ops.op import OPS, Op, apply

if TYPE_CHECKING:
    from openbook.tensor.tensor import Tensor

__all__ = ["Cast", "Methods"]


class Cast(Op):
    """The same numbers in another dtype."""

    formula = "x"

    @staticmethod
    def forward(x: Any, *, dtype: Any) -> Any:
        return np.asarray(x).astype(dtype)

    @staticmethod
    def gradient(g: Any, y: Any, x: Any, *, dtype: Any) -> Any:
        return g  # the caller gives a cotangent the dtype of what it belongs to


class Methods:
    """Operators and methods as users of PyTorch know them. Shapes and axes by PyTorch's names (`dim`, `keepdim`)."""

    __slots__ = ()

    data: np.ndarray

    # --- arithmetic --------------------------------------------------------------------------------------------

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

    def __abs__(self) -> Tensor:
        return word.absolute(self)

    # --- comparison --------------------------------------------------------------------------------------------

    def __gt__(self, other: Any) -> Tensor:
        return word.greater(self, other)

    def __lt__(self, other: Any) -> Tensor:
        return word.greater(other, self)

    def __ge__(self, other: Any) -> Tensor:
        return self._compared(np.greater_equal, other)

    def __le__(self, other: Any) -> Tensor:
        return self._compared(np.less_equal, other)

    def __eq__(self, other: Any) -> Any:
        return word.equal(self, other)

    def __ne__(self, other: Any) -> Any:
        return self._compared(np.not_equal, other)

    def _compared(self, compare: np.ufunc, other: Any) -> Tensor:
        return type(self)._plain(compare(self.data, getattr(other, "data", other)))

    @staticmethod
    def _plain(data: Any) -> Tensor:
        from openbook.tensor.tensor import Tensor

        return Tensor(data)

    # --- entry by entry ----------------------------------------------------------------------------------------

    def exp(self) -> Tensor:
        return word.exp(self)

    def log(self) -> Tensor:
        return word.log(self)

    def sqrt(self) -> Tensor:
        return word.sqrt(self)

    def abs(self) -> Tensor:
        return word.absolute(self)

    def sin(self) -> Tensor:
        return word.sin(self)

    def cos(self) -> Tensor:
        return word.cos(self)

    def tanh(self) -> Tensor:
        return word.tanh(self)

    def sigmoid(self) -> Tensor:
        return word.sigmoid(self)

    def relu(self) -> Tensor:
        return word.relu(self)

    def pow(self, exponent: Any) -> Tensor:
        return word.power(self, exponent)

    def square(self) -> Tensor:
        return word.mul(self, self)

    def clamp(self, min: Any = None, max: Any = None) -> Tensor:
        return word.clamp(self, min=min, max=max)

    # --- fewer entries -----------------------------------------------------------------------------------------

    def sum(self, dim: Any = None, keepdim: bool = False) -> Tensor:
        return word.total(self, axis=dim, keepdims=keepdim)

    def mean(self, dim: Any = None, keepdim: bool = False) -> Tensor:
        return word.mean(self, axis=dim, keepdims=keepdim)

    def amax(self, dim: Any = None, keepdim: bool = False) -> Tensor:
        return apply(_op("amax"), self, axis=dim, keepdims=keepdim)

    def amin(self, dim: Any = None, keepdim: bool = False) -> Tensor:
        return apply(_op("amin"), self, axis=dim, keepdims=keepdim)

    def max(self) -> Tensor:
        return self.amax()

    def min(self) -> Tensor:
        return self.amin()

    def argmax(self, dim: int | None = None) -> Tensor:
        return self._plain(np.argmax(self.data, axis=dim))

    def argmin(self, dim: int | None = None) -> Tensor:
        return self._plain(np.argmin(self.data, axis=dim))

    def logsumexp(self, dim: int = -1, keepdim: bool = False) -> Tensor:
        return word.logsumexp(self, axis=dim, keepdims=keepdim)

    def softmax(self, dim: int = -1) -> Tensor:
        return word.softmax(self, axis=dim)

    def log_softmax(self, dim: int = -1) -> Tensor:
        return word.log_softmax(self, axis=dim)

    # --- other shapes ------------------------------------------------------------------------------------------

    def reshape(self, *shape: Any) -> Tensor:
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        try:
            return word.reshape(self, shape=tuple(wanted))
        except ValueError as problem:
            raise ShapeError(
                f"shape {self.data.shape} with {self.data.size} entries cannot become {tuple(wanted)}"
            ) from problem

    def view(self, *shape: Any) -> Tensor:
        return self.reshape(*shape)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        shape = self.data.shape
        end = end_dim % max(1, len(shape))
        return self.reshape(*shape[:start_dim], math.prod(shape[start_dim : end + 1]), *shape[end + 1 :])

    def squeeze(self, dim: int | None = None) -> Tensor:
        shape = self.data.shape
        gone = range(len(shape)) if dim is None else (dim % len(shape),)
        return self.reshape(tuple(n for i, n in enumerate(shape) if n != 1 or i not in gone))

    def unsqueeze(self, dim: int) -> Tensor:
        shape = list(self.data.shape)
        shape.insert(dim if dim >= 0 else dim + len(shape) + 1, 1)
        return self.reshape(tuple(shape))

    def permute(self, *axes: int) -> Tensor:
        return word.permute(self, axes=axes)

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        axes = list(range(self.data.ndim))
        axes[dim0], axes[dim1] = axes[dim1], axes[dim0]
        return word.permute(self, axes=tuple(axes))

    def t(self) -> Tensor:
        return word.swap(self) if self.data.ndim == 2 else self.reshape(self.data.shape)

    @property
    def T(self) -> Tensor:
        return word.permute(self, axes=tuple(reversed(range(self.data.ndim))))

    def expand(self, *shape: int) -> Tensor:
        added = len(shape) - self.data.ndim
        wanted = tuple(self.data.shape[i - added] if n == -1 else n for i, n in enumerate(shape))
        return word.broadcast_to(self, shape=wanted)

    def clone(self) -> Tensor:
        return apply(Cast, self, dtype=self.data.dtype)

    # --- other dtypes ------------------------------------------------------------------------------------------

    def to(self, dtype: Any) -> Tensor:
        return apply(Cast, self, dtype=np.dtype(dtype))

    def astype(self, dtype: Any) -> Tensor:
        return self.to(dtype)

    def float(self) -> Tensor:
        return self.to(np.float32)

    def double(self) -> Tensor:
        return self.to(np.float64)

    def long(self) -> Tensor:
        return self.to(np.int64)

    # --- sizes -------------------------------------------------------------------------------------------------

    def size(self, dim: int | None = None) -> Any:
        return self.data.shape if dim is None else self.data.shape[dim]

    def dim(self) -> int:
        return self.data.ndim

    def numel(self) -> int:
        return self.data.size


def _add_elementwise_methods() -> None:
    """Every operation on single numbers is a method too, without being written down here a second time."""
    for name, op in OPS.items():
        if op.elementwise and len(op.arguments) == 1 and not hasattr(Methods, name):
            setattr(Methods, name, _method(op))


def _method(op: type[Op]) -> Any:
    def method(self: Tensor, **parameters: Any) -> Tensor:
        return apply(op, self, **parameters)

    method.__name__, method.__doc__ = op.name, op.__doc__
    return method


_add_elementwise_methods()


def _op(name: str) -> type[Op]:
    return OPS[name]
