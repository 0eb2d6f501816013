"""From a table and a target to trees: records of rows, bootstrap samples, threads that grow a few trees at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from threading import local
from typing import Any, NamedTuple

import numpy as np

from openbook.forest.categorical_columns import CategoricalColumns
from openbook.forest.columns import Columns
from openbook.forest.fixed import CRITERIA, FixedPoint, Target
from openbook.forest.grown import Grown, Kept
from openbook.forest.parallel import on_threads
from openbook.forest.tree import Tree

__all__ = ["CRITERIA", "FixedPoint", "Grower", "Growth", "Place", "Sample", "Target", "Weighed", "columns_of", "grow_forest", "grow_trees",
           "terms_of"]  # fmt: skip

_LISTED = 3  # where one in so many features is tried, rows are kept in the order of each
_TOGETHER = 2**12  # rows of trees that are grown in one call: of more rows a tree takes much longer than a call
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
    as_kept: bool = False,
) -> Generator[Any, None, None]:
    """Grow one tree for each seed; the trees depend on the seeds only, not on the number of threads.

    X (rows, features) is dense, or sparse by columns. `sample(seed)` says how often each row was drawn for a tree: whole
    numbers; or real weights, in place of the targets' own; or None, each once. Whoever stops asking gets no further trees.
    `as_kept`: large ones may come packed (`KeptTree`).
    """
    grower = _grower(X, targets, growth, threads, as_kept)
    if X.shape[0] * len(seeds) * growth.max_features < grower.worth_threads:
        threads = 1
    batches = _batches(seeds, grower.together, threads)
    with closing(on_threads(lambda some: grower.grow(_drawn(sample, some), some), batches, threads)) as grown:
        for trees in grown:
            yield from trees


def _batches(seeds: Sequence[int], most: int, threads: int) -> list[Sequence[int]]:
    """The seeds in batches of `most` or fewer, about as many in each, and as many batches for every thread."""
    n = len(seeds)
    batches = min(n, threads * -(-n // (threads * most)))
    return [seeds[n * k // batches : n * (k + 1) // batches] for k in range(batches)]


def _drawn(sample: Sample, seeds: Sequence[int]) -> np.ndarray | None:
    """What `sample` says of each of these seeds (trees, rows)."""
    each = [drawn for seed in seeds if (drawn := sample(seed)) is not None]
    if len(each) > 1:
        return np.stack(each)
    return each[0][None] if each else None


def _grower(X: Any, targets: Target | Sequence[Target], growth: Growth, threads: int, as_kept: bool) -> Any:
    several = (targets,) if isinstance(targets, Target) else tuple(targets)
    fast = growth.criterion <= CRITERIA["squared_error"] and not growth.monotonic
    if len(several) == 1 and fast:
        made = Grown.kept if as_kept else Grown.trees
        if growth.random:
            from openbook.forest.random_growing import RandomGrower

            return RandomGrower(X, several[0], growth, threads, made)
        return Grower(X.shape, several[0], growth, columns_of(X, growth, threads), made)
    from openbook.forest.general import GeneralGrower

    return GeneralGrower(X, several, growth, threads)


@dataclass(frozen=True, eq=False)
class Weighed:
    """A target in fixed point, and what the records of its rows say (`kernels/records.py`)."""

    fixed: FixedPoint
    terms: np.ndarray | None  # None: another criterion
    scale: float
    per_step: float
    once: np.ndarray
    labels: np.ndarray | None
    parts: np.ndarray | None

    @classmethod
    def of(cls, target: Target, criterion: int) -> Weighed:
        from openbook.forest.kernels.records import CLASS_BITS
        from openbook.forest.kernels.rows import ID_BITS, PART

        fixed = FixedPoint.of(target)
        terms, scale = terms_of(fixed, criterion) if criterion == CRITERIA["entropy"] else (None, 1.0)
        known = fixed, terms, scale, fixed.per_step(target, criterion)
        once = fixed.weight.astype(np.uint64) << ID_BITS
        if target.classes > 2:
            return cls(*known, once << CLASS_BITS, fixed.code.astype(np.uint64) << ID_BITS, None)
        if not target.classes:
            return cls(*known, once, None, fixed.weighted)
        of_second = fixed.weight * (fixed.code == 1)
        if fixed.exact:
            once |= of_second.astype(np.uint64) << PART
            return cls(*known, once, None, None)
        return cls(*known, once, None, of_second)

    def weight_of(self, counts: np.ndarray | None) -> float:
        """The weight of one tree's rows."""
        return float((self.fixed.weight if counts is None else self.fixed.weight * counts).sum())


