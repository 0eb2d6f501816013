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
    greater,
    less,
    log,
    logcumsumexp,
    logical_or,
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
        safe = where(nothing, 0.0, y)
        shares = (_weighted(g, greater(g, 0), x, safe, axis), _weighted(-g, less(g, 0), x, safe, axis))
        return where(logical_or(nothing, eq(x, -np.inf)), 0.0, shares[0] - shares[1])


def _weighted(g, counted, x, y, axis):
    """Σ_{j ≥ i} g_j exp(x_i − y_j) over what is counted, by logarithms: exp(x_i) alone may overflow."""
    logs = where(counted, log(where(counted, g, 1.0)) - y, -np.inf)
    return exp(x + flip(logcumsumexp(flip(logs, axis=axis), axis=axis), axis=axis))


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
