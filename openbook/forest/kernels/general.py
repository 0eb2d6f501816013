"""Growing a tree whose splits need more than the fast kernels know: several outputs, Poisson's deviance, absolute errors,
monotonic constraints. Large nodes look at bins, small ones at ranks among their own rows. `textbook.py` says the same."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from openbook.forest.kernels.cuts import CUT, bounds, count_missing, draw_cut
from openbook.forest.kernels.general_scores import (
    LEFT,
    RIGHT,
    add_row,
    constraint_holds,
    errors_around_medians,
    node_score,
    side_values,
    sides_score,
)
from openbook.forest.kernels.jit import grower, inlined, inner, u64
from openbook.forest.kernels.nodes import MAX_DEPTH, MAX_FEATURES, MIN_LEAF, MIN_SPLIT, MIN_WEIGHT, push
from openbook.forest.kernels.ordered import order_rows, rank_targets, standing
from openbook.forest.kernels.pairs import FEATURE, HIGH, LOW, MISSED, SIDE
from openbook.forest.kernels.random import draw_feature, put_back
from openbook.forest.kernels.rows import EXACT_BELOW, HELD, MISSING_BIN, MISSING_RANK, rank_locally

__all__ = ["Case", "Desk", "grow_general"]

KEY = 5  # in `best`: the rank or bin that `LOW` stands for


class Case(NamedTuple):
    """What all nodes of a tree share."""

    ranks: Any
    bins: Any
    missing_rank: Any
    code: Any  # (outputs, rows): classes, or ranks of targets
    weight: Any  # (rows,)
    parts: Any  # (outputs, rows): weighted targets
    offsets: Any  # (outputs + 1,): where an output's classes begin among the sums; all 0 for numbers
    factors: Any
    steps: Any
    limits: Any
    criterion: Any
    terms: Any
    scale: Any


class Desk(NamedTuple):
    """Where the search for a split works; the names are those of `room.py`, the sizes what this search needs."""

    best: Any
    figures: Any  # score, value on the left, on the right; the threshold
    left: Any
    features: Any
    swapped: Any
    state: Any
    starts: Any
    occupied: Any
    ends: Any
    keys: Any  # the rank, or bin, of each group
    order: Any
    cells: Any
    spare: Any
    place: Any  # of each row in the small node whose subtree is being grown
    local: Any
    seen: Any
    groups: Any
    before: Any
    held: Any
    stack: Any
    seeds: Any

    @classmethod
    def of(cls, d: int, n: int, most: int, width: int, random: bool) -> Desk:
        """For d features, n rows in all, of which `most` are in the tree, and so many sums of a node."""
        few, words, ranked = EXACT_BELOW, n // 64 + 1, 0 if random else d
        return cls(
            np.zeros(6, np.int64), np.zeros(4), np.zeros(width, np.int64), np.arange(d), np.empty(d, np.int64),
            np.zeros(1, np.uint64), np.zeros(few, np.int32), np.zeros(64, np.uint64), np.empty(few, np.int32),
            np.empty(few, np.int32), np.empty(most, np.uint32), np.empty(most if random else 0), np.empty(most, np.uint32),
            np.empty(0 if random else n, np.uint16), np.empty(ranked << 12, np.uint16), np.zeros(words, np.uint64),
            np.zeros(words // 64 + 1, np.uint8), np.empty(words, np.uint32), np.empty(ranked * int(HELD), np.uint32),
            np.empty((128, 5), np.int64), np.empty(128, np.uint64),
        )  # fmt: skip


@grower
def grow_general(case, columns, signs, medians, rows, seed, min_decrease, nodes, bounds, middles, cuts, desk):
    """Grow one tree from `rows` (their order is changed); returns the number of nodes.

    `columns` (features, all rows) is None unless thresholds are drawn, `signs` (features,) None without constraints,
    `medians` (a `Medians`) None unless errors are counted from medians. `bounds` (nodes, 2) takes what a node's value must
    lie between, `middles` (nodes, outputs) the medians, `cuts` the drawn thresholds.
    """
    best, figures, stack, limits = desk.best, desk.figures, desk.stack, case.limits
    start_node(nodes, 0, len(rows))
    bounds[0, 0], bounds[0, 1] = -np.inf, np.inf
    stack[0, :] = 0
    stack[0, 2], desk.seeds[0] = len(rows), seed
    waiting, count, whole = np.int64(1), np.int64(1), 0.0
    while waiting > 0:
        waiting -= 1
        node, begin, end = stack[waiting, 0], stack[waiting, 1], stack[waiting, 2]
        depth, ranked, seed = stack[waiting, 3], stack[waiting, 4], desk.seeds[waiting]
        sums = nodes.sums[node]
        weight, pure = sum_node(case, rows, begin, end, sums)
        if medians is not None:
            rank_targets(case, medians, rows, begin, end, desk)
        score = node_score(case, medians, rows, begin, end, sums, weight, middles[node])
        if node == 0:
            whole = np.float64(weight)
        few = end - begin < max(limits[MIN_SPLIT], 2 * limits[MIN_LEAF])
        if pure or few or depth >= limits[MAX_DEPTH]:
            continue
        if columns is None and ranked == 0 and end - begin < EXACT_BELOW:
            rank_among_themselves(case, rows[begin:end], desk)
            ranked = 1  # and so is all that comes next: the subtree of this node
        search(
            case, columns, signs, medians, rows, begin, end, sums, weight, bounds[node, 0], bounds[node, 1], seed, desk
        )
        if best[FEATURE] < 0 or max(figures[0] - score, 0.0) / whole < min_decrease:
            continue
        middle = partition(case, columns, rows, begin, end, desk)
        nodes.feature[node], nodes.left[node], nodes.gain[node] = best[FEATURE], count, max(figures[0] - score, 0.0)
        nodes.low[node], nodes.high[node], cuts[node] = best[LOW], best[HIGH], figures[CUT]
        # Where training saw nothing missing, a missing value later takes the side most rows took.
        nodes.missing_left[node] = best[SIDE] == 1 if best[MISSED] > 0 else middle - begin > end - middle
        start_node(nodes, count, middle - begin)
        start_node(nodes, count + 1, end - middle)
        hand_down(signs, bounds, node, count, desk)
        push(desk, waiting, count, begin, middle, end, depth + 1, ranked, seed)
        waiting += 2
        count += 2
    return count


@inner
def rank_among_themselves(case, rows, desk):
    """Rank the rows of a small node by each feature, and remember which place each has there."""
    for k in range(u64(len(rows))):
        desk.place[rows[k]] = k
    rank_locally(case.ranks, rows, case.missing_rank, desk.local, desk.seen, desk.groups, desk.before, desk.held)


@inlined
def missing_key(large):
    return MISSING_BIN if large else MISSING_RANK


@inner
def start_node(nodes, node, rows):
    """A leaf, so far."""
    nodes.rows[node], nodes.left[node], nodes.feature[node] = rows, -1, -1
    nodes.low[node], nodes.high[node], nodes.missing_left[node], nodes.gain[node] = 0, 0, False, 0.0


@inner
def sum_node(case, rows, begin, end, sums):
    """Fill a node's sums; returns its weight, and whether all its targets are the same."""
    sums[:] = 0
    weight, pure, first = np.int64(0), True, rows[begin]
    for k in range(u64(begin), u64(end)):
        weight += case.weight[rows[k]]
        add_row(case, rows[k], sums)
    for o in range(len(case.code)):
        for k in range(u64(begin), u64(end)):
            if case.code[o, rows[k]] != case.code[o, first]:
                pure = False
                break
    return weight, pure


