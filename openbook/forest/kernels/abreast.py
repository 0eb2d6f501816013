"""Random thresholds where a node tries most of its features: eight of them abreast, row after row.

The values of a row lie next to each other (`random_table.py: lines_of`). One pass over the rows of a node finds the bounds of all
features, a second one the sums on the left of all thresholds, as fast as memory gives them. Nothing may be missing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from openbook.forest.kernels.cuts import CUT, draw_cut, keep_better
from openbook.forest.kernels.jit import inlined, inner, u64
from openbook.forest.kernels.lanes import LANES, bounds_of_eight, sums_of_eight
from openbook.forest.kernels.nodes import MAX_FEATURES
from openbook.forest.kernels.pairs import FEATURE
from openbook.forest.kernels.random import draw_feature, put_back
from openbook.forest.kernels.rows import ID_BITS, PART, WEIGHT
from openbook.forest.kernels.scores import sides_score

__all__ = ["Abreast", "copy_lines", "search_abreast"]

_0, _LANES = u64(0), u64(LANES)


class Abreast(NamedTuple):
    """The table, the lines of a small node's rows, and what a node's search finds for each feature."""

    table: Any
    block: Any
    low: Any
    high: Any
    cut: Any
    order: Any  # the features that vary, as they were drawn
    amounts: Any  # the weight and the part of each row
    left: Any  # of each feature's threshold: rows, weight, part
    scores: Any

    @classmethod
    def of(cls, lines: np.ndarray, few: int, most: int) -> Abreast:
        """For trees of `most` rows."""
        n, width = lines.shape
        block = np.empty((few, width), lines.dtype) if n > few else lines
        return cls(lines, block, np.empty(width), np.empty(width), np.empty(width), np.empty(width, np.int64),
                   np.empty((2, most)), np.empty((3, width)), np.empty(width))  # fmt: skip


@inner
def copy_lines(table, rows, block):
    """The values of these rows to one place."""
    for k in range(u64(len(rows))):
        line, near = table[rows[k]], block[k]
        for f in range(u64(len(near))):
            near[f] = line[f]


@inlined
def search_abreast(abreast, near, rows, values, parts, seed, limits, criterion, terms, scale, room, bench):
    """The best of the random splits of a node, into `room`; `near` if its values are in `abreast.block`."""
    table, left, total = abreast.block if near else abreast.table, abreast.left, room.total
    find_bounds(table, rows, abreast.low, abreast.high)
    varied = draw_cuts(abreast, len(rows), limits, seed, room)
    sum_left(table, rows, values, parts, abreast.cut, abreast.amounts, left)
    score(left, total[0], total[1], criterion, terms, scale, abreast.scores)
    for k in range(varied):
        f = abreast.order[k]
        keep_better(f, abreast.cut[f], 0, np.int64(left[0, f]), left[1, f], left[2, f], 0, abreast.scores[f], limits,
                    room)  # fmt: skip
    if room.best[FEATURE] >= 0:
        mark(table, rows, u64(room.best[FEATURE]), room.figures[CUT], bench.marks[bench.best[0]])


@inner
def find_bounds(table, rows, low, high):
    """The smallest and the largest value of each feature."""
    for f in range(_0, u64(len(low)), _LANES):
        bounds_of_eight(table, rows, f, low, high)


@inlined
def draw_cuts(abreast, rows, limits, seed, room):
    """A threshold for each of the drawn features that vary; how many there are. One is enough for two rows, since any split of
    them is as good as another."""
    room.state[0] = seed
    abreast.cut[:] = -np.inf
    drawn, varied, d = np.int64(0), np.int64(0), len(room.features)
    while drawn < d and not (varied > 0 and (drawn >= limits[MAX_FEATURES] or rows == 2)):
        f = draw_feature(room.state, room.features, drawn, room.swapped)
        drawn += 1
        cut = draw_cut(abreast.low[f], abreast.high[f], 0, room.state)
        if cut == cut:
            abreast.cut[f], abreast.order[varied] = cut, f
            varied += 1
    put_back(room.features, drawn, room.swapped)
    return varied


@inner
def sum_left(table, rows, values, parts, cut, amounts, left):
    """On the left of each feature's threshold the number of rows, their weight and part; below 2⁵³, so doubles are exact."""
    weight, part = amounts[0], amounts[1]
    for k in range(u64(len(rows))):
        if parts is not None:
            weight[k], part[k] = np.float64(np.int64(values[k] >> ID_BITS)), np.float64(parts[k])
        else:
            weight[k] = np.float64(np.int64((values[k] >> ID_BITS) & WEIGHT))
            part[k] = np.float64(np.int64(values[k] >> PART))
    for f in range(_0, u64(len(cut)), _LANES):
        sums_of_eight(table, rows, f, cut, amounts, left)


@inner
def score(left, W, P, criterion, terms, scale, scores):
    """What each feature's split is worth; where no threshold was drawn it means nothing."""
    weight, part = left[1], left[2]
    for f in range(u64(len(scores))):
        scores[f] = sides_score(weight[f], part[f], W, P, criterion, terms, scale)


@inlined
def mark(table, rows, f, cut, marks):
    """Mark the rows that go left."""
    for k in range(u64(len(rows))):
        marks[k] = table[rows[k], f] <= cut
