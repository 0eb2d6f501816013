"""The best split of a node of some rows for two classes, by branch and bound.

Sums by buckets of neighbouring ranks first; single ranks then only in buckets inside which a boundary could be the best. The
score is convex in the weights that both classes have on the left. Inside a bucket these lie in a rectangle, so that no boundary
there is better than the rectangle's corners (as Fayyad & Irani 1992 bound entropy).
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import bits, inlined, u64, written_in
from openbook.forest.kernels.pairs import add_up, convert
from openbook.forest.kernels.rows import ID, PICKED
from openbook.forest.kernels.scores import sides_score
from openbook.forest.kernels.vectors import largest

__all__ = ["MANY", "best_of_buckets", "pass_over", "pick", "sort_into_buckets"]

MANY = u64(256)  # picked rows: to leave out the others does not pay then
_0, _1, _2, _32 = u64(0), u64(1), u64(2), u64(32)


@written_in
def sort_into_buckets(ranked, spot, rows, lowest, highest, places):
    """Write the bucket of each rank from `ranked[spot]` on into `places[spot:]`; returns how many buckets there are."""
    shift = bits(highest - lowest) - min(bits(max(rows >> _2, _32)) - _1, bits(highest - lowest))
    begin, by = np.uint32(lowest), np.uint32(shift)  # as narrow as ranks: more fit into a vector
    for k in range(rows):
        places[spot + k] = (ranked[spot + k] - begin) >> by
    return ((highest - lowest) >> shift) + _1


@written_in
def best_of_buckets(records, first, rows, features, criterion, terms, scale, room):
    """The score of the best boundary between buckets of so many of `room.several`, or what was found before if that is more.

    The rows' buckets stand in `room.places`, where in `room.ranked` their ranks stand. The sums up to each bucket, and the scores,
    are left behind.
    """
    total, best, several = room.total, room.figures[0], room.several
    lw, lp, _, _, _ = room.sums
    add_up_buckets(records, first, rows, features, several, room.places)
    for j in range(features):
        buckets, scores = several.buckets[j], several.scores[j]
        if buckets != _0:
            add_up(None, buckets, several.sums[j], None, lw, lp)
            for b in range(buckets - _1):
                score, unit = as_fraction(lw[b], lp[b], total[0], total[1], criterion, terms, scale)
                scores[b] = score / unit
            best = max(best, largest(scores, buckets - _1))
            scores[buckets - _1] = -np.inf
    return best


@written_in
def add_up_buckets(records, first, rows, features, several, places):
    """What the rows in each bucket weigh, and how many they are, as `add_by_place` does; three or four features in one pass."""
    spots, buckets, sums = several.spots, several.buckets, several.sums
    for j in range(features):
        for b in range(buckets[j]):
            sums[j, b] = _0
    a, d = spots[0], spots[features - _1]
    if features == _1:
        for k in range(rows):
            sums[0, places[a + k]] += (records[first + k] & ~ID) + _1
        return
    b, c = spots[1], spots[2]
    for j in range(features):
        if buckets[j] == _0:
            for k in range(rows):  # what stands there is anything, and will be read
                places[spots[j] + k] = 0
    for k in range(rows):
        value = (records[first + k] & ~ID) + _1
        sums[0, places[a + k]] += value
        sums[1, places[b + k]] += value
        sums[2, places[c + k]] += value
        sums[3, places[d + k]] += value


@written_in
def pick(j, records, first, rows, bar, criterion, terms, scale, room):
    """Pick the rows among which feature j of `room.several` may have a boundary that reaches the bar: their ranks into
    `room.ranked[PICKED:]`, their records into `room.ordered`. Returns how many they are."""
    several, (lw, lp, _, _, _) = room.several, room.sums
    convert(None, several.buckets[j], several.sums[j], lw, lp)
    # What is held against the bar is rounded, and not as scores are.
    bar -= abs(bar) * 2.0**-40 + (0.0 if terms is None else 8.0)
    if not mark(several.buckets[j], lw, lp, several.scores[j], bar, room.total[0], room.total[1], criterion, terms, scale,
                room.marked):  # fmt: skip
        return _0
    return pick_marked(records, first, rows, several.spots[j], room)


@written_in
def mark(buckets, lw, lp, scores, bar, W, P, criterion, terms, scale, marked):
    """Mark the buckets in which, or at whose end, a boundary may reach the bar; whether there is one."""
    marked[0] = may_reach(0.0, 0.0, lw[0], lp[0], scores[0], bar, W, P, criterion, terms, scale)
    for b in range(_1, buckets):
        before = b - _1
        marked[b] = may_reach(lw[before], lp[before], lw[b], lp[b], scores[b], bar, W, P, criterion, terms, scale)
    some = np.uint8(0)
    for b in range(buckets):
        some |= marked[b]
    return some != 0


@inlined
def may_reach(before_w, before_p, after_w, after_p, score, bar, W, P, criterion, terms, scale):
    """Whether a corner of what lies between two boundaries, or the score of the second, reaches the bar."""
    return np.uint8(
        reaches(after_w - after_p + before_p, before_p, bar, W, P, criterion, terms, scale)
        | reaches(before_w - before_p + after_p, after_p, bar, W, P, criterion, terms, scale)
        | (score >= bar)
    )


@inlined
def reaches(w, p, bar, W, P, criterion, terms, scale):
    """Whether the score of a split reaches the bar."""
    score, unit = as_fraction(w, p, W, P, criterion, terms, scale)
    return score > bar * unit


@inlined
def as_fraction(w, p, W, P, criterion, terms, scale):
    """`sides_score` in the unit that goes with it: of Gini, to divide takes longer than all the rest."""
    if terms is not None:
        return sides_score(w, p, W, P, criterion, terms, scale), 1.0
    v, q = W - w, P - p
    a, b = w - p, v - q
    return (a * a + p * p) * v + (b * b + q * q) * w, w * v


@written_in
def pick_marked(records, first, rows, spot, room):
    """Write down the rows in marked buckets; returns how many they are."""
    marked, ranked, places, chosen, picked = room.marked, room.ranked, room.places, room.ends, _0
    for k in range(rows):
        chosen[picked] = k
        picked += u64(marked[places[spot + k]])
    for k in range(picked):
        row = u64(chosen[k])
        ranked[PICKED + k] = ranked[spot + row]
        room.ordered[k] = records[first + row]
    return picked


@inlined
def pass_over(buckets, sums, marked, hist):
    """Put what lies in buckets that are not marked where the next marked one begins: as many places on as rows were picked
    before it."""
    before, passed, taken, place = _0, _0, _0, _0
    for b in range(buckets):
        hist[place] = passed - taken
        here = sums[b] - before
        before = sums[b]
        picked = _0 - u64(marked[b])
        passed += here & ~picked
        rows = here & picked & ID
        taken = passed if rows != _0 else taken
        place += rows
