"""Places and order: where the largest is, sorting, entries taken by their places."""

from __future__ import annotations

import numpy as np

from openbook.errors import InputError
from openbook.ops.along import Along, axes_of
from openbook.ops.op import case_by_case
from openbook.ops.vocabulary import eq, gather, pad, scatter_add, scatter_prod, where


class _Place(Along):
    """Operations that give places: whole numbers, with nothing to differentiate."""

    differentiable = False

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        if parameters.get("axis", cls.options["axis"]) is None:  # counted through all entries
            return case_by_case(cls, size, inputs, stacked, parameters)
        return super().batched(size, inputs, stacked, parameters)


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


class ScatterExtreme(Along):
    """Along an axis, the largest (or smallest) of what is in a place and what lands there; equals share the slope."""

    name = "scatter_extreme"
    formula = "max(x[index], src)"

    @staticmethod
    def forward(x, index, src, *, axis, largest=True):
        out = np.array(x)
        pick = np.maximum if largest else np.minimum
        if index.size:
            _by_place(out, index, axis, lambda a, i: pick.at(a, i, src[tuple(map(slice, index.shape))]))
        return out

    @staticmethod
    def gradient(g, y, x, index, src, *, axis, largest=True):
        kept = eq(x, y).astype(g.dtype)
        taken = src if src.shape == index.shape else src[tuple(map(slice, index.shape))]
        chosen = eq(taken, gather(y, index, axis=axis)).astype(g.dtype)
        each = g / where(eq(counts := scatter_add(kept, index, chosen, axis=axis), 0), 1.0, counts)

        def of_source():
            share = gather(each, index, axis=axis) * chosen
            return share if share.shape == src.shape else _padded(share, src.shape)

        return each * kept, None, of_source


class ScatterProd(Along):
    """Along an axis, what is in a place times all that lands there."""

    name = "scatter_prod"
    formula = "x[index] * src"

    @staticmethod
    def forward(x, index, src, *, axis):
        out = np.array(x)
        if index.size:
            _by_place(out, index, axis, lambda a, i: np.multiply.at(a, i, src[tuple(map(slice, index.shape))]))
        return out

    @staticmethod
    def gradient(g, y, x, index, src, *, axis):
        """The product of the others: of all that is not 0 by division, of one single 0 all the rest."""
        taken = src if src.shape == index.shape else src[tuple(map(slice, index.shape))]
        own, other = eq(x, 0).astype(g.dtype), eq(taken, 0).astype(g.dtype)
        rest = scatter_prod(where(own, 1.0, x), index, where(other, 1.0, taken), axis=axis)
        zeros = scatter_add(own, index, other, axis=axis)

        def of_source():
            nonzero, missing = gather(rest, index, axis=axis), gather(zeros, index, axis=axis)
            share = _others(nonzero, missing, taken, other)
            share = gather(g, index, axis=axis) * share
            return share if share.shape == src.shape else _padded(share, src.shape)

        return lambda: g * _others(rest, zeros, x, own), None, of_source


def _others(rest, zeros, x, is_zero):
    """The product of all but x in its place, from that of all that are not 0 and the number of those that are."""
    return where(eq(zeros, is_zero), rest / where(is_zero, 1.0, x), 0.0)
