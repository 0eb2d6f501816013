"""Views: tensors that look at another's memory, and what a change in place of one of them means for the others.

As in PyTorch, a change of a view is a change of what it is a view of: the whole becomes "the old whole with these places
overwritten", and every view of it is taken anew from there.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from openbook.ops.op import OPS, Op
from openbook.tensor.autograd import GraphNode, last_change

__all__ = ["overwrite_whole", "register_view", "retake_views", "root_of", "take_over"]

_FEW = 32


class Family(list[Any]):
    """All living views that share a piece of memory, oldest first, weakly held."""

    __slots__ = ("limit",)

    def __init__(self) -> None:
        super().__init__()
        self.limit = _FEW

    def add(self, view: Any) -> None:
        self.append(weakref.ref(view))
        if len(self) > self.limit:
            self[:] = [ref for ref in self if ref() is not None]
            self.limit = max(_FEW, 2 * len(self))

    def living(self) -> Iterator[Any]:
        return (view for ref in self if (view := ref()) is not None)


def register_view(view: Any, base: Any, op: type[Op], parameters: dict[str, Any]) -> None:
    """Remember how a view was taken. `changed` is shared by all that look at this memory, and holds the family."""
    view.source = (base, op, parameters)
    changed = view.changed
    if not changed[1]:
        changed[1] = Family()
    changed[1].add(view)


def root_of(x: Any) -> Any:
    """What a view is in the end a view of: x itself, if it is none."""
    source = x.source
    while source is not None:
        x = source[0]
        source = x.source
    return x


def overwrite_whole(root: Any, view: Any, value: Any) -> None:
    """Record that the view's places in the whole were overwritten by a value; its memory has been written to already."""
    before = object.__new__(type(root))
    before.data, before.node, before.requires_grad, before.changed = root.data, root.node, root.requires_grad, [0, 0]
    parameters = {"index": _places(root, view)}
    take_over(
        root, GraphNode(OPS["overwrite"], (before, value), [root.data, value.data], parameters, root.data, root.changed)
    )


def take_over(x: Any, node: GraphNode | None) -> None:
    """Let a tensor come from another operation; the operations before stay its past."""
    x.past.append(x.node)
    x.node, x.requires_grad = node, node is not None
    if node is not None:
        x.changed[0] = last_change[0] = node.order  # what this operation wrote is no change behind its own back


def retake_views(root: Any) -> None:
    """Take all views of a whole from it again, after it has changed."""
    for view in root.changed[1] or ():
        view = view()
        if view is None or view.source is None or root_of(view) is not root:
            continue
        if view.requires_grad and view.node is None:
            continue  # made a leaf since: it has no past to renew
        base, op, parameters = view.source
        view.past.append(view.node)
        view.node = GraphNode(op, (base,), [base.data], parameters, view.data, view.changed)
        view.requires_grad = True


def _places(root: Any, view: Any) -> Any:
    """The index under which the view's entries stand in the whole."""
    chain = []
    while view is not root:
        view, op, parameters = view.source
        chain.append((op, parameters))
    if len(chain) == 1 and chain[0][0].name == "getitem":
        return chain[0][1]["index"]
    numbers = np.arange(root.data.size).reshape(root.data.shape)
    for op, parameters in reversed(chain):
        numbers = op.forward(numbers, **parameters)
    return np.unravel_index(numbers, root.data.shape) if root.data.ndim else ()
