"""What a network with two inputs says all over the plane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.errors import ShapeError
from openbook.explain.displays.canvas import ACCENT, CONTRAST, QUIET, Display

__all__ = ["DecisionBoundary"]

_FINE = 80  # points along each side
_FLAT = 1e-9  # what differs less than this differs by rounding


@dataclass
class DecisionBoundary(Display):
    """The scores as shades, the boundary where they are `level`, and the rows: filled where the target is above it."""

    first: np.ndarray
    second: np.ndarray
    scores: np.ndarray
    rows: np.ndarray
    targets: np.ndarray
    level: float = 0.5

    size = (4.6, 3.8)

    @classmethod
    def from_function(
        cls, score: Callable[[np.ndarray], np.ndarray], rows: Any, targets: Any, level: float = 0.5
    ) -> DecisionBoundary:
        """Ask `score` (rows (n, 2) → (n,)) around the rows; raises ShapeError for other than two features."""
        X, y = np.asarray(rows, np.float64), np.asarray(targets, np.float64).ravel()
        if X.ndim != 2 or X.shape[1] != 2 or len(X) != len(y):
            raise ShapeError(f"rows {X.shape} and targets {y.shape} are no points in a plane", where="DecisionBoundary",
                             do="give two features and one target for each row")  # fmt: skip
        low, high = X.min(axis=0), X.max(axis=0)
        room = 0.25 * np.where(high > low, high - low, 1.0)
        first, second = (np.linspace(low[i] - room[i], high[i] + room[i], _FINE) for i in (0, 1))
        across, up = np.meshgrid(first, second)
        scores = np.asarray(score(np.column_stack([across.ravel(), up.ravel()])), np.float64).reshape(across.shape)
        return cls(first, second, scores, X, y, level)

    @property
    def alt(self) -> str:  # type: ignore[override]
        above = int(np.sum(self.targets > self.level))
        return (
            f"{above} rows with a target above {self.level:g} and {len(self.targets) - above} others in the plane, with "
            "the boundary between what is said to be above it and below"
        )

    def draw(self, ax: Any) -> None:
        if np.ptp(self.scores) < _FLAT * max(1.0, float(np.max(np.abs(self.scores)))):
            ax.annotate(f"{self.scores.mean():.4g} everywhere: no boundary", (0.5, 0.5), xycoords="axes fraction", ha="center",
                        color=QUIET)  # fmt: skip
            ax.set(xlim=self.first[[0, -1]], ylim=self.second[[0, -1]])
        else:
            self._shades(ax)
        above = self.targets > self.level
        ax.plot(*self.rows[above].T, "o", color=CONTRAST, markersize=7, label=f"target above {self.level:g}")
        ax.plot(*self.rows[~above].T, "s", color=ACCENT, markersize=7, markerfacecolor="none", label="not above")
        ax.legend(frameon=False, fontsize=9, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        ax.set_xlabel("x[0]")
        ax.set_ylabel("x[1]")

    def _shades(self, ax: Any) -> None:
        spread = float(np.max(np.abs(self.scores - self.level)))
        shades = {"cmap": "RdBu_r", "vmin": self.level - spread, "vmax": self.level + spread}
        ax.contourf(self.first, self.second, self.scores, levels=9, alpha=0.3, **shades)
        if self.scores.min() < self.level < self.scores.max():
            ax.contour(self.first, self.second, self.scores, levels=[self.level], colors="black", linewidths=1.6)
