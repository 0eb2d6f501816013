"""The rows at a question: how many of each class, or target against feature, on both sides of the threshold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from openbook.explain.trees.marks import Axis, cloud, histogram, strip, wedge
from openbook.explain.trees.rows import Rows
from openbook.explain.trees.scene import Scene
from openbook.explain.trees.style import lettered, width_of
from openbook.explain.trees.words import short

__all__ = ["Plot"]

_PLOT = 56.0  # pixels: the height without what is written below
_MISSING, _WORDS = 50.0, _PLOT + 22  # the room for missing values; where the numbers below stand


@dataclass(frozen=True, eq=False)
class Plot:
    """The rows that reach a node, by its feature, `width` pixels wide."""

    scene: Scene
    rows: Rows
    node: int
    width: float
    height: ClassVar[float] = _WORDS + 2

    @cached_property
    def values(self) -> np.ndarray:
        return self.scene.values(self.node).astype(np.float64)

    @property
    def threshold(self) -> float:
        return float(self.scene.tree.threshold[self.node])

    @cached_property
    def missing(self) -> float:
        """The room beside the axis for rows whose value is missing, if there are any."""
        return _MISSING if np.isnan(self.values).any() else 0.0

    @cached_property
    def axis(self) -> Axis:
        return Axis.around(self.values, self.threshold, self.width - self.missing)

    def draw(self) -> str:
        """The rows, the axis with the threshold on it, and the row whose way is lit."""
        rows = self._cloud() if self.scene.is_scattered else self._bars()
        return rows + self._below() + self._row()

    def _bars(self) -> str:
        targets, colours = self.rows.targets(self.node), self.scene.colours
        if targets is None or not colours:
            targets, colours = np.zeros(len(self.values), np.int64), [""]
        return histogram(self.axis, self.values, targets, self.rows.counts(self.node), colours, _PLOT, self.missing)

    def _cloud(self) -> str:
        """Target against feature, with what the two sides say."""
        tree, targets = self.scene.tree, self.scene.targets(self.node)
        assert targets is not None
        known = ~np.isnan(self.values)
        places = np.array([self.axis.at(value) for value in self.values[known]])
        drawn = cloud(places, self._level(targets[known]), self.axis.width, _PLOT)
        middle = self.axis.at(self.threshold)
        for begin, end, child in ((0.0, middle, tree.left), (middle, self.axis.width, tree.right)):
            level = float(self._level(tree.value[child[self.node], 0]))
            drawn += f'<path class="mean" d="M{begin:.1f} {level:.1f}H{end:.1f}"/>'
        if self.missing:
            aside = strip(self._level(targets[~known]), _PLOT, 14.0)
            drawn += f'<g transform="translate({self.axis.width + self.missing / 2 + 7:.1f} 0) rotate(90)">{aside}</g>'
        return f'{drawn}<path class="cut" d="M{middle:.1f} 0V{_PLOT:g}"/>'

    def _level(self, targets: np.ndarray) -> np.ndarray:
        """How far below the top targets stand, on the scale that all questions share."""
        low, high = self.scene.span
        return np.clip(_PLOT * (1 - (targets - low) / (high - low)), 1.5, _PLOT - 1.5)

    def _below(self) -> str:
        """The axis: its ends, the threshold with its wedge, and the rows that are missing."""
        axis = self.axis
        drawn = f'<path class="axis" d="M0 {_PLOT:g}H{axis.width:.1f}"/>'
        if self.missing:
            drawn += lettered("missing", self.width, _WORDS, "end", "end")
        if np.isinf(self.threshold):
            return drawn + lettered("known, or missing?", 0, _WORDS, "at")
        told, x = self.scene.decision(self.node).threshold, axis.at(self.threshold)
        half = width_of(told, 11) / 2
        centre = min(max(x, half), axis.width - half)
        drawn += wedge(x, _PLOT + 1) + lettered(told, centre, _WORDS, "at", "middle")
        return drawn + self._ends(centre - half - 8, centre + half + 8)

    def _ends(self, free_to: float, free_from: float) -> str:
        """The smallest and the largest value, where there is room beside the threshold."""
        known = self.values[~np.isnan(self.values)]
        if not len(known):
            return ""
        low, high, width = short(float(known.min())), short(float(known.max())), self.axis.width
        drawn = lettered(low, 0, _WORDS, "end") if width_of(low, 10.5) < free_to else ""
        return drawn + (lettered(high, width, _WORDS, "end", "end") if width_of(high, 10.5) < width - free_from else "")

    def _row(self) -> str:
        """Where the row stands whose way is lit."""
        if self.scene.row is None or self.node not in self.scene.outline.path:
            return ""
        value = self.scene.own(self.node)
        if np.isnan(value) and not self.missing:
            return ""
        x = self.axis.width + self.missing / 2 if np.isnan(value) else self.axis.at(value)
        return f'<path class="row" d="M{x:.1f} -2V{_PLOT:g}"/>{wedge(x, 2, -4, "rowmark")}'
