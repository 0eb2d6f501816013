"""Growing one tree with random thresholds (Geurts et al. 2006): one for each drawn feature, between its smallest and its
largest value in the node. Needs no order, so rows are never sorted. `textbook.py` says the same slowly.

What takes the time is to fetch values from all over the table. So once a node is small the values of its rows are moved next to
each other, for the whole subtree below it.
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.abreast import copy_lines, search_abreast
from openbook.forest.kernels.cuts import CUT
from openbook.forest.kernels.jit import grower, inlined, inner, u64
from openbook.forest.kernels.nodes import divide, examine, number, plant, push, same_targets, weight_of
from openbook.forest.kernels.pairs import FEATURE
from openbook.forest.kernels.records import take_rows
from openbook.forest.kernels.singly import copy_sums, move_values, search_singly

__all__ = ["grow_random_trees"]

_1 = u64(1)


@grower
def grow_random_trees(counts, seeds, ends, once, labels, row_parts, rows, values, parts, spare_rows, spare_values, spare_parts,
                      code, classes, limits, min_decrease, criterion, terms, scale, nodes, cuts, room, bench, singly,
                      abreast):  # fmt: skip
    """Grow a tree for each seed, as `grow_trees` does. `singly` or `abreast` holds the table and says how a node is searched,
    the other one is None; `cuts` takes the thresholds."""
    sums, best, figures, stack = nodes.sums, room.best, room.figures, room.stack
    nowhere, count = np.int64(len(stack)), np.int64(0)
    for tree in range(u64(len(seeds))):
        root = count
        known = take_rows(counts, tree, once, labels, row_parts, rows, values, parts, sums[root])
        whole = weight_of(sums[root], classes)
        waiting, count = plant(nodes, room, root, known, seeds[tree])
        # Where in the stack the subtree begins whose values have been moved; a small table is one from the start.
        bottom = np.int64(0) if len(code) <= bench.few else nowhere
        targets = code
        while waiting > 0:
            waiting -= 1
            node, begin, end = stack[waiting, 0], stack[waiting, 1], stack[waiting, 2]
            depth, flip, seed = stack[waiting, 3], stack[waiting, 4], room.seeds[waiting]
            from_rows, from_values, from_parts = rows, values, parts
            to_rows, to_values, to_parts = spare_rows, spare_values, spare_parts
            if flip == 1:
                from_rows, from_values, from_parts = spare_rows, spare_values, spare_parts
                to_rows, to_values, to_parts = rows, values, parts
            if waiting < bottom:
                bottom, targets = nowhere, code
                if end - begin <= bench.few:
                    move_in(singly, abreast, from_rows[begin:end], code, bench.code)
                    bottom, targets = waiting, bench.code
            score = search(singly, abreast, bottom <= waiting, from_rows, from_values, from_parts, begin, end, depth, sums[node],
                           targets, classes, seed, limits, criterion, terms, scale, room, bench)  # fmt: skip
            if best[FEATURE] < 0 or max(figures[0] - score, 0.0) / whole < min_decrease:
                continue
            cuts[node] = figures[CUT]
            middle = partition(bench.marks[bench.best[0]], from_rows, from_values, from_parts, to_rows, to_values, to_parts, begin,
                               end)  # fmt: skip
            if classes is not None:
                copy_sums(bench.left, sums[count])
            divide(nodes, node, count, best, figures, classes, score, middle - begin, end - middle)
            push(room, waiting, count, begin, middle, end, depth + 1, 1 - flip, seed)
            waiting += 2
            count += 2
        number(nodes, root, count)
        ends[tree] = count


@inner
def move_in(singly, abreast, rows, code, targets):
    """Values and targets of these rows to one place; the rows are then numbered by their places there."""
    if abreast is not None:
        copy_lines(abreast.table, rows, abreast.block)
    if singly is not None:
        move_values(singly.X, rows, singly.block)
    for k in range(u64(len(rows))):
        targets[k] = code[rows[k]]
        rows[k] = k


@inlined
def search(singly, abreast, near, rows, values, parts, begin, end, depth, sums, code, classes, seed, limits, criterion, terms,
           scale, room, bench):  # fmt: skip
    """Find the best of the random splits of a node, into `room`; returns its own score. No feature: it is a leaf."""
    room.best[FEATURE], room.figures[0] = -1, -np.inf
    done, score, perfect = examine(end - begin, depth, sums, classes, limits, criterion, terms, scale, room)
    if done or (criterion is None and same_targets(code, rows, begin, end)):
        return score
    rows, values = rows[begin:end], values[begin:end]
    if parts is not None:
        parts = parts[begin:end]
    if abreast is not None:
        search_abreast(abreast, near, rows, values, parts, seed, limits, criterion, terms, scale, room, bench)
    if singly is not None:
        search_singly(singly, near, rows, values, parts, sums, classes, seed, limits, perfect, criterion, terms, scale, room,
                      bench)  # fmt: skip
    return score


@inner
def partition(marks, rows, values, parts, to_rows, to_values, to_parts, begin, end):
    """Rows to their sides, as `partition_large` does it."""
    p, q, first = u64(begin), u64(end - 1), u64(begin)
    for k in range(u64(end - begin)):
        row, value, left = rows[first + k], values[first + k], u64(marks[k])
        to_rows[p] = row
        to_rows[q] = row
        to_values[p] = value
        to_values[q] = value
        if parts is not None:
            to_parts[p] = parts[first + k]
            to_parts[q] = parts[first + k]
        p += left
        q -= _1 - left
    return np.int64(p)
