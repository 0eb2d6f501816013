"""One random threshold: how it is drawn, and whether it is the best so far."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from openbook.forest.kernels.jit import inlined, u64
from openbook.forest.kernels.nodes import MIN_LEAF, MIN_WEIGHT
from openbook.forest.kernels.pairs import FEATURE, MISSED, SIDE
from openbook.forest.kernels.random import next_random

__all__ = ["CUT", "Bench", "bounds", "count_missing", "draw_cut", "keep_better"]

CUT, LEFT_W, LEFT_P = 3, 1, 2  # in `figures`; 0 is the score
_0, _1, _2, _11 = u64(0), u64(1), u64(2), u64(11)


class Bench(NamedTuple):
    """Where a node is split between values, besides its `Room`."""

    few: Any  # rows of a small node
    code: Any  # the targets of its rows
    marks: Any  # which rows go left: of the best split so far, at `best`, and of the next one
    best: Any
    left: Any  # the weight of each class on the left of the best split

    @classmethod
    def of(cls, few: int, most: int, width: int) -> Bench:
        """For trees of `most` rows."""
        return cls(few, np.empty(few, np.int32), np.empty((2, most), np.bool_), np.zeros(1, np.int64),
                   np.zeros(width, np.int64))  # fmt: skip


@inlined
def bounds(column, rows, held):
    """The smallest and the largest of the values that are known; all are left in `held`. Two rows at a time, since each
    comparison waits for the one before it."""
    low = other_low = np.inf
    high = other_high = -np.inf
    k, m = _0, u64(len(rows))
    while k + _1 < m:
        x, y = np.float64(column[rows[k]]), np.float64(column[rows[k + _1]])
        held[k], held[k + _1] = x, y
        low = x if x < low else low
        high = x if x > high else high
        other_low = y if y < other_low else other_low
        other_high = y if y > other_high else other_high
        k += _2
    if k < m:
        x = np.float64(column[rows[k]])
        held[k] = x
        low = x if x < low else low
        high = x if x > high else high
    return min(low, other_low), max(high, other_high)


@inlined
def count_missing(held, m):
    """How many of these values are missing."""
    missing = np.int64(0)
    for k in range(m):
        missing += held[k] != held[k]
    return missing


@inlined
def draw_cut(low, high, missing, state):
    """A random threshold; +inf: all known values are equal and some are missing; NaN: no split."""
    if low > high or (low == high and missing == 0):
        return np.nan
    if low == high:
        return np.inf
    cut = low + np.float64(np.int64(next_random(state) >> _11)) * 2.0**-53 * (high - low)
    return cut if low <= cut < high else low


@inlined
def keep_better(f, cut, side, left_rows, weight, part, missed, score, limits, room):
    """Keep this split if it is allowed, and better than what was found before; whether it is."""
    best, figures, total = room.best, room.figures, room.total
    if min(left_rows, np.int64(total[2]) - left_rows) < max(limits[MIN_LEAF], 1):
        return False
    if min(weight, total[0] - weight) < limits[MIN_WEIGHT] or not score > figures[0]:
        return False
    figures[0], figures[LEFT_W], figures[LEFT_P], figures[CUT] = score, weight, part, cut
    best[FEATURE], best[SIDE], best[MISSED] = f, side, missed
    return True
