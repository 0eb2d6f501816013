"""What happens to a node, large or small: is it a leaf, what would be perfect, its children."""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.classes import describe
from openbook.forest.kernels.jit import inlined, u64
from openbook.forest.kernels.pairs import FEATURE, MISSED, SIDE
from openbook.forest.kernels.random import LEFT_SEED, RIGHT_SEED, child_seed
from openbook.forest.kernels.rows import ID
from openbook.forest.kernels.scores import pair_score

__all__ = [
    "KNOWN_AGAINST_MISSING",
    "LIMITS",
    "MAX_DEPTH",
    "MAX_FEATURES",
    "MIN_LEAF",
    "MIN_SPLIT",
    "MIN_WEIGHT",
    "WHOLE",
    "divide",
    "divide_again",
    "examine",
    "number",
    "plant",
    "push",
    "same_targets",
    "same_targets_of",
    "weight_of",
]

# The limits of growing, by place; `WHOLE` is 1 where weights are whole and so few that squares of their sums are exact.
MIN_LEAF, MIN_WEIGHT, MIN_SPLIT, MAX_DEPTH, MAX_FEATURES, WHOLE = range(6)
LIMITS = 6
KNOWN_AGAINST_MISSING = -1  # in `high`; a bin b stands there as −2 − b, a row as its number


@inlined
def plant(nodes, room, root, rows, seed):
    """The root of a tree of so many rows, a leaf as yet, and the only node that waits; returns how many wait, and how many nodes
    there are, the trees before this one included."""
    nodes.rows[root], nodes.left[root], nodes.feature[root] = rows, -1, -1
    room.stack[0, :] = 0
    room.stack[0, 0], room.stack[0, 2], room.seeds[0] = root, rows, seed
    return np.int64(1), root + 1  # typed: a literal 1 would be compiled for on its own


@inlined
def number(nodes, root, count):
    """Name the children by their places in their own tree, which goes from `root` up to `count`."""
    for k in range(root, count):
        nodes.left[k] -= root if nodes.left[k] >= 0 else 0


@inlined
def weight_of(sums, classes):
    """The weight of a node with these sums."""
    weight = sums[0]
    if classes is not None:
        for c in range(1, len(sums)):
            weight += sums[c]
    return np.float64(weight)


@inlined
def same_targets(code, rows, begin, end):
    """Whether all these rows have one target; said of numbers, whose sums do not tell. `code` is None for classes."""
    if code is None:
        return False
    alike = True
    for k in range(begin + 1, end):
        if code[rows[k]] != code[rows[begin]]:
            alike = False
            break
    return alike


@inlined
def same_targets_of(code, rows, records, begin, end):
    """The same of a small node, whose records, or list, have the places of its rows."""
    if code is None:
        return False
    alike, first = True, code[rows[u64(records[begin]) & ID]]
    for k in range(begin + 1, end):
        if code[rows[u64(records[k]) & ID]] != first:
            alike = False
            break
    return alike


@inlined
def examine(rows, depth, sums, classes, limits, criterion, terms, scale, room):
    """(whether a node is a leaf for certain, its score, the score than which no split is better), and its totals."""
    total = room.total
    if classes is not None:
        score, present = describe(sums, room.node, limits[WHOLE] == 1, terms, scale)
        pure = present < 2
        total[0] = np.float64(room.node[0])
    else:
        total[0], total[1] = np.float64(sums[0]), np.float64(sums[1])
        score = pair_score(total[0], total[1], criterion, terms, scale)
        pure = criterion is not None and (sums[1] == 0 or sums[1] == sums[0])
    total[2] = rows
    if criterion is None:
        perfect = 0.0 if rows == 2 else np.inf  # any split of two rows is as good as any other
    else:
        perfect = total[0] if terms is None else 0.0
    done = pure or depth >= limits[MAX_DEPTH] or rows < limits[MIN_SPLIT] or rows < 2 * limits[MIN_LEAF]
    return done, score, perfect


@inlined
def divide(nodes, node, child, best, figures, classes, score, left_rows, right_rows):
    """Make `child` and `child + 1` the children of a node; for `classes` the sums of `child` are there already."""
    nodes.feature[node], nodes.left[node], nodes.gain[node] = best[FEATURE], child, max(figures[0] - score, 0.0)
    # Where training saw nothing missing, a missing value later takes the side most rows took.
    nodes.missing_left[node] = best[SIDE] == 1 if best[MISSED] > 0 else left_rows > right_rows
    for k in range(child, child + 2):
        nodes.feature[k], nodes.left[k] = -1, -1
    nodes.rows[child], nodes.rows[child + 1] = left_rows, right_rows
    if classes is None:
        nodes.sums[child, 0], nodes.sums[child, 1] = np.int64(figures[1]), np.int64(figures[2])
    for c in range(nodes.sums.shape[1]):
        nodes.sums[child + 1, c] = nodes.sums[node, c] - nodes.sums[child, c]


@inlined
def divide_again(nodes, node, child, large, k, right_rows):
    """The same for a large node that has been split before (`large.py`)."""
    nodes.feature[node], nodes.left[node], nodes.gain[node] = large.feature[k], child, large.gain[k]
    nodes.low[node], nodes.high[node], nodes.missing_left[node] = large.low[k], large.high[k], large.missing_left[k]
    for one in range(child, child + 2):
        nodes.feature[one], nodes.left[one] = -1, -1
    nodes.rows[child], nodes.rows[child + 1] = large.rows[k], right_rows
    for c in range(nodes.sums.shape[1]):
        nodes.sums[child, c] = large.sums[k, c]
        nodes.sums[child + 1, c] = nodes.sums[node, c] - large.sums[k, c]


@inlined
def push(room, waiting, child, begin, middle, end, depth, flip, seed):
    """Both children wait for their turn. The smaller one is next: so no more wait than the logarithm of the rows."""
    right_first = end - middle < middle - begin
    for place in range(2):
        line = room.stack[waiting + place]
        right = (place == 1) == right_first
        line[0], line[1], line[2] = (child + 1, middle, end) if right else (child, begin, middle)
        line[3], line[4] = depth, flip
        room.seeds[waiting + place] = child_seed(seed, RIGHT_SEED if right else LEFT_SEED)
