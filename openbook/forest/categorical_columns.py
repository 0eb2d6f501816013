"""Columns of which some are categories: ranked anew for each tree, by the order its own rows give their levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from threading import local

import numpy as np

from openbook.forest.columns import Columns, bins_of, last_ranks
from openbook.forest.fixed import FixedPoint
from openbook.forest.orders import UNSEEN, Bag, placed

__all__ = ["CategoricalColumns"]


class CategoricalColumns:
    """What all trees of a forest share, and for each thread a copy in which the categories stand in its tree's order."""

    def __init__(self, shared: Columns, X: np.ndarray, levels: tuple[int, ...], least: int):
        self.shared, self.own, self.least = shared, local(), least
        self.levels = {f: count for f, count in enumerate(levels) if count}
        self.codes = {
            f: np.where(np.isnan(X[:, f]), count, X[:, f]).astype(np.intp) for f, count in self.levels.items()
        }
        self.rows = {f: np.bincount(self.codes[f], minlength=count + 1)[:count] for f, count in self.levels.items()}

    def for_tree(self, outputs: Sequence[tuple[FixedPoint, int]], counts: np.ndarray | None) -> Columns:
        """The columns as a tree on these draws sees them (see `Bag.of`); they change with the next tree of the same thread."""
        bag = Bag.of(outputs, counts)
        orders = {f: bag.order(self.codes[f], count, self.least) for f, count in self.levels.items()}
        columns = self._copy()
        for f, order in orders.items():
            if len(columns.values):
                columns.values[f] = placed(order, np.arange(len(order) + 1))[self.codes[f]]
            else:
                self._rank(columns, f, order)
        return replace(columns, orders=orders)

    def _rank(self, columns: Columns, f: int, order: np.ndarray) -> None:
        seen = np.flatnonzero(order != UNSEEN)
        different = len(seen)
        counts = np.empty(different, np.int64)
        counts[order[seen]] = self.rows[f][seen]
        ends = last_ranks(np.cumsum(counts))
        rank = np.append(np.where(order == UNSEEN, different, order), different).astype(np.uint32)
        columns.rank[:, f] = rank[self.codes[f]]
        columns.bin[f] = bins_of(ends, different)[rank][self.codes[f]]
        columns.missing_rank[f] = different
        columns.bound(f, ends, np.asarray)

    def _copy(self) -> Columns:
        """This thread's own columns; those of numbers never change in it."""
        if not hasattr(self.own, "columns"):
            changed = ("rank", "bin", "missing_rank", "first", "last", "values")
            self.own.columns = replace(self.shared, **{name: getattr(self.shared, name).copy() for name in changed})
        return self.own.columns
