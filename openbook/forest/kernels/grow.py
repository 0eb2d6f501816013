"""Growing trees one by one, each depth first. `textbook.py` says the same slowly.

Large nodes have been split before (`large.py`). Once a node is small its rows are ranked among themselves, and the whole
subtree below it grows inside the cache, between the very values.
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import grower, u64
from openbook.forest.kernels.lists import part_listed, rows_beside, search_listed, take_listed
from openbook.forest.kernels.nodes import KNOWN_AGAINST_MISSING, divide, divide_again, number, plant, push, weight_of
from openbook.forest.kernels.pairs import FEATURE, HIGH, LOW, SPOT
from openbook.forest.kernels.places import beside
from openbook.forest.kernels.records import take_rows
from openbook.forest.kernels.rows import EXACT_BELOW
from openbook.forest.kernels.subtree import part_small, rows_from, search_small, take_small

__all__ = ["grow_trees"]


@grower
def grow_trees(counts, seeds, ends, once, labels, row_parts, rows, values, parts, spare_rows, spare_values, spare_parts, large,
               lists, ranks, missing_rank, few, few_parts, spare_few, spare_few_parts, code, classes, limits, min_decrease,
               criterion, terms, scale, nodes, room):  # fmt: skip
    """Grow a tree for each seed, one behind the other in `nodes`; `ends` takes where each one ends.

    Several in one call, which would take longer than a small one is grown in; or one whose large nodes are in `large`, and which
    has its root and its rows already. `counts` to `parts` are those of `take_rows`; rows and records are changed on the way.
    Where most features are tried at each node `lists` are there, else `few`, `few_parts` and their spare ones, which hold the
    records of a small node: what is None is not compiled. `ranks` is (all rows, features). `parts` is None for classes with
    whole weights, `classes` (their number) for two classes and for numbers. `code` ranks the targets of all rows where they
    are numbers, else it is None. Spare arrays are as large as their like.
    """
    sums, best, figures, stack = nodes.sums, room.best, room.figures, room.stack
    together, by_buckets = rows_from(missing_rank)
    nowhere, count, come_up = np.int64(len(stack)), np.int64(0), u64(0)
    for tree in range(u64(len(seeds))):
        root = count
        if len(large.feature) == 0:
            nodes.rows[root] = take_rows(counts, tree, once, labels, row_parts, rows, values, parts, sums[root])
        whole = weight_of(sums[root], classes)
        waiting, count = plant(nodes, room, root, nodes.rows[root], seeds[tree])
        # Where in the stack the small subtree begins that is being grown, and which rows it has.
        bottom, own, own_values, own_parts = nowhere, rows, values, parts
        while waiting > 0:
            waiting -= 1
            node, begin, end = stack[waiting, 0], stack[waiting, 1], stack[waiting, 2]
            depth, flip, seed = stack[waiting, 3], stack[waiting, 4], room.seeds[waiting]
            if waiting < bottom:
                if end - begin >= EXACT_BELOW:
                    bottom = nowhere
                    if large.feature[come_up] >= 0:
                        middle = begin + large.rows[come_up]
                        divide_again(nodes, node, count, large, come_up, end - middle)
                        push(room, waiting, count, begin, middle, end, depth + 1, 1 - flip, seed)
                        waiting += 2
                        count += 2
                    come_up += u64(1)
                    continue
                own, own_values, own_parts = rows[begin:end], values[begin:end], parts
                if flip == 1:
                    own, own_values, own_parts = spare_rows[begin:end], spare_values[begin:end], spare_parts
                if parts is not None:
                    own_parts = own_parts[begin:end]
                if lists is not None:
                    take_listed(lists, ranks, missing_rank, own, room)
                if few is not None:
                    take_small(ranks, missing_rank, own, own_values, own_parts, few, few_parts, classes, limits, room)
                begin, end, flip, bottom = np.int64(0), end - begin, np.int64(0), waiting
            if end - begin == 1:
                continue
            records, its_parts, to_records, to_parts = few, few_parts, spare_few, spare_few_parts
            if flip == 1:
                records, its_parts, to_records, to_parts = spare_few, spare_few_parts, few, few_parts
            if lists is not None:
                score = search_listed(lists, own, own_values, own_parts, code, begin, end, depth, sums[node], seed, limits,
                                      criterion, terms, scale, room)  # fmt: skip
            if few is not None:
                score = search_small(records, its_parts, own, begin, end, depth, together, by_buckets, sums[node], code, classes,
                                     seed, limits, criterion, terms, scale, room)  # fmt: skip
            if best[FEATURE] < 0 or max(figures[0] - score, 0.0) / whole < min_decrease:
                continue
            if lists is not None:
                low, high = rows_beside(lists, begin, best)
                middle, done = part_listed(lists, begin, end, depth, sums[node], limits, criterion, room)
            if few is not None:
                low, high = beside(records, u64(begin), u64(end - begin), room.ranked, u64(best[SPOT]), best[LOW])
                middle, done = part_small(records, its_parts, to_records, to_parts, begin, end, classes, criterion, sums[node],
                                          sums[count], room)  # fmt: skip
            nodes.low[node] = own[low]
            nodes.high[node] = own[high] if best[HIGH] >= 0 else KNOWN_AGAINST_MISSING
            divide(nodes, node, count, best, figures, classes, score, middle - begin, end - middle)
            if not done:
                push(room, waiting, count, begin, middle, end, depth + 1, 1 - flip, seed)
                waiting += 2
            count += 2
        number(nodes, root, count)
        ends[tree] = count
