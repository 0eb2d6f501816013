"""From a table and a target to trees: records of rows, bootstrap samples, one thread for each tree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.forest.columns import Columns
from openbook.forest.fixed import CRITERIA, FixedPoint, Target
from openbook.forest.tree import LEAF, Tree

__all__ = ["CRITERIA", "FixedPoint", "Growth", "Target", "grow_forest", "tree_of"]

_TERMS = 2**16  # of w ln w are looked up, further ones computed
Sample = Callable[[int], "np.ndarray | None"]


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
    random: bool = False  # one random threshold for each drawn feature, instead of the best


def grow_forest(
    X: np.ndarray,
    target: Target,
    growth: Growth,
    sample: Sample,
    seeds: Sequence[int],
    threads: int = 1,
    callback: Callable[[int, int], None] | None = None,
) -> list[Tree]:
    """Grow one tree for each seed; `sample(seed)` says how often each row was drawn for it (None: each once).

    The trees depend on the seeds only, not on the number of threads. `callback(done, of)` is called after each tree.
    """
    grower = _Grower(X, target, growth, threads)

    def one(seed: int) -> Tree:
        return grower.grow(sample(seed), seed)

    trees: list[Tree] = []
    with ThreadPoolExecutor(max(1, min(threads, len(seeds)))) as pool:
        for tree in pool.map(one, seeds):
            trees.append(tree)
            if callback is not None:
                callback(len(trees), len(seeds))
    return trees


class _Grower:
    """What all trees of a forest share."""

    def __init__(self, X: np.ndarray, target: Target, growth: Growth, threads: int = 1):
        self.target, self.growth = target, growth
        # Random thresholds need the values themselves, the best ones their ranks and bins.
        self.by_column = np.ascontiguousarray(X.T) if growth.random else np.empty((0, 0))
        self.columns = Columns.of(X[:0] if growth.random else X, threads)
        self.shape = X.shape
        self.fixed = fixed = FixedPoint.of(target)
        self.scale, self.terms = 1.0, np.zeros(1, np.int64)
        if growth.criterion == CRITERIA["entropy"]:
            self.scale = fixed.term_scale
            self.terms = np.array([fixed.term(w) for w in range(min(_TERMS, fixed.heaviest + 1))], np.int64)
        self.packed = 0 < target.classes <= 2 and fixed.exact
        self.classes = target.classes if target.classes > 2 else None

    def records(self, counts: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """The rows of one tree, what they weigh, and their parts (`kernels/rows.py`, `kernels/grow.py`)."""
        weight = self.fixed.weight if counts is None else self.fixed.weight * counts
        rows = np.flatnonzero(weight).astype(np.uint32)
        values = weight[rows].astype(np.uint64)
        code = self.fixed.code[rows]
        if self.classes:
            return rows, (values << 28) | (code.astype(np.uint64) << 12), None
        if self.packed:
            return rows, (values << 12) | np.where(code == 1, values << 38, np.uint64(0)), None
        if self.target.classes:
            parts = np.where(code == 1, weight[rows], 0)
        else:
            parts = self.fixed.weighted[rows] if counts is None else self.fixed.weighted[rows] * counts[rows]
        return rows, values << 12, parts

    def grow(self, counts: np.ndarray | None, seed: int) -> Tree:
        from openbook.forest.kernels.grow import grow_tree
        from openbook.forest.kernels.random_cuts import grow_random
        from openbook.forest.kernels.room import Nodes, Room
        from openbook.forest.kernels.rows import EXACT_BELOW

        growth, fixed, columns = self.growth, self.fixed, self.columns
        rows, values, parts = self.records(counts)
        width = self.classes or 2
        n, d = self.shape
        nodes, room = Nodes.of(max(2 * len(rows) - 1, 1), width), Room.of(d, n, len(rows), width, growth.random)
        spare = np.empty_like(rows), np.empty_like(values), _like(parts, len(rows))
        few = [a for _ in range(2) for a in (np.empty(EXACT_BELOW, np.uint64), _like(parts, EXACT_BELOW))]
        total = float(fixed.weight.sum() if counts is None else np.dot(fixed.weight, counts))
        limits = np.array([
            growth.min_samples_leaf, np.ceil(growth.min_weight_leaf * total), growth.min_samples_split, growth.max_depth,
            growth.max_features, fixed.exact,
        ], np.int64)  # fmt: skip
        decrease = growth.min_impurity_decrease * fixed.per_step(self.target, growth.criterion)
        if growth.random:
            cuts = np.zeros(len(nodes.low))
            count = grow_random(
                self.by_column, rows, values, parts, spare[0], spare[1], spare[2], fixed.code, self.classes, np.uint64(seed),
                limits, decrease, growth.criterion, self.terms, self.scale, nodes, cuts, room,
            )  # fmt: skip
            return self.tree(Nodes(*(a[:count] for a in nodes)), cuts[:count].copy())
        count = grow_tree(
            columns.rank, columns.bin, columns.missing_rank, rows, values, parts, spare[0], spare[1], spare[2],
            few[0], few[1], few[2], few[3], fixed.code, self.classes,
            np.uint64(seed), limits, decrease,
            growth.criterion, self.terms, self.scale, nodes, room,
        )  # fmt: skip
        grown = Nodes(*(a[:count] for a in nodes))
        threshold = np.zeros(count)
        inner = np.flatnonzero(grown.left >= 0)
        threshold[inner] = columns.thresholds(grown.feature[inner], grown.low[inner], grown.high[inner])
        return self.tree(grown, threshold)

    def tree(self, grown: Any, threshold: np.ndarray) -> Tree:
        return tree_of(grown.feature, threshold, grown.left, grown.missing_left, grown.gain, grown.rows, grown.sums,
                       self.fixed, self.target, self.growth.criterion)  # fmt: skip


def _like(parts: np.ndarray | None, size: int) -> np.ndarray | None:
    return None if parts is None else np.empty(size, np.int64)


def tree_of(
    feature: np.ndarray, threshold: np.ndarray, left: np.ndarray, missing_left: np.ndarray, gain: np.ndarray,
    rows: np.ndarray, sums: np.ndarray, fixed: FixedPoint, target: Target, criterion: int,
) -> Tree:  # fmt: skip
    """The arrays of a grown tree, with sums and gains in the units people gave; the right child follows the left one."""
    value, weight = fixed.values_of(sums, target.classes)
    right = np.where(left == LEAF, LEAF, left + 1).astype(np.int32)
    return Tree(
        feature.copy(), threshold, left.copy(), right, missing_left.copy(), value, weight, rows.astype(np.int64),
        gain * fixed.weight_step / fixed.per_step(target, criterion),
    )  # fmt: skip
