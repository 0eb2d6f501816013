"""The best split of a small node by two sums for each side, between its very values."""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.buckets import MANY, pass_over, pick
from openbook.forest.kernels.jit import inlined, u64
from openbook.forest.kernels.pairs import FEATURE, LEFT_ROWS, LOW, SIDE, SPOT, add_up, choose
from openbook.forest.kernels.places import (
    ALL_AGAINST_ALL,
    NOWHERE,
    gather_ranks,
    highest_known,
    last_place,
    rank_at,
    stand,
)
from openbook.forest.kernels.rows import HELD, ID, MISSING_RANK, PICKED

__all__ = ["consider_small"]

_0, _1, _8 = u64(0), u64(1), u64(8)
_TURNS = u64(4)


@inlined
def consider_small(records, parts, begin, end, f, spot, hist, hist_part, limits, criterion, terms, scale, room):
    """Try every boundary between the values a small node has of feature f, or those among which the best is (see buckets.py);
    whether there is any.

    The rows' ranks are left in `room.ranked` from `spot` on.
    """
    if hist is None:
        return False
    ranked, first, rows = room.ranked, u64(begin), u64(end - begin)
    lowest, highest = gather_ranks(records, first, rows, room.held, u64(f) * HELD, ranked, spot)
    if lowest == highest:
        return False
    missed = highest == MISSING_RANK
    if missed:
        highest = highest_known(ranked, spot, rows)
    few, bounded = highest - lowest < max(rows >> _1, _8), limits[0] > 1 or limits[1] > 0
    by_buckets, buckets, found, at_once = False, _0, spot, ALL_AGAINST_ALL
    if parts is None and rows > ALL_AGAINST_ALL and not (few or missed or bounded):
        picked, buckets = pick(records, first, rows, spot, lowest, highest, criterion, terms, scale, room)
        if picked == _0:
            return True
        if picked <= MANY:
            by_buckets, at_once = True, MANY
            records, first, rows, found = room.ordered, _0, picked, PICKED
    if few:  # a place for each rank is no waste
        last = np.int64(highest - lowest)
        known, count = last + 1 if missed else NOWHERE, u64(last + 2 if missed else last + 1)
        add_by_rank(records, parts, first, rows, ranked, spot, lowest, highest + _1, count, hist, hist_part)
    else:
        stand(ranked, found, rows, lowest, highest, at_once, room.places, room.seen, room.groups, room.before)
        last, known = last_place(ranked, room.places, found, rows, missed)
        count = rows
        clear_places(parts, count, hist, hist_part)
        if by_buckets:
            pass_over(buckets, hist, room)
            last += 1 - np.int64(room.marked[buckets - _1])  # after the last value of all there is no boundary
        add_by_place(records, parts, first, rows, room.places, found, hist, hist_part)
    lw, lp, ln, _, _ = room.sums
    add_up(parts, count, hist, hist_part, lw, lp)
    if limits[0] > 1:
        for k in range(count):
            ln[k] = np.int32(hist[k] & ID)
    choose(last, known, missed, f, room.sums, room.total, limits, criterion, terms, scale, room.best, room.figures)
    best = room.best
    if best[FEATURE] == f:
        best[SPOT], best[LEFT_ROWS] = spot, np.int64(hist[best[LOW]] & ID)
        if best[SIDE] == 1:
            best[LEFT_ROWS] += np.int64(rows) - np.int64(hist[last] & ID)
        low = best[LOW]
        best[LOW] = low + np.int64(lowest) if few else rank_at(ranked, room.places, found, rows, low)
    return True


@inlined
def clear_places(parts, count, hist, hist_part):
    """Nothing stands at so many places as yet."""
    for k in range(count):
        hist[k] = _0
        if parts is not None:
            hist_part[k] = 0


@inlined
def add_by_place(records, parts, first, rows, places, spot, hist, hist_part):
    """Add what stands at each place: number of rows (where the records have their places), weight, part."""
    for k in range(rows):
        add(records, parts, first + k, u64(places[spot + k]), hist, hist_part)


@inlined
def add_by_rank(records, parts, first, rows, ranked, spot, lowest, beyond, count, hist, hist_part):
    """The same where places are ranks, counted from the lowest; what is missing has a higher one than `beyond` and stands there.

    An addition has to wait for the one before it to the same sum. So where many rows meet at few places, each place has four
    sums, `apart` from each other, to which rows are added in turn.
    """
    apart = count if count * _TURNS <= rows else _0
    clear_places(parts, count + (_TURNS - _1) * apart, hist, hist_part)
    even = rows // _TURNS * _TURNS
    for k in range(_0, even, _TURNS):
        for turn in range(_TURNS):
            place = min(u64(ranked[spot + k + turn]), beyond) - lowest + turn * apart
            add(records, parts, first + k + turn, place, hist, hist_part)
    for k in range(even, rows):
        add(records, parts, first + k, min(u64(ranked[spot + k]), beyond) - lowest, hist, hist_part)
    for turn in range(_1, _TURNS):
        for place in range(apart):
            hist[place] += hist[place + turn * apart]
            if parts is not None:
                hist_part[place] += hist_part[place + turn * apart]


@inlined
def add(records, parts, k, place, hist, hist_part):
    """Add record k to what stands at a place."""
    hist[place] += (records[k] & ~ID) + _1
    if parts is not None:
        hist_part[place] += parts[k]
