"""What a split is worth to several outputs, and around medians; and whether monotonic constraints allow it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from openbook.forest.kernels.jit import inlined, inner
from openbook.forest.kernels.medians import absolute_error, insert, median
from openbook.forest.kernels.scores import ENTROPY, GINI, POISSON, SQUARED_ERROR, term

__all__ = [
    "LEFT",
    "RIGHT",
    "Medians",
    "add_row",
    "constraint_holds",
    "errors_around_medians",
    "node_score",
    "side_values",
    "sides_score",
]

LEFT, RIGHT = 1, 2  # values in `figures`


class Medians(NamedTuple):
    """What distances from medians take: all targets in order, each row's place among those of a node, two Fenwick trees."""

    all_levels: Any  # (outputs, codes): in units of weighted targets
    all_numbers: Any  # the targets themselves
    place: Any  # (outputs, all rows)
    sizes: Any  # (outputs,): how many different targets the node has
    levels: Any  # (outputs, places)
    numbers: Any
    weights: Any  # the trees
    parts: Any
    errors: Any  # (2, boundaries): on the left and on the right, all outputs
    middles: Any  # (2, boundaries): the last output's medians there

    @classmethod
    def of(cls, levels: np.ndarray, numbers: np.ndarray, n: int, most: int) -> Medians:
        """For n rows in all, of which `most` are in the tree."""
        outputs = len(levels)
        return cls(
            levels, numbers, np.empty((outputs, n), np.int64), np.empty(outputs, np.int64), np.empty((outputs, most)),
            np.empty((outputs, most)), np.empty(most + 1, np.int64), np.empty(most + 1, np.int64), np.empty((2, most)),
            np.empty((2, most)),
        )  # fmt: skip


@inlined
def add_row(case, row, sums):
    """A row's weight to its classes, or its weight and weighted targets."""
    w = case.weight[row]
    if case.offsets[-1] > 0:
        for o in range(len(case.code)):
            sums[case.offsets[o] + case.code[o, row]] += w
    else:
        sums[0] += w
        for o in range(len(case.parts)):
            sums[1 + o] += case.parts[o, row]


# --- sums ----------------------------------------------------------------------------------------------------------


@inlined
def sides_score(case, medians, left, sums, w, weight, g):
    """The scores of both sides, each added up over the outputs; −inf where Poisson's deviance has no value."""
    if medians is not None:
        return -(medians.errors[0, g] + medians.errors[1, g])
    on_left, on_right, v = 0.0, 0.0, weight - w
    for o in range(len(case.code)):
        if case.criterion == GINI:
            a, b = squares(case, left, sums, o)
            on_left += a / np.float64(w)
            on_right += b / np.float64(v)
        elif case.criterion == ENTROPY:
            on_left += np.float64(
                information(case, left, sums, o) - term(w, case.terms, case.scale) - term(v, case.terms, case.scale)
            )
        else:
            p, q = np.float64(left[1 + o]), np.float64(sums[1 + o] - left[1 + o])
            if case.criterion == POISSON and not (p > 0 and q > 0):
                return -np.inf
            on_left += case.factors[o] * number_score(case, o, p, np.float64(w))
            on_right += case.factors[o] * number_score(case, o, q, np.float64(v))
    return on_left + on_right


@inlined
def squares(case, left, sums, o):
    """Σ w_c² on the left and on the right, of one output."""
    a, b = 0.0, 0.0
    for c in range(case.offsets[o], case.offsets[o + 1]):
        x, y = np.float64(left[c]), np.float64(sums[c] - left[c])
        a += x * x
        b += y * y
    return a, b


@inlined
def information(case, left, sums, o):
    """Σ term(w_c) over both sides, of one output: a whole number."""
    whole = np.int64(0)
    for c in range(case.offsets[o], case.offsets[o + 1]):
        whole += term(left[c], case.terms, case.scale) + term(sums[c] - left[c], case.terms, case.scale)
    return whole


@inlined
def number_score(case, o, part, weight):
    """One side of one output of numbers."""
    if case.criterion == SQUARED_ERROR:
        return part * part / weight
    return part * math.log(part / weight * case.steps[o]) if part > 0 else 0.0


