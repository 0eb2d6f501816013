"""Running totals along an axis: sums, products, extremes."""

from __future__ import annotations

import numpy as np

from openbook.ops.along import Along, axes_of
from openbook.ops.vocabulary import (
    broadcast_to,
    cumprod,
    cumsum,
    eq,
    exp,
    flip,
    permute,
    reshape,
    total,
    where,
)


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


class LogCumSumExp(Along):
    """The logarithms of the running sums of exponentials along an axis, without overflow."""

    formula = "log(cumsum(exp(x)))"

    @staticmethod
    def forward(x, *, axis):
        return np.logaddexp.accumulate(x, axis=axis) if x.ndim else np.array(x)

    @staticmethod
    def gradient(g, y, x, *, axis):
        if x.ndim == 0:
            return g
        nothing = eq(y, -np.inf)  # entries of −∞ so far: an empty sum, which nothing moves
        heights = np.asarray(y)
        finite = heights[np.isfinite(heights)]
        shares = _by_sums if np.ptp(finite if finite.size else np.zeros(1)) < 600 else _by_pairs
        return where(eq(x, -np.inf), 0.0, shares(where(nothing, 0.0, g), x, where(nothing, 0.0, y), axis))


def _by_sums(g, x, y, axis):
    """Σ_{j ≥ i} g_j exp(x_i − y_j), with the largest y taken out of both exponentials, which then cannot overflow."""
    heights = np.asarray(y)
    top = np.max(heights, where=np.isfinite(heights), initial=-np.inf)
    top = top if np.isfinite(top) else heights.dtype.type(0)
    return exp(x - top) * flip(cumsum(flip(g * exp(top - y), axis=axis), axis=axis), axis=axis)


def _by_pairs(g, x, y, axis):
    """The same from a table of all pairs, where the y lie too far apart for that."""
    (axis,) = axes_of(axis, x.ndim)
    last = (*(a for a in range(x.ndim) if a != axis), axis)
    g, x, y = (permute(t, axes=last) for t in (g, x, y))
    lead, n = x.shape[:-1], x.shape[-1]
    behind = reshape(x, shape=(*lead, n, 1)) - reshape(y, shape=(*lead, 1, n))
    table = exp(where(np.triu(np.ones((n, n), bool)), behind, -np.inf)) * reshape(g, shape=(*lead, 1, n))
    return permute(total(table, axis=-1), axes=tuple(int(i) for i in np.argsort(last)))


class _RunningPlace(Along):
    """The family of places of running extremes; the last of equals, as PyTorch does. From the first NaN on, a NaN's."""

    differentiable = False


def _last_place(x, best, axis):
    if x.ndim == 0:
        return np.zeros((), np.int64)
    line = np.arange(x.shape[axis]).reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])
    reached = (x == best) | (x != x)
    return np.maximum.accumulate(np.where(reached, line, 0), axis=axis)


class CummaxPlace(_RunningPlace):
    """Where the largest entry so far stands."""

    name = "cummax_place"
    formula = "argmax(x)"

    @staticmethod
    def forward(x, *, axis):
        return _last_place(x, np.maximum.accumulate(x, axis=axis) if x.ndim else x, axis)


class CumminPlace(_RunningPlace):
    """Where the smallest entry so far stands."""

    name = "cummin_place"
    formula = "argmin(x)"

    @staticmethod
    def forward(x, *, axis):
        return _last_place(x, np.minimum.accumulate(x, axis=axis) if x.ndim else x, axis)
