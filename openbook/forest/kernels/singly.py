"""Random thresholds where a node tries few of its features: one feature after the other.

Large nodes look at steps (`steps.py`); the values of a small node's rows are moved next to each other first, for the whole
subtree below it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from openbook.forest.kernels.cuts import bounds, count_missing, draw_cut, keep_better
from openbook.forest.kernels.jit import inlined, inner, prefetch, u64
from openbook.forest.kernels.nodes import MAX_FEATURES, WHOLE
from openbook.forest.kernels.random import draw_feature, put_back
from openbook.forest.kernels.rows import ID_BITS, PART, WEIGHT
from openbook.forest.kernels.scores import sides_score, term
from openbook.forest.kernels.steps import BESIDE, bounds_on_steps, settle

__all__ = ["Singly", "move_values", "search_singly"]

_0, _8, _28 = u64(0), u64(8), u64(28)
_CLASS = u64(0xFFFF)
_AHEAD = u64(12)  # rows
_APART = 32  # values; at a power of two apart the features would fight over the same lines of the cache


class Singly(NamedTuple):
    """The table, the values of a small node's rows, and those of one feature."""

    X: Any  # as in `random_table.py: Steps`, up to `gaps`
    step: Any
    origin: Any
    scale: Any
    gaps: Any
    block: Any  # (features, rows)
    held: Any
    stood: Any

    @classmethod
    def of(cls, steps: Any, few: int, most: int) -> Singly:
        """For trees of `most` rows."""
        d = len(steps.gaps)
        block = np.empty((d, few + _APART), steps.X.dtype) if steps.columns is None else steps.columns
        return cls(steps.X, steps.step, steps.origin, steps.scale, steps.gaps, block, np.empty(few),
                   np.zeros(most + BESIDE, np.uint16))  # fmt: skip


@inner
def move_values(X, rows, block):
    """The values of these rows to one place."""
    d, last = u64(X.shape[1]), u64(len(rows) - 1)
    for k in range(u64(len(rows))):
        ahead = u64(rows[min(k + _AHEAD, last)]) * d
        for f in range(_0, d, _8):  # a line of the cache holds 8
            prefetch(X, ahead + f)
        line = X[rows[k]]
        for f in range(d):
            block[f, k] = line[f]


@inlined
def search_singly(singly, near, rows, values, parts, sums, classes, seed, limits, perfect, criterion, terms, scale, room,
                  bench):  # fmt: skip
    """The best of the random splits of a node, into `room`; `near` if its values are in `singly.block`."""
    figures, total, left, m = room.figures, room.total, room.left, u64(len(rows))
    room.state[0] = seed
    drawn, varied, d = np.int64(0), False, len(room.features)
    while drawn < d and figures[0] < perfect and not (varied and drawn >= limits[MAX_FEATURES]):
        f = draw_feature(room.state, room.features, drawn, room.swapped)
        drawn += 1
        if near:
            low, high = bounds(singly.block[f], rows, singly.held)
            missing = count_missing(singly.held, m) if singly.gaps[f] else np.int64(0)
        else:
            low, high, missing = bounds_on_steps(singly.X, singly.step, f, rows, singly.stood)
        cut = draw_cut(low, high, missing, room.state)
        if cut != cut:  # constant, and nothing missing
            continue
        varied = True
        for side in range(1 if missing == 0 or cut == np.inf else 2):
            marks = bench.marks[1 - bench.best[0]]
            if near:
                if side == 1:
                    send_missing_left(singly.held, m)
                left_rows, w, p = sum_left(singly.held, cut, values, parts, m, classes, left, marks)
            else:
                step = settle(singly.X, f, rows, singly.stood, cut, singly.origin[f], singly.scale[f], side == 1)
                left_rows, w, p = sum_left(singly.stood, step, values, parts, m, classes, left, marks)
            if classes is not None:
                w, score = score_classes(sums, left, limits[WHOLE] == 1, terms, scale)
            else:
                score = sides_score(w, p, total[0], total[1], criterion, terms, scale)
            if keep_better(f, cut, side, left_rows, w, p, missing, score, limits, room):
                bench.best[0] = 1 - bench.best[0]
                if classes is not None:
                    copy_sums(left, bench.left)
    put_back(room.features, drawn, room.swapped)


@inlined
def send_missing_left(held, m):
    """Make missing values smaller than any threshold."""
    for k in range(m):
        held[k] = held[k] if held[k] == held[k] else -np.inf


@inlined
def sum_left(held, cut, values, parts, m, classes, left, marks):
    """Mark the rows that go left; how many they are, and their weight and part; or the weight of each class, into `left`.
    Nothing branches: where rows go cannot be foreseen."""
    count, total, part = np.int64(0), _0, np.int64(0)
    if classes is not None:
        for k in range(m):
            marks[k] = held[k] <= cut
            count += marks[k]
        for c in range(u64(len(left))):
            left[c] = 0
        for k in range(m):
            value = values[k]
            left[(value >> ID_BITS) & _CLASS] += np.int64(value >> _28) & -np.int64(marks[k])
        return count, 0.0, 0.0
    if parts is not None:
        for k in range(m):
            # Read before `marks` is written: for all the compiler knows they might overlap.
            goes, value, more = held[k] <= cut, values[k], parts[k]
            marks[k] = goes
            count += goes
            total += value & (_0 - u64(goes))
            part += more & -np.int64(goes)
        return count, np.float64(np.int64(total >> ID_BITS)), np.float64(part)
    for k in range(m):
        goes, value = held[k] <= cut, values[k]
        marks[k] = goes
        count += goes
        total += value & (_0 - u64(goes))
    return count, np.float64(np.int64((total >> ID_BITS) & WEIGHT)), np.float64(np.int64(total >> PART))


@inlined
def copy_sums(sums, to):
    """The weight of each class, to another place."""
    for c in range(u64(len(to))):
        to[c] = sums[c]


@inlined
def score_classes(sums, left, whole, terms, scale):
    """The weight on the left, and the score of both sides; `whole` if squares of weights fit whole numbers, which are added in
    any order."""
    w, v, a, b = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    x, y = 0.0, 0.0
    if terms is None and whole:
        for c in range(u64(len(sums))):
            on_left, on_right = left[c], sums[c] - left[c]
            w += on_left
            v += on_right
            a += on_left * on_left
            b += on_right * on_right
        return np.float64(w), np.float64(a) / np.float64(w) + np.float64(b) / np.float64(v)
    for c in range(u64(len(sums))):
        on_left, on_right = left[c], sums[c] - left[c]
        w += on_left
        v += on_right
        if terms is None:
            x += np.float64(on_left) * np.float64(on_left)
            y += np.float64(on_right) * np.float64(on_right)
        else:
            a += term(on_left, terms, scale) + term(on_right, terms, scale)
    if terms is None:
        return np.float64(w), x / np.float64(w) + y / np.float64(v)
    return np.float64(w), np.float64(a - term(w, terms, scale) - term(v, terms, scale))
