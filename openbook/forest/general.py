"""Trees whose splits need more than two sums, or have to keep an order: what `kernels/general.py` is handed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.forest.columns import Columns
from openbook.forest.fixed import CRITERIA, Target
from openbook.forest.outputs import Outputs
from openbook.forest.training import Growth, columns_of, terms_of
from openbook.forest.tree import Tree, tree_of

__all__ = ["GeneralGrower"]


class GeneralGrower:
    """What all trees of a forest share: several outputs, any criterion, monotonic constraints."""

    together = 1  # each tree has a place of its own to grow in
    worth_threads = 0  # a tree takes so much longer than `Grower`'s

    def __init__(self, X: Any, targets: Sequence[Target], growth: Growth, threads: int):
        self.growth, self.shape = growth, X.shape
        self.outputs = Outputs.of(targets, growth.criterion)
        self.columns_for = columns_of(X, growth, threads)
        self.signs = np.array(growth.monotonic, np.int8) if growth.monotonic else None
        self.by_median = growth.criterion == CRITERIA["absolute_error"]

    def grow(self, drawn: np.ndarray | None, seeds: Sequence[int]) -> list[Tree]:
        """The tree of the only seed, as `Grower.grow` has it."""
        (seed,) = seeds
        if drawn is not None and drawn.dtype.kind == "f":
            return [self.grown(self.outputs.weighing(drawn[0]), None, seed)]
        return [self.grown(self.outputs, None if drawn is None else drawn[0], seed)]

    def grown(self, outputs: Outputs, counts: np.ndarray | None, seed: int) -> Tree:
        from openbook.forest.kernels.general import Desk, grow_general
        from openbook.forest.kernels.general_scores import Medians
        from openbook.forest.kernels.room import Nodes

        table = self.columns_for([(o.fixed, o.target.classes) for o in outputs.each], counts)
        case = self.case(outputs, counts, table)
        rows = np.flatnonzero(case.weight).astype(np.uint32)
        most, (n, d), each = max(2 * len(rows) - 1, 1), self.shape, len(outputs.each)
        width = case.offsets[-1] if outputs.classes else 1 + each
        nodes, desk, medians = Nodes.of(most, width), Desk.of(d, n, len(rows), width, self.growth.random), None
        if self.by_median:
            levels, numbers = (_lines([getattr(o, name) for o in outputs.each]) for name in ("levels", "numbers"))
            medians = Medians.of(levels, numbers, n, len(rows))
        bounds, middles, cuts = np.empty((most, 2)), np.empty((most, each if self.by_median else 0)), np.zeros(most)
        decrease = self.growth.min_impurity_decrease * outputs.per_step
        columns = table.values if self.growth.random else None
        count = grow_general(
            case, columns, self.signs, medians, rows, np.uint64(seed), decrease, nodes, bounds, middles, cuts, desk
        )
        grown = Nodes(*(a[:count] for a in nodes))
        splits = table.splits_of(grown, np.arange(count), outputs.weight_step, outputs.per_step,
                                 cuts if self.growth.random else None)  # fmt: skip
        value = outputs.values_of(grown.sums, middles[:count], bounds[:count] if self.growth.monotonic else None)
        return tree_of(splits, grown.left, grown.rows, value, outputs.weight_of(grown.sums), table.orders)

    def case(self, outputs: Outputs, counts: np.ndarray | None, table: Columns) -> Any:
        from openbook.forest.kernels.general import Case

        each, growth = outputs.each, self.growth
        drawn = np.ones(self.shape[0], np.int64) if counts is None else counts.astype(np.int64)
        weight = outputs.weight * drawn
        parts = np.zeros((0 if outputs.classes else len(each), len(drawn)), np.int64)
        for part, output in zip(parts, each, strict=False):
            part[:] = output.fixed.weighted * drawn
        offsets = np.cumsum([0, *(output.target.classes for output in each)])
        terms, scale = terms_of(each[0].fixed, growth.criterion)
        return Case(
            table.rank, table.bin, table.missing_rank,
            np.stack([output.fixed.code for output in each]), weight, parts, offsets,
            np.array([output.factor for output in each]), np.array([output.fixed.target_step for output in each]),
            growth.limits(float(weight.sum()), False), growth.criterion, terms, scale,
        )  # fmt: skip


def _lines(lists: Sequence[np.ndarray]) -> np.ndarray:
    """A line for each list, as long as the longest."""
    table = np.zeros((len(lists), max(len(a) for a in lists)))
    for line, numbers in zip(table, lists, strict=True):
        line[: len(numbers)] = numbers
    return table
