"""How far a choice moves on other rows, what calls cost, and calibration in bins: against counting, one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

import openbook as ob
from openbook.decide import TemperatureScaling, best_threshold, least_cost, reliability
from openbook.errors import OpenbookError

P = [0.25, 0.95, 0.10, 0.70, 0.40, 0.55, 0.30, 0.85, 0.60, 0.05]
Y = [0, 1, 0, 1, 0, 1, 0, 1, 0, 0]


def scored(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    p = random.random(rows).round(3)
    return (random.random(rows) < p).astype(int), p


# --- the choice on other rows ------------------------------------------------------------------------------------


def test_a_spread_is_what_choosing_on_each_resample_gives() -> None:
    y, p = scored(300)
    best = best_threshold(y, p, "f1")
    spread = best.spread(resamples=40, seed=7)
    random = np.random.default_rng(7)
    for i in range(40):
        rows = random.integers(0, len(y), len(y))
        own = best_threshold(y[rows], p[rows], "f1")
        assert spread.promised[i] == pytest.approx(own.value, rel=1e-12)
        f1 = [2 * tp / (2 * tp + fp + fn) for tp, fp, fn in [_counted(y, p >= spread.thresholds[i])]]
        assert spread.kept[i] == pytest.approx(f1[0], rel=1e-12)


def _counted(y: np.ndarray, called: np.ndarray) -> tuple[int, int, int]:
    return int((called & (y == 1)).sum()), int((called & (y == 0)).sum()), int((~called & (y == 1)).sum())


def test_a_choice_promises_more_than_it_keeps_and_less_so_with_more_rows() -> None:
    few, many = (best_threshold(*scored(n), "f1").spread().optimism for n in (40, 4000))
    assert few > many > 0


def test_intervals_narrow_with_rows() -> None:
    def width(n: int) -> float:
        low, high = best_threshold(*scored(n), "accuracy").spread().value_interval
        return high - low

    assert width(100) > 2 * width(2500)


def test_a_constraint_that_often_fails_says_so() -> None:
    spread = best_threshold(Y, P, "recall", constraint="tp >= 4").spread(resamples=50, seed=2)
    random = np.random.default_rng(2)
    too_few = [np.array(Y)[random.integers(0, 10, 10)].sum() < 4 for _ in range(50)]
    assert 0 < spread.failed == sum(too_few) < 50
    assert f"On {spread.failed} of them" in " ".join(ob.explain(spread).notes)


def test_the_same_seed_gives_the_same_spread() -> None:
    best = best_threshold(*scored(100), "f1")
    assert np.array_equal(best.spread(seed=3).thresholds, best.spread(seed=3).thresholds)
    assert not np.array_equal(best.spread(seed=3).here, best.spread(seed=4).here)


@pytest.mark.parametrize("how", [{"resamples": 3}, {"coverage": 1.0}, {"coverage": 0}])
def test_spreads_that_mean_nothing(how: dict) -> None:
    with pytest.raises(OpenbookError):
        best_threshold(Y, P, "f1").spread(**how)


@pytest.mark.parametrize("metric", ["precision*recall", "f1", "mcc", "-(5*fn + fp)"])
@pytest.mark.parametrize("constraint", [None, "recall >= 0.8"])
def test_the_working_of_a_choice_checks_itself(metric: str, constraint: str | None) -> None:
    for y, p in ((Y, P), scored(400, 1)):
        working = ob.explain(best_threshold(y, p, metric, constraint))
        working.check()
        low, high = working["T_low"].value, working["T_high"].value
        assert low <= high
        wrong = replace(working["T_low"], value=low - 0.01)
        assert not replace(working, steps=(wrong,)).verification.passed


def test_running_counts_name_the_ties() -> None:
    table = ob.explain(best_threshold([0, 1, 1, 0], [0.5, 0.5, 0.9, 0.1], "f1")).tables[0]
    assert table.columns[:3] == ("p", "y = 1 here", "y = 0 here")
    assert [row[:7] for row in table.rows] == [
        (0.9, 1, 0, 1, 0, 1, 2),
        (0.5, 1, 1, 2, 1, 0, 1),
        (0.1, 0, 1, 2, 2, 0, 0),
    ]


# --- costs ---------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 5), st.integers(1, 5), st.integers(1, 30), st.integers(0, 10_000))
def test_no_other_call_is_expected_to_cost_less(classes: int, calls: int, rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    p = random.dirichlet(np.ones(classes), rows)
    costs = random.integers(-5, 20, (classes, calls)).astype(float)
    decision = least_cost(p, costs, calls=[f"call {j}" for j in range(calls)])
    for i in range(rows):
        expected = [sum(p[i, c] * costs[c, j] for c in range(classes)) for j in range(calls)]
        assert decision.expected[i, decision.chosen[i]] == pytest.approx(min(expected), rel=1e-9, abs=1e-9)


def test_two_classes_are_a_threshold() -> None:
    y, p = scored(500)
    decision = least_cost(p, [[0, 1], [5, 0]], y=y)
    assert decision.threshold == pytest.approx(1 / 6)
    assert np.array_equal(decision.chosen, (p > 1 / 6).astype(int))
    assert decision.paid is not None and decision.paid < decision.paid_by_likeliest
    assert decision.paid == -best_value(y, p >= 1 / 6)


def best_value(y: np.ndarray, called: np.ndarray) -> float:
    _, fp, fn = _counted(y, called)
    return -(5 * fn + fp)


def test_costs_explain_themselves() -> None:
    names = ("healthy", "cold", "flu")
    decision = least_cost(
        [[0.2, 0.5, 0.3], [0.8, 0.1, 0.1]],
        [[0, 5, 2], [1, 0, 2], [20, 3, 2]],
        ["cold", "healthy"],
        names,
        ["home", "treat", "ask"],
    )
    working = decision.explain(row=0)
    working.check()
    assert working.result == "treat" and working["E(home)"].value == pytest.approx(6.5)
    assert working["paid"].value == 0 + 2  # the cold treated, the healthy asked
    wrong = replace(working["paid"], value=decision.paid + 1)
    assert not replace(working, steps=(wrong,)).verification.passed


@pytest.mark.parametrize(
    ("p", "costs", "more"),
    [
        ([[0.5, 0.6]], [[0, 1], [1, 0]], {}),
        ([[0.5, np.nan]], [[0, 1], [1, 0]], {}),
        ([[0.5, 0.5]], [[0, 1]], {}),
        ([[0.5, 0.5]], [[0, np.inf], [1, 0]], {}),
        ([[0.5, 0.5]], [[0, 1], [1, 0]], {"y": [2]}),
        ([[0.5, 0.5]], [[0, 1], [1, 0]], {"y": [0, 1]}),
        ([[0.5, 0.5]], [[0, 1], [1, 0]], {"classes": ["a"]}),
        ([[0.5, 0.5]], [[0, 1], [1, 0]], {"classes": ["a", "a"]}),
        ([], [[0, 1], [1, 0]], {}),
    ],
)
def test_costs_that_mean_nothing(p: list, costs: list, more: dict) -> None:
    with pytest.raises(OpenbookError):
        least_cost(p, costs, **more)


# --- calibration ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bins", [1, 5, 10, 23])
def test_bins_are_scikit_learns(bins: int) -> None:
    y, p = scored(900, 2)
    p = p + 0.0003  # scikit-learn puts a score on an edge into the bin below, we into the one above
    p = np.clip(p, 0, 1)
    ours = reliability(y, p, bins)
    observed, predicted = calibration_curve(y, p, n_bins=bins)
    assert np.allclose(ours.observed, observed, rtol=1e-12) and np.allclose(ours.predicted, predicted, rtol=1e-12)
    assert ours.mce == pytest.approx(np.max(np.abs(observed - predicted)))


def test_bins_of_equally_many_rows() -> None:
    y, p = scored(1000, 3)
    found = reliability(y, p, 10, strategy="rows")
    assert found.rows.sum() == 1000 and found.rows.min() > 80 and found.rows.max() < 120
    tied = reliability([0, 1, 1, 0], [0.5, 0.5, 0.5, 0.9], 4, strategy="rows")
    assert tied.rows.tolist() == [3, 1]


@pytest.mark.parametrize("strategy", ["width", "rows"])
def test_reliability_checks_itself_and_finds_wrong_bins(strategy: str) -> None:
    working = ob.explain(reliability(*scored(500, 4), bins=8, strategy=strategy))
    working.check()
    for name in ("n", "predicted", "observed"):
        wrong = replace(working[name], value=working[name].value * 1.01)
        assert not replace(working, steps=(wrong,)).verification.passed


def test_a_temperature_shows_the_bins_before_and_after() -> None:
    random = np.random.default_rng(5)
    z = 3 * random.normal(size=(1500, 4))
    p = np.exp(z / 2) / np.exp(z / 2).sum(axis=1, keepdims=True)
    y = np.array([random.choice(4, p=row) for row in p])
    working = ob.explain(TemperatureScaling.learn(z, y))
    working.check()
    assert working["ECE_after"].value < working["ECE_before"].value / 2
    wrong = replace(working["T"], value=working["T"].value * 1.01)
    assert not replace(working, steps=(wrong,)).verification.passed


@pytest.mark.parametrize(
    "how", [{"y": [0, 2], "p": [0.1, 0.2]}, {"y": [0, 1], "p": [0.1, 1.2]}, {"bins": 0}, {"strategy": "guess"}]
)
def test_bins_that_mean_nothing(how: dict) -> None:
    with pytest.raises(OpenbookError):
        reliability(**{"y": Y, "p": P, **how})
