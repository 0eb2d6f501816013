"""The best split of a small node by two sums for each side, between its very values."""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.buckets import MANY, best_of_buckets, pass_over, pick, sort_into_buckets
from openbook.forest.kernels.jit import inlined, u64, written_in
from openbook.forest.kernels.pairs import FEATURE, LEFT_ROWS, LOW, SIDE, SPOT, add_up, choose
from openbook.forest.kernels.places import (
    ALL_AGAINST_ALL,
    NOWHERE,
    gather_ranks,
    highest_known,
    last_place,
    lowest_and_highest,
    rank_at,
    stand,
)
from openbook.forest.kernels.rows import HELD, ID, MISSING_RANK, PICKED, SPOTS

__all__ = ["consider_small", "look_at_several"]

_0, _1, _8 = u64(0), u64(1), u64(8)
_TURNS = u64(4)


@inlined
def look_at_several(records, parts, begin, end, first, last, some, hist, criterion, terms, scale, room):
    """What is to be known of the ranks of a node's rows by the features drawn from `first` to `last`, into `room.several`. Of `some`
    rows, boundaries between buckets are tried (see buckets.py): returns the best score, these included."""
    if hist is None:
        return 0.0
    several, begin, rows, features = room.several, u64(begin), u64(end - begin), u64(last - first) + _1
    kept = u64(room.best[SPOT]) if room.best[FEATURE] >= 0 else PICKED
    for j in range(features):
        several.spots[j] = j * SPOTS if j * SPOTS < kept else (j + _1) * SPOTS
    gather_abreast(records, begin, rows, room.features, first, last, room.held, room.ranked, several.spots)
    told = False
    for j in range(features):
        told |= look_at(j, parts, rows, some, room)
    if parts is None and told:
        return best_of_buckets(records, begin, rows, features, criterion, terms, scale, room)
    return room.figures[0]


@written_in
def gather_abreast(records, begin, rows, features, first, last, held, ranked, spots):
    """Write the ranks of a node's rows into `ranked[spots[j]:]`, of `features[first + j]` up to `[last]`; three or four in one
    pass."""
    a, d = u64(features[first]) * HELD, u64(features[last]) * HELD
    p, s = spots[0], spots[last - first]
    if first == last:
        for k in range(rows):
            ranked[p + k] = held[a + (records[begin + k] & ID)]
        return
    b, c, q, r = u64(features[first + 1]) * HELD, u64(features[first + 2]) * HELD, spots[1], spots[2]
    for k in range(rows):
        place = records[begin + k] & ID
        ranked[p + k] = held[a + place]
        ranked[q + k] = held[b + place]
        ranked[r + k] = held[c + place]
        ranked[s + k] = held[d + place]


@written_in
def look_at(j, parts, rows, some, room):
    """What is to be known of the ranks by feature j of `room.several`; whether rows are sorted into buckets."""
    several, spot = room.several, room.several.spots[j]
    lowest, highest, varied, missed, few = described(room.ranked, spot, rows)
    several.lowest[j], several.highest[j] = lowest, highest
    several.varied[j], several.missed[j], several.few[j] = varied, missed, few
    several.buckets[j] = _0
    if parts is not None or not some or few or missed:
        return False
    several.buckets[j] = sort_into_buckets(room.ranked, spot, rows, lowest, highest, room.places)
    return True


@inlined
def described(ranked, spot, rows):
    """Of some ranks (the lowest, the highest that is known, whether they vary, whether any says missing, whether few are
    different)."""
    lowest, highest = lowest_and_highest(ranked, spot, rows)
    varied, missed = lowest != highest, highest == MISSING_RANK
    if missed:
        highest = highest_known(ranked, spot, rows)
    return lowest, highest, varied, missed, highest - lowest < max(rows >> _1, _8)


@inlined
def consider_small(j, told, records, parts, begin, end, f, bar, hist, hist_part, limits, criterion, terms, scale,
                   room):  # fmt: skip
    """Try boundaries of feature f; whether it varies. If `told` it is feature j of `room.several`, and no boundary below the bar
    can be the best.

    The rows' ranks by the best feature are left in `room.ranked`.
    """
    if hist is None:
        return False
    several, ranked, first, rows = room.several, room.ranked, u64(begin), u64(end - begin)
    if told:
        spot, buckets, varied = several.spots[j], several.buckets[j], several.varied[j]
        lowest, highest, missed, few = several.lowest[j], several.highest[j], several.missed[j], several.few[j]
    else:
        spot, buckets = SPOTS if room.best[FEATURE] >= 0 and room.best[SPOT] == 0 else _0, _0
        gather_ranks(records, first, rows, room.held, u64(f) * HELD, ranked, spot)
        lowest, highest, varied, missed, few = described(ranked, spot, rows)
    if not varied:
        return False
    found, at_once, by_buckets = spot, ALL_AGAINST_ALL, False
    if parts is None and buckets != _0:
        picked = pick(j, records, first, rows, max(bar, room.figures[0]), criterion, terms, scale, room)
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
            pass_over(buckets, several.sums[j], room.marked, hist)
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
