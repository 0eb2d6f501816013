"""What grown nodes decide by: from the rows or bins beside a boundary to the number that a tree compares with."""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import grower, inlined, u64
from openbook.forest.kernels.nodes import KNOWN_AGAINST_MISSING

__all__ = ["between", "write_splits"]

_BIN_0 = -2  # in `low` and `high` of nodes; the other bins come below it


@grower
def write_splits(nodes, which, weight_step, per_step, cuts, X, beside, places, is_category, first, last, splits):
    """Write down the decisions of the nodes `which` as `splits` (`openbook.forest.tree.Splits`); those of leaves are none. `per_step`
    units of gain, of `weight_step` each, make one of the criterion's own.

    Random thresholds are `cuts`. Others, where `first` and `last` of each bin are there, lie between values: of `X`, or, if that
    is None, those `beside` each boundary (2, nodes in `which`); where there are categories, their `places` (all rows, features).
    """
    for k in range(u64(len(which))):
        node = which[k]
        f = nodes.feature[node]
        threshold, missing_left, gain = 0.0, False, 0.0
        if f >= 0:
            missing_left, gain = nodes.missing_left[node], nodes.gain[node] * weight_step / per_step
            if cuts is not None:
                threshold = cuts[node]
            if first is not None:
                below, above = nodes.low[node], nodes.high[node]
                if above == KNOWN_AGAINST_MISSING:
                    threshold = np.inf
                elif above <= _BIN_0:
                    threshold = between(last[f, _BIN_0 - below], first[f, _BIN_0 - above])
                else:
                    threshold = between(*values_beside(X, beside, places, is_category, below, above, f, k))
        splits.feature[k], splits.threshold[k], splits.missing_left[k], splits.gain[k] = (
            f,
            threshold,
            missing_left,
            gain,
        )


@inlined
def values_beside(X, beside, places, is_category, below, above, f, k):
    """The values of two rows, or the places of their levels."""
    if is_category is not None and is_category[f]:
        return np.float64(places[u64(below), f]), np.float64(places[u64(above), f])
    low = high = 0.0
    if X is not None:
        low, high = np.float64(X[u64(below), f]), np.float64(X[u64(above), f])
    if beside is not None:
        low, high = beside[0, k], beside[1, k]
    return low, high


@inlined
def between(low, high):
    """A threshold that sends `low` left and `high` right: the middle, unless rounding takes it up to `high`."""
    middle = low + (high - low) / 2
    return middle if low <= middle and middle < high else low
