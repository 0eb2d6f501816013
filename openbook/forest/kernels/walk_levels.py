"""Rows through trees that order the levels of their categories each in its own way.

A block of rows is copied; for each tree its codes are replaced by their places in that tree's order, and then it is walked as
numbers are (`walk.py`). That costs a look into a short table for each category of a row, and the walk itself stays as it is.
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import bare, jit, u64
from openbook.forest.kernels.walk import LANES, walk

__all__ = ["walk_levels"]

_BLOCK = 1024  # rows: with their columns they stay in the cache while all trees pass
_1, _LOWER = u64(1), u64(0xFFFFFFFF)


@jit
def walk_levels(X, width, begin, end, nodes, starts, features, places, begins, values, sums, leaves):
    """As `walk_rows` does. Feature `features[k]` is a category; tree t has the places of its levels in `places` from
    `begins[t, k]` up to `begins[t, k + 1]`, NaN where it has none."""
    X, nodes, starts = bare(X), bare(nodes), bare(starts)
    found = np.empty(LANES, np.uint64)
    w = u64(width)
    rows = np.empty(min(_BLOCK, end - begin) * width, X.dtype)
    for first in range(u64(begin), u64(end), u64(_BLOCK)):
        count = min(u64(_BLOCK), u64(end) - first)
        rows[: count * w] = X[first * w : (first + count) * w]
        last = count - _1
        for t in range(u64(len(starts))):
            for k in range(u64(len(features))):
                at, levels = u64(begins[t, k]), begins[t, k + _1] - begins[t, k]
                for row in range(count):
                    code = X[(first + row) * w + u64(features[k])]
                    known = code >= 0 and code < levels
                    rows[row * w + u64(features[k])] = places[at + u64(code)] if known else np.nan
            s = u64(starts[t])
            for row in range(u64(0), count, u64(LANES)):
                found[0], found[1], found[2], found[3], found[4], found[5], found[6], found[7] = walk(
                    rows, nodes, row * w, min(row + u64(1), last) * w, min(row + u64(2), last) * w,
                    min(row + u64(3), last) * w, min(row + u64(4), last) * w, min(row + u64(5), last) * w,
                    min(row + u64(6), last) * w, min(row + u64(7), last) * w, s, s, s, s, s, s, s, s)  # fmt: skip
                for k in range(min(u64(LANES), count - row)):
                    if leaves is not None:
                        leaves[t, first + row + k] = found[k] - s
                    if values is not None:
                        leaf = nodes[found[k] << _1] & _LOWER
                        for c in range(u64(values.shape[1])):
                            sums[first + row + k, c] += values[leaf, c]
