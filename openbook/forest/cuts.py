"""The thresholds that trees ask their features about, ready for finding where a value stands among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from openbook.forest.prediction import Levels

__all__ = ["Cuts"]

_AHEAD = 8  # thresholds that `encode` may look at past the last: no fewer than its AHEAD
_CELLS = (16, 65_536)


@dataclass(frozen=True, eq=False)
class Cuts:
    """The thresholds of trees `first` … `last − 1`, and a grid over them.

    `cuts` holds those of all features, sorted, of f from `begins[f]` on, each followed by ∞. From `cells[f]` on, `grid` says
    how many of them lie below each cell of equal width (`low`, `scale`). The levels of a category are thresholds too: a code's
    rank is then 1 + its level.
    """

    first: int
    last: int
    cuts: np.ndarray
    begins: np.ndarray
    low: np.ndarray
    scale: np.ndarray
    grid: np.ndarray
    cells: np.ndarray

    @property
    def nbytes(self) -> int:
        """The memory of the thresholds and the grid."""
        return self.cuts.nbytes + self.grid.nbytes

    @classmethod
    def of(cls, first: int, last: int, cuts: list[np.ndarray], levels: Levels | None) -> Cuts:
        if levels is not None:
            for f, most in zip(levels.features, levels.most, strict=True):
                cuts[f] = np.nextafter(np.arange(most + 1.0), -np.inf)
        padded = [np.concatenate([c, np.full(_AHEAD, np.inf)]) for c in cuts]
        grids = [_grid(c) for c in cuts]
        return cls(
            first, last, np.concatenate(padded), np.cumsum([0, *map(len, padded)]), np.array([g[0] for g in grids]),
            np.array([g[1] for g in grids]), np.concatenate([g[2] for g in grids]),
            np.cumsum([0, *(len(g[2]) for g in grids)]),
        )  # fmt: skip


def _grid(cuts: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Cells of equal width from the first threshold to the last, one or two for each threshold."""
    finite = cuts[np.isfinite(cuts)]
    cells = int(np.clip(2 << (max(len(cuts), 1) - 1).bit_length(), *_CELLS))
    low = finite[0] if len(finite) else 0.0
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        scale = (cells - 1) / (finite[-1] - low) if len(finite) > 1 else 0.0
        scale = scale if np.isfinite(scale) else 0.0  # one cell for all: they are found by halving
        own = np.clip(np.nan_to_num((cuts - low) * scale), 0, cells - 1).astype(np.int64)
    grid = np.zeros(cells + 1, np.uint16)
    grid[1:] = np.cumsum(np.bincount(own, minlength=cells))
    return low, scale, grid
