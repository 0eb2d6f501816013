"""Where the rows of a small node stand among themselves in the order of one feature: 0 for the lowest, equal values alike.

Nothing here branches by the values: what a machine cannot foresee costs it more than what it does in vain. So there may be
places at which nobody stands (after equal values); sums up to such a place are those up to the one before.
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import LANES, count_smaller, inlined, inner, ones, trailing_zeros, u64
from openbook.forest.kernels.rows import ID, ID_BITS, MISSING_RANK

__all__ = ["NOWHERE", "beside", "last_place", "places_of"]

_ALL_AGAINST_ALL = u64(2 * LANES)  # rows: of more, the bits that ranks set are counted
_0, _1, _6, _63 = u64(0), u64(1), u64(6), u64(63)
NOWHERE = np.int64(2**62)  # a place after all


@inlined
def places_of(records, begin, end, at, spot, room):
    """Write the ranks of a node's rows in the feature that begins at `room.local[at]` into `room.ranked[spot:]`, and where they
    stand into `room.places[spot:]`."""
    first, rows = u64(begin), u64(end - begin)
    local, cells, places = room.local, room.ranked, room.places
    if rows <= _ALL_AGAINST_ALL:
        for k in range(rows):
            cells[spot + k] = local[at + (records[first + k] & ID)]
        for half in range(_0, rows, u64(LANES)):
            count_smaller(cells, spot, spot + rows, spot + half, places)
    else:
        places_by_bits(records, first, rows, local, at, cells, places, spot, room.occupied, room.before)


@inlined
def places_by_bits(records, first, rows, local, at, cells, places, spot, occupied, before):
    """A counting sort: a bit for each rank that is there; a row stands where as many bits are set below its own."""
    words = _0
    for k in range(rows):
        c = local[at + (records[first + k] & ID)]
        cells[spot + k] = c
        occupied[u64(c) >> _6] |= _1 << (u64(c) & _63)
        words |= _1 << (u64(c) >> _6)
    counted, left = _0, words
    while left != _0:
        word = trailing_zeros(left)
        left &= left - _1
        before[word] = counted
        counted += ones(occupied[word])
    for k in range(rows):
        c = u64(cells[spot + k])
        word = c >> _6
        places[spot + k] = u64(before[word]) + ones(occupied[word] & ((_1 << (c & _63)) - _1))
    while words != _0:
        occupied[trailing_zeros(words)] = _0
        words &= words - _1


@inlined
def last_place(cells, places, spot, rows):
    """The last place that a known value has (−1: none is known), and the first that a missing one has (far off: none is)."""
    last, known = np.int64(-1), NOWHERE
    for k in range(u64(rows)):
        place, missing = np.int64(places[spot + k]), cells[spot + k] == MISSING_RANK
        last = max(last, np.int64(-1) if missing else place)
        known = min(known, place if missing else NOWHERE)
    return last, known


@inner
def beside(records, begin, end, cells, places, spot, last):
    """The records on both sides of a boundary after place `last`: one with the highest rank up to it, one with the lowest
    beyond (their places in the small node's table)."""
    below, above = np.int64(-1), NOWHERE
    for k in range(u64(end - begin)):
        ranked = (np.int64(cells[spot + k]) << np.int64(ID_BITS)) | np.int64(records[u64(begin) + k] & ID)
        left = np.int64(places[spot + k]) <= last
        below = max(below, ranked if left else np.int64(-1))
        above = min(above, NOWHERE if left else ranked)
    return below & np.int64(ID), above & np.int64(ID)