@inner
def hand_down(signs, bounds, node, child, desk):
    """What the children's values must lie between: on a constrained feature they part in the middle."""
    for k in range(child, child + 2):
        bounds[k, 0], bounds[k, 1] = bounds[node, 0], bounds[node, 1]
    if signs is not None:
        sign = signs[desk.best[FEATURE]]
        middle = desk.figures[LEFT] / 2 + desk.figures[RIGHT] / 2
        if sign > 0:
            bounds[child, 1] = bounds[child + 1, 0] = middle
        elif sign < 0:
            bounds[child, 0] = bounds[child + 1, 1] = middle


@inner
def search(case, columns, signs, medians, rows, begin, end, sums, weight, lower, upper, seed, desk):
    """Find the best split of a node, into `desk`. No feature: it is a leaf."""
    desk.best[FEATURE], desk.figures[0], desk.state[0] = -1, -np.inf, seed
    drawn, varied, d = np.int64(0), False, len(desk.features)
    while drawn < d and not (varied and drawn >= case.limits[MAX_FEATURES]):
        f = draw_feature(desk.state, desk.features, drawn, desk.swapped)
        drawn += 1
        if columns is not None:
            varied |= try_random(case, columns, signs, medians, rows, begin, end, f, sums, weight, lower, upper, desk)
        else:
            varied |= try_boundaries(case, signs, medians, rows, begin, end, f, sums, weight, lower, upper, desk)
    put_back(desk.features, drawn, desk.swapped)


