"""A small node and everything below it: between the very values, in the cache."""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.classes import class_sums, classes_small
from openbook.forest.kernels.jit import inlined, u64, written_in
from openbook.forest.kernels.large_pairs import how_many_abreast
from openbook.forest.kernels.nodes import MAX_FEATURES, MIN_LEAF, MIN_WEIGHT, WHOLE, examine, same_targets_of
from openbook.forest.kernels.pairs import FEATURE, LEFT_ROWS, LOW, SIDE, SPOT, separates
from openbook.forest.kernels.random import draw_feature, put_back
from openbook.forest.kernels.rows import EXACT_BELOW, SPOTS, fetch_ranks, partition_ranked, rank_locally
from openbook.forest.kernels.small_pairs import consider_small, look_at_several

__all__ = ["part_small", "rows_from", "search_small", "take_small"]

_FEW_VALUES = 256  # and no more: as many as there are buckets, at most, of a node of a thousand rows


@inlined
def rows_from(missing_rank):
    """Of more rows than these (several features are looked at together, boundaries are tried by buckets first: see buckets.py).

    Of fewer, the first feature or two often part the classes, and others would be looked at in vain. Where most features have few
    values, buckets would hold one each.
    """
    many = np.int64(0)
    for f in range(len(missing_rank)):
        many += np.int64(missing_rank[f] > _FEW_VALUES)
    return (16, 32) if 2 * many >= len(missing_rank) else (EXACT_BELOW, 64)


@inlined
def take_small(ranks, missing_rank, rows, values, parts, few, few_parts, classes, limits, room):
    """Take the rows of a small node to where its subtree is grown: their records into `few`, their ranks into `room`."""
    for k in range(u64(len(rows))):
        few[k] = values[k] | k
        if parts is not None:
            few_parts[k] = parts[k]
    if classes is not None:
        rank_locally(ranks, rows, missing_rank, room.local, room.seen, room.groups, room.before, room.held)
    else:  # single ranks are looked at in few places, and asked for their order only, unless limits forbid some boundaries
        close = parts is not None or limits[MIN_LEAF] > 1 or limits[MIN_WEIGHT] > 0
        fetch_ranks(room.hist, ranks, rows, missing_rank, close, room.held, room.seen, room.groups, room.before)


@inlined
def part_small(records, parts, to_records, to_parts, begin, end, classes, criterion, sums, left_sums, room):
    """The records of a small node to the sides of the best split; returns where the right one begins, and whether both
    sides are leaves for certain: then nobody needs their rows, and they stay where they are."""
    best = room.best
    if classes is None and criterion is not None and separates(room.figures, sums):
        return begin + best[LEFT_ROWS], True
    middle = partition_ranked(records, to_records, parts, to_parts, begin, end, room.ranked, u64(best[SPOT]), best[LOW],
                              best[SIDE] == 1)  # fmt: skip
    if classes is not None:
        class_sums(to_records, begin, middle, left_sums)
    return middle, False


@written_in
def search_small(records, parts, rows, begin, end, depth, together, by_buckets, sums, code, classes, seed, limits, criterion, terms, scale,
                 room):  # fmt: skip
    """Find the best split of a small node, into `room`; returns the node's own score. No feature: it is a leaf.

    Of more rows than `together` several features are looked at together, of more than `by_buckets` boundaries are tried by
    buckets first.
    """
    best, figures = room.best, room.figures
    best[FEATURE], figures[0] = -1, -np.inf
    done, score, perfect = examine(end - begin, depth, sums, classes, limits, criterion, terms, scale, room)
    if done or same_targets_of(code, rows, records, begin, end):
        return score
    room.state[0] = seed
    drawn, varied, d, spot = np.int64(0), False, len(room.features), u64(0)
    some = end - begin > by_buckets and parts is None and limits[MIN_LEAF] <= 1 and limits[MIN_WEIGHT] <= 0
    while drawn < d and figures[0] < perfect and not (varied and drawn >= limits[MAX_FEATURES]):
        first = drawn
        drawn += (
            how_many_abreast(limits[MAX_FEATURES] - drawn, d - drawn)
            if classes is None and end - begin > together
            else np.int64(1)
        )
        for k in range(first, drawn):
            f = draw_feature(room.state, room.features, k, room.swapped)
        if classes is not None:
            varied |= classes_small(records, begin, end, f, spot, sums, limits, limits[WHOLE] == 1, terms, scale, room)
            if best[FEATURE] == f:  # the ranks stay where they are; the next feature's go to the other spot
                spot = SPOTS - spot
        else:
            told, bar = some or drawn - first > 1, 0.0
            if told:
                bar = look_at_several(records, parts, begin, end, first, drawn - 1, some, room.hist, criterion, terms, scale,
                                      room)  # fmt: skip
            for j in range(u64(drawn - first)):
                if figures[0] < perfect:
                    varied |= consider_small(j, told, records, parts, begin, end, room.features[u64(first) + j], bar, room.hist,
                                             room.hist_part, limits, criterion, terms, scale, room)  # fmt: skip
    put_back(room.features, drawn, room.swapped)
    return score
