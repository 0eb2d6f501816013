"""Growing a tree whose splits need more than the fast kernels know: several outputs, Poisson's deviance, absolute errors,
monotonic constraints. Rows are sorted by each drawn feature, in every node. `textbook.py` says the same."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from openbook.forest.kernels.general_scores import (
    LEFT,
    RIGHT,
    add_row,
    constraint_holds,
    errors_around_medians,
    node_score,
    rank_targets,
    side_values,
    sides_score,
)
from openbook.forest.kernels.jit import bare, inlined, jit, u64
from openbook.forest.kernels.nodes import MAX_DEPTH, MAX_FEATURES, MIN_LEAF, MIN_SPLIT, MIN_WEIGHT, push
from openbook.forest.kernels.pairs import FEATURE, HIGH, LOW, MISSED, SIDE
from openbook.forest.kernels.random import draw_feature, put_back
from openbook.forest.kernels.random_cuts import CUT, draw_cut
from openbook.forest.kernels.rows import EXACT_BELOW, MISSING_BIN

__all__ = ["Case", "Desk", "grow_general"]

_32, _ROW = u64(32), u64(0xFFFFFFFF)
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
    """Where the search for a split works."""

    best: Any
    figures: Any  # score, value on the left, on the right; the threshold
    left: Any
    features: Any
    swapped: Any
    state: Any
    order: Any
    ends: Any
    keys: Any
    held: Any
    spare: Any
    stack: Any
    seeds: Any

    @classmethod
    def of(cls, d: int, most: int, width: int) -> Desk:
        """For d features, `most` rows in the tree, and so many sums of a node."""
        return cls(
            np.zeros(6, np.int64), np.zeros(4), np.zeros(width, np.int64), np.arange(d), np.empty(d, np.int64),
            np.zeros(1, np.uint64), np.empty(most, np.uint64), np.empty(most, np.int64), np.empty(most, np.int64),
            np.empty(most), np.empty(most, np.uint32), np.empty((128, 5), np.int64), np.empty(128, np.uint64),
        )  # fmt: skip


@jit
def grow_general(case, columns, signs, medians, rows, seed, min_decrease, nodes, bounds, middles, cuts, desk):
    """Grow one tree from `rows` (their order is changed); returns the number of nodes.

    `columns` (features, all rows) is None unless thresholds are drawn, `signs` (features,) None without constraints,
    `medians` (a `Medians`) None unless errors are counted from medians. `bounds` (nodes, 2) takes what a node's value must
    lie between, `middles` (nodes, outputs) the medians, `cuts` the drawn thresholds.
    """
    case, desk = bare_case(case), bare_desk(desk)
    best, figures, stack, limits = desk.best, desk.figures, desk.stack, case.limits
    start_node(nodes, 0, len(rows))
    bounds[0, 0], bounds[0, 1] = -np.inf, np.inf
    stack[0, :] = 0
    stack[0, 2], desk.seeds[0] = len(rows), seed
    waiting, count, whole = np.int64(1), np.int64(1), 0.0
    while waiting > 0:
        waiting -= 1
        node, begin, end, depth, seed = (
            stack[waiting, 0],
            stack[waiting, 1],
            stack[waiting, 2],
            stack[waiting, 3],
            desk.seeds[waiting],
        )
        sums = nodes.sums[node]
        weight, pure = sum_node(case, rows, begin, end, sums)
        if medians is not None:
            rank_targets(case, medians, rows, begin, end, desk.order)
        score = node_score(case, medians, rows, begin, end, sums, weight, middles[node])
        if node == 0:
            whole = np.float64(weight)
        small = end - begin < max(limits[MIN_SPLIT], 2 * limits[MIN_LEAF])
        if pure or small or depth >= limits[MAX_DEPTH]:
            continue
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
        push(desk, waiting, count, begin, middle, end, depth + 1, 0, seed)
        waiting += 2
        count += 2
    return count


@jit
def bare_case(c):
    """The same arrays, without their counts of references."""
    return Case(
        bare(c.ranks), bare(c.bins), bare(c.missing_rank), bare(c.code), bare(c.weight), bare(c.parts), bare(c.offsets),
        bare(c.factors), bare(c.steps), bare(c.limits), c.criterion, bare(c.terms), c.scale,
    )  # fmt: skip


@jit
def bare_desk(d):
    """The same arrays, without their counts of references."""
    return Desk(
        bare(d.best), bare(d.figures), bare(d.left), bare(d.features), bare(d.swapped), bare(d.state), bare(d.order),
        bare(d.ends), bare(d.keys), bare(d.held), bare(d.spare), bare(d.stack), bare(d.seeds),
    )  # fmt: skip


@jit
def start_node(nodes, node, rows):
    """A leaf, so far."""
    nodes.rows[node], nodes.left[node], nodes.feature[node] = rows, -1, -1
    nodes.low[node], nodes.high[node], nodes.missing_left[node], nodes.gain[node] = 0, 0, False, 0.0


@jit
def sum_node(case, rows, begin, end, sums):
    """Fill a node's sums; returns its weight, and whether all its targets are the same."""
    sums[:] = 0
    weight, pure = np.int64(0), True
    first = rows[begin]
    for k in range(begin, end):
        row = rows[k]
        weight += case.weight[row]
        add_row(case, row, sums)
        for o in range(len(case.code)):
            pure &= case.code[o, row] == case.code[o, first]
    return weight, pure


