"""Columns of which some are categories: ranked anew for each tree, by the order its own rows give their levels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise, starmap
from threading import local

import numpy as np

from openbook.forest.columns import MISSING, Columns, bins_of, last_ranks
from openbook.forest.orders import UNSEEN, Categories, Outputs

__all__ = ["CategoricalColumns"]


class CategoricalColumns:
    """What all trees of a forest share, and for each thread a copy in which the categories stand in its tree's order."""

    def __init__(self, shared: Columns, X: np.ndarray, levels: tuple[int, ...], least: int):
        self.shared, self.own, self.least = shared, local(), least
        self.features = np.flatnonzero(levels)
        self.categories = Categories.of(X[:, self.features].T, [levels[f] for f in self.features])
        self.rows = np.bincount(self.categories.stand.reshape(-1), minlength=self.categories.begins[-1])

    def for_tree(self, outputs: Outputs, counts: np.ndarray | None) -> Columns:
        """The columns as a tree sees them that has drawn each row `counts` times (None: once); they change with the next tree of
        the same thread.

        Ranks and bins of categories are those of the tree's own rows; of others they are anything.
        """
        weight = outputs[0][0].weight
        counts = np.ones(len(weight), np.int64) if counts is None else counts
        rows = np.flatnonzero(weight * counts != 0).astype(np.uint32)  # of flags, which is faster
        places = self.categories.places(outputs, rows, counts, self.least)
        columns = self._copy()
        if len(columns.values):
            values = np.where(places == UNSEEN, np.nan, places)
            for f, stand in zip(self.features, self.categories.stand, strict=True):
                columns.values[f] = values[stand]
        else:
            self._rank(columns, places, rows)
        return replace(columns, orders={f: places[own][:-1] for f, own in self._each()})

    def _each(self) -> Iterator[tuple[int, slice]]:
        """Each category's feature, and its part of the line of levels."""
        return zip(self.features.tolist(), starmap(slice, pairwise(self.categories.begins)), strict=True)

    def _rank(self, columns: Columns, places: np.ndarray, rows: np.ndarray) -> None:
        from openbook.forest.kernels.categories import rank_levels

        seen, begins = places != UNSEEN, self.categories.begins
        different = np.add.reduceat(seen, begins[:-1], dtype=np.int64)
        columns.missing_rank[self.features] = different
        rank_of = np.where(seen, places, np.repeat(different, np.diff(begins))).astype(np.uint32)
        bin_of = np.where(seen, places, MISSING).astype(np.uint8)
        for f, own in self._each():
            if own.stop - own.start > MISSING:
                bin_of[own] = self._bin(columns, f, places[own], self.rows[own])[rank_of[own]]
        rank_levels(self.categories.stand, rows, self.features, rank_of, bin_of, columns.rank, columns.bin)

    def _bin(self, columns: Columns, f: int, places: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """The bin of each rank where there may be more ranks than bins; `rows` says how many rows have each level."""
        by_place = np.argsort(places, kind="stable")[np.count_nonzero(places == UNSEEN) :]
        ends = last_ranks(np.cumsum(rows[by_place]))
        columns.bound(f, ends, np.asarray)
        return bins_of(ends, len(by_place))

    def _copy(self) -> Columns:
        """This thread's own columns; those of numbers never change in it."""
        if not hasattr(self.own, "columns"):
            changed = ("rank", "bin", "missing_rank", "first", "last", "values")
            columns = replace(self.shared, **{name: getattr(self.shared, name).copy() for name in changed})
            ranks = np.arange(MISSING)  # a bin each, where there are so few levels
            columns.first[self.features] = columns.last[self.features] = ranks
            self.own.columns = columns
        return self.own.columns
