"""The large nodes of a tree: they look at bins, of the drawn features only. `textbook.py` says the same slowly.

A kernel of its own, because few tables have so many rows, and others need not wait until it is compiled.
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.classes import class_sums, classes_large
from openbook.forest.kernels.jit import grower, inlined, u64, written_in
from openbook.forest.kernels.large_pairs import BINS, add_up_bins, consider_large, how_many_abreast
from openbook.forest.kernels.nodes import (
    KNOWN_AGAINST_MISSING,
    MAX_FEATURES,
    WHOLE,
    divide,
    examine,
    plant,
    push,
    same_targets,
    weight_of,
)
from openbook.forest.kernels.pairs import FEATURE, HIGH, LOW, SIDE
from openbook.forest.kernels.random import draw_feature, put_back
from openbook.forest.kernels.records import take_rows
from openbook.forest.kernels.rows import EXACT_BELOW, partition_large

__all__ = ["split_large"]


@grower
def split_large(counts, seeds, ends, once, labels, row_parts, rows, values, parts, spare_rows, spare_values, spare_parts, bins,
                code, classes, limits, min_decrease, criterion, terms, scale, large, nodes, room):  # fmt: skip
    """Split the large nodes of one tree. What became of them is left in `large` in the order in which they come up, depth first: a
    split and the `rows` and `sums` of its left child, or no feature. Their rows are left at both sides, and the root in `nodes`.

    The rest as in `grow_trees`.
    """
    sums, best, figures, stack, logged = nodes.sums, room.best, room.figures, room.stack, u64(0)
    known = take_rows(counts, u64(0), once, labels, row_parts, rows, values, parts, sums[0])
    whole = weight_of(sums[0], classes)
    waiting, count = plant(nodes, room, np.int64(0), known, seeds[0])
    while waiting > 0:
        waiting -= 1
        node, begin, end = stack[waiting, 0], stack[waiting, 1], stack[waiting, 2]
        depth, flip, seed = stack[waiting, 3], stack[waiting, 4], room.seeds[waiting]
        if end - begin < EXACT_BELOW:
            continue
        from_rows, from_values, from_parts = rows, values, parts
        to_rows, to_values, to_parts = spare_rows, spare_values, spare_parts
        if flip == 1:
            from_rows, from_values, from_parts = spare_rows, spare_values, spare_parts
            to_rows, to_values, to_parts = rows, values, parts
        score = search_large(from_rows, from_values, from_parts, begin, end, depth, bins, sums[node], code, classes, seed,
                             limits, criterion, terms, scale, room)  # fmt: skip
        if best[FEATURE] >= 0 and max(figures[0] - score, 0.0) / whole >= min_decrease:
            middle = partition_large(from_rows, from_values, from_parts, to_rows, to_values, to_parts, begin, end,
                                     bins[best[FEATURE]], best[LOW], best[SIDE] == 1)  # fmt: skip
            if classes is not None:
                class_sums(to_values, begin, middle, sums[count])
            divide(nodes, node, count, best, figures, classes, score, middle - begin, end - middle)
            nodes.low[node] = -2 - best[LOW]
            nodes.high[node] = -2 - best[HIGH] if best[HIGH] >= 0 else KNOWN_AGAINST_MISSING
            push(room, waiting, count, begin, middle, end, depth + 1, 1 - flip, seed)
            waiting += 2
            count += 2
        log(nodes, node, large, logged)
        logged += u64(1)


@inlined
def log(nodes, node, large, k):
    """Leave behind what became of a large node."""
    large.feature[k] = nodes.feature[node]
    if nodes.feature[node] >= 0:
        child = nodes.left[node]
        large.low[k], large.high[k], large.gain[k] = nodes.low[node], nodes.high[node], nodes.gain[node]
        large.missing_left[k], large.rows[k] = nodes.missing_left[node], nodes.rows[child]
        for c in range(nodes.sums.shape[1]):
            large.sums[k, c] = nodes.sums[child, c]


@written_in
def search_large(rows, values, parts, begin, end, depth, bins, sums, code, classes, seed, limits, criterion, terms, scale,
                 room):  # fmt: skip
    """Find the best split of a large node, into `room`; returns the node's own score. No feature: it is a leaf."""
    best, figures = room.best, room.figures
    best[FEATURE], figures[0] = -1, -np.inf
    done, score, perfect = examine(end - begin, depth, sums, classes, limits, criterion, terms, scale, room)
    if done or same_targets(code, rows, begin, end):
        return score
    room.state[0] = seed
    drawn, varied, d = np.int64(0), False, len(room.features)
    while drawn < d and figures[0] < perfect and not (varied and drawn >= limits[MAX_FEATURES]):
        first = drawn
        drawn += np.int64(1) if classes is not None else how_many_abreast(limits[MAX_FEATURES] - drawn, d - drawn)
        for k in range(first, drawn):
            f = draw_feature(room.state, room.features, k, room.swapped)
        if classes is not None:
            varied |= classes_large(rows, values, begin, end, bins[f], f, sums, limits, limits[WHOLE] == 1, terms, scale,
                                    room)  # fmt: skip
            continue
        add_up_bins(rows, values, parts, begin, end, bins, room.features, first, drawn - 1, room.bin_hist,
                    room.bin_part)  # fmt: skip
        for k in range(first, drawn):
            if figures[0] < perfect:
                f = room.features[k]
                varied |= consider_large(rows, parts, begin, end, bins[f], f, u64(k - first) * BINS, room.bin_hist, room.bin_part,
                                         room.starts, room.sums, room.total, limits, criterion, terms, scale, best,
                                         figures)  # fmt: skip
    put_back(room.features, drawn, room.swapped)
    return score
