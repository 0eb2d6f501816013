"""Rows through trees: the numba kernels."""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import jit


@jit
def leaves(X, feature, threshold, left, right, missing_left, out):
    """The leaf in which each row of X ends."""
    for i in range(X.shape[0]):
        node = np.uint32(0)  # unsigned: numba then leaves out what Python's negative indices would need
        while left[node] >= 0:
            x = X[i, np.uint32(feature[node])]
            go_left = missing_left[node] if np.isnan(x) else x <= threshold[node]
            node = np.uint32(left[node]) if go_left else np.uint32(right[node])
        out[i] = node


@jit
def add_values(found, values, out):
    """Add the value of each row's leaf to its line of `out`."""
    for i in range(len(found)):
        node = np.uint32(found[i])
        for k in range(values.shape[1]):
            out[i, k] += values[node, k]
