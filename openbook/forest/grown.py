"""Trees as a kernel leaves them, and what is made of them: `Tree`s, or at once the packed trees that a forest keeps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from openbook.forest.columns import Columns
from openbook.forest.fixed import FixedPoint
from openbook.forest.kept import WORTH_PACKING, KeptTree, Levels
from openbook.forest.tree import Splits, Tree, tree_of

__all__ = ["Grown", "Kept"]

Kept = list[Tree | KeptTree]


@dataclass(frozen=True, eq=False)
class Grown:
    """The nodes of trees (`kernels/room.py: Nodes`), each up to its place in `ends`, until the next ones overwrite them.

    Sums count `fixed`'s steps, of `classes` classes or (0) of numbers; `per_step` units of gain make one of the criterion's own.
    `cuts` are the thresholds of splits where these are random, else None: then they lie between rows or bins of `columns`.
    """

    nodes: Any
    ends: list[int]
    fixed: FixedPoint
    classes: int
    per_step: float
    columns: Columns
    cuts: np.ndarray | None = None

    def trees(self) -> Kept:
        """The trees, with their nodes in the order in which they were made."""
        nodes = self.nodes
        splits = self.splits(np.arange(len(nodes.left)))
        value, weight = self.fixed.values_of(nodes.sums, self.classes)
        whole = tree_of(splits, nodes.left, nodes.rows, value, weight, self.columns.orders)
        arrays = [getattr(whole, name) for name in Tree._by_node()]
        return [Tree(*[a[begin:end] for a in arrays], orders=whole.orders) for begin, end in self._spans()]

    def kept(self) -> Kept:
        """The trees as a forest keeps them: packed, if they are large."""
        if max(end - begin for begin, end in self._spans()) < WORTH_PACKING:
            return self.trees()
        if len(self.ends) == 1:
            return [self._packed()]
        return [tree for one in self._each() for tree in one.kept()]

    def splits(self, which: np.ndarray) -> Splits:
        """The decisions of the nodes `which`."""
        return self.columns.splits_of(self.nodes, which, self.fixed.weight_step, self.per_step, self.cuts)

    def _spans(self) -> Iterator[tuple[int, int]]:
        """Where each tree begins and ends."""
        return pairwise([0, *self.ends])

    def _each(self) -> Iterator[Grown]:
        """Every tree by itself."""
        for begin, end in self._spans():
            nodes = type(self.nodes)(*(array[begin:end] for array in self.nodes))
            cuts = None if self.cuts is None else self.cuts[begin:end]
            yield replace(self, nodes=nodes, ends=[end - begin], cuts=cuts)

    def _packed(self) -> KeptTree:
        """The only tree, packed. Weights of classes and rows add up to those of the parent, for they are counted: so they are
        asked of leaves only."""
        nodes = self.nodes
        levels = Levels.of(nodes.left, nodes.left + 1)
        splits = self.splits(levels.splits)
        sums = nodes.sums.take(levels.leaves if self.classes else levels.order, axis=0)
        value, weight = self.fixed.values_of(sums, self.classes)
        return KeptTree.packed(
            levels, splits, value,
            None if self.classes else weight[~levels.inner], nodes.rows.take(levels.leaves), self.columns.orders,
        )  # fmt: skip
