"""From probabilities to calls: a metric at given thresholds, and the best over all thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from openbook.decide.cuts import Cuts, judge
from openbook.decide.metric import Metric
from openbook.decide.spread import Spread, resampled
from openbook.errors import InputError, MetricError, ShapeError
from openbook.expr import Compare, parse
from openbook.record import Explains

__all__ = ["BestThreshold", "Outcome", "ThresholdTable", "at_thresholds", "best_threshold"]


@dataclass(frozen=True)
class Outcome:
    """What calling positive when p ≥ `threshold` gives. `empty`: a rate was 0/0 and took its stated value."""

    threshold: float
    tp: int
    fp: int
    fn: int
    tn: int
    rates: dict[str, float]
    value: float
    empty: bool

    @property
    def counts(self) -> dict[str, int]:
        return {"tp": self.tp, "fp": self.fp, "fn": self.fn, "tn": self.tn}


@dataclass(frozen=True, eq=False)
class ThresholdTable(Explains):
    """The metric at the thresholds asked about."""

    metric: Metric
    rows: tuple[Outcome, ...]
    y: np.ndarray
    p: np.ndarray

    @property
    def best(self) -> Outcome:
        """The row with the largest metric; of equal ones, the first."""
        return max(self.rows, key=lambda row: row.value)


@dataclass(frozen=True, eq=False)
class BestThreshold(Explains):
    """The best over all thresholds: every T with `lower` < T ≤ `upper` makes the same calls; `threshold` is one of them.

    `candidates` are the outcomes at every different way to part the rows, from all positive to none; `others` the
    further intervals that do equally well. `constraint` is what had to hold.
    """

    metric: Metric
    outcome: Outcome
    lower: float
    upper: float
    others: tuple[tuple[float, float], ...]
    thresholds: np.ndarray
    values: np.ndarray
    y: np.ndarray
    p: np.ndarray
    constraint: Metric | None = None

    @property
    def threshold(self) -> float:
        return self.outcome.threshold

    @property
    def value(self) -> float:
        return self.outcome.value

    def spread(self, resamples: int = 200, seed: int = 0, coverage: float = 0.95) -> Spread:
        """How far this choice would move on other rows of the same kind: choose again on `resamples` bootstrap samples."""
        return resampled(self, resamples, seed, coverage)


def at_thresholds(
    y: Any, p: Any, thresholds: Sequence[float], metric: str | Metric = "precision*recall"
) -> ThresholdTable:
    """The counts, rates and metric when rows with p ≥ T are called positive, for each T given.

    `y` (rows,) of 0 and 1, `p` (rows,) scores. Raises InputError for NaN, other labels, or nothing to count.
    """
    truth, score = _checked(y, p)
    measure = metric if isinstance(metric, Metric) else Metric(metric)
    wanted = np.asarray(list(thresholds), np.float64)
    if not len(wanted) or np.isnan(wanted).any():
        raise InputError("thresholds must be numbers, at least one", where="at_thresholds")
    called = score[None, :] >= wanted[:, None]
    return ThresholdTable(measure, tuple(_outcomes(wanted, _count(truth, called), measure)), truth, score)


def best_threshold(
    y: Any, p: Any, metric: str | Metric = "precision*recall", constraint: str | None = None
) -> BestThreshold:
    """The threshold with the largest metric over all there are, as an interval; ties in p move together.

    Only the different values of p matter, and "none positive": sorted once, O(n log n). `constraint`, such as
    `"recall >= 0.9"`, must hold. Recommended is the middle of the interval (its only end, where it has one).
    """
    truth, score = _checked(y, p)
    measure = metric if isinstance(metric, Metric) else Metric(metric)
    limit = _limit(constraint)
    cuts = Cuts.of(truth, score)
    values = judge(cuts.counts(), measure, limit)
    if not np.isfinite(values).any():
        raise MetricError(f"no threshold satisfies {constraint}", where="the constraint", do="ask for less")
    (lower, upper), others = cuts.widest(values)
    at = _inside(lower, upper)
    outcome = _outcomes(np.array([at]), _count(truth, score[None, :] >= at), measure)[0]
    if limit is not None:  # what had to hold is worth seeing too
        held, _, _ = limit.evaluate({name: np.array([n]) for name, n in outcome.counts.items()})
        outcome = replace(outcome, rates={**{name: float(rate[0]) for name, rate in held.items()}, **outcome.rates})
    return BestThreshold(measure, outcome, lower, upper, others, cuts.at, values, truth, score, limit)


def _checked(y: Any, p: Any) -> tuple[np.ndarray, np.ndarray]:
    truth, score = np.asarray(y), np.asarray(p, np.float64)
    if truth.ndim != 1 or truth.shape != score.shape:
        raise ShapeError(f"labels have shape {truth.shape}, scores {score.shape}", where="thresholds",
                         do="give one label and one score for each row")  # fmt: skip
    if not len(truth):
        raise InputError("there are no rows to count", where="thresholds")
    if not np.isin(truth, (0, 1)).all():
        raise InputError("labels must be 0 (negative) or 1 (positive)", where="thresholds", do="encode the classes so")
    if not np.isfinite(score).all():
        raise InputError(
            f"the score of row {int(np.argmin(np.isfinite(score)))} is no finite number", where="thresholds"
        )
    if len(np.unique(truth)) < 2:
        raise InputError(f"every label is {int(truth[0])}", where="thresholds", do="rates need rows of both classes")
    return truth.astype(np.int64), score


def _count(truth: np.ndarray, called: np.ndarray) -> dict[str, np.ndarray]:
    positive = truth == 1
    tp, fp = (called & positive).sum(axis=1), (called & ~positive).sum(axis=1)
    return {"tp": tp, "fp": fp, "fn": positive.sum() - tp, "tn": (~positive).sum() - fp}


def _inside(lower: float, upper: float) -> float:
    """A threshold well inside (lower, upper], not outside [0, 1] where that can be."""
    if np.isinf(lower):
        return upper if upper <= 0 else max(0.0, upper / 2) if upper <= 1 else upper
    if np.isinf(upper):
        return (lower + 1) / 2 if lower < 1 else float(np.nextafter(lower, np.inf))
    middle = lower + (upper - lower) / 2
    return middle if middle > lower else upper


def _outcomes(thresholds: np.ndarray, counts: dict[str, np.ndarray], metric: Metric) -> list[Outcome]:
    rates, values, empty = metric.evaluate(counts)
    return [
        Outcome(float(t), int(counts["tp"][i]), int(counts["fp"][i]), int(counts["fn"][i]), int(counts["tn"][i]),
                {name: float(rate[i]) for name, rate in rates.items()}, float(values[i]), bool(empty[i]))
        for i, t in enumerate(thresholds)
    ]  # fmt: skip


def _limit(constraint: str | None) -> Metric | None:
    """What has to hold: a comparison of rates."""
    if constraint is None:
        return None
    if not isinstance(parse(constraint), Compare):
        raise MetricError(f"{constraint!r} compares nothing", where="the constraint", do='write "recall >= 0.9"')
    return Metric(constraint)
