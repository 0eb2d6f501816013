"""From the rows or bins beside a boundary to the number that a tree compares with."""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.grow import KNOWN_AGAINST_MISSING
from openbook.forest.kernels.jit import grower, inlined, u64

__all__ = ["between", "write_thresholds"]

_BIN_0 = -2  # in `low` and `high`; the others come below it


@grower
def write_thresholds(X, beside, places, is_category, first, last, feature, low, high, which, threshold):
    """Write down the thresholds of the nodes `which` (see `room.py: Nodes`); of leaves 0.

    Values are those of `X`, or None: the two `beside` each boundary (nodes in `which`, 2). Where there are categories, else
    None, their `places` (all rows, features) take the place of values. `first` and `last` are those of each bin.
    """
    for k in range(u64(len(which))):
        node = which[k]
        f = feature[node]
        threshold[k] = 0.0
        if f >= 0:
            below, above = low[node], high[node]
            smaller = (
                last[f, _BIN_0 - below] if below <= _BIN_0 else value_at(X, beside, places, is_category, below, f, k, 0)
            )
            if above == KNOWN_AGAINST_MISSING:
                threshold[k] = np.inf
            elif above <= _BIN_0:
                threshold[k] = between(smaller, first[f, _BIN_0 - above])
            else:
                threshold[k] = between(smaller, value_at(X, beside, places, is_category, above, f, k, 1))


@inlined
def value_at(X, beside, places, is_category, row, f, k, side):
    """The value of a row, or the place of its level."""
    value = 0.0
    if X is not None:
        value = np.float64(X[u64(row), f])
    if beside is not None:
        value = beside[k, side]
    if is_category is not None and is_category[f]:
        value = np.float64(places[u64(row), f])
    return value


@inlined
def between(low, high):
    """A threshold that sends `low` left and `high` right: the middle, unless rounding takes it up to `high`."""
    middle = low + (high - low) / 2
    return middle if low <= middle and middle < high else low
