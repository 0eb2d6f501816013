"""Rates, metrics, thresholds and calibration, against brute force and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

from openbook.decide import Judgement, Metric, TemperatureScaling, at_thresholds, best_threshold, reliability
from openbook.errors import MetricError, OpenbookError

P = [0.25, 0.95, 0.10, 0.70, 0.40, 0.55, 0.30, 0.85, 0.60, 0.05]
Y = [0, 1, 0, 1, 0, 1, 0, 1, 0, 0]


def test_known_answers_of_the_examination() -> None:
    table = at_thresholds(Y, P, [0.2, 0.4, 0.6, 0.8], "precision*recall")
    assert [round(row.value, 2) for row in table.rows] == [0.50, 0.67, 0.56, 0.50]
    best = best_threshold(Y, P, "precision*recall")
    assert (best.lower, best.upper) == (0.40, 0.55)
    assert best.value == pytest.approx(0.8)


@settings(max_examples=150, deadline=None)
@given(
    st.data(), st.sampled_from(["f1", "precision*recall", "accuracy", "0.8*recall + 0.2*precision", "youden", "mcc"])
)
def test_best_is_the_best_of_all(data: st.DataObject, metric: str) -> None:
    """Against trying every threshold there is, ties included; and the whole interval makes the same calls."""
    n = data.draw(st.integers(2, 25))
    p = np.array(data.draw(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.35, 0.5, 0.8, 1.0]), min_size=n, max_size=n)))
    y = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    if y.min() == y.max():
        return
    best = best_threshold(y, p, metric)
    every = at_thresholds(y, p, [*np.unique(p), 2.0], metric)
    assert best.value == pytest.approx(max(row.value for row in every.rows), rel=1e-12, abs=1e-12)
    ends = [t for t in (np.nextafter(best.lower, 2), best.threshold, best.upper) if np.isfinite(t)]
    calls = {tuple(p >= t) for t in ends}
    assert len(calls) == 1
    if np.isfinite(best.lower):
        assert tuple(p >= best.lower) not in calls


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score), ("accuracy", sk.accuracy_score),
        ("jaccard", sk.jaccard_score), ("balanced_accuracy", sk.balanced_accuracy_score), ("mcc", sk.matthews_corrcoef),
    ],
)  # fmt: skip
def test_rates_are_scikit_learns(ours: str, theirs) -> None:  # type: ignore[no-untyped-def]
    random = np.random.default_rng(0)
    y, p = random.integers(0, 2, 300), random.random(300)
    for t in (0.2, 0.5, 0.9):
        assert at_thresholds(y, p, [t], ours).rows[0].value == pytest.approx(theirs(y, p >= t), rel=1e-12)


def test_nothing_to_divide_by_is_shown() -> None:
    row = at_thresholds(Y, P, [0.99], "precision").rows[0]
    assert row.value == 0.0 and row.empty


def test_constraints() -> None:
    best = best_threshold(Y, P, "precision", constraint="recall >= 1")
    assert best.outcome.rates["recall"] == 1.0 and best.value == pytest.approx(0.8)
    with pytest.raises(MetricError):
        best_threshold(Y, P, "precision", constraint="recall > 2")


@pytest.mark.parametrize("formula", ["precisoin", "precision*(", "", "__import__('os')", "exec('1')", "tp if", "x"])
def test_metrics_nobody_knows(formula: str) -> None:
    with pytest.raises(OpenbookError):
        Metric(formula)


def test_a_misspelt_rate_is_met_with_the_right_one() -> None:
    with pytest.raises(MetricError, match="precision"):
        Metric("precisoin*recall")


@pytest.mark.parametrize(
    ("y", "p"),
    [([0, 0], [0.1, 0.2]), ([0, 1], [0.1, np.nan]), ([0, 1], [0.1]), ([], []), ([0, 2], [0.1, 0.2])],
)
def test_bad_input_is_refused(y: list, p: list) -> None:
    with pytest.raises(OpenbookError):
        best_threshold(y, p)


def test_temperature_scaling_recovers_a_known_temperature() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(20_000, 3)) * 2
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = (p.cumsum(axis=1) > random.random((20_000, 1))).argmax(axis=1)
    assert TemperatureScaling.learn(logits * 2.5, y).temperature == pytest.approx(2.5, rel=0.05)


def test_reliability_of_honest_probabilities() -> None:
    random = np.random.default_rng(1)
    p = random.random(20_000)
    result = reliability((random.random(20_000) < p).astype(int), p)
    assert result.ece < 0.02
    assert np.mean((result.low <= result.predicted) & (result.predicted <= result.high)) > 0.7


def test_judgement_beside_scikit_learn() -> None:
    random = np.random.default_rng(2)
    y = random.integers(0, 3, 400)
    p = random.dirichlet([1, 1, 1], 400)
    values = Judgement("many", y, p).values
    assert values["log loss"] == pytest.approx(sk.log_loss(y, p), rel=1e-12)
    assert values["ROC AUC"] == pytest.approx(sk.roc_auc_score(y, p, multi_class="ovr"), rel=1e-12)
