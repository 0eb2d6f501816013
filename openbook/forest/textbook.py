"""How a tree is grown, said slowly and obviously: the specification that the kernels in `grow.py` are held to.

Nothing here is fast, and nothing is approximate: every boundary is tried, and each side's sums are taken anew from its
rows. The kernels give the same trees to the last bit; the tests say so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from openbook.forest.fixed import CRITERIA, FixedPoint, Target
from openbook.forest.training import Growth, tree_of
from openbook.forest.tree import LEAF, Tree

__all__ = ["textbook_tree"]

MOST_BINS = 255  # of a column; with at most so many different values, each is a bin
EXACT_BELOW = 4096  # rows: smaller nodes are split between their very values, larger ones between bins
_64_BITS = 2**64 - 1
LEFT_SEED, RIGHT_SEED = 0xD1B54A32D192ED03, 0xABC98388FB8FAC03
Sums = tuple[int, ...]  # weight of each class, or (weight, weighted target); then the number of rows


def textbook_tree(
    X: np.ndarray, target: Target, growth: Growth, counts: np.ndarray | None = None, seed: int = 0
) -> Tree:
    """Grow one tree from X (rows, features), NaN where missing; `counts` says how often each row was drawn."""
    return _Book(X, target, growth, counts, seed).grow()


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


@dataclass
class _Nodes:
    """The arrays of the tree while it grows."""

    feature: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    missing_left: list[bool] = field(default_factory=list)
    gain: list[float] = field(default_factory=list)
    sums: list[Sums] = field(default_factory=list)

    def add(self, sums: Sums) -> int:
        """A new leaf; returns its number."""
        self.feature.append(LEAF)
        self.threshold.append(0.0)
        self.left.append(LEAF)
        self.right.append(LEAF)
        self.missing_left.append(False)
        self.gain.append(0.0)
        self.sums.append(sums)
        return len(self.sums) - 1


class _Book:
    """One tree being grown."""

    def __init__(self, X: np.ndarray, target: Target, growth: Growth, counts: np.ndarray | None, seed: int):
        self.X, self.target, self.growth = X, target, growth
        self.fixed = FixedPoint.of(target)
        drawn = np.ones(len(X), np.int64) if counts is None else counts
        self.weight, self.weighted = self.fixed.weight * drawn, self.fixed.weighted * (1 if target.classes else drawn)
        self.seed = seed
        self.bins = [_bins(X[:, f]) for f in range(X.shape[1])]

    def grow(self) -> Tree:
        """Depth first, the smaller child before the larger and the left before the right; a child's number is larger than its parent's."""
        everything = np.flatnonzero(self.weight > 0)
        nodes = _Nodes()
        waiting = [(nodes.add(self.sums(everything)), everything, 0, self.seed)]
        whole = float(self.weight_of(nodes.sums[0]))
        while waiting:
            node, rows, depth, seed = waiting.pop()
            split = None if self.is_done(rows, nodes.sums[node], depth) else self.best_split(rows, seed)
            if split is None:
                continue
            decrease = max(split.score - self.score(nodes.sums[node]), 0.0)  # below 0 by rounding only
            if decrease / whole < self.growth.min_impurity_decrease * self.fixed.per_step(
                self.target, self.growth.criterion
            ):
                continue
            column = self.X[rows, split.feature]
            missing = np.isnan(column)
            left = np.where(missing, split.missing_left, column <= split.boundary.low)
            nodes.feature[node], nodes.threshold[node] = split.feature, split.boundary.threshold
            # Where training saw nothing missing, a missing value later takes the side most rows took.
            nodes.missing_left[node] = split.missing_left if missing.any() else bool(left.sum() > (~left).sum())
            nodes.gain[node] = decrease
            nodes.left[node], nodes.right[node] = nodes.add(self.sums(rows[left])), nodes.add(self.sums(rows[~left]))
            children = [
                (nodes.right[node], rows[~left], depth + 1, _mixed(seed + RIGHT_SEED)),
                (nodes.left[node], rows[left], depth + 1, _mixed(seed + LEFT_SEED)),
            ]
            waiting += sorted(children, key=lambda child: -len(child[1]))  # the last one is next
        sums = np.array(nodes.sums, np.int64)
        kept = {0: sums[:, :2], 1: sums[:, [0, 0]] * [1, 0], 2: sums[:, [0, 1]] @ [[1, 0], [1, 1]]}
        return tree_of(
            np.array(nodes.feature, np.int32), np.array(nodes.threshold), np.array(nodes.left, np.int32),
            np.array(nodes.missing_left), np.array(nodes.gain), sums[:, -1],
            kept.get(self.target.classes, sums[:, :-1]), self.fixed, self.target, self.growth.criterion,
        )  # fmt: skip

    def is_done(self, rows: np.ndarray, sums: Sums, depth: int) -> bool:
        """Too small, too deep, or pure."""
        limit = max(self.growth.min_samples_split, 2 * self.growth.min_samples_leaf)
        if len(rows) < limit or depth >= self.growth.max_depth:
            return True
        if self.target.classes:
            return sum(w > 0 for w in sums[:-1]) <= 1
        return len(set(self.fixed.code[rows])) <= 1

    # --- choosing a split --------------------------------------------------------------------------------------

    def best_split(self, rows: np.ndarray, seed: int) -> _Split | None:
        """The best of `max_features` drawn features, and further ones as long as all are constant here.

        A feature that varies but has no allowed split counts as tried. Of equally good splits the first found stays. (The
        kernels stop drawing once no split could be better; that changes nothing but the time.)
        """
        best: _Split | None = None
        varied, random = False, _SplitMix(seed)
        features = list(range(self.X.shape[1]))
        for drawn in range(len(features)):
            if drawn >= self.growth.max_features and varied:
                break
            swap = drawn + random.below(len(features) - drawn)
            features[drawn], features[swap] = features[swap], features[drawn]
            f = features[drawn]
            boundaries = list(self.random_boundary(f, rows, random) if self.growth.random else self.boundaries(f, rows))
            varied = varied or bool(boundaries)
            for split in self.allowed(f, rows, boundaries):
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

    def allowed(self, f: int, rows: np.ndarray, boundaries: list[_Boundary]) -> Iterator[_Split]:
        """The splits at these boundaries that leave enough rows and weight on both sides, missing rows on either."""
        column = self.X[rows, f]
        missing = np.isnan(column)
        for missing_left in (False, True) if missing.any() else (False,):
            for boundary in boundaries:
                if missing_left and boundary.high is None:
                    continue
                left = np.where(missing, missing_left, column <= boundary.low)
                sides = self.sums(rows[left]), self.sums(rows[~left])
                if min(s[-1] for s in sides) < max(1, self.growth.min_samples_leaf):
                    continue
                if min(self.weight_of(s) for s in sides) < self.least_weight:
                    continue
                yield _Split(f, boundary, missing_left, self.split_score(*sides))

    @property
    def least_weight(self) -> int:
        return math.ceil(self.growth.min_weight_leaf * float(self.weight.sum()))

    # --- sums and their worth ----------------------------------------------------------------------------------

    def sums(self, rows: np.ndarray) -> Sums:
        """Whole numbers, so that the order of the rows does not matter."""
        if not self.target.classes:
            return int(self.weight[rows].sum()), int(self.weighted[rows].sum()), len(rows)
        codes = self.fixed.code[rows]
        return (*(int(self.weight[rows][codes == c].sum()) for c in range(self.target.classes)), len(rows))

    def weight_of(self, sums: Sums) -> int:
        return sum(sums[:-1]) if self.target.classes else sums[0]

    def score(self, sums: Sums) -> float:
        """Gini: Σ w_c² / W. Entropy: Σ term(w_c) − term(W), where term(w) = w ln w as a whole number. Squared error:
        (Σ w·y)² / W. The larger, the purer."""
        total = float(self.weight_of(sums))
        if not self.target.classes:
            return float(sums[1]) * float(sums[1]) / total
        if self.growth.criterion == CRITERIA["gini"]:
            return sum(float(w) * float(w) for w in sums[:-1]) / total
        return float(sum(self.fixed.term(w) for w in sums[:-1]) - self.fixed.term(self.weight_of(sums)))

    def split_score(self, left: Sums, right: Sums) -> float:
        """The scores of both sides together; terms are added as whole numbers."""
        if self.target.classes and self.growth.criterion == CRITERIA["entropy"]:
            term = self.fixed.term
            return float(sum(sum(term(w) for w in s[:-1]) - term(self.weight_of(s)) for s in (left, right)))
        return self.score(left) + self.score(right)


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