@inner
def try_boundaries(case, signs, medians, rows, begin, end, f, sums, weight, lower, upper, desk):
    """Try every boundary between the values, or bins, a node has of feature f; whether there is any."""
    m, large = end - begin, end - begin >= EXACT_BELOW
    groups = order_rows(case, desk, rows, begin, end, f, large)
    if groups < 2:
        return False
    known = groups - 1 if desk.keys[groups - 1] == missing_key(large) else groups
    for side in range(2 if known < groups else 1):
        try_side(case, signs, medians, f, m, known, groups, side == 1, large, sums, weight, lower, upper, desk)
    return True


@inner
def try_side(case, signs, medians, f, m, known, groups, side, large, sums, weight, lower, upper, desk):
    """The boundaries from left to right, with the missing rows on the left if `side`, else on the right; there the last
    boundary is the one between everything known and everything missing."""
    boundaries = known - 1 if side or known == groups else known
    if medians is not None:
        errors_around_medians(case, signs, medians, m, known, groups, side, desk.order, desk.ends)
    desk.left[:] = 0
    count, on_left, begin = np.int64(0), np.int64(0), np.int64(0)
    if side:
        for k in range(desk.ends[known - 1], m):
            add_row(case, desk.order[k], desk.left)
            on_left += case.weight[desk.order[k]]
        count = m - desk.ends[known - 1]
    for g in range(boundaries):
        for k in range(begin, desk.ends[g]):
            add_row(case, desk.order[k], desk.left)
            on_left += case.weight[desk.order[k]]
        count += desk.ends[g] - begin
        begin = desk.ends[g]
        if keep_better(
            case,
            signs,
            medians,
            f,
            g,
            side,
            count,
            m,
            m - desk.ends[known - 1],
            on_left,
            sums,
            weight,
            lower,
            upper,
            desk,
        ):
            low, high = desk.keys[g], desk.keys[g + 1]
            desk.best[KEY] = low
            desk.best[LOW] = -2 - low if large else np.int64(desk.order[begin - 1])
            desk.best[HIGH] = -1
            if g + 1 < known:
                desk.best[HIGH] = -2 - high if large else np.int64(desk.order[begin])


