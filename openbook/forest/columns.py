"""A table as the kernels want it: every value by its rank, and by one of at most 255 bins of ranks."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

__all__ = ["MISSING", "Columns", "between", "bins_of", "is_sparse", "last_ranks"]

MISSING = 255  # the bin of missing values; the others are 0 … 254
_BINS = 255


@dataclass(frozen=True, eq=False)
class Columns:
    """`rank` (rows, features) is the place of each value among the different ones of its column; missing values come after
    the last, at `missing_rank[f]`.

    `bin` (features, rows) groups ranks so that bins hold about equally many rows; where a column has at most 255
    different values, a bin is a value and nothing is lost. `first[f, b]` and `last[f, b]` are the smallest and the largest
    value in a bin. `X` is the table itself, as it came: float32 and float64 are not copied, SciPy's sparse matrices never
    spread out (their ranks and bins are: five bytes for each entry). For random thresholds there are no ranks; `values`
    (features, rows) is then the table by column. Where a feature has an entry in `orders`, its values are places of levels.
    """

    X: Any
    rank: np.ndarray
    bin: np.ndarray
    missing_rank: np.ndarray
    first: np.ndarray
    last: np.ndarray
    values: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    orders: Mapping[int, np.ndarray] = field(default_factory=dict)

    @classmethod
    def for_growing(cls, X: Any, random: bool, threads: int) -> Columns:
        """What a tree is grown from: ranks and bins; or, for random thresholds, the values themselves by column."""
        if not random:
            return cls.of(X, threads)
        return replace(cls.of(X[:0], threads), values=np.ascontiguousarray((X.toarray() if is_sparse(X) else X).T))

    @classmethod
    def of(cls, X: Any, threads: int = 1) -> Columns:
        """Rank and bin a float table (rows, features), NaN where missing."""
        n, d = X.shape
        made = cls(X, np.empty((n, d), np.uint32), np.empty((d, n), np.uint8), np.empty(d, np.uint32),
                   np.zeros((d, _BINS)), np.zeros((d, _BINS)))  # fmt: skip
        if threads <= 1 or d == 1:
            for f in range(d):
                made._fill(f)
        else:
            with ThreadPoolExecutor(min(threads, d)) as pool:
                list(pool.map(made._fill, range(d)))
        return made

    def _fill(self, f: int) -> None:
        column = self.X[:, [f]].toarray()[:, 0] if is_sparse(self.X) else np.ascontiguousarray(self.X[:, f])
        order = np.argsort(column)  # NaN comes last
        ordered = column[order]
        known = len(column) - int(np.count_nonzero(np.isnan(ordered)))
        starts = np.concatenate([[True], ordered[1:known] != ordered[: known - 1]]) if known else np.empty(0, bool)
        place = np.cumsum(starts, dtype=np.uint32) - np.uint32(1)
        different = int(place[-1]) + 1 if known else 0
        rank = np.empty(len(column), np.uint32)
        rank[order[:known]] = place
        rank[order[known:]] = self.missing_rank[f] = different
        self.rank[:, f] = rank
        first_rows = np.flatnonzero(starts)
        values = ordered[first_rows]
        ends = last_ranks(np.diff(np.append(first_rows, known)))
        self.bin[f] = bins_of(ends, different)[rank]
        self.bound(f, ends, values)

    def bound(self, f: int, ends: np.ndarray, values: np.ndarray) -> None:
        """Write down the smallest and the largest value of each bin, from the bins' last ranks and the values by rank."""
        self.last[f, : len(ends)] = values[ends]
        self.first[f, : len(ends)] = values[np.concatenate([[0], ends[:-1] + 1])] if len(ends) else values

    def thresholds_of(self, nodes: Any) -> np.ndarray:
        """The thresholds of all nodes (`kernels/room.py: Nodes`); 0 for leaves."""
        threshold, inner = np.zeros(len(nodes.left)), np.flatnonzero(nodes.left >= 0)
        threshold[inner] = self.thresholds(nodes.feature[inner], nodes.low[inner], nodes.high[inner])
        return threshold

    def thresholds(self, feature: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """The thresholds of inner nodes, from the rows or bins beside their boundaries (`kernels/room.py: Nodes`)."""
        by_bin, unbounded = low < -1, high == -1
        at_low, at_high = np.where(by_bin, -2 - low, low), np.where(unbounded, 0, np.where(by_bin, -2 - high, high))
        below, above = np.zeros(len(low)), np.zeros(len(low))
        below[by_bin] = self.last[feature[by_bin], at_low[by_bin]]
        above[by_bin] = self.first[feature[by_bin], at_high[by_bin]]
        below[~by_bin] = self._values(at_low[~by_bin], feature[~by_bin])
        above[~by_bin] = self._values(at_high[~by_bin], feature[~by_bin])
        return np.where(unbounded, np.inf, between(below, above))

    def _values(self, rows: np.ndarray, features: np.ndarray) -> np.ndarray:
        if is_sparse(self.X) and not len(rows):  # SciPy knows no empty selection
            return np.empty(0)
        values = np.asarray(self.X[rows, features]).reshape(-1)
        if self.orders:
            is_category = np.zeros(self.X.shape[1], bool)
            is_category[list(self.orders)] = True
            own = is_category[features]
            values[own] = self.rank[rows[own], features[own]]  # the places of their levels
        return values


def is_sparse(X: Any) -> bool:
    """Whether X is one of SciPy's sparse matrices; asks without loading SciPy."""
    return hasattr(X, "tocsc")


def between(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Thresholds that send `low` left and `high` right: the middle, unless rounding takes it up to `high`."""
    with np.errstate(over="ignore", invalid="ignore"):
        middle = low + (high - low) / 2
    return np.where((low <= middle) & (middle < high), middle, low)


def last_ranks(counts: np.ndarray) -> np.ndarray:
    """The last rank of every bin: one rank each if they are few, else about equally many rows each."""
    if len(counts) <= _BINS:
        return np.arange(len(counts))
    filled = np.cumsum(counts)
    wanted = filled[-1] * np.arange(1, _BINS + 1) / _BINS
    return np.unique(np.minimum(np.searchsorted(filled, wanted), len(counts) - 1))


def bins_of(ends: np.ndarray, different: int) -> np.ndarray:
    """The bin of each rank, from the last ranks of the bins; `MISSING` for the rank after all of them."""
    bins = np.full(different + 1, MISSING, np.uint8)
    bins[:different] = np.searchsorted(ends, np.arange(different))
    return bins
