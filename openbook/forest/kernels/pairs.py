"""The best split by two sums for each side: two classes, or numbers. (`classes.py` knows three classes and more.)

Every sum stays below 2⁵³, so doubles hold it exactly. `parts` is None where a record holds both of a row's numbers, `hist`
where there are more classes: nothing is asked here then, and numba has nothing to compile.
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import inlined, trailing_zeros, u64
from openbook.forest.kernels.rows import ID, ID_BITS, MISSING_BIN, MISSING_RANK
from openbook.forest.kernels.scores import score_pairs

__all__ = ["FEATURE", "HIGH", "LEFT_ROWS", "LOW", "MISSED", "SIDE", "consider_large", "consider_small"]

_0, _1, _6, _63 = u64(0), u64(1), u64(6), u64(63)
_WEIGHT, _PART = u64(2**26 - 1), u64(38)  # a packed record: place 12 bits, weight 26, part 26

# What is known of the best split so far: the feature, the ranks or bins beside the boundary (HIGH −1: known against missing),
# whether missing rows go left, how many are missing, how many rows go left.
FEATURE, LOW, HIGH, SIDE, MISSED, LEFT_ROWS = range(6)


@inlined
def consider_small(records, parts, begin, end, local, f, hist, hist_part, occupied, sofars, sums, total, limits, criterion,
                   terms, scale, best, figures):  # fmt: skip
    """Try every boundary between the values a small node has of feature f; whether there is any."""
    if hist is None:
        return False
    lw, lp, ln, rank, _ = sums
    groups = _0
    sofar, part = _0, np.int64(0)
    at = u64(f) << ID_BITS
    words = _0
    for k in range(u64(begin), u64(end)):
        record = records[k]
        c = u64(local[at | (record & ID)])
        hist[c] += (record & ~ID) + _1  # counts rows where the places were
        if parts is not None:
            hist_part[c] += parts[k]
        occupied[c >> _6] |= _1 << (c & _63)
        words |= _1 << (c >> _6)
    while words != _0:
        word = trailing_zeros(words)
        words &= words - _1
        bits = occupied[word]
        occupied[word] = _0
        while bits != _0:
            c = (word << _6) | trailing_zeros(bits)
            bits &= bits - _1
            sofar += hist[c]
            hist[c] = _0
            if parts is not None:
                part += hist_part[c]
                hist_part[c] = 0
                lp[groups] = np.float64(part)
            sofars[groups] = sofar
            rank[groups] = np.int32(c)
            groups += _1
    if parts is not None:
        for k in range(groups):
            lw[k], ln[k] = np.float64(np.int64(sofars[k] >> ID_BITS)), np.int32(sofars[k] & ID)
    else:
        for k in range(groups):
            sofar = sofars[k]
            lw[k], lp[k] = np.float64(np.int32((sofar >> ID_BITS) & _WEIGHT)), np.float64(np.int32(sofar >> _PART))
            ln[k] = np.int32(sofar & ID)
    return choose(
        np.int64(groups), np.int64(MISSING_RANK), f, sums, total, limits, criterion, terms, scale, best, figures
    )


@inlined
def consider_large(rows, values, parts, begin, end, bins, f, hist, hist_part, counts, sums, total, limits, criterion,
                   terms, scale, best, figures):  # fmt: skip
    """Try every boundary between the bins of feature f that a large node occupies; whether there is any."""
    if hist is None:
        return False
    lw, lp, ln, rank, _ = sums
    for b in range(u64(256)):
        hist[b] = _0
        hist_part[b] = 0
    if parts is not None:
        for k in range(u64(begin), u64(end)):
            c = bins[rows[k]]
            hist[c] += values[k] >> ID_BITS
            hist_part[c] += parts[k]
    else:  # 26 bits of weight and 26 of part, further apart, so that one addition carries both
        for k in range(u64(begin), u64(end)):
            value = values[k]
            hist[bins[rows[k]]] += ((value >> ID_BITS) & _WEIGHT) | ((value >> _PART) << u64(32))
    if limits[0] > 1:
        for b in range(u64(256)):
            counts[b] = 0
        for k in range(u64(begin), u64(end)):
            counts[bins[rows[k]]] += 1
    groups = 0
    weight, part, count = np.int64(0), np.int64(0), np.int64(0)
    for b in range(256):
        if hist[b] == _0:
            continue
        if parts is not None:
            weight += np.int64(hist[b])
            part += hist_part[b]
        else:
            weight += np.int64(hist[b] & u64(0xFFFFFFFF))
            part += np.int64(hist[b] >> u64(32))
        if limits[0] > 1:
            count += counts[b]
        lw[groups], lp[groups], ln[groups], rank[groups] = weight, part, count, b
        groups += 1
    return choose(
        np.int64(groups), np.int64(MISSING_BIN), f, sums, total, limits, criterion, terms, scale, best, figures
    )


@inlined
def choose(groups, missing, f, sums, total, limits, criterion, terms, scale, best, figures):
    """The best boundary between neighbouring groups, with the missing rows on the right (the last boundary is then the one
    between everything known and everything missing), then with them on the left. Of equal ones the first."""
    lw, lp, ln, rank, scores = sums
    if groups < 2:
        return False
    known = groups - 1 if rank[groups - 1] == missing else groups
    missed = groups - known
    for side in range(2 if missed > 0 else 1):
        more_w = more_p = 0.0
        more_n, boundaries = np.int64(0), known - 1 if missed == 0 else known
        if side == 1:
            more_w, more_p = total[0] - lw[known - 1], total[1] - lp[known - 1]
            more_n, boundaries = np.int64(total[2]) - ln[known - 1], known - 1
        score_pairs(lw, lp, boundaries, more_w, more_p, total[0], total[1], criterion, terms, scale, scores)
        take_best(boundaries, known, more_w, more_p, more_n, f, sums, total, limits, best, figures, side == 1, missed)
    return True


@inlined
def take_best(boundaries, known, more_w, more_p, more_n, f, sums, total, limits, best, figures, side, missed):
    """Keep the best of the scored boundaries, if it is allowed and better than what was found before."""
    lw, lp, ln, rank, scores = sums
    if limits[0] > 1 or limits[1] > 0:
        for k in range(boundaries):
            fewest = min(ln[k] + more_n, np.int64(total[2]) - ln[k] - more_n)
            lightest = min(lw[k] + more_w, total[0] - lw[k] - more_w)
            if fewest < limits[0] or lightest < limits[1]:
                scores[k] = -np.inf
    top, at = figures[0], -1
    for k in range(boundaries):
        if scores[k] > top:
            top, at = scores[k], k
    if at >= 0:
        figures[0], figures[1], figures[2] = top, lw[at] + more_w, lp[at] + more_p
        best[FEATURE], best[LOW], best[SIDE], best[MISSED] = f, rank[at], side, missed
        best[HIGH] = rank[at + 1] if at + 1 < known else -1
        best[LEFT_ROWS] = ln[at] + more_n
