"""A large node and one of its features by steps (`random_table.py`), a quarter of the memory that values take: only the few
values on the outermost steps, and on the one a threshold falls on, are looked at themselves."""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import inlined, inner, u64

__all__ = ["BESIDE", "MISSING_STEP", "STEPS", "bounds_on_steps", "settle"]

STEPS = 2**16 - 2  # of equal height, 1 … STEPS; 0 stands for what is left of all values
MISSING_STEP = 2**16 - 1
BESIDE = 64  # rows that are looked at together; `stood` has so many more than there are
_0, _BESIDE = u64(0), u64(BESIDE)
_LEFT, _MISSING = np.uint16(0), np.uint16(MISSING_STEP)


@inlined
def bounds_on_steps(X, steps, f, rows, stood):
    """The smallest and the largest value of these rows, and how many are missing; their steps are left in `stood`."""
    column, m = steps[f], u64(len(rows))
    for k in range(m):
        stood[k] = column[rows[k]]
    lowest, highest, missing = _MISSING, _LEFT, np.int64(0)
    for k in range(m):
        step = stood[k]
        known = _LEFT if step == _MISSING else step
        lowest = step if step < lowest else lowest
        highest = known if known > highest else highest
        missing += step == _MISSING
    if missing == len(rows):
        return np.inf, -np.inf, missing
    low, high = bounds_of_step(X, f, rows, stood, lowest)
    if highest != lowest:
        _, high = bounds_of_step(X, f, rows, stood, highest)
    return low, high, missing


@inner
def bounds_of_step(X, f, rows, stood, step):
    """The smallest and the largest of the values on one step."""
    low, high, m = np.inf, -np.inf, u64(len(rows))
    for first in range(_0, m, _BESIDE):
        if any_on(stood, first, step):
            for k in range(first, min(first + _BESIDE, m)):
                if stood[k] == step:
                    x = np.float64(X[rows[k], f])
                    low = x if x < low else low
                    high = x if x > high else high
    return low, high


@inner
def settle(X, f, rows, stood, cut, origin, scale, missing_left):
    """Put what goes left of a threshold on steps below its own, the rest above or on it; returns the last one below."""
    step = np.uint16(min(max((cut - origin) * scale, 0.0), STEPS - 1.0) + 1.0)
    m = u64(len(rows))
    for first in range(_0, m, _BESIDE):
        if any_on(stood, first, step):
            for k in range(first, min(first + _BESIDE, m)):
                if stood[k] == step and np.float64(X[rows[k], f]) <= cut:
                    stood[k] = _LEFT
    if missing_left:
        for k in range(m):
            stood[k] = _LEFT if stood[k] == _MISSING else stood[k]
    return np.uint16(step - np.uint16(1))


@inlined
def any_on(stood, first, step):
    """Whether any row of those looked at together, some of which may lie beyond the last one, stands on this step."""
    found = False
    for k in range(first, first + _BESIDE):
        found |= stood[k] == step
    return found
