"""Growing one tree with random thresholds (Geurts et al. 2006): one for each drawn feature, between its smallest and its
largest value in the node. Needs no order, so rows are never sorted. `textbook.py` says the same slowly."""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.classes import class_sums
from openbook.forest.kernels.grow import sum_root
from openbook.forest.kernels.jit import grower, inlined, inner, u64
from openbook.forest.kernels.nodes import MAX_FEATURES, MIN_LEAF, MIN_WEIGHT, divide, examine, plant, push, same_targets
from openbook.forest.kernels.pairs import FEATURE, MISSED, SIDE
from openbook.forest.kernels.random import draw_feature, next_random, put_back
from openbook.forest.kernels.rows import ID_BITS
from openbook.forest.kernels.scores import GINI, SQUARED_ERROR, score_pairs, term

__all__ = ["grow_random"]

_0, _1, _11, _16, _28, _32, _38 = u64(0), u64(1), u64(11), u64(16), u64(28), u64(32), u64(38)
_WEIGHT, _CLASS = u64(2**26 - 1), u64(0xFFFF)
CUT, LEFT_W, LEFT_P = 3, 1, 2  # in `figures`; 0 is the score


@grower
def grow_random(columns, rows, values, parts, spare_rows, spare_values, spare_parts, code, classes, seed, limits, min_decrease,
                criterion, terms, scale, nodes, cuts, room):  # fmt: skip
    """Grow one tree from `rows` and their records (as `grow_tree`); `columns` (features, all rows) holds the values, `cuts`
    takes the thresholds. Returns the number of nodes."""
    sums, best, figures, stack = nodes.sums, room.best, room.figures, room.stack
    whole = sum_root(values, parts, classes, sums)
    plant(nodes, room, rows, seed)
    waiting, count = np.int64(1), np.int64(1)
    while waiting > 0:
        waiting -= 1
        node, begin, end = stack[waiting, 0], stack[waiting, 1], stack[waiting, 2]
        depth, flip, seed = stack[waiting, 3], stack[waiting, 4], room.seeds[waiting]
        from_rows, from_values, from_parts = rows, values, parts
        to_rows, to_values, to_parts = spare_rows, spare_values, spare_parts
        if flip == 1:
            from_rows, from_values, from_parts = spare_rows, spare_values, spare_parts
            to_rows, to_values, to_parts = rows, values, parts
        score = search(columns, from_rows, from_values, from_parts, begin, end, depth, sums[node], code, classes, seed, limits,
                       criterion, terms, scale, room.cells, room)  # fmt: skip
        if best[FEATURE] < 0 or max(figures[0] - score, 0.0) / whole < min_decrease:
            continue
        cuts[node] = figures[CUT]
        middle = partition(columns[best[FEATURE]], from_rows, from_values, from_parts, to_rows, to_values, to_parts, begin, end,
                           figures[CUT], best[SIDE] == 1)  # fmt: skip
        if classes is not None:
            class_sums(to_values, begin, middle, sums[count])
        divide(nodes, node, count, best, figures, classes, score, middle - begin, end - middle)
        push(room, waiting, count, begin, middle, end, depth + 1, 1 - flip, seed)
        waiting += 2
        count += 2
    return count


@inlined
def search(columns, rows, values, parts, begin, end, depth, sums, code, classes, seed, limits, criterion, terms, scale, held,
           room):  # fmt: skip
    """Find the best of the random splits of a node, into `room`; returns its own score. No feature: it is a leaf."""
    best, figures = room.best, room.figures
    best[FEATURE], figures[0] = -1, -np.inf
    done, score, perfect = examine(end - begin, depth, sums, classes, limits, criterion, terms, scale, room)
    if done or (criterion == SQUARED_ERROR and same_targets(code, rows, begin, end)):
        return score
    room.state[0] = seed
    drawn, varied, d = np.int64(0), False, len(room.features)
    while drawn < d and figures[0] < perfect and not (varied and drawn >= limits[MAX_FEATURES]):
        f = draw_feature(room.state, room.features, drawn, room.swapped)
        drawn += 1
        cut, known = draw_cut(columns[f], rows, begin, end, held, room.state)
        if cut != cut:  # constant, and nothing missing
            continue
        varied = True
        for side in range(1 if known == end - begin or cut == np.inf else 2):
            left_rows = sum_left(
                values, parts, begin, end, held, cut, side == 1, classes, room.left, figures, room.sums
            )
            keep_better(
                f, cut, side, left_rows, end - begin - known, sums, classes, limits, criterion, terms, scale, room
            )
    put_back(room.features, drawn, room.swapped)
    return score


