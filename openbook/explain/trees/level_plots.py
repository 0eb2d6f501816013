"""The rows at a question about a category: a line for each level, in the tree's order, first those that go left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from openbook.explain.rows.levels import level_of
from openbook.explain.trees.marks import stacked_bar, strip
from openbook.explain.trees.rows import Rows
from openbook.explain.trees.scene import Scene
from openbook.explain.trees.style import fitted, lettered, said
from openbook.explain.trees.words import counted

__all__ = ["LevelPlot"]

_NAMED = 8  # levels; of more the heaviest, and how many others there are on either side
_LINE, _BAR, _CUT = 14.0, 11.0, 6.0  # pixels: from a line to the next, a bar, the gap between left and right
_NAME, _WORDS = 96.0, 7.0  # pixels: the room for a name, and where it begins


@dataclass(frozen=True, eq=False)
class _Line:
    """A level, or several, at a question: which of the node's rows have it, and whether it is that of the row whose way is lit."""

    name: str
    rows: np.ndarray
    own: bool


@dataclass(frozen=True, eq=False)
class LevelPlot:
    """The rows that reach a node, by the levels of its feature, `width` pixels wide."""

    scene: Scene
    rows: Rows
    node: int
    width: float

    @property
    def height(self) -> float:
        return _LINE * sum(map(len, self.sides)) + _CUT

    @cached_property
    def values(self) -> np.ndarray:
        return self.scene.values(self.node)

    @cached_property
    def own(self) -> float | None:
        """Where the level of the row stands whose way is lit; None where no row comes by."""
        return self.scene.own(self.node) if self.node in self.scene.outline.path else None

    # --- the lines -------------------------------------------------------------------------------------------------

    @cached_property
    def sides(self) -> tuple[list[_Line], list[_Line]]:
        """The lines of the levels that go left, and of those that go right."""
        places, weights = self._weighed()
        heaviest = set(places[np.argsort(-weights, kind="stable")][:_NAMED].tolist())
        left = places <= self.scene.tree.threshold[self.node]
        return list(self._side(True, places[left], heaviest)), list(self._side(False, places[~left], heaviest))

    def _weighed(self) -> tuple[np.ndarray, np.ndarray]:
        """The places of the levels that are there, in the tree's order, and how many rows have each."""
        places = np.unique(self.values[~np.isnan(self.values)])
        if self.own is not None and not np.isnan(self.own):
            places = np.union1d(places, [self.own])
        counts = self.rows.counts(self.node)
        return places, np.array([counts[self.values == place].sum() for place in places])

    def _side(self, left: bool, places: np.ndarray, heaviest: set[float]) -> Iterator[_Line]:
        feature = int(self.scene.tree.feature[self.node])
        others = [place for place in places if place not in heaviest and place != self.own]
        if len(others) < 2:
            others = []  # a single one has room for its name
        for place in places[~np.isin(places, others)]:
            name = level_of(self.scene.tree, feature, self.scene.names.levels, place)
            yield _Line(name, self.values == place, place == self.own)
        if others:
            yield _Line(f"+ {len(others)} more", np.isin(self.values, others), False)
        missing, own = np.isnan(self.values), self.own is not None and np.isnan(self.own)
        if bool(self.scene.tree.missing_left[self.node]) == left and (missing.any() or own):
            yield _Line(self._unplaced, missing, own)

    @property
    def _unplaced(self) -> str:
        """What the rows are called that have no place: some may have a level of which the tree had too few rows."""
        given = self.rows.X[self.rows.reached[self.node], self.scene.tree.feature[self.node]]
        return "missing" if np.isnan(given[np.isnan(self.values)]).all() else "missing, rare"

    # --- what is drawn -----------------------------------------------------------------------------------------------

    def draw(self) -> str:
        """The lines of both sides, apart; at their left edge the colour of their side."""
        left, right = self.sides
        middle, end = _LINE * len(left), self.height
        return (
            self._lines(left, 0.0, "left")
            + self._lines(right, middle + _CUT, "right")
            + f'<path class="cut" d="M0 {middle + _CUT / 2 - 1:.1f}H{self.width:g}"/>'
            + self._means((0.0, middle - 3), (middle + _CUT, end - 3))
        )

    def _lines(self, lines: list[_Line], top: float, side: str) -> str:
        drawn = ""
        for i, line in enumerate(lines):
            name = lettered(fitted(line.name, _NAME - _WORDS, 10.5), _WORDS, 9.5, "end rowmark" if line.own else "end")
            edge = f'<rect class="goes {side}" width="3" height="{_BAR:g}"/>'
            bar = f'<g transform="translate({_NAME + 4:g} 0)">{self._bar(line, side)}</g>'
            told = said(f"{line.name}: {counted(int(self.rows.counts(self.node)[line.rows].sum()))}")
            drawn += f'<g class="level" transform="translate(0 {top + i * _LINE:g})"><title>{told}</title>{edge}{name}{bar}</g>'
        return drawn

    @property
    def _room(self) -> float:
        """The room for bars."""
        return self.width - _NAME - 4

    def _bar(self, line: _Line, side: str) -> str:
        """How many rows have the level, by class; or their targets, on the scale that all questions share."""
        counts, targets = self.rows.counts(self.node)[line.rows], self.scene.targets(self.node)
        if self.scene.is_scattered and targets is not None:
            return strip(self._at(targets[line.rows]), self._room, _BAR)
        wide = self._room * float(counts.sum()) / self._most
        if targets is None or not wide:
            return f'<rect class="goes {side}" width="{wide:.2f}" height="{_BAR:g}"/>'
        held = np.bincount(targets[line.rows], counts, len(self.scene.colours))
        return stacked_bar(held.tolist(), self.scene.colours, wide, _BAR)

    @cached_property
    def _most(self) -> float:
        """The rows of the longest bar."""
        counts = self.rows.counts(self.node)
        return float(max(counts[line.rows].sum() for side in self.sides for line in side)) or 1.0

    def _means(self, *spans: tuple[float, float]) -> str:
        """What the two sides say, where the lines show targets."""
        if not self.scene.is_scattered:
            return ""
        tree, drawn = self.scene.tree, ""
        for (top, end), child in zip(spans, (tree.left, tree.right), strict=True):
            x = _NAME + 4 + float(self._at(tree.value[child[self.node], 0]))
            drawn += f'<path class="mean" d="M{x:.1f} {top:.1f}V{end:.1f}"/>'
        return drawn

    def _at(self, targets: np.ndarray) -> np.ndarray:
        low, high = self.scene.span
        return np.clip(self._room * (targets - low) / (high - low), 1.5, self._room - 1.5)
