"""Rows in the order of their values: a counting sort by bins, or by the ranks that a small node's rows have among themselves."""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import inlined, inner, ones, trailing_zeros, u64
from openbook.forest.kernels.rows import ID_BITS, clear, count_before

__all__ = ["groups_of", "order_rows", "rank_targets", "standing"]

_0, _1, _6, _63 = u64(0), u64(1), u64(6), u64(63)


@inlined
def groups_of(words, occupied, starts, ends, rank):
    """From how many rows have each rank (`starts`) to where they begin; the ranks there are, and where their rows end.

    `occupied` has a bit for each rank that there is, `words` for each word of it; it is empty afterwards.
    """
    groups, place = _0, np.int32(0)
    while words != _0:
        word = trailing_zeros(words)
        words &= words - _1
        bits = occupied[word]
        occupied[word] = _0
        while bits != _0:
            c = (word << _6) | trailing_zeros(bits)
            bits &= bits - _1
            count = starts[c]
            starts[c] = place
            place = np.int32(place + count)
            ends[groups], rank[groups] = place, np.int32(c)
            groups += _1
    return groups


@inlined
def standing(case, desk, row, f, large):
    """Where a value stands in its column: by bins in large nodes, by rank among the small subtree's rows below."""
    return u64(case.bins[f, row]) if large else u64(desk.local[(u64(f) << ID_BITS) | u64(desk.place[row])])


@inner
def order_rows(case, desk, rows, begin, end, f, large):
    """Bring a node's rows into the order of feature f, into `desk.order`; returns how many different ranks there are."""
    starts, occupied, words = desk.starts, desk.occupied, _0
    for k in range(u64(begin), u64(end)):
        c = standing(case, desk, rows[k], f, large)
        starts[c] += 1
        occupied[c >> _6] |= _1 << (c & _63)
        words |= _1 << (c >> _6)
    groups = groups_of(words, occupied, starts, desk.ends, desk.keys)
    for k in range(u64(begin), u64(end)):
        c = standing(case, desk, rows[k], f, large)
        desk.order[u64(starts[c])] = rows[k]
        starts[c] += 1
    for g in range(groups):
        starts[desk.keys[g]] = 0
    return np.int64(groups)


@inner
def rank_targets(case, medians, rows, begin, end, desk):
    """Each row's place among the different targets of this node, for every output: counted by bits, as `rank_locally` does."""
    seen, groups, before = desk.seen, desk.groups, desk.before
    for o in range(len(case.code)):
        for k in range(u64(begin), u64(end)):
            code = u64(case.code[o, rows[k]])
            seen[code >> _6] |= _1 << (code & _63)
            groups[code >> u64(12)] = 1
        count_before(seen, groups, before, _0, u64(len(groups)))
        place = 0
        for g in range(u64(len(groups))):
            if groups[g]:
                for word in range(g << _6, min((g + _1) << _6, u64(len(seen)))):
                    place = note_targets(medians, o, word, seen[word], place)
        medians.sizes[o] = place
        for k in range(u64(begin), u64(end)):
            code = u64(case.code[o, rows[k]])
            word = code >> _6
            medians.place[o, rows[k]] = before[word] + ones(seen[word] & ((_1 << (code & _63)) - _1))
        clear(seen, groups, _0, u64(len(groups)))


@inlined
def note_targets(medians, o, word, bits, place):
    """Write down the targets whose bits are set in a word, from this place on; returns the place after them."""
    while bits != _0:
        code = (word << _6) | trailing_zeros(bits)
        bits &= bits - _1
        medians.levels[o, place] = medians.all_levels[o, code]
        medians.numbers[o, place] = medians.all_numbers[o, code]
        place += 1
    return place
