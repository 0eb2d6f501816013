"""A table as random thresholds want it: no order, but the values where they are soon found.

Where a node tries few of its features (`Steps`), a large node looks at the step that each value stands on, two bytes in place of
eight, and at few values themselves. Where it tries most of them (`lines_of`), at the values of row after row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.forest.columns import is_sparse
from openbook.forest.kernels.lanes import LANES
from openbook.forest.kernels.steps import MISSING_STEP, STEPS

__all__ = ["Steps", "dense", "few_of", "lines_of"]

_CACHED = 2**17  # values, which the cache of a core holds
_FEWEST, _MOST = 256, 4096  # rows of a small node
_LEAST_SCALE, _MOST_SCALE = 2.0**-1074, 2.0**1023
_ASKED = 1024  # rows that say where the steps of a column lie
_OUTERMOST = 500  # one in so many of them, on either side, does not: it may lie far out


@dataclass(frozen=True, eq=False)
class Steps:
    """`step` (features, rows) never falls where a value rises: min(max((x − origin) · scale, 0), STEPS − 1) + 1, rounded
    down. `X` (rows, features) is the table itself, `gaps` says which features have missing values. A table of no more rows
    than a small node has no steps, but `columns` (features, rows).
    """

    X: np.ndarray
    step: np.ndarray
    origin: np.ndarray
    scale: np.ndarray
    gaps: np.ndarray
    columns: np.ndarray | None

    @classmethod
    def of(cls, X: np.ndarray) -> Steps:
        """From a dense float table, NaN where missing."""
        n, d = X.shape
        small = n <= few_of(d)
        made = cls(X, np.empty((d, 0 if small else n), np.uint16), np.zeros(d), np.ones(d), np.empty(d, np.bool_),
                   np.empty((d, n), X.dtype) if small else None)  # fmt: skip
        for f in range(d):
            made.fill(f, X[:, f])
        return made

    def copy(self) -> Steps:
        """For a thread that has columns of its own."""
        return Steps.of(self.X.copy())

    def change(self, f: int, column: np.ndarray) -> None:
        """Give one feature other values."""
        self.X[:, f] = column
        self.fill(f, self.X[:, f])

    def fill(self, f: int, column: np.ndarray) -> None:
        """Write down what follows from the values of one feature."""
        column = np.ascontiguousarray(column)
        missing = np.isnan(column)
        self.gaps[f] = missing.any()
        if self.columns is not None:
            self.columns[f] = column
            return
        self.origin[f], self.scale[f] = _laid(column)
        with np.errstate(over="ignore", invalid="ignore"):
            place = np.subtract(column, self.origin[f], dtype=np.float64)
            place *= self.scale[f]
            np.maximum(place, 0.0, out=place)
            np.minimum(place, STEPS - 1.0, out=place)
            place += 1.0
            self.step[f] = place
        if self.gaps[f]:
            self.step[f, missing] = MISSING_STEP


def dense(X: Any) -> np.ndarray:
    """A float table whose rows' values lie next to each other; not copied where they do."""
    return np.ascontiguousarray(X.toarray() if is_sparse(X) else X)


def lines_of(X: np.ndarray) -> np.ndarray:
    """A dense table, its rows filled up to a multiple of so many values as are looked at together."""
    n, d = X.shape
    lines = np.zeros((n, -(-d // LANES) * LANES), X.dtype)
    lines[:, :d] = X
    return lines


def few_of(d: int) -> int:
    """How many rows a small node has: all values of their d features fit the cache."""
    return int(np.clip(_CACHED // max(1, d), _FEWEST, _MOST))


def _laid(column: np.ndarray) -> tuple[float, float]:
    """Where the lowest step of a column begins, and how many go to a unit. Outliers share the outermost steps."""
    asked = np.sort(column[:: max(1, len(column) // _ASKED)])
    known = len(asked) - int(np.count_nonzero(np.isnan(asked)))
    if not known:
        return 0.0, 1.0
    outer = known // _OUTERMOST
    low, high = float(asked[outer]), float(asked[known - 1 - outer])
    if low == high:
        low, high = float(np.nanmin(column)), float(np.nanmax(column))
    if low == high:
        return 0.0, 1.0
    scale = min(max(STEPS / (high - low), _LEAST_SCALE), _MOST_SCALE)  # 0 · ∞ would be no number
    return float(np.nan_to_num(low)), scale
