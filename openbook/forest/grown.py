"""A tree as a kernel leaves it, and what is made of it: a `Tree`, or at once the packed tree that a forest keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.forest.columns import Columns
from openbook.forest.fixed import FixedPoint
from openbook.forest.kept import WORTH_PACKING, KeptTree, Levels
from openbook.forest.tree import Tree, tree_of

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
        nodes, threshold = self.nodes, self.thresholds(np.arange(len(self.nodes.left)))
        value, weight = self.fixed.values_of(nodes.sums, self.classes)
        return tree_of(nodes.feature, threshold, nodes.left, nodes.missing_left, self.gains(nodes.gain), nodes.rows, value,
                       weight, self.columns.orders)  # fmt: skip

    def kept(self) -> Tree | KeptTree:
        """The tree as a forest keeps it: packed, if it is large. Weights of classes and rows add up to those of the parent, for
        they are counted: so they are asked of leaves only."""
        nodes = self.nodes
        if len(nodes.left) < WORTH_PACKING:
            return self.tree()
        levels = Levels.of(nodes.left, nodes.left + 1)
        splits, leaves = levels.splits, levels.leaves
        value, weight = self.fixed.values_of(nodes.sums[leaves if self.classes else levels.order], self.classes)
        return KeptTree.packed(
            levels, nodes.feature[splits], self.thresholds(splits), nodes.missing_left[splits], self.gains(nodes.gain[splits]),
            value, None if self.classes else weight[~levels.inner], nodes.rows[leaves], self.columns.orders,
        )  # fmt: skip

    def thresholds(self, which: np.ndarray) -> np.ndarray:
        """Those of the nodes `which`; 0 for leaves."""
        if self.cuts is not None:
            return np.where(self.nodes.left[which] >= 0, self.cuts[which], 0.0)
        return self.columns.thresholds(self.nodes, which)

    def gains(self, counted: np.ndarray) -> np.ndarray:
        """What splits took off the weighted impurity, in units of the criterion."""
        return counted * self.fixed.weight_step / self.per_step
