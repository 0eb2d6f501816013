"""A tree as a kernel leaves it, and what is made of it: a `Tree`, or at once the packed tree that a forest keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.forest.columns import Columns
from openbook.forest.fixed import FixedPoint
from openbook.forest.kept import WORTH_PACKING, KeptTree, Levels
from openbook.forest.tree import Splits, Tree, tree_of

__all__ = ["Grown"]


@dataclass(frozen=True, eq=False)
class Grown:
    """The nodes of a tree (`kernels/room.py: Nodes`), until the next one overwrites them.

    Sums count `fixed`'s steps, of `classes` classes or (0) of numbers; `per_step` units of gain make one of the criterion's own.
    `cuts` are the thresholds of splits where these are random, else None: then they lie between rows or bins of `columns`.
    """

    nodes: Any
    fixed: FixedPoint
    classes: int
    per_step: float
    columns: Columns
    cuts: np.ndarray | None = None

    def tree(self) -> Tree:
        """The tree, with its nodes in the order in which they were made."""
        nodes = self.nodes
        splits = self.splits(np.arange(len(nodes.left)))
        value, weight = self.fixed.values_of(nodes.sums, self.classes)
        return tree_of(splits, nodes.left, nodes.rows, value, weight, self.columns.orders)

    def kept(self) -> Tree | KeptTree:
        """The tree as a forest keeps it: packed, if it is large. Weights of classes and rows add up to those of the parent, for
        they are counted: so they are asked of leaves only."""
        nodes = self.nodes
        if len(nodes.left) < WORTH_PACKING:
            return self.tree()
        levels = Levels.of(nodes.left, nodes.left + 1)
        splits = self.splits(levels.splits)
        sums = nodes.sums.take(levels.leaves if self.classes else levels.order, axis=0)
        value, weight = self.fixed.values_of(sums, self.classes)
        return KeptTree.packed(
            levels, splits, value,
            None if self.classes else weight[~levels.inner], nodes.rows.take(levels.leaves), self.columns.orders,
        )  # fmt: skip

    def splits(self, which: np.ndarray) -> Splits:
        """The decisions of the nodes `which`."""
        return self.columns.splits_of(self.nodes, which, self.fixed.weight_step, self.per_step, self.cuts)
