"""Scores on held-out rows: each as a formula of counts or sums, and computed a second time by scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.decide import Judgement
from openbook.explain.dispatch import explains
from openbook.expr import parse
from openbook.record import Step, Witness, Working, given

__all__ = ["explain_judgement"]

_TOLERANCE = 1e-9


@explains(Judgement)
def explain_judgement(judged: Judgement) -> Working:
    """How every score comes about, each in a part of its own."""
    n = given("n", len(judged.y), "held-out rows", "The rows")
    steps = [n]
    for name in judged.values:
        steps += _TELLERS[name](judged, n, name)
    return Working(
        title="How the scores come about",
        question="What is each score made of?",
        steps=tuple(steps),
        result=dict(judged.values),
    )


def _sklearn(function: str, *arguments: Any, **options: Any) -> Witness:
    def compute() -> float:
        import sklearn.metrics

        return float(getattr(sklearn.metrics, function)(*arguments, **options))

    return Witness(f"scikit-learn's {function}", compute, rtol=_TOLERANCE, atol=1e-12)


def _score(
    judged: Judgement, name: str, symbol: str, formula: str, inputs: tuple[Step, ...], rule: str, *witnesses: Witness
) -> Step:
    named = parse(formula)
    return Step(symbol, judged.values[name], named, inputs, rule=rule, part=name, witnesses=witnesses)


def _auc(judged: Judgement, n: Step, name: str) -> list[Step]:
    if judged.task == "two":
        return _pairs(judged.y == 1, judged.given[:, 1], name, "AUC", "the positive class")
    steps, areas = [], []
    for c in np.unique(judged.y):
        steps += _pairs(judged.y == c, judged.given[:, c], name, f"AUC_{c}", f"class {c}")
        areas.append(steps[-1])
    count = given("k", len(areas), "classes among the held-out rows", name)
    formula = parse(f"({' + '.join(f'a{i}' for i in range(len(areas)))})/k").rename(
        {f"a{i}": s.name for i, s in enumerate(areas)}
    )
    mean = Step("AUC", judged.values[name], formula, (*areas, count), rule="mean over the classes", part=name)
    return [*steps, count, mean]


def _pairs(positive: np.ndarray, p: np.ndarray, part: str, symbol: str, called: str) -> list[Step]:
    """The share of pairs, one row of each side, that are in the right order; a tie is half a pair."""
    low = np.sort(p[~positive])
    below, upto = np.searchsorted(low, p[positive], "left"), np.searchsorted(low, p[positive], "right")
    suffix = symbol.removeprefix("AUC")
    won = given(
        f"won{suffix}", int(below.sum()), f"pairs in which the row of {called} has the higher probability", part
    )
    tied = given(f"tied{suffix}", int((upto - below).sum()), "pairs in which both have the same", part)
    P, N = (
        given(f"P{suffix}", int(positive.sum()), f"rows of {called}", part),
        given(f"N{suffix}", int((~positive).sum()), "other rows", part),
    )
    formula = parse("(won + tied/2)/(P*N)").rename({"won": won.name, "tied": tied.name, "P": P.name, "N": N.name})
    value = (won.value + tied.value / 2) / (P.value * N.value)
    area = Step(symbol, value, formula, (won, tied, P, N), rule="share of pairs in the right order", part=part,
                witnesses=(_sklearn("roc_auc_score", positive, p),))  # fmt: skip
    return [won, tied, P, N, area]


def _log_loss(judged: Judgement, n: Step, name: str) -> list[Step]:
    likely = np.clip(judged.given[np.arange(len(judged.y)), judged.y], 1e-15, 1.0)
    total = given(
        "surprise", float(-np.log(likely).sum()), "−ln of the probability given to what happened, over all rows", name
    )
    labels = np.arange(judged.given.shape[1])
    again = _sklearn("log_loss", judged.y, judged.given, labels=labels)
    return [total, _score(judged, name, "log_loss", "surprise/n", (total, n), "mean surprise", again)]


def _accuracy(judged: Judgement, n: Step, name: str) -> list[Step]:
    called = judged.given.argmax(axis=1)
    right = given("right", int((called == judged.y).sum()), "rows whose likeliest class is theirs", name)
    return [
        right,
        _score(judged, name, "accuracy", "right/n", (right, n), "share", _sklearn("accuracy_score", judged.y, called)),
    ]


def _brier(judged: Judgement, n: Step, name: str) -> list[Step]:
    total = given("squares", float(np.sum((judged.given[:, 1] - judged.y) ** 2)), "(p − y)² over all rows", name)
    again = _sklearn("brier_score_loss", judged.y, judged.given[:, 1])
    return [total, _score(judged, name, "Brier", "squares/n", (total, n), "mean squared error", again)]


def _residual(judged: Judgement, part: str) -> Step:
    return given("SSE", float(np.sum((judged.y - judged.given) ** 2)), "(y − ŷ)² over all rows", part)


def _r2(judged: Judgement, n: Step, name: str) -> list[Step]:
    left = _residual(judged, name)
    whole = given("SST", float(np.sum((judged.y - judged.y.mean()) ** 2)), "(y − mean of y)² over all rows", name)
    again = _sklearn("r2_score", judged.y, judged.given)
    return [
        left,
        whole,
        _score(judged, name, "R²", "1 - SSE/SST", (left, whole), "share of the variance explained", again),
    ]


def _rmse(judged: Judgement, n: Step, name: str) -> list[Step]:
    left = _residual(judged, name)
    again = _sklearn("root_mean_squared_error", judged.y, judged.given)
    return [left, _score(judged, name, "RMSE", "sqrt(SSE/n)", (left, n), "root mean squared error", again)]


def _mae(judged: Judgement, n: Step, name: str) -> list[Step]:
    total = given("SAE", float(np.sum(np.abs(judged.y - judged.given))), "|y − ŷ| over all rows", name)
    again = _sklearn("mean_absolute_error", judged.y, judged.given)
    return [total, _score(judged, name, "MAE", "SAE/n", (total, n), "mean absolute error", again)]


_TELLERS: dict[str, Callable[[Judgement, Step, str], list[Step]]] = {
    "ROC AUC": _auc, "log loss": _log_loss, "accuracy": _accuracy, "Brier": _brier, "R²": _r2, "RMSE": _rmse, "MAE": _mae,
}  # fmt: skip