@inner
def node_score(case, medians, rows, begin, end, sums, weight, middles):
    """The score of a node alone; fills its medians in `middles`, where they are asked for."""
    score = 0.0
    for o in range(len(case.code)):
        if medians is not None:
            middles[o], error = around_median(case, medians, o, rows, begin, end)
            score -= case.factors[o] * error
        elif case.criterion == GINI:
            found = 0.0
            for c in range(case.offsets[o], case.offsets[o + 1]):
                found += np.float64(sums[c]) * np.float64(sums[c])
            score += found / np.float64(weight)
        elif case.criterion == ENTROPY:
            whole = -term(weight, case.terms, case.scale)
            for c in range(case.offsets[o], case.offsets[o + 1]):
                whole += term(sums[c], case.terms, case.scale)
            score += np.float64(whole)
        else:
            score += case.factors[o] * number_score(case, o, np.float64(sums[1 + o]), np.float64(weight))
    return score


# --- medians -------------------------------------------------------------------------------------------------------


@inner
def around_median(case, medians, o, rows, begin, end):
    """The median of these rows, and their distances from it."""
    size = medians.sizes[o] + 1
    weights, parts = medians.weights[:size], medians.parts[:size]
    weights[:], parts[:] = 0, 0
    whole, part = np.int64(0), np.int64(0)
    for k in range(begin, end):
        row = rows[k]
        insert(weights, parts, medians.place[o, row], case.weight[row], case.parts[o, row])
        whole += case.weight[row]
        part += case.parts[o, row]
    return median(weights, parts, whole, medians.numbers[o]), absolute_error(
        weights, parts, whole, part, medians.levels[o]
    )


@inner
def errors_around_medians(case, signs, medians, m, known, groups, side, order, ends):
    """For every boundary the distances from the medians on its left and on its right: rows come in from both ends."""
    last = known - 1 if side or known == groups else known
    medians.errors[:, :last] = 0.0
    for o in range(len(case.code)):
        size = medians.sizes[o] + 1
        weights, parts = medians.weights[:size], medians.parts[:size]
        weights[:], parts[:] = 0, 0
        whole, part, begin = np.int64(0), np.int64(0), np.int64(0)
        if side:
            whole, part = come_in(case, medians, o, order, ends[known - 1], m, weights, parts, whole, part)
        for g in range(last):
            whole, part = come_in(case, medians, o, order, begin, ends[g], weights, parts, whole, part)
            begin = ends[g]
            note(case, signs, medians, o, 0, g, weights, parts, whole, part)
        weights[:], parts[:] = 0, 0
        whole, part, end = np.int64(0), np.int64(0), ends[known - 1] if side else np.int64(m)
        for g in range(last - 1, -1, -1):
            whole, part = come_in(case, medians, o, order, ends[g], end, weights, parts, whole, part)
            end = ends[g]
            note(case, signs, medians, o, 1, g, weights, parts, whole, part)


@inlined
def come_in(case, medians, o, order, begin, end, weights, parts, whole, part):
    """These rows too; returns the weight and part of all that are in."""
    for k in range(begin, end):
        row = order[k]
        insert(weights, parts, medians.place[o, row], case.weight[row], case.parts[o, row])
        whole += case.weight[row]
        part += case.parts[o, row]
    return whole, part


@inner
def note(case, signs, medians, o, side, g, weights, parts, whole, part):
    """What a side is worth at boundary g, and its median, where constraints ask for it."""
    medians.errors[side, g] += case.factors[o] * absolute_error(weights, parts, whole, part, medians.levels[o])
    if signs is not None:
        medians.middles[side, g] = median(weights, parts, whole, medians.numbers[o])


# --- constraints ---------------------------------------------------------------------------------------------------


@inlined
def side_values(signs, medians, left, sums, w, weight, g):
    """What each side would predict, where constraints want to know: means, medians, or the share of the second class."""
    if signs is None:
        return 0.0, 0.0
    if medians is not None:
        return medians.middles[0, g], medians.middles[1, g]
    return np.float64(left[1]) / np.float64(w), np.float64(sums[1] - left[1]) / np.float64(weight - w)


@inlined
def constraint_holds(signs, f, left, right, lower, upper):
    """Whether the sides' values lie between the bounds and in the right order, if feature f is constrained."""
    if signs is None:
        return True
    if signs[f] == 0:
        return True
    low, high = min(left, right), max(left, right)
    return lower <= low and high <= upper and (left - right) * signs[f] <= 0
