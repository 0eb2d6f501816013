"""A tree as flat arrays, parents before children."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

import numpy as np

from openbook.errors import ModelError
from openbook.forest.orders import UNSEEN, placed
from openbook.record.brief import Brief
from openbook.record.hook import Explains

__all__ = ["LEAF", "Splits", "Tree", "Turn", "tree_of"]

LEAF = -1


@dataclass(frozen=True)
class Turn:
    """One decision on a row's way down: at which node, by which feature and threshold, and to which side."""

    node: int
    feature: int
    threshold: float
    value: float
    left: bool


@dataclass(frozen=True, eq=False, repr=False)
class Tree(Brief, Explains):
    """Node i sends a row left if `x[feature[i]] <= threshold[i]`, or if that entry is missing and `missing_left[i]`.

    `left` and `right` are the children (LEAF where there are none), both with larger numbers than their parent. `value`
    (nodes, classes) holds the weight of the training rows of each class, or (nodes, 1) their mean target; `weight` their
    total weight, `samples` how many different rows they are, `gain` what the split took off the weighted impurity. Several
    outputs stand side by side in `value`; under monotonic constraints it holds class shares within their bounds.

    A feature with an entry in `orders` is a category: x holds the code of its level, and the threshold is compared with
    `orders[feature][code]`, the level's place in this tree's order. Levels without a place (−1) go as missing values do.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    missing_left: np.ndarray
    value: np.ndarray
    weight: np.ndarray
    samples: np.ndarray
    gain: np.ndarray
    orders: Mapping[int, np.ndarray] = field(default_factory=dict, kw_only=True)

    def __len__(self) -> int:
        return len(self.feature)

    @property
    def is_leaf(self) -> np.ndarray:
        return self.left == LEAF

    @property
    def parents(self) -> np.ndarray:
        """The parent of each node; LEAF for the root."""
        parent = np.full(len(self), LEAF)
        inner = np.flatnonzero(~self.is_leaf)
        parent[self.left[inner]] = parent[self.right[inner]] = inner
        return parent

    @property
    def depth(self) -> int:
        """The number of decisions on the longest way down."""
        level = np.zeros(len(self), np.int64)
        for node in np.flatnonzero(~self.is_leaf):
            level[self.left[node]] = level[self.right[node]] = level[node] + 1
        return int(level.max(initial=0))

    @property
    def nbytes(self) -> int:
        """The memory its arrays take."""
        arrays = [*(getattr(self, name) for name in Tree._by_node()), *self.orders.values()]
        return sum(array.nbytes for array in arrays)

    # --- scikit-learn's names for the same arrays ------------------------------------------------------------------

    @property
    def children_left(self) -> np.ndarray:
        return self.left

    @property
    def children_right(self) -> np.ndarray:
        return self.right

    @property
    def missing_go_to_left(self) -> np.ndarray:
        return self.missing_left

    @property
    def n_node_samples(self) -> np.ndarray:
        return self.samples

    @property
    def weighted_n_node_samples(self) -> np.ndarray:
        return self.weight

    @property
    def node_count(self) -> int:
        return len(self)

    @property
    def n_leaves(self) -> int:
        return int(self.is_leaf.sum())

    @property
    def max_depth(self) -> int:
        return self.depth

    # --- use -------------------------------------------------------------------------------------------------------

    def validate(self, n_features: int) -> Tree:
        """Return the tree if a kernel may walk it; raise ModelError saying which array contradicts which."""
        n = len(self.feature)
        arrays = (self.threshold, self.left, self.right, self.missing_left, self.value, self.weight, self.samples)
        if n == 0 or any(len(a) != n for a in arrays):
            raise ModelError(
                "the arrays of a tree have different lengths", do="grow the tree again; the file is damaged"
            )
        own = np.arange(n)
        inner = ~self.is_leaf
        for name, child in (("left", self.left), ("right", self.right)):
            bad = inner & ((child <= own) | (child >= n))
            if bad.any():
                raise ModelError(f"node {int(np.argmax(bad))} has a {name} child that does not come after it")
        if (self.right[~inner] != LEAF).any():
            raise ModelError("a node has a right child but no left one")
        parents = np.bincount(self.left[inner], minlength=n) + np.bincount(self.right[inner], minlength=n)
        if (parents[1:] != 1).any():
            raise ModelError("a node has two parents, or none")
        bad = inner & ((self.feature < 0) | (self.feature >= n_features) | np.isnan(self.threshold))
        if bad.any():
            node = int(np.argmax(bad))
            raise ModelError(f"node {node} decides by feature {self.feature[node]} of {n_features}")
        if self.orders and not 0 <= min(self.orders) <= max(self.orders) < n_features:
            raise ModelError(f"there is a category that is none of {n_features} features")
        if not np.isfinite(self.value).all():
            raise ModelError(
                f"node {int(np.argmax(~np.isfinite(self.value).all(axis=1)))} has a value that is no number"
            )
        return self

    def side_by_side(self) -> Tree:
        """The same tree with every right child next after its left one (level by level, unless it is so already)."""
        inner = np.flatnonzero(~self.is_leaf)
        if np.array_equal(self.right[inner], self.left[inner] + 1):
            return self
        return self.by_level()

    @classmethod
    def _by_node(cls) -> tuple[str, ...]:
        """The arrays that have an entry for each node."""
        return tuple(f.name for f in fields(Tree) if f.name != "orders")

    def by_level(self) -> Tree:
        """The same tree with its nodes in the order of their depth, the two children of a node side by side."""
        levels, level = [], np.zeros(1, np.intp)
        while len(level):
            levels.append(level)
            split = level[self.left[level] != LEAF]
            level = np.column_stack([self.left[split], self.right[split]]).ravel()
        order = np.concatenate(levels)
        place = np.empty(len(self), np.int32)
        place[order] = np.arange(len(self))
        moved = {name: getattr(self, name)[order] for name in self._by_node()}
        for side in ("left", "right"):
            moved[side] = np.where(moved[side] == LEAF, LEAF, place[moved[side]]).astype(np.int32)
        return replace(self, **moved)

    def path(self, x: np.ndarray) -> tuple[list[Turn], int]:
        """The decisions one row passes, and the leaf it ends in."""
        node, turns = 0, []
        while self.left[node] != LEAF:
            feature = int(self.feature[node])
            value = self.asked(feature, float(x[feature]))
            left = bool(self.missing_left[node]) if np.isnan(value) else value <= self.threshold[node]
            turns.append(Turn(node, feature, float(self.threshold[node]), value, bool(left)))
            node = int(self.left[node] if left else self.right[node])
        return turns, node

    def asked(self, feature: int, value: float) -> float:
        """What a threshold is compared with: the value itself, or the place of a level."""
        return float(placed(self.orders[feature], np.array([value]))[0]) if feature in self.orders else value

    def categories(self, node: int) -> tuple[np.ndarray, np.ndarray]:
        """The codes of the levels that a node sends left and right; those the tree has not seen are in neither."""
        order = self.orders[int(self.feature[node])]
        left = order <= self.threshold[node]
        return np.flatnonzero(left & (order != UNSEEN)), np.flatnonzero(~left)

    def apply(self, X: np.ndarray) -> np.ndarray:
        """The leaf each row ends in (rows,)."""
        from openbook.forest.prediction import Walk, leaves_of  # which is made of trees

        return leaves_of(Walk.of([self], X.shape[1], ()), X)[:, 0]

    def decision_path(self, X: np.ndarray) -> Any:
        """Which nodes each row passes: a sparse matrix (rows, nodes) of ones."""
        from openbook.forest.paths import decision_paths

        return decision_paths([self], self.apply(X)[:, None])[0]

    def fractions(self, node: int) -> np.ndarray:
        """The share of each class among the training rows in a node."""
        return self.value[node] / self.value[node].sum()


class Splits(NamedTuple):
    """What nodes decide by, and what it gains; a leaf has no feature (LEAF), and 0 otherwise."""

    feature: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray
    gain: np.ndarray

    @classmethod
    def of(cls, size: int) -> Splits:
        """Room for so many."""
        return cls(np.empty(size, np.int32), np.empty(size), np.empty(size, np.bool_), np.empty(size))


def tree_of(
    splits: Splits, left: np.ndarray, rows: np.ndarray, value: np.ndarray, weight: np.ndarray, orders: Mapping[int, np.ndarray]
) -> Tree:  # fmt: skip
    """A grown tree, with its right children, which follow the left ones."""
    right = (left + (left != LEAF)).astype(np.int32, copy=False)
    return Tree(splits.feature, splits.threshold, left.copy(), right, splits.missing_left, value, weight,
                rows.astype(np.int64), splits.gain, orders=orders)  # fmt: skip
