"""A table as the kernels want it: every value by its rank, and by one of at most 255 bins of ranks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from openbook.forest.parallel import on_threads
from openbook.forest.tree import Splits

__all__ = ["MISSING", "Columns", "bins_of", "is_sparse", "last_ranks"]

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
    def for_growing(cls, X: Any, random: bool, threads: int, levels: Sequence[int]) -> Columns:
        """What a tree is grown from: ranks, but for features that have `levels`, which each tree ranks anew, and bins, which only
        large nodes ask for; or, for random thresholds, the values themselves by column."""
        from openbook.forest.kernels.rows import EXACT_BELOW

        if not random:
            numbers = np.flatnonzero(np.equal(levels, 0)) if levels else None
            return cls.of(X, threads, numbers, binned=X.shape[0] >= EXACT_BELOW)
        return replace(cls.of(X[:0], threads), values=np.ascontiguousarray((X.toarray() if is_sparse(X) else X).T))

    @classmethod
    def of(cls, X: Any, threads: int = 1, features: np.ndarray | None = None, *, binned: bool = True) -> Columns:
        """Rank and bin a float table (rows, features), NaN where missing, or only some `features` of it; nothing is written
        into bins that nobody wants."""
        n, d = X.shape
        features = np.arange(d) if features is None else features
        made = cls(X, np.empty((n, d), np.uint32), np.empty((d, n), np.uint8), np.zeros(d, np.uint32),
                   np.zeros((d, _BINS)), np.zeros((d, _BINS)))  # fmt: skip
        if n:
            shares = [features[k::threads] for k in range(min(threads, len(features)))]
            list(on_threads(lambda some: made._fill(some, binned), shares, threads))
        return made

    def _fill(self, features: np.ndarray, binned: bool) -> None:
        desk = _Desk.of(self.X.shape[0])
        for f in features:
            different = desk.rank_values(self.X[:, [f]].toarray()[:, 0] if is_sparse(self.X) else self.X[:, f])
            self.missing_rank[f] = different
            self.rank[:, f] = desk.rank
            if binned:
                ends = last_ranks(desk.upto[:different])
                bins_of(ends, different).take(desk.rank, out=self.bin[f], mode="clip")  # "raise" would make a copy
                self.bound(f, ends, desk.value_of)

    def bound(self, f: int, ends: np.ndarray, value_of: Callable[[np.ndarray], np.ndarray]) -> None:
        """Write down the smallest and the largest value of each bin, from the bins' last ranks and the values of ranks."""
        self.last[f, : len(ends)] = value_of(ends)
        self.first[f, : len(ends)] = value_of(np.append(0, ends[:-1] + 1)[: len(ends)])

    def splits_of(
        self, nodes: Any, which: np.ndarray, weight_step: float, per_step: float, cuts: np.ndarray | None
    ) -> Splits:
        """The decisions of these nodes (`kernels/room.py: Nodes`), as `kernels/splits.py` says. `cuts` are their thresholds
        where these are random."""
        from openbook.forest.kernels.splits import write_splits

        splits, asked = Splits.of(len(which)), (None,) * 6 if cuts is not None else self._asked(nodes, which)
        write_splits(nodes, which, weight_step, per_step, cuts, *asked, splits)
        return splits

    def _asked(self, nodes: Any, which: np.ndarray) -> tuple[Any, ...]:
        """What says which values lie beside boundaries, as `write_splits` wants it."""
        table, beside = (None, self._beside(nodes, which)) if is_sparse(self.X) else (self.X, None)
        places, is_category = None, None
        if self.orders:
            places, is_category = self.rank, np.zeros(self.X.shape[1], np.bool_)
            is_category[list(self.orders)] = True
        return table, beside, places, is_category, self.first, self.last

    def _beside(self, nodes: Any, which: np.ndarray) -> np.ndarray:
        """The values of a sparse table beside the boundaries of these nodes (2, nodes); of bins and leaves any."""
        rows = np.clip((nodes.low[which], nodes.high[which]), 0, self.X.shape[0] - 1)
        features = np.maximum(nodes.feature[which], 0)
        return np.stack([np.asarray(self.X[side, features], np.float64).reshape(-1) for side in rows])


def is_sparse(X: Any) -> bool:
    """Whether X is one of SciPy's sparse matrices; asks without loading SciPy."""
    return hasattr(X, "tocsc")


def last_ranks(upto: np.ndarray) -> np.ndarray:
    """The last rank of every bin, from how many rows have no higher rank than each: one rank each if they are few, else
    about equally many rows each."""
    if len(upto) <= _BINS:
        return np.arange(len(upto))
    wanted = int(upto[-1]) * np.arange(1, _BINS + 1) / _BINS
    return np.unique(np.minimum(np.searchsorted(upto, wanted), len(upto) - 1))


def bins_of(ends: np.ndarray, different: int) -> np.ndarray:
    """The bin of each rank, from the last ranks of the bins; `MISSING` for the rank after all of them."""
    bins = np.repeat(np.arange(len(ends), dtype=np.uint8), np.diff(ends, prepend=-1))
    return np.append(bins, np.full(different + 1 - len(bins), MISSING, np.uint8))


@dataclass(eq=False)
class _Desk:
    """Where one thread ranks one column after the other (`kernels/ranking.py`)."""

    column: np.ndarray
    keys: np.ndarray
    rows: np.ndarray
    rank: np.ndarray
    first_row: np.ndarray
    upto: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, n: int) -> _Desk:
        from openbook.forest.kernels.ranking import DIGITS, RADIX

        rank, first_row, upto = np.empty((3, n), np.uint32)
        return cls(np.empty(n), np.empty((2, n), np.uint64), np.empty((2, n), np.uint32), rank, first_row, upto,
                   np.empty((DIGITS, RADIX), np.uint32))  # fmt: skip

    def rank_values(self, column: np.ndarray) -> int:
        """Rank these values, into `rank`; returns how many are different."""
        from openbook.forest.kernels.ranking import rank_values

        self.column[:] = column
        bits = self.column.view(np.uint64)
        return int(
            rank_values(bits, self.keys[0], self.rows[0], self.keys[1], self.rows[1], self.counts, self.rank, self.first_row,
                        self.upto)
        )  # fmt: skip

    def value_of(self, rank: np.ndarray) -> np.ndarray:
        """The values that have these ranks."""
        return self.column[self.first_row[rank]]
