"""The rows of a tree by the levels of its categories: what each level holds, and where its rows stand once it has a place."""

from __future__ import annotations

from openbook.forest.kernels.jit import grower, u64

__all__ = ["add_by_level", "rank_levels"]

_2 = u64(2)


@grower
def add_by_level(codes, begins, rows, weight, group, value, sums):
    """Add up by level, into `sums` (all levels of all categories, 2 + groups): rows, their weight, and what each group has of
    `value`.

    `rows` are those of the tree; `codes` is (categories, all rows), and level c of category k stands at `begins[k] + c`.
    `group` is None where there is but one. All categories at once, because a row may have to wait for the one before it
    to be added to the same level.
    """
    for k in range(u64(len(rows))):
        row = u64(rows[k])
        for j in range(u64(len(codes))):
            level = u64(begins[j]) + u64(codes[j, row])
            sums[level, 0] += 1
            sums[level, 1] += weight[k]
            if group is None:
                sums[level, 2] += value[k]
            else:
                sums[level, _2 + u64(group[k])] += value[k]


@grower
def rank_levels(codes, rows, features, begins, rank_of, bin_of, ranks, bins):
    """Write down the ranks and bins of these rows in each category, from those of its levels.

    Level c of category k, feature `features[k]`, has its rank at `rank_of[begins[k] + c]`; `codes` is (categories, all rows).
    All of a row at once, because its ranks stand side by side in memory.
    """
    for k in range(u64(len(rows))):
        row = u64(rows[k])
        for j in range(u64(len(features))):
            f, at = u64(features[j]), u64(begins[j]) + u64(codes[j, row])
            ranks[row, f] = rank_of[at]
            bins[f, row] = bin_of[at]
