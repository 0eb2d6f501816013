"""Making probabilities mean what they say, and measuring how far they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.record import Explains

__all__ = ["Reliability", "TemperatureScaling", "reliability"]

_LEAST, _MOST = 0.05, 20.0


@dataclass(frozen=True, eq=False)
class TemperatureScaling(Explains):
    """Divide logits by one temperature, chosen so that validation rows are least surprising (Guo et al. 2017).

    The order of the classes, and so accuracy and ROC AUC for two classes, does not change.
    """

    temperature: float
    before: float
    after: float
    logits: np.ndarray
    y: np.ndarray

    @classmethod
    def learn(cls, logits: np.ndarray, y: np.ndarray) -> TemperatureScaling:
        """Choose the temperature on logits (rows, classes) of rows the model was not fitted to, and their classes."""
        from scipy.optimize import minimize_scalar

        if not np.isfinite(logits).all():
            raise InputError("logits must be finite numbers", where="TemperatureScaling")

        def loss(log_t: float) -> float:
            return _surprise(logits / np.exp(log_t), y)

        bounds = (np.log(_LEAST), np.log(_MOST))
        found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
        t = float(np.exp(found.x)) if found.fun < loss(0.0) else 1.0
        return cls(t, loss(0.0), loss(float(np.log(t))), logits, y)

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        """The calibrated probabilities of some logits."""
        from scipy.special import softmax

        return softmax(logits / self.temperature, axis=1)

    def reliability(self, bins: int = 10) -> tuple[Reliability, Reliability]:
        """Whether the likeliest class was true as often as its probability says (Guo et al. 2017): before and after."""
        from scipy.special import softmax

        before, after = softmax(self.logits, axis=1), self(self.logits)
        right = (before.argmax(axis=1) == self.y).astype(np.int64)
        return reliability(right, before.max(axis=1), bins), reliability(right, after.max(axis=1), bins)


def _surprise(z: np.ndarray, y: np.ndarray) -> float:
    from scipy.special import logsumexp

    return float(np.mean(logsumexp(z, axis=1) - z[np.arange(len(y)), y]))


@dataclass(frozen=True, eq=False)
class Reliability(Explains):
    """Rows grouped by predicted probability: how many, what was predicted, what happened, and a 95 % Wilson interval.

    Arrays have an entry for each bin that holds rows; `edges` (bins, 2). `ece` is the expected calibration error: the mean
    distance of predicted and observed, weighted by the rows in each bin; `mce` the largest.
    """

    edges: np.ndarray
    rows: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray
    low: np.ndarray
    high: np.ndarray
    y: np.ndarray
    p: np.ndarray

    @property
    def ece(self) -> float:
        return float(np.sum(self.rows / len(self.y) * np.abs(self.predicted - self.observed)))

    @property
    def mce(self) -> float:
        return float(np.max(np.abs(self.predicted - self.observed)))


def reliability(y: Any, p: Any, bins: int = 10, strategy: str = "width") -> Reliability:
    """Compare predicted probabilities of the positive class with what happened, bin by bin; empty bins go.

    `y` (rows,) of 0 and 1, `p` (rows,). Bins are equally wide, or with `strategy="rows"` hold about equally many rows (equal
    probabilities stay together). A bin holds its lower edge, the last one also 1.
    """
    truth, score = np.asarray(y, np.float64), np.asarray(p, np.float64)
    if truth.shape != score.shape or truth.ndim != 1 or not len(truth):
        raise InputError(f"labels {truth.shape} and probabilities {score.shape} do not pair up", where="reliability")
    if not ((score >= 0) & (score <= 1)).all():
        raise InputError("probabilities lie between 0 and 1", where="reliability")
    if not np.isin(truth, (0, 1)).all():
        raise InputError("labels must be 0 (negative) or 1 (positive)", where="reliability", do="encode the classes so")
    edges = _edges(score, bins, strategy)
    place = np.digitize(score, edges[1:-1])
    n = np.bincount(place, minlength=len(edges) - 1)
    used = n > 0
    predicted = np.bincount(place, score, len(n))[used] / n[used]
    observed = np.bincount(place, truth, len(n))[used] / n[used]
    low, high = _wilson(observed, n[used])
    return Reliability(
        np.stack([edges[:-1], edges[1:]], 1)[used], n[used], predicted, observed, low, high, truth, score
    )


def _edges(score: np.ndarray, bins: int, strategy: str) -> np.ndarray:
    if bins < 1:
        raise InputError(f"{bins} bins hold no rows", where="reliability", do="ask for 1 or more")
    if strategy == "width":
        return np.linspace(0, 1, bins + 1)
    if strategy != "rows":
        raise InputError(f"there is no strategy {strategy!r}", where="reliability", do='choose "width" or "rows"')
    different = np.unique(score)
    last = np.quantile(score, np.arange(1, bins) / bins, method="inverted_cdf")  # in each bin; the next begins above it
    first = np.searchsorted(different, last, side="right")
    inner = np.unique(different[first[first < len(different)]])
    return np.concatenate([[0.0], inner[inner < 1], [1.0]])


def _wilson(share: np.ndarray, n: np.ndarray, z: float = 1.959963984540054) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of a share (Wilson 1927)."""
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return centre - half, centre + half
