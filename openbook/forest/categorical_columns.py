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
        self.codes = np.array(
            [np.where(np.isnan(X[:, f]), count, X[:, f]) for f, count in self.levels.items()], np.uint16
        )
        self.begins = np.cumsum([0, *(count + 1 for count in self.levels.values())])
        self.rows = [
            np.bincount(codes, minlength=self.levels[f] + 1) for f, codes in zip(self.levels, self.codes, strict=True)
        ]

    def for_tree(self, outputs: Sequence[tuple[FixedPoint, int]], counts: np.ndarray | None) -> Columns:
        """The columns as a tree on these draws sees them (see `Bag.of`); they change with the next tree of the same thread.

        Ranks and bins of categories are those of the tree's own rows; of others they are anything.
        """
        bag = Bag.of(outputs, counts)
        found = bag.orders(self.codes, list(self.levels.values()), self.least)
        orders = dict(zip(self.levels, found, strict=True))
        columns = self._copy()
        if len(columns.values):
            for (f, order), codes in zip(orders.items(), self.codes, strict=True):
                columns.values[f] = placed(order, np.arange(len(order) + 1))[codes]
        else:
            self._rank(columns, orders, bag.rows)
        return replace(columns, orders=orders)

    def _rank(self, columns: Columns, orders: dict[int, np.ndarray], rows: np.ndarray) -> None:
        from openbook.forest.kernels.categories import rank_levels

        rank_of, bin_of = np.empty(self.begins[-1], np.uint32), np.empty(self.begins[-1], np.uint8)
        for (f, order), begin, end, held in zip(orders.items(), self.begins, self.begins[1:], self.rows, strict=False):
            by_place = np.argsort(order, kind="stable")[np.count_nonzero(order == UNSEEN) :]
            different = len(by_place)
            rank_of[begin:end] = different  # missing, and levels without a place
            rank_of[begin + by_place] = np.arange(different)
            ends = last_ranks(np.cumsum(held[by_place]))
            bin_of[begin:end] = bins_of(ends, different)[rank_of[begin:end]]
            columns.missing_rank[f] = different
            columns.bound(f, ends, np.asarray)
        rank_levels(self.codes, rows, np.array(list(orders)), self.begins, rank_of, bin_of, columns.rank, columns.bin)

    def _copy(self) -> Columns:
        """This thread's own columns; those of numbers never change in it."""
        if not hasattr(self.own, "columns"):
            changed = ("rank", "bin", "missing_rank", "first", "last", "values")
            self.own.columns = replace(self.shared, **{name: getattr(self.shared, name).copy() for name in changed})
        return self.own.columns
