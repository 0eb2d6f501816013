"""Prediction by ranks: where a value stands among the thresholds that a forest asks its feature about.

A decision then compares two small whole numbers; a node is one word instead of two, a row a quarter as wide, and the answer
the same to the last bit. A missing value has two ranks, to the right of all thresholds and to the left, in a column each: a
node asks the column that goes where it sends them. Of a category a row keeps the level, and each tree puts the place of it
into such a pair of columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from openbook.forest.cuts import Cuts

if TYPE_CHECKING:
    from openbook.forest.prediction import Levels, Walk

__all__ = ["Ranks"]

_MOST_THRESHOLDS = 65_534  # of one feature in one set: ranks have 16 bits, and the last is that of missing values
_MOST_COLUMNS = 6_553  # a node keeps ten times its column in 16 bits
_MISSING = 0xFFFF  # as kernels/ranked.py has it, which loads numba
_GROUPS = 1024  # of ten rows: fewer are not worth a call
_NONE = np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Ranks:
    """A forest as `kernels/ranked.py` walks it. Where a feature has more thresholds than there are ranks, the trees come in
    several `sets`, and each ranks the rows anew."""

    nodes: Nodes
    columns: Columns
    sets: list[Cuts]
    places: Places | None

    @classmethod
    def of(cls, walk: Walk) -> Ranks | None:
        """None where there are too many features for 16 bits, or too many thresholds of one in a single tree."""
        known, leaf = walk.levels, walk.is_leaf
        columns = Columns(walk.n_features, _NONE if known is None else known.features)
        if columns.count > _MOST_COLUMNS:
            return None
        feature = walk.feature.astype(np.uint16)
        rank = np.full(len(leaf), _MISSING, np.uint16)  # a leaf's: no code is above it
        category = ~leaf & np.isin(feature, columns.categories)
        # Places are counted from 1, so that a threshold below all of them has a rank.
        rank[category] = np.clip(np.floor(walk.thresholds[category]), -1, _MISSING - 3) + 1
        counted, sets = np.flatnonzero(~leaf & ~category), []
        ends = np.append(walk.starts, len(leaf)).astype(np.int64)
        for first, last in _shared_out(walk.starts, counted, feature[counted], walk.n_features):
            own = counted[slice(*np.searchsorted(counted, ends[[first, last]]))]
            different = _rank(rank, own[np.argsort(feature[own], kind="stable")], feature, walk)
            if max(map(len, different)) > _MOST_THRESHOLDS:
                return None
            sets.append(Cuts.of(first, last, different, known))
        nodes = Nodes(walk.child, rank, feature, ~leaf & walk.missing_left)
        return cls(nodes, columns, sets, None if known is None else Places.of(known))

    def add_up(self, X: np.ndarray, values: np.ndarray, walk: Walk, sums: np.ndarray) -> None:
        """Add to `sums` each row's `values` in the leaves of all trees, in their order."""
        from openbook.forest.kernels.ranked import LANES, walk_ranked

        codes = np.zeros((-(-len(X) // LANES), self.columns.usual, LANES), np.uint16)
        for cuts in self.sets:
            missing = _encode(X, cuts, codes)
            numbers = self.columns.numbers
            all_codes = np.concatenate([codes, codes[:, numbers] + np.uint16(1)], axis=1) if missing else codes
            own = slice(cuts.first, cuts.last)
            lookups = (None,) * 5 if self.places is None else self.places.of_trees(own, walk.n_features)
            nodes = self.with_missing if missing else self.without_missing
            walk_ranked(all_codes.reshape(len(codes), -1), len(X), nodes, walk.starts[own], walk.leaves.which, values, sums,
                        *lookups)  # fmt: skip

    @cached_property
    def without_missing(self) -> np.ndarray:
        return self.nodes.words(self.columns.right, self.columns.left_if_category)

    @cached_property
    def with_missing(self) -> np.ndarray:
        return self.nodes.words(self.columns.right, self.columns.left)


def _encode(X: np.ndarray, cuts: Cuts, codes: np.ndarray) -> bool:
    """Write the codes of these rows; whether any value is missing.

    A feature's values lie far from each other, so that each feature reads all of X. A cache keeps a block of rows; but with
    each block the thresholds are read again, so it has twice their size at least.
    """
    from openbook.forest.kernels.ranked import LANES, encode

    groups = max(_GROUPS, 2 * cuts.nbytes // max(1, LANES * X.itemsize * X.shape[1]))
    missing = False
    for group in range(0, len(codes), groups):
        rows, own = X[group * LANES : (group + groups) * LANES], codes[group : group + groups]
        missing |= encode(rows, cuts.cuts, cuts.begins, cuts.low, cuts.scale, cuts.grid, cuts.cells, own)
    return missing


@dataclass(frozen=True, eq=False)
class Nodes:
    """All that decisions need: the left child (the right one follows it), the rank of the threshold, the feature, whether
    missing values go left."""

    child: np.ndarray
    rank: np.ndarray
    feature: np.ndarray
    missing_left: np.ndarray

    def words(self, right: np.ndarray, left: np.ndarray) -> np.ndarray:
        """A word each: the child (32 bits), the rank (16), ten times the column (16). What missing values go left of is one
        rank higher in the column `left` of its feature; −1 means that it asks `right` all the same."""
        from openbook.forest.kernels.ranked import LANES

        column, rank = right[self.feature], self.rank.astype(np.uint64)
        moved = self.missing_left & (left >= 0)[self.feature]
        column[moved], rank[moved] = left[self.feature[moved]], rank[moved] + np.uint64(1)
        return self.child | (rank << np.uint64(32)) | (column.astype(np.uint64) * np.uint64(LANES) << np.uint64(48))


@dataclass(frozen=True, eq=False)
class Columns:
    """Where a row's codes stand: a column for each feature, two for the places of each category, and, in batches in which
    something is missing, a second one for each feature that is none."""

    features: int
    categories: np.ndarray

    @cached_property
    def numbers(self) -> np.ndarray:
        return np.setdiff1d(np.arange(self.features), self.categories)

    @property
    def usual(self) -> int:
        return self.features + 2 * len(self.categories)

    @property
    def count(self) -> int:
        return self.usual + len(self.numbers)

    @property
    def right(self) -> np.ndarray:
        found = np.arange(self.features)
        found[self.categories] = self.features + np.arange(len(self.categories))
        return found

    @property
    def left_if_category(self) -> np.ndarray:
        found = np.full(self.features, -1)
        found[self.categories] = self.features + len(self.categories) + np.arange(len(self.categories))
        return found

    @property
    def left(self) -> np.ndarray:
        found = self.left_if_category
        found[self.numbers] = self.usual + np.arange(len(self.numbers))
        return found


@dataclass(frozen=True, eq=False)
class Places:
    """The places of all levels in all trees, from 1 on, `MISSING` for a level without one. Tree t has those of category k from
    `begins[t, k]` on: for a code below 0, for each level, and, `ends[k]` entries further, for a code above all."""

    features: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    places: np.ndarray

    @classmethod
    def of(cls, levels: Levels) -> Places:
        ends = levels.most + 1
        offsets = np.cumsum([0, *(ends + 1)])
        places = np.full((len(levels.begins), offsets[-1]), _MISSING, np.uint16)
        for own, begins in zip(places, levels.begins, strict=True):
            for k, at in enumerate(offsets[:-1] + 1):
                order = levels.places[begins[k] : begins[k + 1]]
                own[at : at + len(order)] = np.where(np.isnan(order), _MISSING, np.nan_to_num(order) + 1)
        begins = offsets[:-1] + places.shape[1] * np.arange(len(places))[:, None]
        return cls(levels.features, begins, ends, places.reshape(-1))

    def of_trees(self, trees: slice, column: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
        return self.features, self.begins[trees], self.ends, self.places, column


def _shared_out(starts: np.ndarray, nodes: np.ndarray, feature: np.ndarray, features: int) -> Iterator[tuple[int, int]]:
    """The first and last tree of each set: as many as have no more splits of any feature than there are ranks."""
    trees = len(starts)
    tree = np.searchsorted(starts, nodes.astype(np.uint64), side="right") - 1
    splits = np.bincount(tree * features + feature, minlength=trees * features).reshape(trees, features)
    first = 0
    while first < trees:
        most = np.cumsum(splits[first:], axis=0).max(axis=1)
        last = first + max(1, int(np.searchsorted(most, _MOST_THRESHOLDS, side="right")))
        yield first, last
        first = last


def _rank(rank: np.ndarray, nodes: np.ndarray, feature: np.ndarray, walk: Walk) -> list[np.ndarray]:
    """Write down the ranks of the thresholds of these nodes, which come feature by feature; each feature's thresholds."""
    ends = np.cumsum(np.bincount(feature[nodes], minlength=walk.n_features))
    cuts = []
    for asked in np.split(nodes, ends)[: walk.n_features]:
        different, place = np.unique(walk.thresholds[asked], return_inverse=True)
        rank[asked] = np.minimum(place, _MISSING)
        cuts.append(different)
    return cuts
