"""Rows through trees, eight at a time: while one waits for memory, the others go on.

A node is its threshold and, beside it, a link: the left child (32 bits; the right one follows it), whether missing values go left
(1 bit), the feature. A leaf is its own left child and sends everything left, so that no row has to ask whether it is done.
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import bare, inlined, jit, u64

__all__ = ["LANES", "walk_rows", "walk_trees"]

LANES = 8
_1, _32, _33, _CHILD = u64(1), u64(32), u64(33), u64(0xFFFFFFFF)


@inlined
def step(X, offset, node, thresholds, links):
    """One decision."""
    link = links[(node << _1) | _1]
    x = X[offset + (link >> _33)]
    missing = u64(x != x) & ~(link >> _32) & _1  # a missing value that goes right
    return (link & _CHILD) + (u64(x > thresholds[node << _1]) | missing)


@inlined
def walk(X, thresholds, links, a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q):
    """Eight rows, which begin in X at a … h, from the nodes i … q to their leaves. Numbers of nodes only grow on the way
    down: when their sum stays, all have arrived."""
    before, total = u64(0), _1
    while total != before:
        before = i + j + k + m + n + o + p + q
        for _ in range(2):
            i, j = step(X, a, i, thresholds, links), step(X, b, j, thresholds, links)
            k, m = step(X, c, k, thresholds, links), step(X, d, m, thresholds, links)
            n, o = step(X, e, n, thresholds, links), step(X, f, o, thresholds, links)
            p, q = step(X, g, p, thresholds, links), step(X, h, q, thresholds, links)
        total = i + j + k + m + n + o + p + q
    return i, j, k, m, n, o, p, q


@jit
def walk_rows(X, width, begin, end, thresholds, links, starts, which, values, sums, leaves):
    """For each of these rows add up `values` of its leaves into `sums`, tree by tree; or, where there are none, write the
    leaf of each tree into `leaves` (trees, rows). X is flat, `width` its number of columns."""
    X, thresholds, links, starts = bare(X), bare(thresholds), bare(links), bare(starts)
    which = bare(which)
    found = np.empty(LANES, np.uint64)
    w, last = u64(width), u64(end - 1)
    for t in range(len(starts)):
        s = u64(starts[t])
        for row in range(u64(begin), u64(end), u64(LANES)):
            # Beyond the last row the last one is walked again, for nothing.
            found[0], found[1], found[2], found[3], found[4], found[5], found[6], found[7] = walk(
                X, thresholds, links, row * w, min(row + u64(1), last) * w, min(row + u64(2), last) * w,
                min(row + u64(3), last) * w, min(row + u64(4), last) * w, min(row + u64(5), last) * w,
                min(row + u64(6), last) * w, min(row + u64(7), last) * w, s, s, s, s, s, s, s, s)  # fmt: skip
            for k in range(min(u64(LANES), u64(end) - row)):
                if leaves is not None:
                    leaves[t, row + k] = found[k] - s
                if values is not None:
                    leaf = u64(which[found[k]])
                    for c in range(u64(values.shape[1])):
                        sums[row + k, c] += values[leaf, c]


@jit
def walk_trees(X, width, begin, end, thresholds, links, starts, which, values, sums):
    """The same for few rows: eight trees at a time."""
    X, thresholds, links, starts = bare(X), bare(thresholds), bare(links), bare(starts)
    which = bare(which)
    found = np.empty(LANES, np.uint64)
    last = u64(len(starts) - 1)
    for row in range(u64(begin), u64(end)):
        o = row * u64(width)
        for t in range(u64(0), last + _1, u64(LANES)):
            found[0], found[1], found[2], found[3], found[4], found[5], found[6], found[7] = walk(
                X, thresholds, links, o, o, o, o, o, o, o, o, starts[t], starts[min(t + u64(1), last)],
                starts[min(t + u64(2), last)], starts[min(t + u64(3), last)], starts[min(t + u64(4), last)],
                starts[min(t + u64(5), last)], starts[min(t + u64(6), last)], starts[min(t + u64(7), last)])  # fmt: skip
            for k in range(min(u64(LANES), last + _1 - t)):
                leaf = u64(which[found[k]])
                for c in range(u64(values.shape[1])):
                    sums[row, c] += values[leaf, c]
