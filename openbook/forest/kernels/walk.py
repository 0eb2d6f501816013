"""Rows through trees, eight at a time: while one waits for memory, the others go on.

A node is two words beside each other. The first is its threshold; the second its left child (32 bits; the right one follows
it), whether missing values go left (1 bit), the feature. A leaf is its own left child and sends everything left, so that no
row has to ask whether it is done: its threshold is NaN, above which nothing is, and the lower half of that says which row of
values is the leaf's.
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import as_float, bare, inlined, jit, u64

__all__ = ["LANES", "step", "step_known", "walk", "walk_rows"]

LANES = 8
_1, _32, _33, _LOWER = u64(1), u64(32), u64(33), u64(0xFFFFFFFF)


@inlined
def step(X, offset, node, nodes):
    """One decision."""
    link = nodes[(node << _1) | _1]
    x = X[offset + (link >> _33)]
    return step_known(X, offset, node, nodes) + (u64(x != x) & ~(link >> _32) & _1)  # a missing value that goes right


@inlined
def step_known(X, offset, node, nodes):
    """One decision of a row in which nothing is missing."""
    link = nodes[(node << _1) | _1]
    return (link & _LOWER) + u64(X[offset + (link >> _33)] > as_float(nodes[node << _1]))


@inlined
def walk(X, nodes, a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q):
    """Eight rows, which begin in X at a … h, from the nodes i … q to their leaves. Numbers of nodes only grow on the way
    down: when their sum stays, all have arrived."""
    before, total = u64(0), _1
    while total != before:
        before = i + j + k + m + n + o + p + q
        for _ in range(2):
            i, j = step(X, a, i, nodes), step(X, b, j, nodes)
            k, m = step(X, c, k, nodes), step(X, d, m, nodes)
            n, o = step(X, e, n, nodes), step(X, f, o, nodes)
            p, q = step(X, g, p, nodes), step(X, h, q, nodes)
        total = i + j + k + m + n + o + p + q
    return i, j, k, m, n, o, p, q


@jit
def walk_rows(X, width, begin, end, nodes, starts, values, sums, leaves):
    """For each of these rows add up `values` of its leaves into `sums`, tree by tree; or, where there are none, write the
    leaf of each tree into `leaves` (trees, rows). X is flat, `width` its number of columns."""
    X, nodes, starts = bare(X), bare(nodes), bare(starts)
    found = np.empty(LANES, np.uint64)
    w, last = u64(width), u64(end - 1)
    for t in range(len(starts)):
        s = u64(starts[t])
        for row in range(u64(begin), u64(end), u64(LANES)):
            # Beyond the last row the last one is walked again, for nothing.
            found[0], found[1], found[2], found[3], found[4], found[5], found[6], found[7] = walk(
                X, nodes, row * w, min(row + u64(1), last) * w, min(row + u64(2), last) * w,
                min(row + u64(3), last) * w, min(row + u64(4), last) * w, min(row + u64(5), last) * w,
                min(row + u64(6), last) * w, min(row + u64(7), last) * w, s, s, s, s, s, s, s, s)  # fmt: skip
            for k in range(min(u64(LANES), u64(end) - row)):
                if leaves is not None:
                    leaves[t, row + k] = found[k] - s
                if values is not None:
                    leaf = nodes[found[k] << _1] & _LOWER
                    for c in range(u64(values.shape[1])):
                        sums[row + k, c] += values[leaf, c]
