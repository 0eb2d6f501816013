"""From a table and a target to trees: records of rows, bootstrap samples, one thread for each tree."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Event
from typing import Any

import numpy as np

from openbook.forest.categorical_columns import CategoricalColumns
from openbook.forest.columns import Columns
from openbook.forest.fixed import CRITERIA, FixedPoint, Target
from openbook.forest.tree import LEAF, Tree

__all__ = ["CRITERIA", "FixedPoint", "Growth", "Sample", "Target", "columns_of", "grow_forest", "grow_trees", "terms_of",
           "tree_of"]  # fmt: skip

_LISTED = 3  # where one in so many features is tried, rows are kept in the order of each
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
    monotonic: tuple[int, ...] = ()  # by feature: 1 the prediction may only rise with it, -1 only fall, 0 anything
    levels: tuple[
        int, ...
    ] = ()  # by feature: how many levels a category has, 0 for numbers; empty where all are numbers
    min_samples_level: int = 1  # rows: levels of which a tree has fewer go where missing values go

    def limits(self, weight: float, exact: bool) -> np.ndarray:
        """As kernels read them (`kernels/nodes.py`), for rows of this weight."""
        return np.array([
            self.min_samples_leaf, np.ceil(self.min_weight_leaf * weight), self.min_samples_split, self.max_depth,
            self.max_features, exact,
        ], np.int64)  # fmt: skip


def grow_forest(
    X: Any,
    targets: Target | Sequence[Target],
    growth: Growth,
    sample: Sample,
    seeds: Sequence[int],
    threads: int = 1,
) -> list[Tree]:
    """Grow one tree for each seed (`grow_trees`), all of them."""
    return list(grow_trees(X, targets, growth, sample, seeds, threads))


def grow_trees(
    X: Any,
    targets: Target | Sequence[Target],
    growth: Growth,
    sample: Sample,
    seeds: Sequence[int],
    threads: int = 1,
) -> Generator[Tree, None, None]:
    """Grow one tree for each seed; the trees depend on the seeds only, not on the number of threads.

    X (rows, features) is dense, or sparse by columns. `sample(seed)` says how often each row was drawn for a tree: whole
    numbers; or real weights, in place of the targets' own; or None, each once. Whoever stops asking gets no further trees.
    """
    grower = _grower(X, targets, growth, threads)
    enough = Event()

    def one(seed: int) -> Tree | None:
        return None if enough.is_set() else grower.grow(sample(seed), seed)

    with ThreadPoolExecutor(max(1, min(threads, len(seeds)))) as pool:
        try:
            yield from pool.map(one, seeds)  # type: ignore[misc]  # None comes only after the last tree asked for
        finally:
            enough.set()


def _grower(X: Any, targets: Target | Sequence[Target], growth: Growth, threads: int) -> Any:
    several = (targets,) if isinstance(targets, Target) else tuple(targets)
    fast = growth.criterion <= CRITERIA["squared_error"] and not growth.monotonic
    if len(several) == 1 and fast:
        return _Grower(X, several[0], growth, threads)
    from openbook.forest.general import GeneralGrower

    return GeneralGrower(X, several, growth, threads)


@dataclass(frozen=True, eq=False)
class _Weighed:
    """A target in fixed point, and which records its rows make."""

    fixed: FixedPoint
    terms: np.ndarray | None  # None: another criterion
    scale: float
    packed: bool

    @classmethod
    def of(cls, target: Target, criterion: int) -> _Weighed:
        fixed = FixedPoint.of(target)
        terms, scale = terms_of(fixed, criterion) if criterion == CRITERIA["entropy"] else (None, 1.0)
        return cls(fixed, terms, scale, 0 < target.classes <= 2 and fixed.exact)


class _Grower:
    """What all trees of a forest share."""

    def __init__(self, X: Any, target: Target, growth: Growth, threads: int):
        self.target, self.growth = target, growth
        self.columns_for = columns_of(X, growth, threads)
        self.shape = X.shape
        self.weighed = _Weighed.of(target, growth.criterion)
        self.classes = target.classes if target.classes > 2 else None

    def records(self, weighed: _Weighed, counts: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """The rows of one tree, what they weigh, and their parts (`kernels/rows.py`, `kernels/grow.py`)."""
        fixed = weighed.fixed
        weight = fixed.weight if counts is None else fixed.weight * counts
        rows = np.flatnonzero(weight).astype(np.uint32)
        values = weight[rows].astype(np.uint64)
        code = fixed.code[rows]
        if self.classes:
            return rows, (values << 28) | (code.astype(np.uint64) << 12), None
        if weighed.packed:
            return rows, (values << 12) | np.where(code == 1, values << 38, np.uint64(0)), None
        if self.target.classes:
            parts = np.where(code == 1, weight[rows], 0)
        else:
            parts = fixed.weighted[rows] if counts is None else fixed.weighted[rows] * counts[rows]
        return rows, values << 12, parts

    def grow(self, drawn: np.ndarray | None, seed: int) -> Tree:
        if drawn is not None and drawn.dtype.kind == "f":
            weighed = _Weighed.of(replace(self.target, weight=drawn), self.growth.criterion)
            return self.grown(weighed, None, seed)
        return self.grown(self.weighed, drawn, seed)

    def grown(self, weighed: _Weighed, counts: np.ndarray | None, seed: int) -> Tree:
        from openbook.forest.kernels.grow import grow_tree
        from openbook.forest.kernels.lists import Lists
        from openbook.forest.kernels.random_cuts import grow_random
        from openbook.forest.kernels.room import Nodes, Room
        from openbook.forest.kernels.rows import EXACT_BELOW

        growth, fixed = self.growth, weighed.fixed
        columns = self.columns_for([(fixed, self.target.classes)], counts)
        rows, values, parts = self.records(weighed, counts)
        width = self.classes or 2
        n, d = self.shape
        nodes, room = Nodes.of(max(2 * len(rows) - 1, 1), width), Room.of(d, n, len(rows), width, growth.random)
        spare = np.empty_like(rows), np.empty_like(values), _like(parts, len(rows))
        few = [a for _ in range(2) for a in (np.empty(EXACT_BELOW, np.uint64), _like(parts, EXACT_BELOW))]
        total = float(fixed.weight.sum() if counts is None else np.dot(fixed.weight, counts))
        limits = growth.limits(total, fixed.exact)
        decrease = growth.min_impurity_decrease * fixed.per_step(self.target, growth.criterion)
        if growth.random:
            cuts = np.zeros(len(nodes.low))
            count = grow_random(
                columns.values, rows, values, parts, spare[0], spare[1], spare[2], fixed.code, self.classes, np.uint64(seed),
                limits, decrease, growth.criterion, weighed.terms, weighed.scale, nodes, cuts, room,
            )  # fmt: skip
            return self.tree(fixed, Nodes(*(a[:count] for a in nodes)), cuts[:count].copy(), columns)
        lists = Lists.of(d) if self.classes is None and _LISTED * growth.max_features >= d else None
        count = grow_tree(
            lists, columns.rank, columns.bin, columns.missing_rank, rows, values, parts, spare[0], spare[1], spare[2],
            few[0], few[1], few[2], few[3], fixed.code, self.classes,
            np.uint64(seed), limits, decrease,
            growth.criterion, weighed.terms, weighed.scale, nodes, room,
        )  # fmt: skip
        grown = Nodes(*(a[:count] for a in nodes))
        return self.tree(fixed, grown, columns.thresholds_of(grown), columns)

    def tree(self, fixed: FixedPoint, grown: Any, threshold: np.ndarray, columns: Columns) -> Tree:
        value, weight = fixed.values_of(grown.sums, self.target.classes)
        gain = grown.gain * fixed.weight_step / fixed.per_step(self.target, self.growth.criterion)
        return tree_of(grown.feature, threshold, grown.left, grown.missing_left, gain, grown.rows, value, weight,
                       columns.orders)  # fmt: skip


def columns_of(X: Any, growth: Growth, threads: int) -> Callable[..., Columns]:
    """The columns that a tree is grown from, by its outputs and draws: the same for all, unless there are categories."""
    columns = Columns.for_growing(X, growth.random, threads)
    if not any(growth.levels):
        return lambda outputs, counts: columns
    return CategoricalColumns(columns, X, growth.levels, growth.min_samples_level).for_tree


def terms_of(fixed: FixedPoint, criterion: int) -> tuple[np.ndarray, float]:
    """w ln w to look up, and how finely it is counted; for the entropy only."""
    if criterion != CRITERIA["entropy"]:
        return np.zeros(1, np.int64), 1.0
    terms = np.array([fixed.term(w) for w in range(min(_TERMS, fixed.heaviest + 1))], np.int64)
    return terms, fixed.term_scale


def _like(parts: np.ndarray | None, size: int) -> np.ndarray | None:
    return None if parts is None else np.empty(size, np.int64)


def tree_of(
    feature: np.ndarray, threshold: np.ndarray, left: np.ndarray, missing_left: np.ndarray, gain: np.ndarray,
    rows: np.ndarray, value: np.ndarray, weight: np.ndarray, orders: Mapping[int, np.ndarray],
) -> Tree:  # fmt: skip
    """The arrays of a grown tree, with its right children, which follow the left ones."""
    right = np.where(left == LEAF, LEAF, left + 1).astype(np.int32)
    return Tree(feature.copy(), threshold, left.copy(), right, missing_left.copy(), value, weight, rows.astype(np.int64),
                gain, orders=orders)  # fmt: skip
