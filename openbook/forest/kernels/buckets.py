"""The best split of a node of some rows for two classes, by branch and bound.

Sums by buckets of neighbouring ranks first; single ranks then only in buckets inside which a boundary could be the best. The
score is convex in the weights that both classes have on the left. Inside a bucket these lie in a rectangle, so that no boundary
there is better than the rectangle's corners (as Fayyad & Irani 1992 bound entropy).
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import inlined, u64
from openbook.forest.kernels.pairs import (
    FEATURE,
    HIGH,
    LEFT_ROWS,
    LOW,
    MISSED,
    SIDE,
    SPOT,
    add_up,
)
from openbook.forest.kernels.places import last_place, rank_at, stand
from openbook.forest.kernels.rows import ID, PICKED
from openbook.forest.kernels.scores import ENTROPY, GINI, score_pairs, sides_score
from openbook.forest.kernels.vectors import largest

__all__ = ["consider_buckets"]

_0, _1, _3, _8 = u64(0), u64(1), u64(3), u64(8)


@inlined
def consider_buckets(records, first, rows, f, spot, lowest, highest, hist, criterion, terms, scale, room):
    """Try every boundary between the values of feature f, of which none is missing; their ranks are in `room.ranked`."""
    shift = _0
    while ((highest - lowest) >> shift) >= max(rows >> _3, _8):
        shift += _1
    buckets = ((highest - lowest) >> shift) + _1
    ranked, total, figures = room.ranked, room.total, room.figures
    lw, lp, _, _, scores = room.sums
    for b in range(buckets):
        hist[b] = _0
    for k in range(rows):
        hist[(u64(ranked[spot + k]) - lowest) >> shift] += (
            records[first + k] & ~ID
        ) + _1  # counts rows, as `add_by_place`
    add_up(None, buckets, hist, None, lw, lp)
    score_pairs(lw, lp, buckets - _1, 0.0, 0.0, total[0], total[1], criterion, terms, scale, scores)
    bar = max(figures[0], largest(scores, buckets - _1))
    bar -= abs(bar) * 2.0**-40 + (8.0 if criterion == ENTROPY else 0.0)  # corners are rounded, as all scores are
    scores[buckets - _1] = -np.inf
    if mark(buckets, lw, lp, scores, bar, total[0], total[1], criterion, terms, scale, room.marked):
        consider_marked(records, first, rows, f, spot, lowest, shift, buckets, hist, criterion, terms, scale, room)


@inlined
def mark(buckets, lw, lp, scores, bar, W, P, criterion, terms, scale, marked):
    """Mark the buckets in which, or at whose end, a boundary may reach the bar; whether there is one."""
    if terms is None:  # the criterion is a constant each time: what does not depend on the bucket is then decided once
        mark_each(buckets, lw, lp, scores, bar, W, P, GINI, None, None, marked)
    else:
        mark_each(buckets, lw, lp, scores, bar, W, P, ENTROPY, terms, scale, marked)
    some = np.uint8(0)
    for b in range(buckets):
        some |= marked[b]
    return some != 0


@inlined
def mark_each(buckets, lw, lp, scores, bar, W, P, criterion, terms, scale, marked):
    marked[0] = may_reach(0.0, 0.0, lw[0], lp[0], scores[0], bar, W, P, criterion, terms, scale)
    for b in range(_1, buckets):
        before = b - _1
        marked[b] = may_reach(lw[before], lp[before], lw[b], lp[b], scores[b], bar, W, P, criterion, terms, scale)


@inlined
def may_reach(before_w, before_p, after_w, after_p, score, bar, W, P, criterion, terms, scale):
    """Whether a corner of what lies between two boundaries, or the score of the second, reaches the bar."""
    first_class = sides_score(after_w - after_p + before_p, before_p, W, P, criterion, terms, scale)
    second_class = sides_score(before_w - before_p + after_p, after_p, W, P, criterion, terms, scale)
    return np.uint8((first_class >= bar) | (second_class >= bar) | (score >= bar))


@inlined
def consider_marked(records, first, rows, f, spot, lowest, shift, buckets, hist, criterion, terms, scale, room):
    """Try every boundary in, or at the end of, marked buckets, and keep the first of the best if it is better than all before."""
    best, figures, places, sums = room.best, room.figures, room.places, room.picked_sums
    lw, lp, _, _, scores = room.sums
    picked = pick(records, first, rows, spot, lowest, shift, room.marked, room.ranked, room.ends, room.ordered)
    stand(room.ranked, PICKED, picked, places, room.occupied, room.before)
    for k in range(picked):
        sums[k] = _0
    for b in range(buckets):
        room.ends[b] = picked
    for k in range(picked):
        place, b = np.int32(places[PICKED + k]), (u64(room.ranked[PICKED + k]) - lowest) >> shift
        sums[place] += room.ordered[k]
        room.ends[b] = min(room.ends[b], place)
    pass_over(buckets, hist, room.marked, room.ends, sums)
    add_up(None, picked, sums, None, lw, lp)
    last, _ = last_place(room.ranked, places, PICKED, picked, False)
    boundaries = last if room.marked[buckets - _1] else last + 1  # not after the very last value
    score_pairs(lw, lp, boundaries, 0.0, 0.0, room.total[0], room.total[1], criterion, terms, scale, scores)
    top = largest(scores, u64(boundaries))
    if top > figures[0]:
        at = np.int64(0)
        while scores[at] != top:
            at += 1
        figures[0], figures[1], figures[2] = top, lw[at], lp[at]
        best[FEATURE], best[SIDE], best[MISSED], best[SPOT] = f, 0, 0, spot
        best[LOW], best[HIGH] = rank_at(room.ranked, places, PICKED, picked, at), 0
        best[LEFT_ROWS] = np.int64(sums[at] & ID)


@inlined
def pick(records, first, rows, spot, lowest, shift, marked, ranked, chosen, ordered):
    """Write the ranks of rows in marked buckets into `ranked[PICKED:]`, and their records with a 1 for the row into
    `ordered`; returns how many there are."""
    picked = _0
    for k in range(rows):
        chosen[picked] = k
        picked += u64(marked[(u64(ranked[spot + k]) - lowest) >> shift])
    for k in range(picked):
        row = u64(chosen[k])
        ranked[PICKED + k] = ranked[spot + row]
        ordered[k] = (records[first + row] & ~ID) + _1
    return picked


@inlined
def pass_over(buckets, hist, marked, begins, sums):
    """Add what lies in buckets that are not marked to the sums at the place where the next marked one begins."""
    passed, before = _0, _0
    for b in range(buckets):
        here = hist[b] - before
        before = hist[b]
        if not marked[b]:
            passed += here
        elif here != _0:
            sums[begins[b]] += passed
            passed = _0
