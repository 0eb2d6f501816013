"""From a table and a target to trees: fixed-point weights, bootstrap samples, one thread for each tree."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from openbook.forest.columns import Columns
from openbook.forest.tree import Tree

__all__ = ["CRITERIA", "FixedPoint", "Growth", "Target", "grow_forest", "tree_of"]

CRITERIA = {"gini": 0, "entropy": 1, "log_loss": 1, "squared_error": 2}
_FINEST = 2**30  # fixed-point steps in the largest weight, where weights are not whole numbers


@dataclass(frozen=True, eq=False)
class Target:
    """What is learnt, and each row's weight: classes as 0 … K−1, or numbers (`classes` = 0)."""

    y: np.ndarray
    weight: np.ndarray
    classes: int


@dataclass(frozen=True)
class Growth:
    """How far a tree may grow; scikit-learn's parameters, resolved to numbers."""

    criterion: int
    max_depth: int
    min_samples_split: int
    min_samples_leaf: int
    min_weight_leaf: float
    max_features: int
    min_impurity_decrease: float


def grow_forest(
    X: np.ndarray,
    target: Target,
    growth: Growth,
    samples: Sequence[np.ndarray | None],
    seeds: Sequence[int],
    threads: int = 1,
    callback: Callable[[int, int], None] | None = None,
) -> list[Tree]:
    """Grow one tree for each entry of `samples`: how often each row was drawn (None: each once).

    The trees depend on the seeds only, not on the number of threads. `callback(done, of)` is called after each tree.
    """
    columns = Columns.of(X)
    fixed = FixedPoint.of(target)
    arrays = (columns.rank, columns.bin, columns.values, columns.start, columns.last_rank, columns.used)

    def one(index: int) -> Tree:
        return _grow_one(arrays, target, fixed, growth, samples[index], seeds[index])

    trees: list[Tree] = []
    with ThreadPoolExecutor(max(1, min(threads, len(seeds)))) as pool:
        for tree in pool.map(one, range(len(seeds))):
            trees.append(tree)
            if callback is not None:
                callback(len(trees), len(seeds))
    return trees


@dataclass(frozen=True, eq=False)
class FixedPoint:
    """Weights and weighted targets as whole numbers, so that sums do not depend on the order of adding."""

    code: np.ndarray  # class, or rank of the target
    weight: np.ndarray
    weighted: np.ndarray
    weight_step: float
    target_step: float
    middle: float

    @classmethod
    def of(cls, target: Target) -> FixedPoint:
        whole = bool(np.all(target.weight == np.round(target.weight))) and target.weight.max(initial=0) < 2**20
        step = 1.0 if whole else float(target.weight.max()) / _FINEST
        weight = np.round(target.weight / step).astype(np.int64)
        if target.classes:
            empty = np.zeros(1, np.int64)
            return cls(target.y.astype(np.int64), weight, empty, step, 1.0, 0.0)
        middle = float(np.average(target.y, weights=weight)) if weight.any() else 0.0
        centred = weight * (target.y - middle)
        # Bootstrap counts multiply single rows; 2⁵⁶ leaves room for 63 of each.
        largest = float(np.sum(np.abs(centred)))
        target_step = largest / 2.0**56 if largest > 0 else 1.0
        code = np.unique(target.y, return_inverse=True)[1].astype(np.int64)
        return cls(code, weight, np.round(centred / target_step).astype(np.int64), step, target_step, middle)

    def per_step(self, target: Target, criterion: int) -> float:
        """How many units of the kernel's impurity make one of the criterion's own (bits, squared targets)."""
        if criterion == CRITERIA["entropy"]:
            return math.log(2.0)
        return 1.0 if target.classes else 1.0 / self.target_step**2


def _grow_one(
    columns: tuple[np.ndarray, ...],
    target: Target,
    fixed: FixedPoint,
    growth: Growth,
    counts: np.ndarray | None,
    seed: int,
) -> Tree:
    from openbook.forest.grow import grow_tree

    weight, weighted = fixed.weight, fixed.weighted
    if counts is not None:
        weight = weight * counts
        weighted = weighted if target.classes else weighted * counts
    order = np.flatnonzero(weight > 0).astype(np.int32)
    total = float(weight.sum()) * fixed.weight_step
    feature, threshold, left, right, missing_left, gain, sums = grow_tree(
        columns, order, fixed.code, weight, weighted, target.classes + 1 if target.classes else 3, np.uint64(seed),
        growth.criterion, growth.max_depth, growth.min_samples_split, growth.min_samples_leaf,
        np.int64(np.ceil(growth.min_weight_leaf * total / fixed.weight_step)), growth.max_features,
        growth.min_impurity_decrease * fixed.per_step(target, growth.criterion),
    )  # fmt: skip
    return tree_of(feature, threshold, left, right, missing_left, gain, sums, fixed, target, growth.criterion)


def tree_of(
    feature: np.ndarray, threshold: np.ndarray, left: np.ndarray, right: np.ndarray, missing_left: np.ndarray,
    gain: np.ndarray, sums: np.ndarray, fixed: FixedPoint, target: Target, criterion: int,
) -> Tree:  # fmt: skip
    """The arrays of a grown tree, with sums and gains in the units people gave."""
    value, weight = _values(sums, fixed, target.classes)
    return Tree(
        feature.copy(), threshold.copy(), left.copy(), right.copy(), missing_left.copy(), value, weight,
        sums[:, -1].copy(), gain * fixed.weight_step / fixed.per_step(target, criterion),
    )  # fmt: skip


def _values(sums: np.ndarray, fixed: FixedPoint, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Class weights, or means, of every node; and its total weight."""
    if classes:
        value = sums[:, :classes] * fixed.weight_step
        return value, value.sum(axis=1)
    weight = sums[:, 0].astype(np.float64)
    mean = fixed.middle + (sums[:, 1] / weight) * fixed.target_step
    return mean[:, None], weight * fixed.weight_step
