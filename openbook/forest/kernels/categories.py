"""The rows of a tree by the levels of its categories: what each level holds, and where its rows stand once it has a place."""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import grower, u64

__all__ = ["add_by_level", "rank_levels"]

_1 = u64(1)


@grower
def add_by_level(stand, rows, counts, weight, code, weighted, sums):
    """Add up by level, into `sums` (all levels of all categories, columns): rows, and the weight of each class; or, where `code`
    is None, rows, their weight, and what they have of `weighted`.

    A tree has drawn each of its `rows` `counts[row]` times; of category k a row stands at level `stand[k, row]`. All categories
    at once, because a row may have to wait for the one before it to be added to the same level.
    """
    for i in range(u64(len(rows))):
        row = u64(rows[i])
        times = np.int64(counts[row])
        held = weight[row] * times
        for k in range(u64(len(stand))):
            level = u64(stand[k, row])
            sums[level, 0] += 1
            if code is None:
                sums[level, 1] += held
                sums[level, 2] += weighted[row] * times
            else:
                sums[level, _1 + u64(code[row])] += held


@grower
def rank_levels(stand, rows, features, rank_of, bin_of, ranks, bins):
    """Write down the ranks and bins of a tree's `rows` in each category, from those of the levels at which they stand. Category
    k is feature `features[k]`.

    All of a row at once, because its ranks stand side by side in memory.
    """
    for i in range(u64(len(rows))):
        row = u64(rows[i])
        for k in range(u64(len(features))):
            f, level = u64(features[k]), u64(stand[k, row])
            ranks[row, f] = rank_of[level]
            bins[f, row] = bin_of[level]
