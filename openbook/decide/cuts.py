"""Every way to part rows by a threshold, and what each would count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openbook.decide.metric import Metric

__all__ = ["Cuts", "judge"]


@dataclass(frozen=True, eq=False)
class Cuts:
    """Rows sorted into their different scores: every threshold that matters, and what each would count.

    `at` are the different scores, ascending, and +∞: calling positive from there up. `place` is each row's score among them.
    """

    at: np.ndarray
    place: np.ndarray
    truth: np.ndarray

    @classmethod
    def of(cls, truth: np.ndarray, score: np.ndarray) -> Cuts:
        different, place = np.unique(score, return_inverse=True)
        return cls(np.append(different, np.inf), place, truth)

    def counts(self, times: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """The four counts at every cut; `times` is how often each row counts (a resample), once by default."""
        different = len(self.at) - 1
        weight = np.ones(len(self.truth)) if times is None else times
        ones = _from_above(np.bincount(self.place, weight * self.truth, different))
        called = _from_above(np.bincount(self.place, weight, different))
        fp = called - ones
        return {"tp": ones, "fp": fp, "fn": ones[0] - ones, "tn": fp[0] - fp}

    def widest(self, values: np.ndarray) -> tuple[tuple[float, float], tuple[tuple[float, float], ...]]:
        """The widest of the intervals (above, up to] with the largest value, and the others."""
        top = np.flatnonzero(values == values.max())
        below = np.where(top > 0, self.at[top - 1], -np.inf)
        intervals = list(zip(below.tolist(), self.at[top].tolist(), strict=True))
        chosen = intervals.pop(int(np.argmax([_room(*interval) for interval in intervals])))
        return chosen, tuple(intervals)


def judge(counts: dict[str, np.ndarray], metric: Metric, limit: Metric | None = None) -> np.ndarray:
    """The metric for arrays of counts; −∞ where the limit does not hold or the metric is no number."""
    _, values, _ = metric.evaluate(counts)
    allowed = np.isfinite(values)
    if limit is not None:
        allowed &= limit.evaluate(counts)[1].astype(bool)
    return np.where(allowed, values, -np.inf)


def _from_above(counts: np.ndarray) -> np.ndarray:
    """How many lie at each cut or above it; whole numbers below 2⁵³, so exact."""
    return np.concatenate([np.cumsum(counts[::-1])[::-1], [0]]).astype(np.int64)


def _room(lower: float, upper: float) -> float:
    """How much room an interval of probabilities leaves."""
    return min(upper, 1.0) - max(lower, 0.0)
