"""A few rows through all trees, for callers to whom a microsecond matters.

After other work no cache holds anything of this, and what Python does around the walk takes longer than the walk. So numba
looks at the arguments and nothing else needs to: it takes floats in any layout, and compiles for nothing else.
"""

from __future__ import annotations

import numpy as np
from numba import types

from openbook.forest.kernels.jit import inlined, prefetch, u64, while_held
from openbook.forest.kernels.walk import step, step_known

__all__ = ["walk_few"]

_0, _1, _LOWER = u64(0), u64(1), u64(0xFFFFFFFF)
_DOUBLES, _SINGLES = (types.Array(kind, 2, "A", readonly=True) for kind in (types.float64, types.float32))
_WORDS, _FLOATS = types.Array(types.uint64, 1, "C"), types.Array(types.float64, 2, "C")


@inlined
def take_row(X, row, x):
    """Copy a row; (whether nothing in it is infinite, whether nothing is missing)."""
    finite, known = True, True
    for f in range(u64(len(x))):
        x[f] = X[row, f]
        finite &= abs(x[f]) != np.inf
        known &= x[f] == x[f]
    return finite, known


@inlined
def walk_abreast(x, missing, nodes, starts, at):
    """A row through all trees, to the leaves `at` which it ends; `missing` is None where all of it is known.

    All trees go down a level before any goes on: of nodes that no cache holds, as many are asked for at once as can be.
    """
    total = _0
    for t in range(u64(len(at))):
        at[t] = starts[t]
        prefetch(nodes, at[t] << _1)
        total += at[t]
    before = total + _1
    while total != before:
        before, total = total, _0
        for t in range(u64(len(at))):
            at[t] = step_known(x, _0, at[t], nodes) if missing is None else step(x, _0, at[t], nodes)
            prefetch(nodes, at[t] << _1)
            total += at[t]


@while_held([types.boolean(rows, types.uint64, _WORDS, _WORDS, _FLOATS, _FLOATS) for rows in (_DOUBLES, _SINGLES)])
def walk_few(X, width, nodes, starts, values, means):
    """For each row the mean of `values` over its leaves into `means`; False where these are for other rows, a row is no `width`
    long, or something in it is infinite."""
    if len(X) != len(means) or X.shape[1] != width:
        return False
    x, at = np.empty(X.shape[1]), np.empty(len(starts), np.uint64)
    for row in range(u64(len(X))):
        finite, known = take_row(X, row, x)
        if not finite:
            return False
        if known:
            walk_abreast(x, None, nodes, starts, at)
        else:
            walk_abreast(x, True, nodes, starts, at)
        for t in range(u64(len(at))):
            at[t] = nodes[at[t] << _1] & _LOWER
            prefetch(values, at[t] * u64(values.shape[1]))
        for c in range(u64(values.shape[1])):
            total = 0.0
            for t in range(u64(len(at))):
                total += values[at[t], c]
            means[row, c] = total / len(starts)
    return True
