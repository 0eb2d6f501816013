"""How models are compared on held-out rows: thin names over scikit-learn's metrics, and which way is better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from openbook.record import Brief, Explains

__all__ = ["SCORES", "Judgement", "Score", "score_table"]


@dataclass(frozen=True)
class Score:
    """A number that judges predictions; `tasks` says where it applies."""

    name: str
    tasks: tuple[str, ...]
    higher_is_better: bool
    compute: Callable[[np.ndarray, np.ndarray], float]


def _sk(name: str, **options: Any) -> Callable[[np.ndarray, np.ndarray], float]:
    def call(y: np.ndarray, given: np.ndarray) -> float:
        import sklearn.metrics

        return float(getattr(sklearn.metrics, name)(y, given, **options))

    return call


def _auc(y: np.ndarray, p: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    if p.shape[1] == 2:
        return float(roc_auc_score(y, p[:, 1]))
    present = np.unique(y)  # one against the rest, over the classes that the held-out rows have
    return float(np.mean([roc_auc_score(y == c, p[:, c]) for c in present]))


def _log_loss(y: np.ndarray, p: np.ndarray) -> float:
    likely = np.clip(p[np.arange(len(y)), y], 1e-15, 1.0)
    return float(-np.mean(np.log(likely)))


def _accuracy(y: np.ndarray, p: np.ndarray) -> float:
    return float(np.mean(np.argmax(p, axis=1) == y))


def _brier(y: np.ndarray, p: np.ndarray) -> float:
    return float(np.mean((p[:, 1] - y) ** 2))


_ALL = [
    Score("ROC AUC", ("two", "many"), True, _auc),
    Score("log loss", ("two", "many"), False, _log_loss),
    Score("accuracy", ("two", "many"), True, _accuracy),
    Score("Brier", ("two",), False, _brier),
    Score("R²", ("regression",), True, _sk("r2_score")),
    Score("RMSE", ("regression",), False, _sk("root_mean_squared_error")),
    Score("MAE", ("regression",), False, _sk("mean_absolute_error")),
]
SCORES: dict[str, Score] = {score.name: score for score in _ALL}


@dataclass(frozen=True, eq=False, repr=False)
class Judgement(Brief, Explains):
    """Predictions beside the truth: `values` are their scores, and each can be explained.

    `task` is "two", "many" or "regression"; `y` the classes 0, 1, … (n,) or numbers; `given` probabilities
    (n, classes), or predicted numbers (n,).
    """

    task: str
    y: np.ndarray
    given: np.ndarray

    @cached_property
    def values(self) -> dict[str, float]:
        """Every score for this task, by name."""
        return score_table(self.task, self.y, self.given)


def score_table(task: str, y: np.ndarray, given: np.ndarray) -> dict[str, float]:
    """All scores for a task ("two", "many" or "regression"): probabilities (rows, classes), or predicted numbers."""
    return {name: score.compute(y, given) for name, score in SCORES.items() if task in score.tasks}
