"""Rows by their ranks among the thresholds, and through trees: eight rows side by side, one word a node.

The codes of eight rows stand together for each feature, so that the eight need one address, and registers are left for the
eight nodes they are at.
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import bare, inlined, jit, u64

__all__ = ["LANES", "encode", "walk_ranked"]

LANES = 8
_1, _3, _7, _32, _48 = u64(1), u64(3), u64(7), u64(32), u64(48)
_CHILD, _RANK = u64(0xFFFFFFFF), u64(0xFFFF)


@jit
def encode(X, cuts, begins, low, scale, grid, codes):
    """Write how many of a feature's thresholds lie below each value into `codes` (rows / 8, features, 8); False, at once,
    where one is missing. The grid's cell holds a threshold or two: six are compared without asking, the rest is halved."""
    X, cuts, grid, codes = bare(X), bare(cuts), bare(grid), bare(codes)
    top = float(grid.shape[1] - 2)
    for f in range(u64(X.shape[1])):
        begin, first, wide = u64(begins[f]), low[f], scale[f]
        missing = False
        for row in range(u64(X.shape[0])):
            x = np.float64(X[row, f])
            missing |= x != x
            z = (x - first) * wide
            z = z if z > 0.0 else 0.0  # not max(): a NaN is 0 here
            cell = u64(np.int32(z if z < top else top))
            start = begin + u64(grid[f, cell])
            place = start
            for ahead in range(u64(6)):
                place += u64(cuts[start + ahead] < x)
            if place == start + u64(6):
                place = among(cuts, place, begin + u64(grid[f, cell + _1]), x)
            codes[row >> _3, f, row & _7] = place - begin
        if missing:
            return False
    return True


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
def step(codes, at, lane, node, nodes):
    """One decision."""
    word = nodes[node]
    code = u64(codes[(at + (word >> _48)) + u64(lane)])
    return (word & _CHILD) + u64(code > ((word >> _32) & _RANK))


@inlined
def walk(codes, at, nodes, start):
    """Eight rows to their leaves. Numbers of nodes only grow on the way down: when their sum stays, all have arrived."""
    a = b = c = d = e = f = g = h = start
    before, total = u64(0), _1
    while total != before:
        before = a + b + c + d + e + f + g + h
        a, b = step(codes, at, 0, a, nodes), step(codes, at, 1, b, nodes)
        c, d = step(codes, at, 2, c, nodes), step(codes, at, 3, d, nodes)
        e, f = step(codes, at, 4, e, nodes), step(codes, at, 5, f, nodes)
        g, h = step(codes, at, 6, g, nodes), step(codes, at, 7, h, nodes)
        total = a + b + c + d + e + f + g + h
    return a, b, c, d, e, f, g, h


@jit
def walk_ranked(codes, width, rows, nodes, starts, values, sums):
    """For each row add up `values` of its leaves into `sums`, tree by tree: a tree stays in the cache while all rows pass."""
    codes, nodes, starts = bare(codes), bare(nodes), bare(starts)
    found = np.empty(LANES, np.uint64)
    for t in range(len(starts)):
        start = u64(starts[t])
        for row in range(u64(0), u64(rows), u64(LANES)):
            found[0], found[1], found[2], found[3], found[4], found[5], found[6], found[7] = walk(
                codes, row * u64(width), nodes, start)  # fmt: skip
            for k in range(min(u64(LANES), u64(rows) - row)):
                for c in range(u64(values.shape[1])):
                    sums[row + k, c] += values[found[k], c]
