"""Rows on their way down: records, ranks among few, and which side they take.

A row's record is one 64-bit word: below the first `ID_BITS` its place in a small node's table, above them what it weighs
(`PACKED`: weight and weight of the second class, 26 bits each; `WEIGHED`: its weight; `CLASSED`: class and weight).
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import inlined, inner, ones, prefetch, u64
from openbook.forest.kernels.vectors import SQUARE, turn

__all__ = [
    "EXACT_BELOW",
    "ID",
    "ID_BITS",
    "MISSING_BIN",
    "MISSING_RANK",
    "PART",
    "PICKED",
    "SPOTS",
    "WEIGHT",
    "clear",
    "count_before",
    "fetch_ranks",
    "partition_large",
    "partition_ranked",
    "rank_by_bits",
    "rank_locally",
]

ID_BITS = u64(12)
ID = u64(4095)
# Of two classes with whole weights: 26 bits for the weight of both, then 26 for that of the second.
WEIGHT, PART = u64(2**26 - 1), u64(38)
EXACT_BELOW = 4096  # rows: such nodes are split between their very values, larger ones between bins
MISSING_RANK = 4095  # in small nodes; fewer rows than EXACT_BELOW have no rank as large
MISSING_BIN = 255
HELD = u64(4096 + 32)  # apart; at a power of two apart the features would fight over the same lines of the cache
SPOTS = u64(4096 + 64)  # apart: where the ranks of a node's rows are, by the best feature so far and by the next four
PICKED = u64(5) * SPOTS  # and of some of them
_AHEAD = u64(48)  # rows
_ANY = u64(2**64 - 1)
_0, _1, _2, _3, _6, _63 = u64(0), u64(1), u64(2), u64(3), u64(6), u64(63)
_BEYOND = np.uint32(EXACT_BELOW)


@inner
def rank_locally(ranks, rows, missing_rank, local, seen, groups, before, held):
    """Rank the rows of a node among themselves, by each feature f into `local[f << 12 | place]`.

    `ranks` (all rows, features) holds their ranks among all rows, a row's next to each other in memory.
    """
    m = u64(len(rows))
    transpose(ranks, rows, held)
    for f in range(u64(ranks.shape[1])):
        if missing_rank[f] <= MISSING_RANK:
            keep_ranks(m, missing_rank[f], f << ID_BITS, f * HELD, local, held)
        else:
            rank_feature(held, f * HELD, m, u64(missing_rank[f]), local, f << ID_BITS, seen, groups, before)


@inner
def fetch_ranks(hist, ranks, rows, missing_rank, close, held, seen, groups, before):
    """The ranks of a node's rows by each feature f into `held[f * HELD + place]`: those among all rows, moved beyond
    `MISSING_RANK`, if their order is all that is asked for; where `close`, or where a value is missing, those among
    themselves. `hist` is None for more than two classes: nothing is compiled then."""
    if hist is None:
        return
    m = u64(len(rows))
    transpose(ranks, rows, held)
    for f in range(u64(ranks.shape[1])):
        at, missing, missed = f * HELD, missing_rank[f] + _BEYOND, close
        for k in range(m):
            held[at + k] += _BEYOND
            missed |= held[at + k] == missing
        if missed:
            rank_feature(held, at, m, u64(missing), held, at, seen, groups, before)


@inlined
def transpose(ranks, rows, held):
    """What `ranks` holds of these rows into `held`, by features."""
    d, flat, last = u64(ranks.shape[1]), ranks.reshape(-1), u64(len(rows) - 1)
    if d < SQUARE:
        for k in range(u64(len(rows))):
            for f in range(d):
                held[f * HELD + k] = flat[u64(rows[k]) * d + f]
        return
    for k in range(u64(len(rows))):
        ahead = u64(rows[min(k + _AHEAD, last)]) * d
        for f in range(_0, d, u64(16)):  # a line of the cache holds 16
            prefetch(flat, ahead + f)
        if k % SQUARE != _0:
            continue
        a, b = u64(rows[k]) * d, u64(rows[min(k + _1, last)]) * d
        c, e = u64(rows[min(k + _2, last)]) * d, u64(rows[min(k + _3, last)]) * d
        for step in range(_0, d, SQUARE):
            f = min(step, d - SQUARE)
            turn(flat, a + f, b + f, c + f, e + f, held, f * HELD + k, HELD)


@inlined
def keep_ranks(m, missing, at, from_, local, held):
    """One feature of `rank_locally` that has so few different values that ranks among all rows do as well."""
    for k in range(m):
        r = held[from_ + k]
        local[at | k] = MISSING_RANK if r == missing else r


@inlined
def rank_feature(ranks, from_, m, missing, local, at, seen, groups, before):
    """One feature of `rank_locally`, ranked."""
    different = rank_by_bits(ranks, from_, m, local, at, seen, groups, before, _0, u64(len(groups)))
    if (seen[missing >> _6] >> (missing & _63)) & _1 != _0:  # no rank is higher
        for k in range(m):
            if local[at + k] == different - _1:
                local[at + k] = MISSING_RANK
    clear(seen, groups, _0, u64(len(groups)))


@inlined
def rank_by_bits(ranks, from_, m, local, at, seen, groups, before, first, last):
    """Rank m rows among themselves, by bits: from `ranks[from_:]` into `local[at:]`; returns how many ranks there are.

    `seen` has a bit for each rank, `groups` a byte for every 64 words of it, of which those from `first` up to `last` are in
    use. Both are empty before; `clear` them afterwards.
    """
    for k in range(m):
        r = u64(ranks[from_ + k])
        word = r >> _6
        seen[word] |= _1 << (r & _63)
        groups[word >> _6] = 1
    different = count_before(seen, groups, before, first, last)
    for k in range(m):
        r = u64(ranks[from_ + k])
        word = r >> _6
        local[at + k] = before[word] + ones(seen[word] & ((_1 << (r & _63)) - _1))
    return different


@inlined
def count_before(seen, groups, before, first, last):
    """How many bits are set in the words before each, where anything is; returns how many in all."""
    counted = _0
    for g in range(first, last):
        if groups[g]:
            for word in range(g << _6, min((g + _1) << _6, u64(len(seen)))):
                before[word] = counted
                counted += ones(seen[word])
    return counted


@inlined
def clear(seen, groups, first, last):
    """Make both empty again."""
    for g in range(first, last):
        if groups[g]:
            for word in range(g << _6, min((g + _1) << _6, u64(len(seen)))):
                seen[word] = _0
            groups[g] = 0


@inlined
def partition_ranked(source, target, source_part, target_part, begin, end, ranked, spot, low, missing_left):
    """The records of a small node to their sides, by ranks that stand in the order of the records from `ranked[spot]` on: left
    ones from the front, right ones from the back; both are written each time, so that nothing branches. Returns where the
    right side begins."""
    # No value is missing where ranks are beyond `MISSING_RANK`.
    shift, known = (_1, ID) if missing_left else (_0, _ANY)
    highest, at = u64(low) + shift, u64(spot) - u64(begin)
    p, q = u64(begin), u64(end - 1)
    for k in range(u64(begin), u64(end)):
        record = source[k]
        left = u64(((u64(ranked[at + k]) + shift) & known) <= highest)
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
    p, last = u64(begin), u64(end - 1)
    for k in range(u64(begin), u64(end)):
        row = rows[k]
        left = u64(((u64(bins[row]) + shift) & u64(MISSING_BIN)) <= highest)
        at = p + ((last - k) & (left - _1))  # the next from the back, if it is no left one
        to_rows[at], to_values[at] = row, values[k]
        if parts is not None:
            to_parts[at] = parts[k]
        p += left
    return np.int64(p)
