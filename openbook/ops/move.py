"""Operations that put the same entries elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.ops.op import Op
from openbook.ops.vocabulary import gather_entries, permute, reshape, scatter_entries, total


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum the axes along which entries of `shape` were repeated."""
    if tuple(g.shape) == tuple(shape):
        return g
    added = g.ndim - len(shape)
    repeated = tuple(i + added for i, n in enumerate(shape) if n == 1 and g.shape[i + added] != 1)
    return reshape(total(g, axis=tuple(range(added)) + repeated), shape=tuple(shape))


class Reshape(Op):
    """The same entries in another shape."""

    formula = "x"

    @staticmethod
    def forward(x, *, shape):
        return np.reshape(x, shape)

    @staticmethod
    def gradient(g, y, x, *, shape):
        return reshape(g, shape=tuple(x.shape))


class Permute(Op):
    """The axes in another order."""

    formula = "x"

    @staticmethod
    def forward(x, *, axes):
        return np.transpose(x, axes)

    @staticmethod
    def gradient(g, y, x, *, axes):
        return permute(g, axes=tuple(int(i) for i in np.argsort(axes)))


class BroadcastTo(Op):
    """Entries repeated to fill a larger shape."""

    name = "broadcast_to"
    formula = "x"

    @staticmethod
    def forward(x, *, shape):
        return np.broadcast_to(x, shape)

    @staticmethod
    def gradient(g, y, x, *, shape):
        return sum_to(g, tuple(np.shape(x)))


class GetItem(Op):
    """Some of the entries, by NumPy's rules of indexing."""

    formula = "x"

    @staticmethod
    def forward(x, *, index):
        return x[index]

    @staticmethod
    def gradient(g, y, x, *, index):
        return scatter_entries(g, index=index, shape=tuple(x.shape))


class Scatter(Op):
    """Entries put into their places in an array of zeros; what lands in one place is added up."""

    formula = "x"

    @staticmethod
    def forward(x, *, index, shape):
        out = np.zeros(shape, dtype=np.asarray(x).dtype)
        np.add.at(out, index, x)
        return out

    @staticmethod
    def gradient(g, y, x, *, index, shape):
        return gather_entries(g, index=index)


class Cat(Op):
    """Arrays joined along an axis they have."""

    formula = "x"

    @staticmethod
    def forward(*arrays, axis=0):
        return np.concatenate(arrays, axis=axis)

    @staticmethod
    def gradient(g, y, *arrays, axis=0):
        ends = np.cumsum([a.shape[axis] for a in arrays]).tolist()
        before = (slice(None),) * (axis % g.ndim)
        return tuple(
            gather_entries(g, index=(*before, slice(end - a.shape[axis], end)))
            for a, end in zip(arrays, ends, strict=True)
        )


class Stack(Op):
    """Arrays joined along a new axis."""

    formula = "x"

    @staticmethod
    def forward(*arrays, axis=0):
        return np.stack(arrays, axis=axis)

    @staticmethod
    def gradient(g, y, *arrays, axis=0):
        before = (slice(None),) * (axis % g.ndim)
        return tuple(gather_entries(g, index=(*before, i)) for i in range(len(arrays)))
