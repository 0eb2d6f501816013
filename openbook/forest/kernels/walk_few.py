"""A few rows through all trees, for callers to whom a microsecond matters.

After other work no cache holds anything of this, and what Python does around the walk takes longer than the walk. So numba
looks at the arguments and nothing else needs to: it takes floats in any layout, and compiles for nothing else.
"""

from __future__ import annotations

import numpy as np
from numba import types

from openbook.forest.kernels.jit import as_float, inlined, prefetch, u64, while_held
from openbook.forest.kernels.walk import step, step_known

__all__ = ["HEAD", "walk_few"]

HEAD = 4  # words: how many features, trees and columns of values there are, and where the values begin
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


@while_held([types.boolean(rows, _WORDS, _FLOATS) for rows in (_DOUBLES, _SINGLES)])
def walk_few(X, words, means):
    """For each row the mean of the values of its leaves into `means`; False where these are for other rows, a row has another
    length than those of training, or something in it is infinite.

    `words` are the head, where each tree begins, the nodes, the values: each array that numba is handed takes it as long as
    some trees do.
    """
    width, trees, columns, end = np.int64(words[0]), np.int64(words[1]), words[2], np.int64(words[3])
    if len(X) != len(means) or X.shape[1] != width:
        return False
    starts, nodes, values = words[HEAD : HEAD + trees], words[HEAD + trees : end], words[end:]
    x, at = np.empty(width), np.empty(trees, np.uint64)
    for row in range(u64(len(X))):
        finite, known = take_row(X, row, x)
        if not finite:
            return False
        if known:
            walk_abreast(x, None, nodes, starts, at)
        else:
            walk_abreast(x, True, nodes, starts, at)
        for t in range(u64(len(at))):
            at[t] = (nodes[at[t] << _1] & _LOWER) * columns
            prefetch(values, at[t])
        for c in range(columns):
            total = 0.0
            for t in range(u64(len(at))):
                total += as_float(values[at[t] + c])
            means[row, c] = total / trees
    return True
