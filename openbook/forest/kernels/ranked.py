"""Rows by their ranks among the thresholds, and through trees: ten rows side by side, one word a node.

The codes of ten rows stand together for each column, so that the ten need one address, and registers are left for the ten
nodes they are at.
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import bare, inlined, jit, part, u64

__all__ = ["AHEAD", "LANES", "MISSING", "encode", "walk_ranked"]

LANES = 10
AHEAD = 4  # thresholds of a cell that are compared without asking how many there are
MISSING = 0xFFFF  # the code of a missing value: right of all thresholds, and left of all once 1 is added
_1 = u64(1)


@jit
def encode(X, cuts, begins, low, scale, grid, cells, codes):
    """Write how many of a feature's thresholds lie below each value into `codes` (rows / 10, columns, 10), `MISSING` where
    there is none; whether any is missing. The grid's cell holds a threshold or two: four are compared without asking, the
    rest is halved."""
    X, cuts, grid, codes = bare(X), bare(cuts), bare(grid), bare(codes)
    rows, some_missing = u64(X.shape[0]), False
    for f in range(u64(X.shape[1])):
        begin, first, wide = u64(begins[f]), low[f], scale[f]
        cell_0, top = u64(cells[f]), float(cells[f + _1] - cells[f] - 2)
        for group in range(u64(codes.shape[0])):
            row = group * u64(LANES)
            for lane in range(min(u64(LANES), rows - row)):
                x = np.float64(X[row + lane, f])
                z = (x - first) * wide
                z = z if z > 0.0 else 0.0  # not max(): a NaN is 0 here
                cell = cell_0 + u64(np.int32(z if z < top else top))
                start = begin + u64(grid[cell])
                place = start
                for ahead in range(u64(AHEAD)):
                    place += u64(cuts[start + ahead] < x)
                if place == start + u64(AHEAD):
                    place = among(cuts, place, begin + u64(grid[cell + _1]), x)
                missing = x != x
                some_missing |= missing
                codes[group, f, lane] = u64(MISSING) if missing else place - begin
    return some_missing


@inlined
def among(cuts, place, end, x):
    """The first threshold from `place` on that is not below x, none from `end` on being so."""
    while place < end:
        middle = (place + end) >> _1
        if cuts[middle] < x:
            place = middle + _1
        else:
            end = middle
    return place


@inlined
def step(codes, lane, node, nodes):
    """One decision. A node is its left child (the right one follows it), a rank, and ten times the column that it asks."""
    code = u64(codes[part(nodes, node, 16, 3) + u64(lane)])
    return part(nodes, node, 32, 0) + u64(code > part(nodes, node, 16, 2))


@inlined
def walk(codes, nodes, start):
    """Ten rows to their leaves. Numbers of nodes only grow on the way down: when their sum stays, all have arrived."""
    a = b = c = d = e = f = g = h = i = j = start
    before, total = u64(0), _1
    while total != before:
        before = a + b + c + d + e + f + g + h + i + j
        a, b = step(codes, 0, a, nodes), step(codes, 1, b, nodes)
        c, d = step(codes, 2, c, nodes), step(codes, 3, d, nodes)
        e, f = step(codes, 4, e, nodes), step(codes, 5, f, nodes)
        g, h = step(codes, 6, g, nodes), step(codes, 7, h, nodes)
        i, j = step(codes, 8, i, nodes), step(codes, 9, j, nodes)
        total = a + b + c + d + e + f + g + h + i + j
    return a, b, c, d, e, f, g, h, i, j


@inlined
def put_places(codes, categories, begins, ends, places, column):
    """Ten rows' levels as one tree orders them: their places into the columns from `column` on; and with 1 added, so that a
    level without a place is left of all thresholds as it was right of them, into as many columns after those."""
    lanes, both = u64(LANES), u64(len(categories)) * u64(LANES)
    for k in range(u64(len(categories))):
        begin, end = u64(begins[k]), u64(ends[k])
        source, to = u64(categories[k]) * lanes, (u64(column) + k) * lanes
        for lane in range(lanes):
            level = u64(codes[source + lane])
            place = u64(places[begin + (level if level < end else end)])
            codes[to + lane] = place
            codes[to + both + lane] = (place + _1) & u64(MISSING)


@jit
def walk_ranked(codes, rows, nodes, starts, which, values, sums, categories, begins, ends, places, column):
    """For each row add up the `values` of its leaves into `sums`, tree by tree: a tree stays in the cache while all rows pass.

    `codes` is (rows / 10, columns × 10). `categories` is None, or the columns of levels: tree t has the place of the first
    level of category k at `begins[t, k]`, and the places go into the columns from `column` on.
    """
    codes, nodes, starts, which = bare(codes), bare(nodes), bare(starts), bare(which)
    values, sums = bare(values), bare(sums)
    found = np.empty(LANES, np.uint64)
    for t in range(u64(len(starts))):
        start = u64(starts[t])
        for group in range(u64(len(codes))):
            if categories is not None:
                put_places(codes[group], categories, begins[t], ends, places, column)
            found[0], found[1], found[2], found[3], found[4], found[5], found[6], found[7], found[8], found[9] = walk(
                codes[group], nodes, start)  # fmt: skip
            row = group * u64(LANES)
            for k in range(min(u64(LANES), u64(rows) - row)):
                leaf = u64(which[found[k]])
                for c in range(u64(values.shape[1])):
                    sums[row + k, c] += values[leaf, c]