class Start(NamedTuple):
    """What the rows of some trees are and where their records come, as kernels want it (`kernels/records.py: take_rows`)."""

    counts: np.ndarray | None
    seeds: np.ndarray
    ends: np.ndarray
    once: np.ndarray
    labels: np.ndarray | None
    row_parts: np.ndarray | None
    rows: np.ndarray
    values: np.ndarray
    parts: np.ndarray | None
    spare_rows: np.ndarray
    spare_values: np.ndarray
    spare_parts: np.ndarray | None


class Grower:
    """What all trees of a forest share."""

    worth_threads = 200_000  # rows × trees × features tried: below, threads wait for each other longer than they help

    def __init__(
        self, shape: tuple[int, int], target: Target, growth: Growth, columns_for: Callable[..., Columns],
        made: Callable[[Grown], Kept],
    ):  # fmt: skip
        self.target, self.growth, self.columns_for, self.shape, self.made = target, growth, columns_for, shape, made
        self.weighed = Weighed.of(target, growth.criterion)
        self.classes = target.classes if target.classes > 2 else None
        self.criterion = growth.criterion if target.classes else None  # as kernels/scores.py has it
        self.own = local()
        # A tree has columns of its own where there are categories, and a limit of its own where leaves must weigh something.
        alone = any(growth.levels) or growth.min_weight_leaf > 0
        self.together = 1 if alone else max(1, _TOGETHER // max(1, shape[0]))

    def grow(self, drawn: np.ndarray | None, seeds: Sequence[int]) -> Kept:
        """A tree for each seed; `drawn` (trees, rows) says how often each row was drawn (None: once), or what it weighs."""
        if drawn is not None and drawn.dtype.kind == "f":
            each = [Weighed.of(replace(self.target, weight=weight), self.growth.criterion) for weight in drawn]
            return [self.grown(weighed, None, [seed])[0] for weighed, seed in zip(each, seeds, strict=True)]
        return self.grown(self.weighed, drawn, seeds)

    def start(self, weighed: Weighed, counts: np.ndarray | None, seeds: Sequence[int]) -> Start:
        """What trees are grown from, whichever kernel does it."""
        place = self.place()
        return Start(
            counts, np.array(seeds, np.uint64), np.empty(len(seeds), np.int64), weighed.once, weighed.labels, weighed.parts,
            *place.records.beside(weighed.parts), *place.spare.beside(weighed.parts),
        )  # fmt: skip

    def limits(self, weighed: Weighed, counts: np.ndarray | None) -> tuple[np.ndarray, float]:
        """How far trees may grow, and the least that a split must gain."""
        weight = weighed.weight_of(counts) if self.growth.min_weight_leaf else 0.0
        decrease = self.growth.min_impurity_decrease * weighed.per_step
        return self.growth.limits(weight, weighed.fixed.exact), decrease

    def columns(self, weighed: Weighed, counts: np.ndarray | None) -> Columns:
        """The columns that trees are grown from."""
        return self.columns_for([(weighed.fixed, self.target.classes)], None if counts is None else counts[0])

    def grown(self, weighed: Weighed, counts: np.ndarray | None, seeds: Sequence[int]) -> Kept:
        """The trees of these seeds; `counts` (trees, rows) says how often each row was drawn."""
        from openbook.forest.kernels.grow import grow_trees

        columns, start, place = self.columns(weighed, counts), self.start(weighed, counts, seeds), self.place()
        rules = (
            None if self.target.classes else weighed.fixed.code, self.classes, *self.limits(weighed, counts), self.criterion,
            weighed.terms, weighed.scale,
        )  # fmt: skip
        small = (
            *start, place.large, place.lists, columns.rank, columns.missing_rank, *place.few_beside(start.parts), *rules,
            place.nodes, place.room,
        )  # fmt: skip
        if len(place.large.feature):
            from openbook.forest.kernels.ahead import compile_both
            from openbook.forest.kernels.large import split_large

            large = (*start, columns.bin, *rules, place.large, place.nodes, place.room)
            compile_both(grow_trees, small, split_large, large)
            split_large(*large)
        grow_trees(*small)
        return self.made(self.left_in(place, start.ends, weighed, columns))

    def place(self) -> Place:
        """This thread's own place to grow trees in."""
        if not hasattr(self.own, "place"):
            self.own.place = Place.of(self.shape, self.classes, self.growth, self.together)
        return self.own.place

    def left_in(
        self, place: Place, ends: np.ndarray, weighed: Weighed, columns: Columns, cuts: np.ndarray | None = None
    ) -> Grown:
        """The trees that have just been grown in a place."""
        nodes = type(place.nodes)(*(array[: ends[-1]] for array in place.nodes))
        return Grown(nodes, ends.tolist(), weighed.fixed, self.target.classes, weighed.per_step, columns, cuts)


def columns_of(X: Any, growth: Growth, threads: int) -> Callable[..., Columns]:
    """The columns that a tree is grown from, by its outputs and draws: the same for all, unless there are categories."""
    columns = Columns.for_growing(X, growth.random, threads, growth.levels)
    if not any(growth.levels):
        return lambda outputs, counts: columns
    return CategoricalColumns(columns, X, growth.levels, growth.min_samples_level).for_tree


def terms_of(fixed: FixedPoint, criterion: int) -> tuple[np.ndarray, float]:
    """w ln w to look up, and how finely it is counted; for the entropy only."""
    if criterion != CRITERIA["entropy"]:
        return np.zeros(1, np.int64), 1.0
    terms = np.array([fixed.term(w) for w in range(min(_TERMS, fixed.heaviest + 1))], np.int64)
    return terms, fixed.term_scale


@dataclass(frozen=True, eq=False)
class _Records:
    """Room for records of rows (`kernels/records.py`)."""

    rows: np.ndarray
    values: np.ndarray
    parts: np.ndarray

    @classmethod
    def of(cls, size: int) -> _Records:
        return cls(np.empty(size, np.uint32), np.empty(size, np.uint64), np.empty(size, np.int64))

    def beside(self, parts: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """All three, or without the parts if the records that they are for have none."""
        return self.rows, self.values, None if parts is None else self.parts


@dataclass(frozen=True, eq=False)
class Place:
    """What one thread needs to grow its trees, one after the other; memory that nobody writes to costs nothing.

    `large` is for the large nodes of a tree, of which there are fewer than rows; empty where there are too few for one.
    Small nodes have `lists` where most features are tried at each node, else `few` records at a time; random thresholds
    need neither.
    """

    nodes: Any
    large: Any
    room: Any
    records: _Records
    spare: _Records
    lists: Any
    few: tuple[_Records, ...]

    @classmethod
    def of(cls, shape: tuple[int, int], classes: int | None, growth: Growth, together: int) -> Place:
        from openbook.forest.kernels.lists import Lists
        from openbook.forest.kernels.room import Nodes, Room
        from openbook.forest.kernels.rows import EXACT_BELOW

        (n, d), width = shape, classes or 2
        listed = not growth.random and classes is None and _LISTED * growth.max_features >= d
        few = () if listed or growth.random else (_Records.of(EXACT_BELOW), _Records.of(EXACT_BELOW))
        large = Nodes.of(n if n >= EXACT_BELOW else 0, width)
        return cls(Nodes.of(together * (2 * n - 1), width), large, Room.of(d, n, n, width, growth.random), _Records.of(n),
                   _Records.of(n), Lists.of(d) if listed else None, few)  # fmt: skip

    def few_beside(self, parts: np.ndarray | None) -> Sequence[np.ndarray | None]:
        """Room for the records of a small node, twice, their parts with them; None where lists serve."""
        return [array for records in self.few for array in records.beside(parts)[1:]] or [None] * 4
