"""Threshold curves and reliability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.decide import BestThreshold, Reliability, best_threshold, reliability
from openbook.explain.displays.canvas import ACCENT, CONTRAST, QUIET, Display

__all__ = ["ReliabilityDisplay", "ThresholdCurve"]


@dataclass
class ThresholdCurve(Display):
    """The metric over all thresholds, with the best interval."""

    best: BestThreshold

    @classmethod
    def from_predictions(
        cls, y: Any, p: Any, metric: str = "precision*recall", constraint: str | None = None, ax: Any = None
    ) -> ThresholdCurve:
        """Compute and draw it for labels 0 and 1 and their scores; see `openbook.best_threshold`."""
        display = cls(best_threshold(y, p, metric, constraint))
        display.plot(ax)
        return display

    @property
    def alt(self) -> str:  # type: ignore[override]
        return (
            f"{self.best.metric} against the threshold, largest between {self.best.lower:.3g} and {self.best.upper:.3g}"
        )

    def draw(self, ax: Any) -> None:
        finite = np.isfinite(self.best.values)
        cuts = np.where(np.isfinite(self.best.thresholds), self.best.thresholds, 1.0)
        ax.step(cuts[finite], self.best.values[finite], where="pre", color=ACCENT, linewidth=1.4)
        low, high = (
            max(self.best.lower, cuts.min() if np.isinf(self.best.lower) else self.best.lower),
            min(self.best.upper, 1.0),
        )
        ax.axvspan(low, high, color=CONTRAST, alpha=0.25, linewidth=0)
        ax.plot([self.best.threshold], [self.best.value], "o", color=CONTRAST)
        ax.set_xlabel("threshold T (positive when p ≥ T)")
        ax.set_ylabel(str(self.best.metric))


@dataclass
class ReliabilityDisplay(Display):
    """What happened against what was predicted, with 95 % intervals; on the diagonal, probabilities mean what they say."""

    reliability: Reliability

    @classmethod
    def from_predictions(cls, y: Any, p: Any, bins: int = 10, ax: Any = None) -> ReliabilityDisplay:
        """Compute and draw it for labels 0 and 1 and their probabilities; see `openbook.reliability`."""
        display = cls(reliability(y, p, bins))
        display.plot(ax)
        return display

    alt = "Share of positives in each bin of predicted probability, beside the diagonal"

    def draw(self, ax: Any) -> None:
        r = self.reliability
        ax.plot([0, 1], [0, 1], color=QUIET, linestyle="--", linewidth=1)
        gaps = np.maximum(np.stack([r.observed - r.low, r.high - r.observed]), 0.0)
        ax.errorbar(r.predicted, r.observed, yerr=gaps, fmt="o", color=ACCENT, markersize=4, linewidth=1, capsize=2)
        ax.set_xlabel("predicted probability")
        ax.set_ylabel("share that was positive")
