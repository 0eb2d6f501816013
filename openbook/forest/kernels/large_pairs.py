"""The best split of a large node by two sums for each side, between the bins of its rows."""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import inlined, u64
from openbook.forest.kernels.pairs import FEATURE, HIGH, LOW, choose
from openbook.forest.kernels.rows import ID_BITS, MISSING_BIN, PART, WEIGHT

__all__ = ["ABREAST", "BINS", "add_up_bins", "consider_large", "how_many_abreast"]

ABREAST = 4  # features: one pass over the rows reads what these weigh once, and no gather waits for another
BINS = u64(256)
_0, _1, _2, _3 = u64(0), u64(1), u64(2), u64(3)


@inlined
def how_many_abreast(wanted, left):
    """How many features the next pass is for: when as many as `wanted` have been drawn, one after the other, until one varies."""
    certain = wanted if wanted < left else left
    if certain <= 2:  # a pass for two would take as long as two
        return np.int64(1)
    return certain if certain < ABREAST else np.int64(ABREAST)


@inlined
def add_up_bins(rows, values, parts, begin, end, bins, features, first, last, hist, hist_part):
    """What the rows in each bin weigh, and their parts: of `features[first]` to `[last]`, which are one, three or four; in
    `BINS` sums of each. `hist` is None for more than two classes: nothing is compiled then."""
    if hist is None:
        return
    for b in range(u64(ABREAST) * BINS):
        hist[b] = _0
        if parts is not None:
            hist_part[b] = 0
    e, h = u64(features[first]), u64(features[last])
    if first == last:
        for k in range(u64(begin), u64(end)):
            b = bins[e, rows[k]]
            if parts is not None:
                hist[b] += values[k] >> ID_BITS
                hist_part[b] += parts[k]
            else:  # one addition carries both: no sum over the rows of a tree needs more than its 26 bits
                hist[b] += values[k]
        return
    f, g = u64(features[first + 1]), u64(features[first + 2])
    for k in range(u64(begin), u64(end)):
        row, value = rows[k], values[k]
        a, b, c, d = u64(bins[e, row]), bins[f, row] + BINS, bins[g, row] + _2 * BINS, bins[h, row] + _3 * BINS
        if parts is not None:
            part = parts[k]
            value >>= ID_BITS
            hist_part[a] += part
            hist_part[b] += part
            hist_part[c] += part
            hist_part[d] += part
        hist[a] += value
        hist[b] += value
        hist[c] += value
        hist[d] += value


@inlined
def consider_large(rows, parts, begin, end, bins, f, at, hist, hist_part, counts, sums, total, limits, criterion, terms,
                   scale, best, figures):  # fmt: skip
    """Try every boundary between the bins of feature f that a large node occupies; whether there is any. The sums of each bin
    stand from `at` on."""
    if hist is None:
        return False
    lw, lp, ln, rank, _ = sums
    if limits[0] > 1:
        for k in range(u64(begin), u64(end)):
            counts[bins[rows[k]]] += 1
    groups = _0
    weight, part, count = np.int64(0), np.int64(0), np.int64(0)
    for b in range(BINS):
        held = hist[at + b]
        if held == _0:
            continue
        if parts is not None:
            weight += np.int64(held)
            part += hist_part[at + b]
        else:
            weight += np.int64((held >> ID_BITS) & WEIGHT)
            part += np.int64(held >> PART)
        if limits[0] > 1:
            count += counts[b]
            counts[b] = 0  # others want it empty
        lw[groups], lp[groups], ln[groups], rank[groups] = weight, part, count, b
        groups += _1
    if groups < _2:
        return False
    missed = rank[groups - _1] == MISSING_BIN
    known = np.int64(groups) - np.int64(missed)
    choose(known - 1, known, missed, f, sums, total, limits, criterion, terms, scale, best,
           figures)  # fmt: skip
    if best[FEATURE] == f:
        best[HIGH] = rank[best[LOW] + 1] if best[LOW] + 1 < known else -1
        best[LOW] = rank[best[LOW]]
    return True
