"""The best split by two sums for each side: two classes, or numbers. (`classes.py` knows three classes and more.)

Every sum stays below 2⁵³, so doubles hold it exactly. `parts` is None where a record holds both of a row's numbers, `hist`
where there are more classes: nothing is asked here then, and numba has nothing to compile.
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import inlined, u64
from openbook.forest.kernels.places import NOWHERE
from openbook.forest.kernels.rows import ID_BITS, PART, WEIGHT
from openbook.forest.kernels.scores import score_pairs
from openbook.forest.kernels.vectors import largest

__all__ = ["AGAIN", "FEATURE", "HIGH", "LEFT_ROWS", "LOW", "MISSED", "SIDE", "SPOT", "add_up", "choose", "convert",
           "keep_best", "separates"]  # fmt: skip

_0 = u64(0)

# What is known of the best split so far: the feature, the ranks or bins beside the boundary (HIGH −1: known against missing),
# whether missing rows go left, whether any are missing, how many rows go left; where the ranks of a small node's rows stand
# in `room.ranked`; and in `lists.py`, where LOW is a place in a list, from which place on rows go left again: missing ones.
FEATURE, LOW, HIGH, SIDE, MISSED, LEFT_ROWS, SPOT, AGAIN = range(8)


@inlined
def add_up(parts, count, hist, hist_part, lw, lp):
    """The sums up to each place, packed in `hist`, and weight and part as doubles."""
    sofar, part = _0, np.int64(0)
    for k in range(count):
        sofar += hist[k]
        hist[k] = sofar
        if parts is not None:
            part += hist_part[k]
            lp[k] = np.float64(part)
    convert(parts, count, hist, lw, lp)


@inlined
def convert(parts, count, hist, lw, lp):
    """Weights, and parts that are packed with them, as doubles."""
    if parts is not None:
        for k in range(count):
            lw[k] = np.float64(np.int64(hist[k] >> ID_BITS))
    else:
        for k in range(count):
            lw[k], lp[k] = np.float64(np.int32((hist[k] >> ID_BITS) & WEIGHT)), np.float64(np.int32(hist[k] >> PART))


@inlined
def choose(last, known, missed, f, sums, total, limits, criterion, terms, scale, best, figures):
    """The best boundary after one of the places up to `last`, with the missing rows (which stand from `known` on) on the
    right: the last boundary is then the one between everything known and everything missing; then with them on the left.
    Of equal ones the first. `best[LOW]` is its place."""
    lw, lp, ln, _, scores = sums
    for side in range(2 if missed else 1):
        more_w = more_p = 0.0
        more_n, boundaries = np.int64(0), known if missed else last
        if side == 1:
            more_w, more_p = total[0] - lw[last], total[1] - lp[last]
            more_n, boundaries = np.int64(total[2]) - ln[last], last
        score_pairs(lw, lp, boundaries, more_w, more_p, total[0], total[1], criterion, terms, scale, scores)
        keep_best(boundaries, last, known, side, missed, more_w, more_p, more_n, f, sums, total, limits, best, figures)


@inlined
def keep_best(boundaries, last, known, side, missed, more_w, more_p, more_n, f, sums, total, limits, best, figures):
    """Keep the first of the best boundaries, if it is allowed and better than what was found before."""
    lw, lp, ln, _, scores = sums
    if limits[0] > 1 or limits[1] > 0:
        rule_out(boundaries, more_w, more_n, lw, ln, scores, total, limits)
    top = largest(scores, u64(boundaries))
    if top > figures[0]:
        at = np.int64(0)
        while scores[at] != top:
            at += 1
        figures[0], figures[1], figures[2] = top, lw[at] + more_w, lp[at] + more_p
        best[FEATURE], best[LOW], best[SIDE], best[MISSED] = f, at, side, missed
        best[HIGH] = at + 1 if at < last else -1
        best[AGAIN] = known if side == 1 else NOWHERE


@inlined
def rule_out(boundaries, more_w, more_n, lw, ln, scores, total, limits):
    """Splits that leave a side too few rows or too little weight are worth nothing."""
    for k in range(boundaries):
        fewest = min(ln[k] + more_n, np.int64(total[2]) - ln[k] - more_n) if limits[0] > 1 else limits[0]
        lightest = min(lw[k] + more_w, total[0] - lw[k] - more_w)
        if fewest < limits[0] or lightest < limits[1]:
            scores[k] = -np.inf


@inlined
def separates(figures, sums):
    """Whether both sides of the best split hold one class: they are leaves, and nobody needs their rows."""
    left, part = np.int64(figures[1]), np.int64(figures[2])
    return (part == 0 or part == left) and (sums[1] == part or sums[1] - part == sums[0] - left)
