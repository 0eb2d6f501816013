"""A single tree as scikit-learn's `tree_` shows one: with the impurity of every node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from openbook.forest.impurities import class_impurities, number_errors
from openbook.forest.prediction import Walk, leaves_of
from openbook.forest.training import Target
from openbook.forest.tree import Tree

__all__ = ["MeasuredTree"]


@dataclass(frozen=True, eq=False)
class MeasuredTree(Tree):
    """A tree that also knows the `impurity` of its nodes, in the criterion's own units, on average over the outputs."""

    impurity: np.ndarray
    n_features: int
    n_classes: np.ndarray

    @classmethod
    def _by_node(cls) -> tuple[str, ...]:
        return (*super()._by_node(), "impurity")

    @classmethod
    def of(cls, tree: Tree, criterion: str, X: Any, targets: Sequence[Target]) -> MeasuredTree:
        """From the rows the tree was grown from."""
        widths = tuple(target.classes for target in targets if target.classes)
        if widths:
            return cls.knowing(tree, class_impurities(criterion, tree.value, widths), X.shape[1], widths)
        leaves = leaves_of(Walk.of([tree], X.shape[1], ()), X)[:, 0]
        each = [_spread(tree, criterion, leaves, t, o) for o, t in enumerate(targets)]
        return cls.knowing(tree, np.mean(each, axis=0), X.shape[1], widths)

    @classmethod
    def knowing(cls, tree: Tree, impurity: np.ndarray, n_features: int, widths: tuple[int, ...]) -> MeasuredTree:
        """The tree with the impurity of its nodes; `widths` says how many classes each output has, nothing for numbers."""
        known = {f.name: getattr(tree, f.name) for f in fields(Tree)}
        n_classes = np.array(widths or (1,) * tree.value.shape[1])
        return cls(**known, impurity=impurity, n_features=n_features, n_classes=n_classes)

    @property
    def n_outputs(self) -> int:
        return len(self.n_classes)

    @property
    def max_n_classes(self) -> int:
        return int(self.n_classes.max())


def _spread(tree: Tree, criterion: str, leaves: np.ndarray, target: Target, output: int) -> np.ndarray:
    """For every node the mean error of its rows around its value: level by level from the leaves up."""
    total, at, rows, parents = np.zeros(len(tree)), leaves, np.arange(len(leaves)), tree.parents
    while len(rows):
        errors = number_errors(criterion, target.y[rows], tree.value[at, output])
        total += np.bincount(at, errors * target.weight[rows], len(tree))
        at = parents[at]
        rows, at = rows[at >= 0], at[at >= 0]
    return total / tree.weight
