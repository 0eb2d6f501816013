"""A few plain rows: all that a call needs is made before it comes.

After other work nothing of this is in the cache, and every function on the way, or array made, takes longer than a tree does.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

__all__ = ["means_of_few"]

_FEW = 8  # rows
_FLOATS = np.dtype(np.float64), np.dtype(np.float32)  # in this machine's order of bytes
_BLANKS, _NUMBERS = 64, 4096  # so many answers are made at a time, of no more numbers than that together


def means_of_few(words: np.ndarray, width: int) -> Callable[[Any], np.ndarray | None]:
    """Of a walk in one array (`Walk.words`) with so many columns of values a function that gives the mean over all trees of what
    a row's leaves say; None of anything but a few rows of floats, all of them finite or missing."""
    ndarray = np.ndarray
    blanks: list[np.ndarray] = []  # answers for one row
    walk_few: Any = None

    def means(X: Any) -> np.ndarray | None:
        if type(X) is not ndarray:
            return None
        try:
            blank = blanks.pop()
            if walk_few(X, words, blank):
                return blank
        except (IndexError, TypeError):  # no blank is left; or these are no floats, or have other dimensions
            pass
        return of_several(X)

    def of_several(X: np.ndarray) -> np.ndarray | None:
        nonlocal walk_few
        if X.ndim != 2 or not 0 < len(X) < _FEW or X.dtype not in _FLOATS:
            return None
        if walk_few is None:
            walk_few = import_module("openbook.forest.kernels.walk_few").walk_few
        if not blanks:
            blanks.extend(np.empty((max(1, min(_BLANKS, _NUMBERS // width)), 1, width)))
        blank = np.empty((len(X), width))
        return blank if walk_few(X, words, blank) else None

    return means
