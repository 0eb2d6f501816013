"""Changes in place: memory is written to, and graphs that saved it refuse to give a wrong gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import DTypeError, GraphError, ShapeError
from openbook.ops import vocabulary as word
from openbook.ops.op import OPS
from openbook.tensor.autograd import is_grad_enabled, now

if TYPE_CHECKING:
    from openbook.tensor.autograd import GraphNode
    from openbook.tensor.tensor import Tensor

__all__ = ["InPlace"]


class InPlace:
    """Methods ending in an underscore, augmented assignments, and assignment to entries."""

    __slots__ = ()

    data: np.ndarray
    changed: list[int]
    node: GraphNode | None
    requires_grad: bool

    def changed_in_place(self) -> Tensor:
        """Say that the entries were written to."""
        self.changed[0] = now()
        return self  # type: ignore[return-value]

    def _become(self: Any, compute: Callable[[Any], Any], *others: Any) -> Tensor:
        """Take over what `compute` makes of this tensor; the change is recorded where gradients pass through it."""
        recorded = is_grad_enabled() and (self.requires_grad or any(getattr(x, "requires_grad", False) for x in others))
        if recorded:
            self._require_recordable()
        value = compute(self._before() if recorded else self)
        self._write(value.data)
        if recorded:
            self.past.append(self.node)
            self.node, self.requires_grad = value.node, value.requires_grad
            if value.node is not None:
                value.node.changed = self.changed
                self.changed[0] = value.node.order  # what this operation wrote is no change behind its own back
                value.node.output = self.data
        return self

    def _require_recordable(self) -> None:
        if self.requires_grad and self.node is None:
            raise GraphError(
                "a leaf that requires gradients cannot be changed in place while gradients are recorded",
                do="make the change under `with openbook.no_grad():`, or out of place",
            )
        if self.changed[1]:
            raise GraphError(
                "a tensor that shares its memory with a view cannot be changed in place while gradients are recorded: the "
                "view's gradient would be wrong",
                do="make the change out of place, or on x.clone()",
            )

    def _before(self: Any) -> Tensor:
        """This tensor as it is now, in memory of its own, for the record of the change to come."""
        twin = object.__new__(type(self))
        twin.data, twin.node, twin.requires_grad = self.data.copy(), self.node, self.requires_grad
        twin.changed = [0, 0]
        return twin

    def _write(self, value: Any) -> None:
        if np.shape(value) != self.data.shape:
            raise ShapeError(f"a result of shape {np.shape(value)} does not fit into {self.data.shape} in place")
        if not np.can_cast(value.dtype, self.data.dtype, "same_kind"):
            raise DTypeError(
                f"{self.data.dtype} entries cannot take a result of {value.dtype} in place", do="compute out of place"
            )
        np.copyto(self.data, value, casting="same_kind")
        self.changed_in_place()

    # --- augmented assignment ----------------------------------------------------------------------------------

    def __iadd__(self, other: Any) -> Tensor:
        return self._become(lambda x: x + other, other)

    def __isub__(self, other: Any) -> Tensor:
        return self._become(lambda x: x - other, other)

    def __imul__(self, other: Any) -> Tensor:
        return self._become(lambda x: x * other, other)

    def __itruediv__(self, other: Any) -> Tensor:
        return self._become(lambda x: x / other, other)

    def __ipow__(self, other: Any) -> Tensor:
        return self._become(lambda x: x**other, other)

    # --- filling -----------------------------------------------------------------------------------------------

    def copy_(self, src: Any) -> Tensor:
        """Take over another's entries, broadcast to this shape."""
        return self._become(lambda x: word.overwrite(x, _like(src, x), index=...), src)

    def fill_(self, value: Any) -> Tensor:
        """Set every entry."""
        return self.copy_(value)

    def zero_(self) -> Tensor:
        """Set every entry to zero."""
        return self.copy_(0)

    def masked_fill_(self, mask: Any, value: Any) -> Tensor:
        """Set the entries where the mask is true."""
        return self._become(lambda x: x.masked_fill(mask, value), value)

    def scatter_add_(self, dim: int, index: Any, src: Any) -> Tensor:
        """Add the entries of `src` at the places along `dim` that `index` names."""
        return self._become(lambda x: x.scatter_add(dim, index, src), src)

    def __setitem__(self, index: Any, value: Any) -> None:
        from openbook.tensor.methods.indexing import plain_index

        place = plain_index(index)
        if is_grad_enabled() and (self.requires_grad or getattr(value, "requires_grad", False)):
            self._become(lambda x: word.overwrite(x, _like(value, x), index=place), value)
            return
        given = getattr(value, "data", value)
        try:
            self.data[place] = given
        except ValueError as problem:
            raise ShapeError(f"entries of shape {np.shape(given)} do not fit: {problem}") from problem
        self.changed_in_place()


def _like(value: Any, x: Any) -> Any:
    """What is assigned, in the dtype of what it is assigned to."""
    if hasattr(value, "__openbook_apply__"):
        return value if value.dtype == x.dtype else value.to(x.dtype)
    return np.asarray(value, dtype=x.dtype)


def _in_place(name: str) -> Any:
    def method(self: Any, *others: Any, **options: Any) -> Tensor:
        return self._become(lambda x: getattr(x, name)(*others, **options), *others)

    method.__name__, method.__doc__ = f"{name}_", f"`{name}`, in place."
    return method


def _add_in_place_methods() -> None:
    """Every operation on single numbers has a form in place, under its name and an underscore."""
    names = [n for n, op in OPS.items() if op.elementwise and n != "where"]
    for name in names:
        if f"{name}_" not in InPlace.__dict__:
            setattr(InPlace, f"{name}_", _in_place(name))


_add_in_place_methods()
