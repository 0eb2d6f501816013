"""Growing trees one by one, each depth first. `textbook.py` says the same slowly.

Large nodes look at bins, of the drawn features only. Once a node is small its rows are ranked among themselves, and the whole
subtree below it grows inside the cache, between the very values.
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.classes import class_sums, classes_large
from openbook.forest.kernels.jit import grower, inlined, u64
from openbook.forest.kernels.large_pairs import BINS, add_up_bins, consider_large, how_many_abreast
from openbook.forest.kernels.lists import grow_listed
from openbook.forest.kernels.nodes import (
    MAX_FEATURES,
    WHOLE,
    divide,
    examine,
    number,
    plant,
    push,
    same_targets,
    weight_of,
)
from openbook.forest.kernels.pairs import FEATURE, HIGH, LOW, SIDE
from openbook.forest.kernels.random import draw_feature, put_back
from openbook.forest.kernels.records import take_rows
from openbook.forest.kernels.rows import EXACT_BELOW, partition_large
from openbook.forest.kernels.subtree import grow_small

__all__ = ["KNOWN_AGAINST_MISSING", "grow_trees"]

KNOWN_AGAINST_MISSING = -1  # in `high`; a bin b stands there as −2 − b, a row as its number


@grower
def grow_trees(counts, seeds, ends, once, labels, row_parts, rows, values, parts, spare_rows, spare_values, spare_parts, lists,
               ranks, bins, missing_rank, few, few_parts, spare_few, spare_few_parts, code, classes, limits, min_decrease,
               criterion, terms, scale, nodes, room):  # fmt: skip
    """Grow a tree for each seed, one behind the other in `nodes`; `ends` takes where each one ends.

    Several in one call, which would take longer than a small one is grown in. `counts` to `parts` are those of `take_rows`;
    rows and records are changed on the way. Where most features are tried at each node `lists` are there, else `few`,
    `few_parts` and their spare ones, which hold the records of a small node: what is None is not compiled. `ranks` is (all
    rows, features), `bins` (features, all rows). `parts` is None for classes with whole weights, `classes` (their number) for
    two classes and for numbers. `code` ranks the targets of all rows where they are numbers, else it is None. Spare arrays are
    as large as their like.
    """
    sums, best, figures, stack = nodes.sums, room.best, room.figures, room.stack
    count = np.int64(0)
    for tree in range(u64(len(seeds))):
        root = count
        known = take_rows(counts, tree, once, labels, row_parts, rows, values, parts, sums[root])
        whole = weight_of(sums[root], classes)
        waiting, count = plant(nodes, room, root, known, seeds[tree])
        while waiting > 0:
            waiting -= 1
            node, begin, end = stack[waiting, 0], stack[waiting, 1], stack[waiting, 2]
            depth, flip, seed = stack[waiting, 3], stack[waiting, 4], room.seeds[waiting]
            from_rows, from_values, from_parts = rows, values, parts
            to_rows, to_values, to_parts = spare_rows, spare_values, spare_parts
            if flip == 1:
                from_rows, from_values, from_parts = spare_rows, spare_values, spare_parts
                to_rows, to_values, to_parts = rows, values, parts
            if end - begin < EXACT_BELOW:
                if parts is not None:
                    from_parts = from_parts[begin:end]
                if lists is not None:
                    count = grow_listed(lists, ranks, missing_rank, from_rows[begin:end], from_values[begin:end], from_parts, code,
                                        node, depth, seed, count, waiting, whole, limits, min_decrease, criterion, terms, scale,
                                        nodes, room)  # fmt: skip
                if few is not None:
                    count = grow_small(ranks, missing_rank, from_rows[begin:end], from_values[begin:end], from_parts, few,
                                       few_parts, spare_few, spare_few_parts, code, classes, node, depth, seed, count, waiting,
                                       whole, limits, min_decrease, criterion, terms, scale, nodes, room)  # fmt: skip
                continue
            score = search_large(from_rows, from_values, from_parts, begin, end, depth, bins, sums[node], code, classes, seed,
                                 limits, criterion, terms, scale, room)  # fmt: skip
            if best[FEATURE] < 0 or max(figures[0] - score, 0.0) / whole < min_decrease:
                continue
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
        number(nodes, root, count)
        ends[tree] = count


@inlined
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
