"""A table as the kernels want it: every value by its rank, and by one of at most 255 bins of ranks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["MISSING", "Columns"]

MISSING = 255  # the bin of missing values; the others are 0 … 254
_BINS = 255


@dataclass(frozen=True, eq=False)
class Columns:
    """`rank` (features, rows) is the place of each value among the different ones of its column, −1 where missing.

    `bin` (features, rows) groups ranks so that bins hold about equally many rows; where a column has at most 255
    different values, a bin is a value and nothing is lost. `used` (features,) says how many bins a column has,
    `last_rank[f, b]` is the largest rank in a bin. `values` holds the different values of all columns one after the
    other, column f from `start[f]` to `start[f + 1]`.
    """

    rank: np.ndarray
    bin: np.ndarray
    values: np.ndarray
    start: np.ndarray
    last_rank: np.ndarray
    used: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> Columns:
        """Rank and bin a float table (rows, features), NaN where missing."""
        n, d = X.shape
        rank = np.empty((d, n), np.int32)
        bins = np.empty((d, n), np.uint8)
        last_rank = np.zeros((d, _BINS), np.int32)
        used = np.empty(d, np.int64)
        values, start = [], np.zeros(d + 1, np.int64)
        for f in range(d):
            column = X[:, f]
            known = ~np.isnan(column)
            different, place, counts = np.unique(column[known], return_inverse=True, return_counts=True)
            rank[f] = -1
            rank[f, known] = place
            ends = _ends(counts)
            last_rank[f, : len(ends)] = ends
            bins[f] = MISSING
            bins[f, known] = np.searchsorted(ends, place)
            used[f] = len(ends)
            values.append(different)
            start[f + 1] = start[f] + len(different)
        return cls(rank, bins, np.concatenate(values) if values else np.empty(0), start, last_rank, used)


def _ends(counts: np.ndarray) -> np.ndarray:
    """The last rank of every bin: one rank each if they are few, else about equally many rows each."""
    if len(counts) <= _BINS:
        return np.arange(len(counts))
    filled = np.cumsum(counts)
    wanted = filled[-1] * np.arange(1, _BINS + 1) / _BINS
    return np.unique(np.minimum(np.searchsorted(filled, wanted), len(counts) - 1))