@inlined
def draw_cut(column, rows, begin, end, held, state):
    """A random threshold, and how many values are known; +inf: all known ones are equal and some are missing; NaN: no split.
    The values are left in `held`."""
    low, high, known = np.inf, -np.inf, np.int64(0)
    for k in range(u64(begin), u64(end)):
        x = np.float64(column[rows[k]])
        held[k - u64(begin)] = x
        known += x == x
        low = x if x < low else low
        high = x if x > high else high
    if known == 0 or (low == high and known == end - begin):
        return np.nan, known
    if low == high:
        return np.inf, known
    cut = low + np.float64(np.int64(next_random(state) >> _11)) * 2.0**-53 * (high - low)
    return cut if low <= cut < high else low, known


@inlined
def sum_left(values, parts, begin, end, held, cut, missing_left, classes, left, figures, sums):
    """The sums of the rows up to `cut`: of each class into `left`, or weight and part into the first line of `sums`; returns
    how many rows they are."""
    lw, lp = sums[0], sums[1]
    count, total, part = np.int64(0), _0, np.int64(0)
    if classes is not None:
        left[:] = 0
    for k in range(u64(end - begin)):
        x, value = held[k], values[u64(begin) + k]
        goes = (x <= cut) | (missing_left & (x != x))
        count += goes
        if classes is not None:
            left[(value >> ID_BITS) & _CLASS] += np.int64(value >> _28) * goes
        elif parts is not None:
            total += (value >> ID_BITS) * u64(goes)
            part += parts[u64(begin) + k] * goes
        else:
            total += (((value >> ID_BITS) & _WEIGHT) | ((value >> _38) << _32)) * u64(goes)
    if classes is None:
        if parts is not None:
            lw[0], lp[0] = np.float64(np.int64(total)), np.float64(part)
        else:
            lw[0], lp[0] = np.float64(np.int64(total & u64(0xFFFFFFFF))), np.float64(np.int64(total >> _32))
    return count


@inlined
def keep_better(f, cut, side, left_rows, missed, sums, classes, limits, criterion, terms, scale, room):
    """Keep this split if it is allowed, and better than what was found before."""
    best, figures, total = room.best, room.figures, room.total
    lw, lp, scores = room.sums[0], room.sums[1], room.sums[4]
    if classes is not None:
        lw[0], scores[0] = score_classes(sums, room.left, criterion, terms, scale)
    else:
        score_pairs(lw, lp, 1, 0.0, 0.0, total[0], total[1], criterion, terms, scale, scores)
    if min(left_rows, np.int64(total[2]) - left_rows) < max(limits[MIN_LEAF], 1):
        return
    if min(lw[0], total[0] - lw[0]) < limits[MIN_WEIGHT] or not scores[0] > figures[0]:
        return
    figures[0], figures[LEFT_W], figures[LEFT_P], figures[CUT] = scores[0], lw[0], lp[0], cut
    best[FEATURE], best[SIDE], best[MISSED] = f, side, missed


@inlined
def score_classes(sums, left, criterion, terms, scale):
    """The weight on the left, and the score of both sides, class by class."""
    w, v, a, b, exact = np.int64(0), np.int64(0), 0.0, 0.0, np.int64(0)
    for c in range(len(sums)):
        on_left, on_right = left[c], sums[c] - left[c]
        w += on_left
        v += on_right
        if criterion == GINI:
            a += np.float64(on_left) * np.float64(on_left)
            b += np.float64(on_right) * np.float64(on_right)
        else:
            exact += term(on_left, terms, scale) + term(on_right, terms, scale)
    if criterion == GINI:
        return np.float64(w), a / np.float64(w) + b / np.float64(v)
    return np.float64(w), np.float64(exact - term(w, terms, scale) - term(v, terms, scale))


@inner
def partition(column, rows, values, parts, to_rows, to_values, to_parts, begin, end, cut, missing_left):
    """Rows to their sides, as `partition_large` does it, by their values."""
    p, q = u64(begin), u64(end - 1)
    for k in range(u64(begin), u64(end)):
        row, value = rows[k], values[k]
        x = column[row]
        left = u64((x <= cut) | (missing_left & (x != x)))
        to_rows[p] = row
        to_rows[q] = row
        to_values[p] = value
        to_values[q] = value
        if parts is not None:
            to_parts[p] = parts[k]
            to_parts[q] = parts[k]
        p += left
        q -= _1 - left
    return np.int64(p)
