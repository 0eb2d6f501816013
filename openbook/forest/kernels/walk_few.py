"""A few rows through all trees, for callers to whom a microsecond matters.

After other work no cache holds anything of this, and what Python does around the walk takes longer than the walk. So numba
looks at the arguments and nothing else needs to: it takes floats in any layout, and compiles for nothing else.
"""

from __future__ import annotations

import numpy as np
from numba import types

from openbook.forest.kernels.jit import prefetch, u64, while_held
from openbook.forest.kernels.walk import step

__all__ = ["walk_few"]

_1, _LOWER = u64(1), u64(0xFFFFFFFF)
_ROWS = types.Array(types.float64, 2, "A", readonly=True)
_WORDS, _FLOATS = types.Array(types.uint64, 1, "C"), types.Array(types.float64, 2, "C")


@while_held([types.boolean(_ROWS, _WORDS, _WORDS, _FLOATS, _FLOATS)])
def walk_few(X, nodes, starts, values, means):
    """For each row the mean of `values` over its leaves into `means`; False where something is infinite.

    All trees go down a level before any goes on: of nodes that no cache holds, as many are asked for at once as can be.
    """
    at = np.empty(len(starts), np.uint64)
    for row in range(u64(len(X))):
        x = X[row]
        for f in range(u64(len(x))):
            if abs(x[f]) == np.inf:
                return False
        total = u64(0)
        for t in range(u64(len(at))):
            at[t] = starts[t]
            total += at[t]
        before = total + _1
        while total != before:
            before, total = total, u64(0)
            for t in range(u64(len(at))):
                at[t] = step(x, u64(0), at[t], nodes)
                prefetch(nodes, at[t] << _1)
                total += at[t]
        for c in range(u64(values.shape[1])):
            means[row, c] = 0.0
        for t in range(u64(len(at))):
            leaf = nodes[at[t] << _1] & _LOWER
            for c in range(u64(values.shape[1])):
                means[row, c] += values[leaf, c]
        for c in range(u64(values.shape[1])):
            means[row, c] /= len(starts)
    return True
