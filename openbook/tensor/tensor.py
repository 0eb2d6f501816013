"""The Tensor: an array, and the operation it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, SupportsIndex

import numpy as np

from openbook.errors import DTypeError, GraphError, ShapeError
from openbook.ops import vocabulary as word
from openbook.ops.op import Op
from openbook.record.hook import Explains
from openbook.tensor.autograd import GraphNode, backward, is_grad_enabled
from openbook.tensor.methods import Methods

__all__ = ["Tensor"]


class Tensor(Methods, Explains):
    """An n-dimensional array that remembers how it was computed.

    `data` is the NumPy array; `requires_grad` asks for gradients; `grad` holds them after `backward()`; `node` is the
    operation this came from (None for a leaf); `name` is what explanations call it.
    """

    __slots__ = ("__weakref__", "data", "grad", "name", "node", "requires_grad", "versions")
    __array_ufunc__ = None  # NumPy leaves `array + tensor` to us

    def __init__(self, data: Any, requires_grad: bool = False, name: str = ""):
        self.data: np.ndarray = data if isinstance(data, np.ndarray) else np.asarray(data)
        self.requires_grad = requires_grad
        self.grad: Tensor | None = None
        self.node: GraphNode | None = None
        self.name = name
        self.versions = [0]  # counts changes in place; shared with whoever shares the memory
        if requires_grad:
            self._require_float()

    def __openbook_apply__(self, op: type[Op], inputs: tuple[Any, ...], parameters: dict[str, Any]) -> Tensor:
        """Compute eagerly on the arrays, and remember the operation if anybody may want its gradient."""
        arrays = [x.data if isinstance(x, Tensor) else x.item() if isinstance(x, np.floating) else x for x in inputs]
        data = op.forward(*arrays, **parameters)
        if (
            op.elementwise
            and data.dtype == np.float64
            and not any(getattr(a, "dtype", None) == np.float64 for a in arrays)
        ):
            data = data.astype(np.float32)  # whole numbers beside a float32 or a Python float: PyTorch's promotion
        output = Tensor(data)
        if (
            op.differentiable
            and is_grad_enabled()
            and any(isinstance(x, Tensor) and x.requires_grad for x in inputs)
            and output.data.dtype.kind == "f"
        ):
            output.requires_grad = True
            output.node = GraphNode(op, inputs, parameters, output)
        return output

    # --- gradients ---------------------------------------------------------------------------------------------

    def backward(self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
        """Add the derivative of this number to `.grad` of every leaf it was computed from.

        Gradients accumulate until they are cleared. The graph is freed, unless `retain_graph` or inside
        `with openbook.record():`.
        """
        backward(self, gradient, retain_graph=retain_graph, create_graph=create_graph)

    def accumulate_grad(self, cotangent: Any) -> None:
        """Add a cotangent to `.grad`, never sharing memory with anybody else's."""
        value = cotangent if isinstance(cotangent, Tensor) else None
        if self.grad is not None:
            self.grad = self.grad + cotangent if value is not None else Tensor(self.grad.data + cotangent)
        else:
            self.grad = value if value is not None else Tensor(np.array(cotangent))

    @property
    def is_leaf(self) -> bool:
        """Whether this was given rather than computed."""
        return self.node is None

    @property
    def grad_fn(self) -> GraphNode | None:
        """The operation this came from, under PyTorch's name."""
        return self.node

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask (or stop asking) for this leaf's gradient."""
        if self.node is not None and not requires_grad:
            raise GraphError("only leaves can stop requiring gradients", do="use x.detach()")
        if requires_grad:
            self._require_float()
        self.requires_grad = requires_grad
        return self

    def detach(self) -> Tensor:
        """The same numbers, without their past."""
        twin = Tensor(self.data)
        twin.versions = self.versions
        return twin

    def _require_float(self) -> None:
        if self.data.dtype.kind != "f":
            raise DTypeError(
                f"only floating-point tensors have gradients, not {self.data.dtype}",
                do="write tensor([1., 2.]) or pass dtype=openbook.float32",
            )

    # --- changes in place --------------------------------------------------------------------------------------

    def changed_in_place(self) -> Tensor:
        """Say that the entries were written to: graphs that saved them will refuse to give a wrong gradient."""
        self.versions[0] += 1
        return self

    def _writable(self) -> None:
        if self.requires_grad and is_grad_enabled():
            kind = "a leaf that requires gradients" if self.node is None else "a computed value"
            raise GraphError(
                f"{kind} cannot be changed in place while gradients are recorded",
                do="make the change under `with openbook.no_grad():`, or out of place",
            )

    def _in_place(self, change: np.ufunc, other: Any) -> Tensor:
        self._writable()
        given = _array(other)
        try:
            change(self.data, given, out=self.data, casting="same_kind")
        except TypeError as problem:
            raise DTypeError(
                f"{self.dtype} entries cannot take the result of a {change.__name__} in place",
                do="compute out of place",
            ) from problem
        except ValueError as problem:
            raise ShapeError(f"shape {np.shape(given)} does not fit into {self.shape} in place") from problem
        return self.changed_in_place()

    def _augmented(self, change: np.ufunc, other: Any, apart: Callable[[], Tensor]) -> Tensor:
        """`x += y`: in place, as people expect of a leaf or a buffer; apart where a gradient must pass through it."""
        recorded = is_grad_enabled() and (self.node is not None or getattr(other, "requires_grad", False))
        return apart() if recorded and not (self.node is None and self.requires_grad) else self._in_place(change, other)

    def __iadd__(self, other: Any) -> Tensor:
        return self._augmented(np.add, other, lambda: self + other)

    def __isub__(self, other: Any) -> Tensor:
        return self._augmented(np.subtract, other, lambda: self - other)

    def __imul__(self, other: Any) -> Tensor:
        return self._augmented(np.multiply, other, lambda: self * other)

    def __itruediv__(self, other: Any) -> Tensor:
        return self._augmented(np.true_divide, other, lambda: self / other)

    def add_(self, other: Any, *, alpha: float = 1) -> Tensor:
        """Add in place."""
        return self._in_place(np.add, other if alpha == 1 else alpha * _array(other))

    def sub_(self, other: Any, *, alpha: float = 1) -> Tensor:
        """Subtract in place."""
        return self._in_place(np.subtract, other if alpha == 1 else alpha * _array(other))

    def mul_(self, other: Any) -> Tensor:
        """Multiply in place."""
        return self._in_place(np.multiply, other)

    def div_(self, other: Any) -> Tensor:
        """Divide in place."""
        return self._in_place(np.true_divide, other)

    def copy_(self, other: Any) -> Tensor:
        """Take over another's entries, in place."""
        self._writable()
        source = _array(other)
        try:
            np.copyto(self.data, source, casting="same_kind")
        except ValueError as problem:
            raise ShapeError(f"shape {np.shape(source)} cannot be copied into {self.shape}") from problem
        return self.changed_in_place()

    def fill_(self, value: float) -> Tensor:
        """Set every entry, in place."""
        return self.copy_(np.full_like(self.data, value))

    def zero_(self) -> Tensor:
        """Set every entry to zero, in place."""
        return self.fill_(0)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._writable()
        self.data[_index(index)] = _array(value)
        self.changed_in_place()

    # --- looking ------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def dtype(self) -> np.dtype:
        return self.data.dtype

    @property
    def ndim(self) -> int:
        return self.data.ndim

    def numpy(self) -> np.ndarray:
        """The array itself, sharing memory; a tensor that requires gradients must be detached first."""
        if self.requires_grad:
            raise GraphError("a tensor that requires gradients is no plain array", do="use x.detach().numpy()")
        return self.data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.data, dtype=dtype, copy=copy)

    def item(self) -> Any:
        """The single entry, as a Python number."""
        if self.data.size != 1:
            raise ShapeError(f"item() wants a single entry, and this has shape {self.shape}", do="use tolist()")
        return self.data.item()

    def tolist(self) -> Any:
        """The entries as nested lists."""
        return self.data.tolist()

    def __len__(self) -> int:
        if not self.shape:
            raise ShapeError("a single number has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        value: SupportsIndex = self.item()
        return value.__index__()

    def __hash__(self) -> int:
        return id(self)

    def __getitem__(self, index: Any) -> Tensor:
        return word.gather_entries(self, index=_index(index))

    def __repr__(self) -> str:
        body = np.array2string(self.data, precision=4, separator=", ", prefix="tensor(", threshold=200)
        extra = "" if self.dtype in (np.float32, np.int64, np.bool_) else f", dtype={self.dtype}"
        if self.node is not None:
            extra += f", from={self.node.op.name}"
        elif self.requires_grad:
            extra += ", requires_grad=True"
        return f"tensor({body}{extra})"


def _array(value: Any) -> Any:
    return value.data if isinstance(value, Tensor) else value


def _index(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(_index(i) for i in index)
    return index.data if isinstance(index, Tensor) else index
