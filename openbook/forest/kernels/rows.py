"""Rows on their way down: records, ranks among few, and which side they take.

A row's record is one 64-bit word: below the first `ID_BITS` its place in a small node's table, above them what it weighs
(`PACKED`: weight and weight of the second class, 26 bits each; `WEIGHED`: its weight; `CLASSED`: class and weight).
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import inlined, inner, ones, prefetch, u64

__all__ = [
    "EXACT_BELOW",
    "ID",
    "ID_BITS",
    "MISSING_BIN",
    "MISSING_RANK",
    "PICKED",
    "SPOTS",
    "clear",
    "count_before",
    "partition_large",
    "partition_ranked",
    "rank_locally",
]

ID_BITS = u64(12)
ID = u64(4095)
EXACT_BELOW = 4096  # rows: such nodes are split between their very values, larger ones between bins
MISSING_RANK = 4095  # in small nodes; fewer rows than EXACT_BELOW have no rank as large
MISSING_BIN = 255
HELD = u64(4096 + 32)  # apart; at a power of two apart the features would fight over the same lines of the cache
SPOTS = u64(4096 + 64)  # apart: where the ranks of a node's rows are, by the best feature so far and by the next one
PICKED = SPOTS + SPOTS  # and of some of them
_AHEAD = u64(12)  # rows
_0, _1, _6, _63 = u64(0), u64(1), u64(6), u64(63)


@inner
def rank_locally(ranks, rows, missing_rank, local, seen, groups, before, held):
    """Rank the rows of a node among themselves, by each feature f into `local[f << 12 | place]`.

    `ranks` (all rows, features) holds their ranks among all rows, a row's next to each other in memory.
    """
    d, flat = u64(ranks.shape[1]), ranks.reshape(-1)
    last = u64(len(rows) - 1)
    for k in range(u64(len(rows))):
        ahead = u64(rows[min(k + _AHEAD, last)]) * d
        for f in range(_0, d, u64(16)):  # a line of the cache holds 16
            prefetch(ranks, ahead + f)
        line, at = u64(rows[k]) * d, k
        for f in range(d):
            held[at] = flat[line + f]
            at += HELD
    for f in range(d):
        if missing_rank[f] <= MISSING_RANK:
            keep_ranks(u64(len(rows)), u64(missing_rank[f]), f << ID_BITS, f * HELD, local, held)
        else:
            rank_feature(
                u64(len(rows)), u64(missing_rank[f]), f << ID_BITS, f * HELD, local, seen, groups, before, held
            )


@inlined
def keep_ranks(m, missing, at, from_, local, held):
    """One feature of `rank_locally` that has so few different values that ranks among all rows do as well."""
    for k in range(m):
        r = held[from_ + k]
        local[at | k] = MISSING_RANK if r == missing else r


@inlined
def rank_feature(m, missing, at, from_, local, seen, groups, before, held):
    """One feature of `rank_locally`: a counting sort by bits. `seen` has a bit for each rank among all rows, `groups` a byte
    for every 64 words of it; both are empty before and after."""
    for k in range(m):
        r = u64(held[from_ + k])
        word = r >> _6
        seen[word] |= _1 << (r & _63)
        groups[word >> _6] = 1
    count_before(seen, groups, before)
    for k in range(m):
        r = u64(held[from_ + k])
        word = r >> _6
        local[at | k] = before[word] + ones(seen[word] & ((_1 << (r & _63)) - _1))
    if (seen[missing >> _6] >> (missing & _63)) & _1 != _0:
        for k in range(m):
            if u64(held[from_ + k]) == missing:
                local[at | k] = MISSING_RANK
    clear(seen, groups)


@inlined
def count_before(seen, groups, before):
    """How many bits are set in the words before each, where anything is."""
    counted = _0
    for g in range(u64(len(groups))):
        if groups[g]:
            for word in range(g << _6, min((g + _1) << _6, u64(len(seen)))):
                before[word] = counted
                counted += ones(seen[word])


@inlined
def clear(seen, groups):
    """Make both empty again."""
    for g in range(u64(len(groups))):
        if groups[g]:
            for word in range(g << _6, min((g + _1) << _6, u64(len(seen)))):
                seen[word] = _0
            groups[g] = 0


@inlined
def partition_ranked(source, target, source_part, target_part, begin, end, ranked, spot, low, missing_left):
    """The records of a small node to their sides, by ranks that stand in the order of the records from `ranked[spot]` on: left
    ones from the front, right ones from the back; both are written each time, so that nothing branches. Returns where the
    right side begins."""
    shift = _1 if missing_left else _0
    highest, at = u64(low) + shift, u64(spot) - u64(begin)
    p, q = u64(begin), u64(end - 1)
    for k in range(u64(begin), u64(end)):
        record = source[k]
        left = u64(((u64(ranked[at + k]) + shift) & ID) <= highest)
        target[p] = record
        target[q] = record
        if source_part is not None:
            target_part[p] = source_part[k]
            target_part[q] = source_part[k]
        p += left
        q -= _1 - left
    return np.int64(p)


@inner
def partition_large(rows, values, parts, to_rows, to_values, to_parts, begin, end, bins, low, missing_left):
    """The same for a large node: row numbers, what they weigh, and their parts if there are any."""
    shift = _1 if missing_left else _0
    highest = u64(low) + shift
    p, q = u64(begin), u64(end - 1)
    for k in range(u64(begin), u64(end)):
        row, value = rows[k], values[k]
        left = u64(((u64(bins[row]) + shift) & u64(MISSING_BIN)) <= highest)
        to_rows[p] = row
        to_rows[q] = row
        to_values[p] = value
        to_values[q] = value
        if parts is not None:
            to_parts[p] = parts[k]
            to_parts[q] = parts[k]
        p += left
        q -= _1 - left
    return np.int64(p)
