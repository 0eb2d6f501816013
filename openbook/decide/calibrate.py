"""Making probabilities mean what they say, and measuring how far they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.record import Brief, Explains

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
        return cls(t, loss(0.0), loss(float(np.log(t))))

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        """The calibrated probabilities of some logits."""
        from scipy.special import softmax

        return softmax(logits / self.temperature, axis=1)


def _surprise(z: np.ndarray, y: np.ndarray) -> float:
    from scipy.special import logsumexp

    return float(np.mean(logsumexp(z, axis=1) - z[np.arange(len(y)), y]))


@dataclass(frozen=True, eq=False, repr=False)
class Reliability(Brief, Explains):
    """Rows grouped by predicted probability: how many, what was predicted, what happened, and a 95 % Wilson interval.

    `ece` is the expected calibration error: the mean distance of the two, weighted by the rows in each bin.
    """

    edges: np.ndarray
    rows: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ece: float


def reliability(y: Any, p: Any, bins: int = 10) -> Reliability:
    """Compare predicted probabilities of the positive class with what happened, in equally wide bins; empty ones go."""
    truth, score = np.asarray(y, np.float64), np.asarray(p, np.float64)
    if truth.shape != score.shape or truth.ndim != 1 or not len(truth):
        raise InputError(f"labels {truth.shape} and probabilities {score.shape} do not pair up", where="reliability")
    if not ((score >= 0) & (score <= 1)).all():
        raise InputError("probabilities lie between 0 and 1", where="reliability")
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.digitize(score, edges[1:-1]), 0, bins - 1)
    n = np.bincount(place, minlength=bins)
    used = n > 0
    predicted = np.bincount(place, score, bins)[used] / n[used]
    observed = np.bincount(place, truth, bins)[used] / n[used]
    low, high = _wilson(observed, n[used])
    ece = float(np.sum(n[used] / len(truth) * np.abs(predicted - observed)))
    return Reliability(np.stack([edges[:-1], edges[1:]], 1)[used], n[used], predicted, observed, low, high, ece)


def _wilson(share: np.ndarray, n: np.ndarray, z: float = 1.959963984540054) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of a share (Wilson 1927)."""
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return centre - half, centre + half
