"""How the trees of a forest answer for one row: each tree's way, its leaf, and what all of them come to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from openbook.explain.trees.named import NamedForest, Names
from openbook.explain.trees.words import decision, own_value
from openbook.forest.tree import Tree, Turn

__all__ = ["Vote", "Way", "ways_of"]


@dataclass(frozen=True, eq=False)
class Way:
    """One tree's answer: the turns that the row takes, and the leaf it ends in."""

    number: int
    tree: Tree
    turns: list[Turn]
    leaf: int

    @property
    def value(self) -> np.ndarray:
        return self.tree.value[self.leaf]

    @property
    def shares(self) -> np.ndarray:
        """The fraction of each class in the leaf."""
        return self.tree.fractions(self.leaf)

    @property
    def winner(self) -> int:
        """The class it votes for; of equal ones, the first."""
        return int(np.argmax(self.value))

    def words(self, turn: Turn, names: Names) -> tuple[str, str]:
        """A turn with the row's own value: 'petal width (cm)' and '= 0.2 ≤ 0.8'."""
        asked = decision(self.tree, turn.node, names, [turn.value])
        if np.isnan(turn.value) or np.isinf(turn.threshold):
            return asked.feature, "is missing" if np.isnan(turn.value) else "is known"
        return asked.feature, f"= {own_value(self.tree, turn.node, names, turn.value, asked)} {asked.side(turn.left)}"


@dataclass(frozen=True, eq=False)
class Vote:
    """All trees' answers for one row. `chosen` is the class asked about (of numbers: 0, the only column)."""

    forest: NamedForest
    row: np.ndarray
    ways: tuple[Way, ...]
    chosen: int

    @property
    def names(self) -> Names:
        return self.forest.names

    @property
    def of_classes(self) -> bool:
        return bool(self.names.classes)

    def answer(self, way: Way) -> float:
        """A tree's fraction of the class asked about, or its number."""
        return float(way.shares[self.chosen] if self.of_classes else way.value[0])

    @cached_property
    def answers(self) -> np.ndarray:
        """Those of all trees, in their order."""
        return np.array([self.answer(way) for way in self.ways])

    @cached_property
    def soft(self) -> np.ndarray:
        """The mean of the fractions of each class, or of the numbers (1,)."""
        return np.mean([way.shares if self.of_classes else way.value for way in self.ways], axis=0)

    @cached_property
    def hard(self) -> np.ndarray:
        """The share of trees that vote for each class."""
        return np.bincount([way.winner for way in self.ways], minlength=len(self.names.classes)) / len(self.ways)

    @cached_property
    def ranked(self) -> list[Way]:
        """Those for the class first, then those for every other; the surest first. Of numbers, the largest first."""
        return sorted(self.ways, key=lambda way: (self._party(way), -self.answer(way), -self._rows(way), way.number))

    def _party(self, way: Way) -> tuple[float, ...]:
        """Where a tree's class comes: the one asked about, then the one of most votes."""
        return (way.winner != self.chosen, -self.hard[way.winner], way.winner) if self.of_classes else ()

    @staticmethod
    def _rows(way: Way) -> int:
        return int(way.tree.samples[way.leaf])

    def extremes(self, each: int) -> tuple[list[Way], list[Way]]:
        """The trees most for the answer and those most against it, of equal ones those that know more rows; none twice."""
        most = sorted(self.ways, key=lambda way: (-self.answer(way), -self._rows(way), way.number))
        most = most[: min(each, (len(self.ways) + 1) // 2)]
        others = [way for way in self.ways if way not in most]
        return most, sorted(others, key=lambda way: (self.answer(way), -self._rows(way), way.number))[:each]

    def asked(self) -> list[tuple[str, int, int]]:
        """Each feature on the row's ways: in how many trees, and in how many questions; the most asked first."""
        questions = Counter(turn.feature for way in self.ways for turn in way.turns)
        trees = Counter(feature for way in self.ways for feature in {turn.feature for turn in way.turns})
        order = sorted(questions, key=lambda f: (-trees[f], -questions[f], f))
        return [(self.names.features[f], trees[f], questions[f]) for f in order]


def ways_of(forest: NamedForest, row: np.ndarray) -> tuple[Way, ...]:
    """The row's way through every tree."""
    return tuple(Way(number, tree, *tree.path(row)) for number, tree in enumerate(forest.trees))
