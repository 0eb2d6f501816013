"""A small node and everything below it where most features are tried at each node: by lists of rows in the order of every
feature, sorted once and parted at every split (SLIQ, Mehta et al. 1996; SPRINT, Shafer et al. 1996).

Trying a feature then takes one look at its rows in their order. Parting all lists costs what sorting a few features anew
would: where few are tried, `subtree.py` is faster.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from openbook.forest.kernels.jit import inlined, inner, u64
from openbook.forest.kernels.nodes import (
    MAX_DEPTH,
    MAX_FEATURES,
    MIN_LEAF,
    MIN_SPLIT,
    MIN_WEIGHT,
    examine,
    same_targets_of,
)
from openbook.forest.kernels.pairs import AGAIN, FEATURE, HIGH, LEFT_ROWS, LOW, MISSED, SIDE, choose, separates
from openbook.forest.kernels.places import NOWHERE
from openbook.forest.kernels.random import draw_feature, put_back
from openbook.forest.kernels.rows import EXACT_BELOW, ID_BITS, MISSING_RANK, PART, WEIGHT, rank_locally
from openbook.forest.kernels.scores import sides_score

__all__ = ["Lists", "part_listed", "rows_beside", "search_listed", "take_listed"]

_0, _1 = u64(0), u64(1)
_VERY_FEW = u64(12)  # rows
_APART = u64(EXACT_BELOW + 32)  # at a power of two apart the lists would fight over the same lines of the cache


class Lists(NamedTuple):
    """The rows of a small subtree, by their places in its table, in the order of each feature f from `order[f · _APART]` on."""

    order: Any
    ties: Any  # by feature: whether any known values are equal
    spare: Any
    goes_left: Any  # by place in the table

    @classmethod
    def of(cls, d: int) -> Lists:
        few = EXACT_BELOW
        return cls(
            np.empty(d * int(_APART), np.uint16),
            np.empty(d, np.bool_),
            np.empty(few, np.uint16),
            np.empty(few, np.uint8),
        )


@inner
def take_listed(lists, ranks, missing_rank, rows, room):
    """Rank the rows of a small node, and sort them by every feature."""
    rank_locally(ranks, rows, missing_rank, room.local, room.seen, room.groups, room.before, room.held)
    for f in range(u64(ranks.shape[1])):
        lists.ties[f] = sort_feature(u64(len(rows)), f, room.local, room.starts, lists.order)


@inlined
def rows_beside(lists, begin, best):
    """The rows on both sides of the best boundary, by their places in the small node's table; of one between known and missing
    values there is no second."""
    at = u64(best[FEATURE]) * _APART + u64(begin)
    high = np.int64(lists.order[at + u64(best[HIGH])]) if best[HIGH] >= 0 else np.int64(-1)
    return np.int64(lists.order[at + u64(best[LOW])]), high


@inlined
def part_listed(lists, begin, end, depth, sums, limits, criterion, room):
    """The rows of a small node to the sides of the best split, as `part_small` does."""
    middle = begin + room.best[LEFT_ROWS]
    if leaves(begin, middle, end, depth + 1, room.figures, sums, limits, criterion):
        return middle, True
    part_lists(lists, begin, end, room.best)
    return middle, False


@inlined
def leaves(begin, middle, end, depth, figures, sums, limits, criterion):
    """Whether both sides of the best split are leaves for certain, so that nobody needs their rows."""
    if criterion is not None and separates(figures, sums):
        return True
    return depth >= limits[MAX_DEPTH] or max(middle - begin, end - middle) < max(
        limits[MIN_SPLIT], 2 * limits[MIN_LEAF]
    )


@inlined
def sort_feature(rows, f, local, starts, order):
    """Sort the rows by their ranks in feature f, missing ones last, by counting; whether known values are equal."""
    at, to = f << ID_BITS, f * _APART
    last, missing = np.int64(-1), np.int64(0)
    for k in range(rows):
        r = np.int64(local[at | k])
        starts[r] += 1
        last = max(last, np.int64(-1) if r == MISSING_RANK else r)
        missing += r == MISSING_RANK
    place, different = np.int32(0), np.int64(0)
    for r in range(u64(last + 1)):
        here = starts[r]
        starts[r] = place
        place = np.int32(place + here)
        different += here > 0
    starts[MISSING_RANK] = place
    for k in range(rows):
        r = u64(local[at | k])
        order[to + u64(starts[r])] = k
        starts[r] += 1
    for r in range(u64(last + 1)):
        starts[r] = 0
    starts[MISSING_RANK] = 0
    return different + missing < np.int64(rows)


@inlined
def search_listed(
    lists, rows, values, parts, code, begin, end, depth, sums, seed, limits, criterion, terms, scale, room
):
    """Find the best split of a node, into `room`; returns the node's own score. No feature: it is a leaf."""
    best, figures, order = room.best, room.figures, lists.order
    best[FEATURE], figures[0] = -1, -np.inf
    done, score, perfect = examine(end - begin, depth, sums, None, limits, criterion, terms, scale, room)
    if done or same_targets_of(code, rows, order, begin, end):
        return score
    room.state[0] = seed
    drawn, varied, d = np.int64(0), False, len(room.features)
    while drawn < d and figures[0] < perfect and not (varied and drawn >= limits[MAX_FEATURES]):
        f = draw_feature(room.state, room.features, drawn, room.swapped)
        drawn += 1
        varied |= consider_listed(lists, values, parts, begin, end, f, limits, criterion, terms, scale, room)
    put_back(room.features, drawn, room.swapped)
    return score


