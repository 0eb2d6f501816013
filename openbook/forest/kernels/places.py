"""Where the rows of a small node stand among themselves in the order of one feature: 0 for the lowest, equal values alike.

Nothing here branches by the values: what a machine cannot foresee costs it more than what it does in vain. So there may be
places at which nobody stands (after equal values); sums up to such a place are those up to the one before.
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import inlined, inner, u64
from openbook.forest.kernels.rows import ID, ID_BITS, MISSING_RANK, clear, rank_by_bits
from openbook.forest.kernels.vectors import LANES, count_smaller

__all__ = [
    "ALL_AGAINST_ALL",
    "NOWHERE",
    "beside",
    "gather_ranks",
    "highest_known",
    "last_place",
    "lowest_and_highest",
    "rank_at",
    "stand",
]

NOWHERE = np.int64(2**62)  # a place after all
ALL_AGAINST_ALL = u64(4 * LANES)  # rows: of more, the bits that ranks set are counted
_0, _1, _12 = u64(0), u64(1), u64(12)


@inlined
def gather_ranks(records, begin, rows, local, at, ranked, spot):
    """Write the ranks of a node's rows in the feature that begins at `local[at]` into `ranked[spot:]`; returns the lowest and
    the highest."""
    for k in range(rows):
        ranked[spot + k] = local[at + (records[begin + k] & ID)]
    return lowest_and_highest(ranked, spot, rows)


@inlined
def lowest_and_highest(ranked, spot, rows):
    """The lowest and the highest of some ranks."""
    lowest = highest = ranked[spot]
    for k in range(rows):  # apart: many at once
        rank = ranked[spot + k]
        lowest = rank if rank < lowest else lowest
        highest = rank if rank > highest else highest
    return u64(lowest), u64(highest)


@inlined
def highest_known(ranked, spot, rows):
    """The highest rank of a value that is not missing."""
    highest = _0
    for k in range(rows):
        rank = u64(ranked[spot + k])
        highest = max(highest, rank if rank != MISSING_RANK else _0)
    return highest


@inlined
def stand(ranked, spot, rows, lowest, highest, at_once, places, seen, groups, before):
    """Write where ranks, none lower or higher than these two, stand among themselves into `places[spot:]`."""
    if rows <= at_once:
        for half in range(_0, rows, u64(LANES)):
            count_smaller(ranked, spot, spot + rows, spot + half, places)
    else:
        first, last = lowest >> _12, (highest >> _12) + _1
        rank_by_bits(ranked, spot, rows, places, spot, seen, groups, before, first, last)
        clear(seen, groups, first, last)


@inlined
def last_place(ranked, places, spot, rows, missed):
    """The last place that a known value has (−1: none is known), and the first that a missing one has (`NOWHERE`: none is)."""
    if not missed:
        top = np.uint16(0)
        for k in range(rows):
            top = max(top, places[spot + k])
        return np.int64(top), NOWHERE
    last, known = np.int64(-1), NOWHERE
    for k in range(rows):
        place = np.int64(places[spot + k])
        if ranked[spot + k] == MISSING_RANK:
            known = place
        else:
            last = max(last, place)
    return last, known


@inlined
def rank_at(ranked, places, spot, rows, place):
    """The highest rank up to this place."""
    highest = np.int64(-1)
    for k in range(rows):
        highest = max(highest, np.int64(ranked[spot + k]) if np.int64(places[spot + k]) <= place else np.int64(-1))
    return highest


@inner
def beside(records, begin, rows, ranked, spot, low):
    """The rows on both sides of a boundary after rank `low`: one with the highest rank up to it, one with the lowest beyond
    (their places in the small node's table)."""
    below, above = np.int64(-1), NOWHERE
    for k in range(rows):
        rank = np.int64(ranked[spot + k])
        row = (rank << np.int64(ID_BITS)) | np.int64(records[begin + k] & ID)
        below = max(below, row if rank <= low else np.int64(-1))
        above = min(above, NOWHERE if rank <= low else row)
    return below & np.int64(ID), above & np.int64(ID)
