"""Changes in place: memory is written to, and graphs that saved it refuse to give a wrong gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import DTypeError, GraphError, InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.ops.op import Op, for_every_operation
from openbook.tensor.autograd import is_grad_enabled, last_change, now
from openbook.tensor.views import overwrite_whole, retake_views, root_of, take_over

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
        self.changed[0] = last_change[0] = now()
        return self  # type: ignore[return-value]

    def _become(self: Any, compute: Callable[..., Any], *others: Any) -> Tensor:
        """Take over what `compute` makes of this tensor and the others; recorded where gradients pass through it.

        If this is a view, what it is a view of changes with it, and so does every other view of that.
        """
        if not is_grad_enabled():
            self._write(compute(self, *others).data)
            return self
        root = root_of(self)
        if root.requires_grad and not self.requires_grad:
            retake_views(root)  # this one was taken under no_grad()
        if not (root.requires_grad or self.requires_grad or any(getattr(x, "requires_grad", False) for x in others)):
            self._write(compute(self, *others).data)
            return self
        self._require_recordable(root)
        self._require_writable()
        before = self._before()
        value = compute(before, *(before if x is self else x for x in others))
        self._write(value.data)
        if root is self:
            self._come_from(value, others)
        else:
            overwrite_whole(root, self, value)
        retake_views(root)
        return self

    def _come_from(self: Any, value: Any, others: tuple[Any, ...]) -> None:
        take_over(self, value.node)
        if value.node is not None:
            value.node.changed, value.node.output = self.changed, self.data
            if any(getattr(x, "changed", None) is self.changed and x is not self for x in others):
                self.changed_in_place()  # it also used a view of what it wrote to

    def _require_recordable(self: Any, root: Any) -> None:
        for x, what in ((self, "a leaf"), (root, "a view of a leaf")):
            if x.requires_grad and x.node is None:
                raise GraphError(
                    f"{what} that requires gradients cannot be changed in place while gradients are recorded",
                    do="make the change under `with openbook.no_grad():`, or out of place",
                )

    def _require_writable(self) -> None:
        if not self.data.flags.writeable:
            raise InputError(
                "this tensor's memory cannot be written to: several of its entries are one place (after expand), or it "
                "is of a read-only array",
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
        try:
            np.copyto(self.data, value, casting="same_kind")
        except ValueError:
            self._require_writable()
            raise
        self.changed_in_place()

    # --- augmented assignment ----------------------------------------------------------------------------------

    def __iadd__(self, other: Any) -> Tensor:
        return self._become(lambda x, y: x + y, other)

    def __isub__(self, other: Any) -> Tensor:
        return self._become(lambda x, y: x - y, other)

    def __imul__(self, other: Any) -> Tensor:
        return self._become(lambda x, y: x * y, other)

    def __itruediv__(self, other: Any) -> Tensor:
        return self._become(lambda x, y: x / y, other)

    def __ipow__(self, other: Any) -> Tensor:
        return self._become(lambda x, y: x**y, other)

    # --- filling -----------------------------------------------------------------------------------------------

    def copy_(self, other: Any) -> Tensor:
        """Take over another's entries, broadcast to this shape."""
        return self._become(lambda x, y: word.overwrite(x, _like(y, x), index=...), other)

    def fill_(self, value: Any) -> Tensor:
        """Set every entry."""
        return self.copy_(value)

    def zero_(self) -> Tensor:
        """Set every entry to zero."""
        return self.copy_(0)

    def __setitem__(self: Any, index: Any, value: Any) -> None:
        from openbook.tensor.methods.indexing import plain_index

        place = plain_index(index)
        if getattr(value, "source", None) is not None and _same_memory(value.data, self.data, place):
            return  # x[place] += … has changed the view itself
        if is_grad_enabled() and any(getattr(x, "requires_grad", False) for x in (self, root_of(self), value)):
            self._become(lambda x, y: word.overwrite(x, _like(y, x), index=place), value)
            return
        given = getattr(value, "data", value)
        try:
            self.data[place] = given
        except ValueError as problem:
            self._require_writable()
            raise ShapeError(f"entries of shape {np.shape(given)} do not fit: {problem}") from problem
        self.changed_in_place()


def _same_memory(value: np.ndarray, whole: np.ndarray, place: Any) -> bool:
    """Whether a view is of exactly these places."""
    if not np.may_share_memory(value, whole):
        return False
    there = whole[place]
    return isinstance(there, np.ndarray) and (value.shape, value.strides, value.ctypes.data) == (
        there.shape, there.strides, there.ctypes.data
    )  # fmt: skip


def _like(value: Any, x: Any) -> Any:
    """What is assigned, in the dtype of what it is assigned to."""
    if hasattr(value, "__openbook_apply__"):
        return value if value.dtype == x.dtype else value.to(x.dtype)
    return np.asarray(value, dtype=x.dtype)


def _in_place(name: str) -> Any:
    def method(self: Any, *others: Any, **options: Any) -> Tensor:
        keys, count = tuple(options), len(others)

        def compute(x: Any, *given: Any) -> Any:
            return getattr(x, name)(*given[:count], **dict(zip(keys, given[count:], strict=True)))

        return self._become(compute, *others, *options.values())

    method.__name__, method.__doc__ = f"{name}_", f"`{name}`, in place."
    return method


# Besides the operations on single numbers: methods whose result has the tensor's own shape.
_OTHERS = (
    "absolute", "addcdiv", "addcmul", "addmm", "arccos", "arcsin", "arctan", "clip", "cumprod", "cumsum", "divide", "fix",
    "index_add", "index_copy", "index_fill", "index_put", "masked_fill", "masked_scatter", "multiply", "negative", "scatter",
    "scatter_add", "subtract", "tril", "triu", "true_divide",
)  # fmt: skip


for _name in _OTHERS:
    if f"{_name}_" not in InPlace.__dict__:
        setattr(InPlace, f"{_name}_", _in_place(_name))


def _add_in_place_method(op: type[Op]) -> None:
    """Every operation on single numbers has a form in place, under its name and an underscore."""
    if op.elementwise and op.name != "where" and f"{op.name}_" not in InPlace.__dict__:
        setattr(InPlace, f"{op.name}_", _in_place(op.name))


for_every_operation(_add_in_place_method)