@inlined
def consider_listed(lists, values, parts, begin, end, f, limits, criterion, terms, scale, room):
    """Try every boundary between the values a node has of feature f; whether there is any."""
    rows, at, ranks, order = u64(end - begin), u64(f) * _APART + u64(begin), u64(f) << ID_BITS, lists.order
    lw, lp, ln, _, _ = room.sums
    local, last = room.local, np.int64(rows) - 1
    while last >= 0 and local[ranks | u64(order[at + u64(last)])] == MISSING_RANK:
        last -= 1
    missed = last + 1 < np.int64(rows)
    alike = last >= 0 and local[ranks | u64(order[at])] == local[ranks | u64(order[at + u64(last)])]
    if last < 0 or (alike and not missed):
        return False
    if rows <= _VERY_FEW and not missed and limits[MIN_LEAF] < 2 and limits[MIN_WEIGHT] < 1:
        consider_very_few(values, parts, local, ranks, order, at, u64(last), f, criterion, terms, scale, room)
        return True
    add_up(values, parts, order, at, rows, lw, lp)
    if limits[MIN_LEAF] > 1:
        for k in range(rows):
            ln[k] = np.int32(k + _1)
    boundaries = last
    if alike:  # the only boundary is that between known and missing
        lw[0], lp[0], ln[0], boundaries = lw[last], lp[last], ln[last], np.int64(0)
    elif lists.ties[f]:
        join_ties(local, ranks, order, at, u64(last), lw, lp, ln)
    choose(
        boundaries,
        boundaries + 1,
        missed,
        f,
        room.sums,
        room.total,
        limits,
        criterion,
        terms,
        scale,
        room.best,
        room.figures,
    )
    best = room.best
    if best[FEATURE] == f:
        low = u64(best[LOW])
        while low < u64(last) and local[ranks | u64(order[at + low])] == local[ranks | u64(order[at + low + _1])]:
            low += _1
        best[LOW], best[HIGH] = low, np.int64(low) + 1 if low < u64(last) else -1
        best[LEFT_ROWS] = best[LOW] + 1 + (np.int64(rows) - 1 - last if best[SIDE] == 1 else 0)
    return True


@inlined
def consider_very_few(values, parts, local, ranks, order, at, last, f, criterion, terms, scale, room):
    """The same in one go, as most nodes have so few rows that arrays would cost more than what is done with them."""
    best, figures, W, P = room.best, room.figures, room.total[0], room.total[1]
    weight, part, row = _0, np.int64(0), u64(order[at])
    for k in range(last):
        weight += values[row] >> ID_BITS
        if parts is not None:
            part += parts[row]
        following = u64(order[at + k + _1])
        alike, row = local[ranks | row] == local[ranks | following], following
        if alike:
            continue
        w, p = two_sums(weight, part, parts)
        score = sides_score(w, p, W, P, criterion, terms, scale)
        if score > figures[0]:
            figures[0], figures[1], figures[2] = score, w, p
            best[FEATURE], best[LOW], best[HIGH] = f, k, k + _1
            best[SIDE], best[MISSED], best[AGAIN], best[LEFT_ROWS] = 0, 0, NOWHERE, k + _1


@inlined
def two_sums(weight, part, parts):
    """Weight and part as doubles; without `parts` both are in `weight`."""
    if parts is not None:
        return np.float64(np.int64(weight)), np.float64(part)
    return np.float64(np.int32(weight & WEIGHT)), np.float64(np.int32(weight >> (PART - ID_BITS)))


@inlined
def add_up(values, parts, order, at, rows, lw, lp):
    """The weight and the part of the rows up to each place of a list."""
    weight, part = _0, np.int64(0)
    for k in range(rows):
        row = u64(order[at + k])
        weight += values[row] >> ID_BITS
        if parts is not None:
            part += parts[row]
        lw[k], lp[k] = two_sums(weight, part, parts)


@inlined
def join_ties(local, ranks, order, at, last, lw, lp, ln):
    """No boundary lies between equal values: the sums there are those of the boundary before, or of the first one. (Were they 0
    or all, the node's own score would stand there, and be as good as that of a split that gains nothing.)"""
    first = _0
    while first < last and local[ranks | u64(order[at + first])] == local[ranks | u64(order[at + first + _1])]:
        first += _1
    w, p, n = lw[first], lp[first], ln[first]
    for k in range(first, last):
        if local[ranks | u64(order[at + k])] != local[ranks | u64(order[at + k + _1])]:
            w, p, n = lw[k], lp[k], ln[k]
        lw[k], lp[k], ln[k] = w, p, n
    for k in range(first):
        lw[k], lp[k], ln[k] = lw[first], lp[first], ln[first]


@inlined
def part_lists(lists, begin, end, best):
    """Bring the rows that go left to the front of every list, in their order, and the others behind them."""
    order, spare, goes_left = lists.order, lists.spare, lists.goes_left
    at = u64(best[FEATURE]) * _APART
    for k in range(u64(begin), u64(end)):
        place = np.int64(k) - begin
        goes_left[order[at + k]] = (place <= best[LOW]) | (place >= best[AGAIN])
    for f in range(u64(len(lists.ties))):
        p, q = f * _APART + u64(begin), _0
        for k in range(f * _APART + u64(begin), f * _APART + u64(end)):
            row = order[k]
            left = u64(goes_left[row])
            order[p] = row
            spare[q] = row
            p += left
            q += _1 - left
        for k in range(q):
            order[p + k] = spare[k]
