"""Places and order: where the largest is, sorting, entries taken by their places."""

from __future__ import annotations

import numpy as np

from openbook.errors import InputError
from openbook.ops.along import Along, axes_of
from openbook.ops.vocabulary import (
    broadcast_to,
    cumprod,
    cumsum,
    flip,
    gather,
    pad,
    permute,
    reshape,
    scatter_add,
    total,
    where,
)


class _Place(Along):
    """Operations that give places: whole numbers, with nothing to differentiate."""

    differentiable = False


def _along_all(place, x, axis, keepdims):
    if x.size == 0 and (axis is None or x.shape[axis] == 0):
        raise InputError("no entries, so none of them is the largest or smallest", do="leave empty arrays out")
    return place(x, axis=axis, keepdims=keepdims)


class Argmax(_Place):
    """Where the largest entry is; the first of several. NaN counts as larger than all."""

    formula = "argmax(x)"

    @staticmethod
    def forward(x, *, axis=None, keepdims=False):
        return _along_all(np.argmax, x, axis, keepdims)


class Argmin(_Place):
    """Where the smallest entry is; the first of several. NaN counts as smaller than all."""

    formula = "argmin(x)"

    @staticmethod
    def forward(x, *, axis=None, keepdims=False):
        return _along_all(np.argmin, x, axis, keepdims)


class Argsort(_Place):
    """The places of the entries in order, ties in the order they stand; NaN last (first if descending)."""

    formula = "argsort(x)"

    @staticmethod
    def forward(x, *, axis=-1, descending=False):
        if x.ndim == 0:
            return np.zeros((), np.int64)
        if not descending:
            return np.argsort(x, axis=axis, kind="stable")
        backwards = np.argsort(
            np.flip(x, axis), axis=axis, kind="stable"
        )  # ties keep their order when turned round twice
        return np.flip(x.shape[axis] - 1 - backwards, axis)


class Gather(Along):
    """Along an axis, the entries at the given places: y[i] = x[index[i]]."""

    formula = "x[index]"

    @staticmethod
    def forward(x, index, *, axis):
        if not index.size:
            return np.zeros(index.shape, x.dtype)
        return _by_place(x, index, axis, lambda a, i: a[i])

    @staticmethod
    def gradient(g, y, x, index, *, axis):
        return scatter_add(_zeros(x), index, g, axis=axis), None


class ScatterAdd(Along):
    """Along an axis, added to the entries at the given places; what lands in one place is added up."""

    name = "scatter_add"
    formula = "x[index] + src"

    @staticmethod
    def forward(x, index, src, *, axis):
        out = np.array(x)
        if not index.size:
            return out
        _by_place(out, index, axis, lambda a, i: np.add.at(a, i, src[tuple(map(slice, index.shape))]))
        return out

    @staticmethod
    def gradient(g, y, x, index, src, *, axis):
        def of_source():
            taken = gather(g, index, axis=axis)
            return taken if taken.shape == src.shape else _padded(taken, src.shape)

        return g, None, of_source


def _padded(x, shape):
    return pad(x, widths=tuple((0, n - m) for n, m in zip(shape, x.shape, strict=True)), value=0.0)


def _zeros(x):
    return np.zeros(x.shape, x.dtype)


def _by_place(x, index, axis, use):
    """Open the index along the other axes, so that it names single entries of x."""
    if x.ndim == 0:
        return use(x, ()) if index.ndim == 0 else use(x.reshape(1), (index,))
    if index.ndim == 0:
        found = use(x, (index,))
        return found if found is None else np.reshape(found, ())
    (axis,) = axes_of(axis, x.ndim)
    if index.size and (index.min() < 0 or index.max() >= x.shape[axis]):
        wrong = index.min() if index.min() < 0 else index.max()
        raise InputError(f"there is no place {wrong} on an axis of length {x.shape[axis]}", where="gather or scatter")
    places = [np.arange(n).reshape((-1,) + (1,) * (index.ndim - 1 - i)) for i, n in enumerate(index.shape)]
    return use(x, tuple(index if i == axis else place for i, place in enumerate(places)))


class Cumsum(Along):
    """Running sums along an axis."""

    formula = "cumsum(x)"

    @staticmethod
    def forward(x, *, axis):
        return np.cumsum(x, axis=axis) if x.ndim else np.array(x)

    @staticmethod
    def gradient(g, y, x, *, axis):
        return flip(cumsum(flip(g, axis=axis), axis=axis), axis=axis) if x.ndim else g


class Cumprod(Along):
    """Running products along an axis."""

    formula = "cumprod(x)"

    @staticmethod
    def forward(x, *, axis):
        return np.cumprod(x, axis=axis) if x.ndim else np.array(x)

    @staticmethod
    def gradient(g, y, x, *, axis):
        if x.ndim == 0:
            return g
        if np.any(np.asarray(x) == 0):
            return _with_each_replaced(g, x, axes_of(axis, x.ndim)[0])
        return flip(cumsum(flip(g * y, axis=axis), axis=axis), axis=axis) / x


def _with_each_replaced(g, x, axis):
    """Without dividing, since some entry is 0: for each entry, the running products in which it is replaced by 1."""
    last = (*(a for a in range(x.ndim) if a != axis), axis)
    back = tuple(int(i) for i in np.argsort(last))
    rows, cotangents = permute(x, axes=last), permute(g, axes=last)
    lead, n = rows.shape[:-1], rows.shape[-1]
    table = broadcast_to(reshape(rows, shape=(*lead, 1, n)), shape=(*lead, n, n))
    without = cumprod(where(np.eye(n, dtype=bool), 1.0, table), axis=-1)
    after = where(np.triu(np.ones((n, n), bool)), without, 0.0)
    return permute(total(after * reshape(cotangents, shape=(*lead, 1, n)), axis=-1), axes=back)
