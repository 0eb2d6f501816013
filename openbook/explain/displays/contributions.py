"""What each feature adds, as bars; and what the trees of a forest say, as a histogram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.explain.displays.canvas import ACCENT, CONTRAST, QUIET, Display

__all__ = ["ContributionBars", "TreeFractions", "TreeMeans"]

_MOST = 12
_LONGEST = 34  # characters of a name


@dataclass
class ContributionBars(Display):
    """The largest contributions to a sum, what raises it in one colour and what lowers it in another."""

    names: Sequence[str]
    values: Sequence[float]
    total: str

    alt = "What each feature adds to or takes from the sum, the largest first"

    def draw(self, ax: Any) -> None:
        order = np.argsort(-np.abs(self.values), kind="stable")[:_MOST]
        values = np.asarray(self.values, np.float64)[order]
        places = np.arange(len(order))
        ax.barh(places, values, color=[ACCENT if v >= 0 else CONTRAST for v in values], height=0.62)
        ax.axvline(0, color=QUIET, linewidth=0.8)
        ax.set_yticks(places, [_short(self.names[i]) for i in order])
        ax.invert_yaxis()
        ax.set_xlabel(f"added to {self.total}")


@dataclass
class TreeFractions(Display):
    """How many trees gave which leaf fraction; their mean is the soft probability, those beyond a half vote for the class."""

    fractions: np.ndarray
    votes: np.ndarray
    name: str

    @property
    def alt(self) -> str:  # type: ignore[override]
        return f"Histogram of the share of {self.name} in each tree's leaf, with the mean {np.mean(self.fractions):.3f} marked"

    def draw(self, ax: Any) -> None:
        edges = np.linspace(0, 1, 21)
        groups = [self.fractions[self.votes > 0], self.fractions[self.votes == 0]]
        labels = (f"votes for {self.name}: {len(groups[0])} trees", f"votes otherwise: {len(groups[1])} trees")
        ax.hist(groups, bins=edges, stacked=True, color=(ACCENT, QUIET), label=labels, rwidth=0.92)
        mean = float(np.mean(self.fractions))
        ax.axvline(mean, color=CONTRAST, linewidth=1.6, label=f"soft: their mean, {mean:.4f}")
        ax.set_xlim(0, 1)
        ax.set_xlabel(f"share of {self.name} in the tree's leaf")
        ax.set_ylabel("trees")
        ax.legend(frameon=False, fontsize=9)


@dataclass
class TreeMeans(Display):
    """What each tree of a regression forest predicts, and their mean."""

    means: np.ndarray

    @property
    def alt(self) -> str:  # type: ignore[override]
        return f"Histogram of the trees' predictions, with their mean {np.mean(self.means):.4g} marked"

    def draw(self, ax: Any) -> None:
        mean = float(np.mean(self.means))
        ax.hist(self.means, bins=24, color=ACCENT, rwidth=0.92)
        ax.axvline(mean, color=CONTRAST, linewidth=1.6, label=f"the forest: their mean, {mean:.4g}")
        ax.set_xlabel("mean target in the tree's leaf")
        ax.set_ylabel("trees")
        ax.legend(frameon=False, fontsize=9)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
