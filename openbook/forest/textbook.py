"""How a tree is grown, said slowly and obviously: the specification that the kernels are held to.

Nothing here is fast, and nothing is approximate: every boundary is tried, and each side's sums are taken anew from its
rows. The kernels give the same trees to the last bit; the tests say so. What a split is worth stands in
`textbook_scores.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from openbook.forest.fixed import Target
from openbook.forest.orders import UNSEEN, first_component
from openbook.forest.outputs import Outputs
from openbook.forest.textbook_scores import Scores
from openbook.forest.training import Growth
from openbook.forest.tree import LEAF, Splits, Tree, tree_of

__all__ = ["textbook_tree"]

MOST_BINS = 255  # of a column; with at most so many different values, each is a bin
EXACT_BELOW = 4096  # rows: smaller nodes are split between their very values, larger ones between bins
_64_BITS = 2**64 - 1
LEFT_SEED, RIGHT_SEED = 0xD1B54A32D192ED03, 0xABC98388FB8FAC03


def textbook_tree(
    X: np.ndarray,
    targets: Target | Sequence[Target],
    growth: Growth,
    counts: np.ndarray | None = None,
    seed: int = 0,
) -> Tree:
    """Grow one tree from X (rows, features), NaN where missing; `counts` says how often each row was drawn.

    Of a category (`growth.levels`) X holds the codes of levels.
    """
    outputs = Outputs.of([targets] if isinstance(targets, Target) else targets, growth.criterion)
    return _Book(X, outputs, growth, counts, seed).grow()


@dataclass(frozen=True)
class _Boundary:
    """Known values up to `low` go left, those from `high` on right; None: everything known left, missing right; NaN: the
    threshold is `low` itself."""

    low: float
    high: float | None

    @property
    def threshold(self) -> float:
        if self.high is None:
            return math.inf
        if math.isnan(self.high):
            return self.low
        middle = self.low + (self.high - self.low) / 2
        return middle if self.low <= middle < self.high else self.low  # rounding may take it up to high


@dataclass(frozen=True)
class _Split:
    feature: int
    boundary: _Boundary
    missing_left: bool
    score: float
    values: tuple[float, float]  # of the left and of the right side


@dataclass(frozen=True)
class _Waiting:
    """A node that may still be split; its value must lie between the bounds."""

    node: int
    rows: np.ndarray
    depth: int
    seed: int
    lower: float = -math.inf
    upper: float = math.inf


@dataclass
class _Nodes:
    """The arrays of the tree while it grows."""

    feature: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    missing_left: list[bool] = field(default_factory=list)
    gain: list[float] = field(default_factory=list)
    rows: list[np.ndarray] = field(default_factory=list)
    bounds: list[tuple[float, float]] = field(default_factory=list)

    def add(self, rows: np.ndarray, lower: float, upper: float) -> int:
        """A new leaf; returns its number."""
        self.feature.append(LEAF)
        self.threshold.append(0.0)
        self.left.append(LEAF)
        self.missing_left.append(False)
        self.gain.append(0.0)
        self.rows.append(rows)
        self.bounds.append((lower, upper))
        return len(self.rows) - 1


class _Book:
    """One tree being grown."""

    def __init__(self, X: np.ndarray, outputs: Outputs, growth: Growth, counts: np.ndarray | None, seed: int):
        self.outputs, self.growth, self.seed = outputs, growth, seed
        self.scores = Scores(outputs, np.ones(len(X), np.int64) if counts is None else counts)
        self.orders = {f: self.order(X[:, f], count) for f, count in enumerate(growth.levels) if count}
        self.X = np.array(X, np.float64)
        for f, places in self.orders.items():
            known = ~np.isnan(X[:, f])
            self.X[known, f] = [math.nan if places[int(code)] == UNSEEN else places[int(code)] for code in X[known, f]]
        self.bins = [_bins(self.X[:, f]) for f in range(X.shape[1])]

    def order(self, codes: np.ndarray, levels: int) -> np.ndarray:
        """The place of each level among those the tree has enough rows of: by what these have on average, equals by code."""
        rows = {level: np.flatnonzero((codes == level) & (self.scores.weight > 0)) for level in range(levels)}
        seen = [level for level in rows if len(rows[level]) >= max(1, self.growth.min_samples_level)]
        means = np.array([self.scores.means(rows[level]) for level in seen])
        if means.ndim > 1 and means.shape[1] > 1:
            weights = np.array([float(self.scores.weight_of(rows[level])) for level in seen])
            means = first_component(means, weights)
        places = np.full(levels, UNSEEN)
        for place, (_, level) in enumerate(sorted(zip(means.tolist(), seen, strict=True))):
            places[level] = place
        return places

    def grow(self) -> Tree:
        """Depth first, the smaller child before the larger and the left before the right; a child's number is larger than its parent's."""
        everything = np.flatnonzero(self.scores.weight > 0)
        nodes = _Nodes()
        waiting = [_Waiting(nodes.add(everything, -math.inf, math.inf), everything, 0, self.seed)]
        whole = float(self.scores.weight_of(everything))
        while waiting:
            this = waiting.pop()
            split = None if self.is_done(this) else self.best_split(this)
            if split is None:
                continue
            decrease = max(split.score - self.scores.of(this.rows), 0.0)  # below 0 by rounding only
            if decrease / whole < self.growth.min_impurity_decrease * self.outputs.per_step:
                continue
            nodes.feature[this.node], nodes.threshold[this.node] = split.feature, split.boundary.threshold
            nodes.gain[this.node] = decrease
            waiting += self.children(this, split, nodes)  # the last one is next
        return self.tree(nodes)

    def children(self, this: _Waiting, split: _Split, nodes: _Nodes) -> list[_Waiting]:
        """Both sides of a split, the larger one first."""
        column = self.X[this.rows, split.feature]
        missing = np.isnan(column)
        left = np.where(missing, split.missing_left, column <= split.boundary.low)
        # Where training saw nothing missing, a missing value later takes the side most rows took.
        nodes.missing_left[this.node] = split.missing_left if missing.any() else bool(left.sum() > (~left).sum())
        lower, upper = [this.lower, this.lower], [this.upper, this.upper]
        middle, sign = split.values[0] / 2 + split.values[1] / 2, self.sign(split.feature)
        if sign > 0:
            upper[0] = lower[1] = middle
        elif sign < 0:
            lower[0] = upper[1] = middle
        made = []
        for side, (rows, seed) in enumerate([(this.rows[left], LEFT_SEED), (this.rows[~left], RIGHT_SEED)]):
            node = nodes.add(rows, lower[side], upper[side])
            made.append(_Waiting(node, rows, this.depth + 1, _mixed(this.seed + seed), lower[side], upper[side]))
        nodes.left[this.node] = made[0].node
        return made[::-1] if len(made[0].rows) <= len(made[1].rows) else made

    def tree(self, nodes: _Nodes) -> Tree:
        sums = np.array([self.scores.sums(rows) for rows in nodes.rows], np.int64)
        medians = np.array([self.scores.medians(rows) for rows in nodes.rows])
        bounds = np.array(nodes.bounds) if self.growth.monotonic else None
        gain = np.array(nodes.gain) * self.outputs.weight_step / self.outputs.per_step
        splits = Splits(
            np.array(nodes.feature, np.int32), np.array(nodes.threshold), np.array(nodes.missing_left), gain
        )
        return tree_of(
            splits, np.array(nodes.left, np.int32), np.array([len(rows) for rows in nodes.rows]),
            self.outputs.values_of(sums, medians, bounds), self.outputs.weight_of(sums), self.orders,
        )  # fmt: skip

    def is_done(self, this: _Waiting) -> bool:
        """Too small, too deep, or pure."""
        limit = max(self.growth.min_samples_split, 2 * self.growth.min_samples_leaf)
        if len(this.rows) < limit or this.depth >= self.growth.max_depth:
            return True
        return all(len(set(output.fixed.code[this.rows])) <= 1 for output in self.outputs.each)

    def sign(self, feature: int) -> int:
        return self.growth.monotonic[feature] if self.growth.monotonic else 0

    # --- choosing a split --------------------------------------------------------------------------------------

    def best_split(self, this: _Waiting) -> _Split | None:
        """The best of `max_features` drawn features, and further ones as long as all are constant here.

        A feature that varies but has no allowed split counts as tried. Of equally good splits the first found stays. (The
        kernels stop drawing once no split could be better; that changes nothing but the time.)
        """
        best: _Split | None = None
        rows, varied, random = this.rows, False, _SplitMix(this.seed)
        features = list(range(self.X.shape[1]))
        for drawn in range(len(features)):
            if drawn >= self.growth.max_features and varied:
                break
            swap = drawn + random.below(len(features) - drawn)
            features[drawn], features[swap] = features[swap], features[drawn]
            f = features[drawn]
            boundaries = list(self.random_boundary(f, rows, random) if self.growth.random else self.boundaries(f, rows))
            varied = varied or bool(boundaries)
            for split in self.allowed(f, this, boundaries):
                if best is None or split.score > best.score:
                    best = split
        return best

    def boundaries(self, f: int, rows: np.ndarray) -> Iterator[_Boundary]:
        """Between neighbouring values, or neighbouring bins in large nodes; and between known and missing."""
        column = self.X[rows, f]
        known = column[~np.isnan(column)]
        first, last = self.bins[f]
        if len(rows) < EXACT_BELOW or np.array_equal(first, last):
            first = last = np.unique(known)
        else:
            occupied = np.unique(np.searchsorted(last, known))
            first, last = first[occupied], last[occupied]
        for low, high in zip(last[:-1], first[1:], strict=True):
            yield _Boundary(float(low), float(high))
        if len(known) and len(known) < len(column):
            yield _Boundary(float(last[-1]), None)

    def random_boundary(self, f: int, rows: np.ndarray, random: _SplitMix) -> Iterator[_Boundary]:
        """Anywhere between the smallest and the largest value; where all are equal, between known and missing."""
        column = self.X[rows, f].astype(float)
        known = np.unique(column[~np.isnan(column)])
        if len(known) > 1:
            low, high = float(known[0]), float(known[-1])
            cut = low + random.share() * (high - low)
            yield _Boundary(cut if low <= cut < high else low, math.nan)
        elif len(known) and np.isnan(column).any():
            yield _Boundary(float(known[0]), None)

    def allowed(self, f: int, this: _Waiting, boundaries: list[_Boundary]) -> Iterator[_Split]:
        """The splits at these boundaries that leave enough rows and weight on both sides, missing rows on either."""
        column = self.X[this.rows, f]
        missing = np.isnan(column)
        for missing_left in (False, True) if missing.any() else (False,):
            for boundary in boundaries:
                if missing_left and boundary.high is None:
                    continue
                left = np.where(missing, missing_left, column <= boundary.low)
                sides = this.rows[left], this.rows[~left]
                if min(len(rows) for rows in sides) < max(1, self.growth.min_samples_leaf):
                    continue
                if min(self.scores.weight_of(rows) for rows in sides) < self.least_weight:
                    continue
                if not self.scores.has_value(*sides):
                    continue
                values = (
                    (self.scores.value(sides[0]), self.scores.value(sides[1])) if self.growth.monotonic else (0.0, 0.0)
                )
                if self.keeps_order(f, this, *values):
                    yield _Split(f, boundary, missing_left, self.scores.of_split(*sides), values)

    def keeps_order(self, f: int, this: _Waiting, left: float, right: float) -> bool:
        """Whether a constrained feature's sides lie within the node's bounds, and the right way round."""
        sign = self.sign(f)
        inside = this.lower <= min(left, right) and max(left, right) <= this.upper
        return sign == 0 or (inside and (left - right) * sign <= 0)

    @property
    def least_weight(self) -> int:
        return math.ceil(self.growth.min_weight_leaf * float(self.scores.weight.sum()))


def _bins(column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smallest and the largest value of each bin: a value each if they are few, else about equally many rows each."""
    different, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    if len(different) <= MOST_BINS:
        return different, different
    filled = np.cumsum(counts)
    ends = {
        min(int(np.searchsorted(filled, filled[-1] * k / MOST_BINS)), len(different) - 1)
        for k in range(1, MOST_BINS + 1)
    }
    last = np.array(sorted(ends))
    return different[np.concatenate([[0], last[:-1] + 1])], different[last]


def _mixed(z: int) -> int:
    """64 bits that no longer look like the ones they were (splitmix64, Steele et al. 2014)."""
    z &= _64_BITS
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _64_BITS
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _64_BITS
    return z ^ (z >> 31)


class _SplitMix:
    """Random whole numbers from a seed; every node has its own."""

    def __init__(self, seed: int):
        self.state = seed

    def below(self, n: int) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) & _64_BITS
        return ((_mixed(self.state) >> 32) * n) >> 32

    def share(self) -> float:
        """A random number from 0 to below 1, of 53 bits."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & _64_BITS
        return (_mixed(self.state) >> 11) * 2.0**-53
