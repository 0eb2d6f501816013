"""Which rows reach which node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.explain.trees.named import NamedTree
from openbook.forest import Tree
from openbook.forest.orders import placed

__all__ = ["Rows", "reaching", "rows_of"]


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows given: X (rows, features), the target as numbers (classes by their places) or None, how often each counts,
    and for every node which of them reach it. `trained` says whether the tree was grown on just as many in every node."""

    X: np.ndarray
    y: np.ndarray | None
    times: np.ndarray
    reached: list[np.ndarray]
    trained: bool
    orders: Mapping[int, np.ndarray]

    def values(self, node: int, feature: int) -> np.ndarray:
        """One feature of the rows that reach a node; of a category the places of its levels in the tree's order."""
        values = self.X[self.reached[node], feature]
        return placed(self.orders[feature], values) if feature in self.orders else values

    def targets(self, node: int) -> np.ndarray | None:
        return None if self.y is None else self.y[self.reached[node]]

    def counts(self, node: int) -> np.ndarray:
        """How often each of the node's rows counts."""
        return self.times[self.reached[node]]


def rows_of(named: NamedTree, X: Any, y: Any) -> Rows | None:
    """The rows and targets given for a tree; None where none are given."""
    if X is None:
        if y is not None:
            raise InputError("y is given without X", where="y", do="pass X= too: the rows that these targets belong to")
        return None
    table = named.names.table(X)
    target = None if y is None else named.names.target(y, len(table))
    if not len(table):
        raise InputError("X has no rows", where="X", do="pass the rows the model was fitted on")
    if named.drawn is not None and len(named.drawn) <= len(table):
        own = _counting(named.tree, table, target, np.pad(named.drawn, (0, len(table) - len(named.drawn))))
        if own.trained:
            return own
    return _counting(named.tree, table, target, np.ones(len(table), np.int64))


def _counting(tree: Tree, table: np.ndarray, target: np.ndarray | None, times: np.ndarray) -> Rows:
    """The rows of a table, each as often as `times` says; those of no times are left out."""
    reached = reaching(tree, table, np.flatnonzero(times))
    return Rows(table, target, times, reached, [len(rows) for rows in reached] == tree.samples.tolist(),
                tree.orders)  # fmt: skip


def reaching(tree: Tree, X: np.ndarray, among: np.ndarray) -> list[np.ndarray]:
    """For every node, which of the rows `among` pass it."""
    reached = [among] + [among[:0]] * (len(tree) - 1)
    for node in np.flatnonzero(~tree.is_leaf):
        rows = reached[node]
        feature = int(tree.feature[node])
        values = X[rows, feature]
        if feature in tree.orders:
            values = placed(tree.orders[feature], values)
        left = np.where(np.isnan(values), tree.missing_left[node], values <= tree.threshold[node])
        reached[tree.left[node]], reached[tree.right[node]] = rows[left], rows[~left]
    return reached