@inner
def try_random(case, columns, signs, medians, rows, begin, end, f, sums, weight, lower, upper, desk):
    """Try one random threshold of feature f, missing rows on either side; whether the feature varies."""
    m = end - begin
    low, high = bounds(columns[f], rows[begin:end], desk.cells)
    missing = count_missing(desk.cells, u64(m))
    cut = draw_cut(low, high, missing, desk.state)
    if cut != cut:
        return False
    for side in range(1 if missing == 0 or cut == np.inf else 2):
        count, on_left = sum_left(case, rows[begin:end], desk.cells, cut, side == 1, desk.left)
        if medians is not None:
            part_rows(rows[begin:end], desk.cells, cut, side == 1, desk.order)
            desk.ends[0], desk.ends[1] = count, m
            errors_around_medians(case, signs, medians, m, 2, 2, False, desk.order, desk.ends)
        if keep_better(
            case, signs, medians, f, 0, side == 1, count, m, missing, on_left, sums, weight, lower, upper, desk
        ):
            desk.figures[CUT] = cut
    return True


@inlined
def goes_left(x, cut, missing_left):
    return np.int64((x <= cut) | (missing_left & (x != x)))


@inlined
def sum_left(case, rows, cells, cut, missing_left, left):
    """Fill the sums of the rows up to `cut`, output by output; returns how many they are, and their weight."""
    count, on_left, m = np.int64(0), np.int64(0), u64(len(rows))
    left[:] = 0
    for k in range(m):
        goes = goes_left(cells[k], cut, missing_left)
        count += goes
        on_left += case.weight[rows[k]] * goes
    for o in range(len(case.parts)):
        part = np.int64(0)
        for k in range(m):
            part += case.parts[o, rows[k]] * goes_left(cells[k], cut, missing_left)
        left[0], left[1 + o] = on_left, part
    if len(case.parts) == 0:
        for o in range(len(case.code)):
            for k in range(m):
                goes = goes_left(cells[k], cut, missing_left)
                left[case.offsets[o] + case.code[o, rows[k]]] += case.weight[rows[k]] * goes
    return count, on_left


@inlined
def part_rows(rows, cells, cut, missing_left, order):
    """The rows up to `cut` first; both sides are written each time, so that nothing branches."""
    p, q = u64(0), u64(len(rows) - 1)
    for k in range(u64(len(rows))):
        goes = u64(goes_left(cells[k], cut, missing_left))
        order[p] = rows[k]
        order[q] = rows[k]
        p += goes
        q -= u64(1) - goes


@inlined
def keep_better(case, signs, medians, f, g, side, count, m, missed, on_left, sums, weight, lower, upper, desk):
    """Keep this split if it is allowed, and better than what was found before; whether it is."""
    limits, best, figures = case.limits, desk.best, desk.figures
    if min(count, m - count) < max(limits[MIN_LEAF], 1) or min(on_left, weight - on_left) < limits[MIN_WEIGHT]:
        return False
    score = sides_score(case, medians, desk.left, sums, on_left, weight, g)
    if not score > figures[0]:
        return False
    left, right = side_values(signs, medians, desk.left, sums, on_left, weight, g)
    if not constraint_holds(signs, f, left, right, lower, upper):
        return False
    figures[0], figures[LEFT], figures[RIGHT] = score, left, right
    best[FEATURE], best[SIDE], best[MISSED] = f, side, missed
    return True


@inner
def partition(case, columns, rows, begin, end, desk):
    """Rows to their sides of the best split, in their order; returns where the right side begins."""
    f, side, large = desk.best[FEATURE], desk.best[SIDE] == 1, end - begin >= EXACT_BELOW
    missing, highest = u64(missing_key(large)), u64(desk.best[KEY])
    p, spared = u64(begin), u64(0)
    for k in range(u64(begin), u64(end)):
        row = rows[k]
        if columns is not None:
            x = columns[f, row]
            left = u64((x <= desk.figures[CUT]) | (side & (x != x)))
        else:
            key = standing(case, desk, row, f, large)
            left = u64(side) if key == missing else u64(key <= highest)
        rows[p] = row
        desk.spare[spared] = row
        p += left
        spared += u64(1) - left
    for k in range(spared):
        rows[p + k] = desk.spare[k]
    return np.int64(p)
