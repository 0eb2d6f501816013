"""The best split of a node of some rows for two classes, by branch and bound.

Sums by buckets of neighbouring ranks first; single ranks then only in buckets inside which a boundary could be the best. The
score is convex in the weights that both classes have on the left. Inside a bucket these lie in a rectangle, so that no boundary
there is better than the rectangle's corners (as Fayyad & Irani 1992 bound entropy).
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import bits, inlined, u64
from openbook.forest.kernels.pairs import add_up
from openbook.forest.kernels.rows import ID, PICKED
from openbook.forest.kernels.scores import sides_score
from openbook.forest.kernels.vectors import largest

__all__ = ["MANY", "pass_over", "pick"]

MANY = u64(256)  # picked rows: to leave out the others does not pay then

_0, _1, _2, _32 = u64(0), u64(1), u64(2), u64(32)


@inlined
def pick(records, first, rows, spot, lowest, highest, criterion, terms, scale, room):
    """Pick the rows among which the best boundary is, if it is better than all before: their ranks into
    `room.ranked[PICKED:]`, their records into `room.ordered`. Returns how many they are, and how many buckets there were.

    The ranks of all rows stand in `room.ranked[spot:]`; none may be missing.
    """
    shift = bits(highest - lowest) - min(bits(max(rows >> _2, _32)) - _1, bits(highest - lowest))
    buckets = ((highest - lowest) >> shift) + _1
    ranked, total, figures, sums = room.ranked, room.total, room.figures, room.bucket_sums
    lw, lp, _, _, scores = room.sums
    for b in range(buckets):
        sums[b] = _0
    for k in range(rows):
        bucket = (u64(ranked[spot + k]) - lowest) >> shift
        sums[bucket] += (records[first + k] & ~ID) + _1  # counts rows, as `add_by_place`
    add_up(None, buckets, sums, None, lw, lp)
    for b in range(buckets - _1):
        score, unit = as_fraction(lw[b], lp[b], total[0], total[1], criterion, terms, scale)
        scores[b] = score / unit
    bar = max(figures[0], largest(scores, buckets - _1))
    # What is held against the bar is rounded, and not as scores are.
    bar -= abs(bar) * 2.0**-40 + (0.0 if terms is None else 8.0)
    scores[buckets - _1] = -np.inf
    if not mark(buckets, lw, lp, scores, bar, total[0], total[1], criterion, terms, scale, room.marked):
        return _0, buckets
    return pick_marked(records, first, rows, spot, lowest, shift, room), buckets


@inlined
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


@inlined
def pick_marked(records, first, rows, spot, lowest, shift, room):
    """Write down the rows in marked buckets; returns how many they are."""
    marked, ranked, chosen, picked = room.marked, room.ranked, room.ends, _0
    for k in range(rows):
        chosen[picked] = k
        picked += u64(marked[(u64(ranked[spot + k]) - lowest) >> shift])
    for k in range(picked):
        row = u64(chosen[k])
        ranked[PICKED + k] = ranked[spot + row]
        room.ordered[k] = records[first + row]
    return picked


@inlined
def pass_over(buckets, hist, room):
    """Put what lies in buckets that are not marked where the next marked one begins: as many places on as rows were picked
    before it."""
    sums, marked = room.bucket_sums, room.marked
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