@jit
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


@jit
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


@inlined
def key_of(case, row, f, large):
    """Where a value stands in its column: by bins in large nodes, by rank in small ones."""
    return np.int64(case.bins[f, row]) if large else np.int64(case.ranks[row, f])


@inlined
def missing_key(case, f, large):
    return np.int64(MISSING_BIN) if large else np.int64(case.missing_rank[f])


@jit
def try_boundaries(case, signs, medians, rows, begin, end, f, sums, weight, lower, upper, desk):
    """Try every boundary between the values, or bins, a node has of feature f; whether there is any."""
    m, large = end - begin, end - begin >= EXACT_BELOW
    for k in range(m):
        row = rows[begin + k]
        desk.order[k] = (u64(key_of(case, row, f, large)) << _32) | u64(row)
    desk.order[:m].sort()
    groups = 0
    for k in range(m):
        if k + 1 == m or desk.order[k + 1] >> _32 != desk.order[k] >> _32:
            desk.ends[groups], desk.keys[groups] = k + 1, np.int64(desk.order[k] >> _32)
            groups += 1
    if groups < 2:
        return False
    known = groups - 1 if desk.keys[groups - 1] == missing_key(case, f, large) else groups
    for side in range(2 if known < groups else 1):
        try_side(case, signs, medians, f, m, known, groups, side == 1, large, sums, weight, lower, upper, desk)
    return True


@jit
def try_side(case, signs, medians, f, m, known, groups, side, large, sums, weight, lower, upper, desk):
    """The boundaries from left to right, with the missing rows on the left if `side`, else on the right; there the last
    boundary is the one between everything known and everything missing."""
    boundaries = known - 1 if side or known == groups else known
    if medians is not None:
        errors_around_medians(case, medians, m, known, groups, side, desk.order, desk.ends)
    desk.left[:] = 0
    count, on_left, begin = np.int64(0), np.int64(0), np.int64(0)
    if side:
        for k in range(desk.ends[known - 1], m):
            add_row(case, desk.order[k] & _ROW, desk.left)
            on_left += case.weight[desk.order[k] & _ROW]
        count = m - desk.ends[known - 1]
    for g in range(boundaries):
        for k in range(begin, desk.ends[g]):
            add_row(case, desk.order[k] & _ROW, desk.left)
            on_left += case.weight[desk.order[k] & _ROW]
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
            desk.best[LOW] = -2 - low if large else np.int64(desk.order[begin - 1] & _ROW)
            desk.best[HIGH] = -1
            if g + 1 < known:
                desk.best[HIGH] = -2 - high if large else np.int64(desk.order[begin] & _ROW)


@jit
def try_random(case, columns, signs, medians, rows, begin, end, f, sums, weight, lower, upper, desk):
    """Try one random threshold of feature f, missing rows on either side; whether the feature varies."""
    m = end - begin
    cut, known = draw_cut(columns[f], rows, begin, end, desk.held, desk.state)
    if cut != cut:
        return False
    for side in range(1 if known == m or cut == np.inf else 2):
        desk.left[:] = 0
        count, on_left, last = np.int64(0), np.int64(0), m
        for k in range(m):
            row, x = rows[begin + k], desk.held[k]
            if x <= cut or (side == 1 and x != x):
                add_row(case, row, desk.left)
                on_left += case.weight[row]
                desk.order[count] = row
                count += 1
            else:
                last -= 1
                desk.order[last] = row
        if medians is not None:
            desk.ends[0], desk.ends[1] = count, m
            errors_around_medians(case, medians, m, 2, 2, False, desk.order, desk.ends)
        if keep_better(
            case, signs, medians, f, 0, side == 1, count, m, m - known, on_left, sums, weight, lower, upper, desk
        ):
            desk.figures[CUT] = cut
    return True


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


@jit
def partition(case, columns, rows, begin, end, desk):
    """Rows to their sides of the best split, in their order; returns where the right side begins."""
    f, side, large = desk.best[FEATURE], desk.best[SIDE] == 1, end - begin >= EXACT_BELOW
    p, spared = begin, np.int64(0)
    for k in range(begin, end):
        row = rows[k]
        if columns is not None:
            x = columns[f, row]
            left = x <= desk.figures[CUT] or (side and x != x)
        else:
            key = key_of(case, row, f, large)
            missing = key == missing_key(case, f, large)
            left = side if missing else key <= desk.best[KEY]
        if left:
            rows[p] = row
            p += 1
        else:
            desk.spare[spared] = row
            spared += 1
    rows[p:end] = desk.spare[:spared]
    return np.int64(p)
