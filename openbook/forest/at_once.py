"""A few plain rows: all that a call needs is made before it comes.

After other work nothing of this is in the cache, and every function on the way, or array made, takes longer than a tree does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["means_of_few"]

_FEW = 8  # rows
_BLANKS, _NUMBERS = 64, 4096  # so many answers are made at a time, of no more numbers than that together


def means_of_few(
    nodes: np.ndarray, starts: np.ndarray, values: np.ndarray, n_features: int
) -> Callable[[Any], np.ndarray | None]:
    """A function that gives the mean over all trees of what a row's leaves say; None of anything but a few rows of floats,
    all of them finite or missing."""
    from openbook.forest.kernels.walk_few import walk_few

    ndarray, single, one_row, width = np.ndarray, np.dtype(np.float32), (1, n_features), values.shape[1]
    blanks: list[np.ndarray] = []

    def means(X: Any) -> np.ndarray | None:
        if type(X) is not ndarray:
            return None
        try:
            blank = blanks.pop() if X.shape == one_row else another(X.shape)
        except IndexError:
            blank = another(X.shape)
        if blank is None:
            return None
        if X.dtype is single:
            X = X.astype(np.float64)  # exact, and quicker than a second kernel would be compiled
        try:
            return blank if walk_few(X, nodes, starts, values, blank) else None
        except TypeError:  # neither doubles nor singles
            return None

    def another(shape: tuple[int, ...]) -> np.ndarray | None:
        if len(shape) != 2 or shape[1] != n_features or not 0 < shape[0] < _FEW:
            return None
        if shape == one_row:
            blanks.extend(np.empty((max(1, min(_BLANKS, _NUMBERS // width)), 1, width)))
        return np.empty((shape[0], width))

    return means
