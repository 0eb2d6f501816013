"""What is drawn inside the boxes of a tree: histograms, clouds of points, bars of fractions, strips of targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Axis", "cloud", "histogram", "stacked_bar", "strip", "wedge"]

_BINS = 18
_POINTS = 300  # rows: clouds of more are drawn as a grid of shades
_GOLDEN = (math.sqrt(5) - 1) / 2
_SHADES = 5


@dataclass(frozen=True)
class Axis:
    """A stretch of numbers along `width` pixels, in bins that begin and end at `middle` (the threshold): `left` of them
    before it, `right` after it, so that none has rows of both sides. `half` is half the width of a bin."""

    middle: float
    half: float
    left: int
    right: int
    width: float

    @classmethod
    def around(cls, values: np.ndarray, threshold: float, width: float) -> Axis:
        """An axis for the values that reach a node (NaN where missing)."""
        seen = [*values[~np.isnan(values)].tolist(), *([threshold] if math.isfinite(threshold) else [])] or [0.0]
        low, high = min(seen), max(seen)
        middle = threshold if math.isfinite(threshold) else low
        half = (high / 2 - low / 2) / _BINS or 1.0  # halves, because the whole may be beyond the largest float
        left = max(1, math.ceil((middle / 2 - low / 2) / half))
        return cls(middle, half, left, max(1, math.ceil((high / 2 - middle / 2) / half)), width)

    @property
    def count(self) -> int:
        return self.left + self.right

    def _steps(self, values: np.ndarray) -> np.ndarray:
        """How many bins numbers are beyond the first."""
        return (values / 2 - self.middle / 2) / self.half + self.left

    def at(self, value: float) -> float:
        """Where a number stands; those beyond an end at that end."""
        return self.width * min(max(float(self._steps(np.asarray(value))) / self.count, 0.0), 1.0)

    def bins(self, values: np.ndarray) -> np.ndarray:
        """The bin of each number, from 0; a number equal to the threshold is to its left."""
        place = np.ceil(self._steps(values)).astype(np.int64) - 1
        return np.where(
            values <= self.middle, np.clip(place, 0, self.left - 1), np.clip(place, self.left, self.count - 1)
        )


def histogram(
    axis: Axis, values: np.ndarray, groups: np.ndarray, times: np.ndarray, colours: Sequence[str], height: float,
    aside: float = 0.0,
) -> str:  # fmt: skip
    """Bars of how many rows there are, stacked by group; those missing in a bar `aside` of the axis, if that has room."""
    known = ~np.isnan(values)
    counts = np.zeros((axis.count + 1, len(colours)))
    bins = np.full(len(values), axis.count)
    bins[known] = axis.bins(values[known])
    np.add.at(counts, (bins, groups), times)
    tallest = counts.sum(axis=1).max(initial=0) or 1.0
    wide = axis.width / axis.count
    lefts = [*(i * wide for i in range(axis.count)), axis.width + aside / 2 - 6]
    widths = [wide] * axis.count + [12.0]
    drawn: dict[int, str] = {}
    for i, k in zip(*np.nonzero(counts), strict=True):
        top = height * (1 - counts[i, : k + 1].sum() / tallest)
        tall = height * counts[i, k] / tallest
        drawn[k] = (
            drawn.get(k, "") + f"M{lefts[i] + 0.5:.1f} {top:.2f}h{widths[i] - 1:.1f}v{tall:.2f}h{1 - widths[i]:.1f}z"
        )
    return "".join(f'<path {_fill(colours[k])} d="{drawn[k]}"/>' for k in sorted(drawn))


def _fill(colour: str) -> str:
    return f'fill="{colour}"' if colour else 'class="plain"'


def cloud(x: np.ndarray, y: np.ndarray, width: float, height: float) -> str:
    """Points at these places (pixels); very many as a grid of shades."""
    if not len(x):
        return ""
    if len(x) <= _POINTS:
        return f'<path class="dots" d="{"".join(f"M{a:.1f} {b:.1f}h0" for a, b in zip(x, y, strict=True))}"/>'
    across, down = int(width // 6), int(height // 5)
    cells = np.zeros((down, across))
    np.add.at(
        cells,
        (np.minimum(y * down / height, down - 1).astype(int), np.minimum(x * across / width, across - 1).astype(int)),
        1,
    )
    shade = np.ceil(np.sqrt(cells / cells.max()) * _SHADES).astype(int)
    wide, tall = width / across, height / down
    box = f"h{wide:.2f}v{tall:.2f}h{-wide:.2f}z"
    drawn = ""
    for level in range(1, _SHADES + 1):
        path = "".join(f"M{j * wide:.1f} {i * tall:.1f}{box}" for i, j in zip(*np.nonzero(shade == level), strict=True))
        drawn += f'<path class="cells" fill-opacity="{level / _SHADES:.1f}" d="{path}"/>' if path else ""
    return drawn


def strip(places: np.ndarray, width: float, height: float) -> str:
    """Points along a line, spread a little so that equal ones are seen (always the same way)."""
    spread = (np.arange(len(places)) * _GOLDEN) % 1
    return cloud(np.clip(places, 0, width), 2 + spread * (height - 4), width, height)


def stacked_bar(weights: Sequence[float], colours: Sequence[str], width: float, height: float) -> str:
    """One bar parted like the weights."""
    total, at, drawn = float(sum(weights)), 0.0, ""
    for weight, colour in zip(weights, colours, strict=True):
        part = width * float(weight) / total
        if part > 0:
            drawn += f'<rect fill="{colour}" x="{at:.2f}" y="0" width="{part:.2f}" height="{height:.1f}"/>'
        at += part
    return f'<rect class="track" width="{width:.1f}" height="{height:.1f}"/>{drawn}'


def wedge(x: float, y: float, size: float = 5.0, kind: str = "ink") -> str:
    """A small triangle whose tip is at (x, y), from below; of negative size from above."""
    return f'<path class="{kind}" d="M{x:.1f} {y:.1f}l{size:.1f} {size * 1.6:.1f}h{-2 * size:.1f}z"/>'
