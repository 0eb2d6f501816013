"""Trees with random thresholds: what `kernels/random_cuts.py` is handed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.forest.columns import Columns
from openbook.forest.grown import Grown
from openbook.forest.kept import KeptTree
from openbook.forest.kernels.abreast import Abreast
from openbook.forest.kernels.cuts import Bench
from openbook.forest.kernels.random_cuts import grow_random
from openbook.forest.kernels.singly import Singly
from openbook.forest.random_table import Steps, dense, few_of, lines_of
from openbook.forest.training import Grower, Growth, Target, Weighed, columns_of
from openbook.forest.tree import Tree

__all__ = ["RandomGrower"]

_MOST = 2  # where one in so many features is tried, all of them are looked at together


class RandomGrower(Grower):
    """What all trees of a forest share."""

    def __init__(self, X: Any, target: Target, growth: Growth, threads: int, made: Callable[[Grown], Tree | KeptTree]):
        categories = any(growth.levels)
        columns = Columns.of(X[:0])
        super().__init__(
            X.shape, target, growth,
            columns_of(X, growth, threads) if categories else lambda outputs, rows, counts: columns, made,
        )  # fmt: skip
        table = dense(X)
        most = self.classes is None and growth.max_features * _MOST >= X.shape[1]
        self.lines = lines_of(table) if most and not categories and not np.isnan(table).any() else None
        self.steps = Steps.of(table) if self.lines is None else None

    def grown(self, weighed: Weighed, counts: np.ndarray | None, seed: int) -> Tree | KeptTree:
        start = self.start(weighed, counts)
        columns = self.columns_for([(weighed.fixed, self.target.classes)], start.rows, counts)
        place, bench, cuts, singly, abreast = start.place, *self.places(columns)
        count = grow_random(
            start.rows, start.values, start.parts, *start.spare, weighed.fixed.code, self.classes, np.uint64(seed), start.limits,
            start.decrease, self.criterion, weighed.terms, weighed.scale, place.nodes, cuts, place.room, bench, singly,
            abreast,
        )  # fmt: skip
        return self.made(self.left_in(place, count, weighed, columns, cuts))

    def places(self, columns: Columns) -> tuple[Bench, np.ndarray, Singly | None, Abreast | None]:
        """Where this thread works, tree after tree: memory that is new to it would be cleared first."""
        steps, (n, d) = self.steps_of(columns), self.shape
        if not hasattr(self.own, "places"):
            few = few_of(d)
            singly = None if steps is None else Singly.of(steps, few, n)
            abreast = None if self.lines is None else Abreast.of(self.lines, few, n)
            self.own.places = Bench.of(few, n, self.classes or 2), np.empty(2 * n - 1), singly, abreast
        return self.own.places

    def steps_of(self, columns: Columns) -> Steps | None:
        """The same for all trees, unless there are categories: their levels stand in a tree's own order."""
        if not columns.orders or self.steps is None:
            return self.steps
        if not hasattr(self.own, "steps"):
            self.own.steps = self.steps.copy()
        for f in columns.orders:
            self.own.steps.change(f, columns.values[f])
        return self.own.steps
