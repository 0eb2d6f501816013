"""Forests of random thresholds: as good as scikit-learn's, and random as they should be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest
from sklearn import ensemble
from sklearn.datasets import make_classification, make_friedman1

from openbook.forest import DecisionTreeRegressor, ExtraTreesClassifier, ExtraTreesRegressor
from openbook.forest.kernels.jit import jit
from openbook.forest.kernels.lanes import bounds_of_eight, sums_of_eight
from openbook.forest.kernels.steps import MISSING_STEP
from openbook.forest.random_table import Steps
from openbook.forest.textbook import textbook_tree
from openbook.forest.training import CRITERIA, Growth, Target, grow_forest
from tests.forest.test_textbook import FIELDS, assert_same


def test_thresholds_are_spread_evenly_between_the_smallest_and_the_largest_value() -> None:
    X = np.array([[-1.0], [0.1], [0.2], [3.0]])
    cuts = [
        DecisionTreeRegressor(splitter="random", max_depth=1, random_state=seed).fit(X, X[:, 0]).tree_.threshold[0]
        for seed in range(2000)
    ]
    assert kstest((np.array(cuts) + 1) / 4, "uniform").pvalue > 1e-3  # fixed seeds: the same p every time


@pytest.mark.parametrize("classes", [2, 5])
def test_as_good_as_scikit_learns_classifier(classes: int) -> None:
    X, y = make_classification(4000, 20, n_informative=8, n_classes=classes, flip_y=0.05, random_state=3)
    own, theirs = (
        np.mean(
            [kind(40, random_state=s, n_jobs=2).fit(X[:2000], y[:2000]).score(X[2000:], y[2000:]) for s in range(3)]
        )
        for kind in (ExtraTreesClassifier, ensemble.ExtraTreesClassifier)
    )
    assert own > theirs - 0.01


def test_as_good_as_scikit_learns_regressor() -> None:
    X, y = make_friedman1(3000, 10, noise=1, random_state=0)
    own, theirs = (
        np.mean([kind(40, random_state=s).fit(X[:1500], y[:1500]).score(X[1500:], y[1500:]) for s in range(3)])
        for kind in (ExtraTreesRegressor, ensemble.ExtraTreesRegressor)
    )
    assert own > theirs - 0.01


def test_missing_values_go_where_they_help() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(1000, 2))
    y = (X[:, 0] > 0).astype(int)
    gaps = random.random(1000) < 0.3
    X[gaps, 0], y[gaps] = np.nan, 1
    model = ExtraTreesClassifier(30, random_state=0).fit(X, y)
    assert model.predict([[np.nan, 0.0]])[0] == 1 and model.score(X, y) > 0.999


@pytest.mark.parametrize("threads", [2, 8])
def test_threads_change_no_bit(threads: int) -> None:
    X, y = make_classification(800, 12, random_state=1)
    one = ExtraTreesClassifier(9, random_state=5).fit(X, y)
    many = ExtraTreesClassifier(9, random_state=5, n_jobs=threads).fit(X, y)
    for a, b in zip(one.trees_, many.trees_, strict=True):
        np.testing.assert_array_equal(a.threshold, b.threshold)
        np.testing.assert_array_equal(a.value, b.value)


def spread(kind: str, random: np.random.Generator, dtype: type = np.float64) -> np.ndarray:
    """6,000 rows, more than a small node has: even, with far outliers, of few different values, huge and tiny."""
    X = {
        "normal": lambda: random.normal(size=(6000, 5)),
        "heavy": lambda: random.standard_cauchy((6000, 5)) ** 3,
        "few": lambda: random.integers(0, 4, (6000, 5)) * 1.0,
        "mostly one": lambda: np.where(random.random((6000, 5)) < 0.999, 7.0, random.normal(size=(6000, 5))),
        "huge": lambda: random.uniform(-1, 1, (6000, 5)) * np.finfo(dtype).max,
        "tiny": lambda: random.integers(-3, 4, (6000, 5)) * np.finfo(dtype).smallest_subnormal,
    }[kind]()  # fmt: skip
    X[:, 4] = X[0, 4]
    return X.astype(dtype)


@pytest.mark.parametrize("kind", ["normal", "heavy", "few", "mostly one", "huge", "tiny"])
@pytest.mark.parametrize("gaps", [0.0, 0.1])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_large_nodes_are_the_textbooks(kind: str, gaps: float, dtype: type) -> None:
    random = np.random.default_rng(1)
    X = spread(kind, random, dtype)
    X[random.random(X.shape) < gaps] = np.nan
    y = (X[:, 0] > np.nanmedian(X[:, 0].astype(float))).astype(int) ^ (random.random(6000) < 0.1)
    limits = Growth(CRITERIA["gini"], 3, 2, 1, 0.0, 2, 0.0, random=True)
    tree = assert_same(X, Target(y, np.ones(6000), 2), limits, None, 3)
    assert len(tree.feature) > 3


@pytest.mark.parametrize("criterion, classes", [("squared_error", 0), ("gini", 2), ("entropy", 2)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_most_features_at_once_are_the_textbooks(criterion: str, classes: int, dtype: type) -> None:
    """Eleven features fill more than one vector; limits and weights as they come, large nodes and small ones."""
    random = np.random.default_rng(2)
    X = random.normal(size=(4500, 11)).round(2).astype(dtype)
    X[:, 3] = 1
    y = random.integers(0, 2, 4500) if classes else (X[:, 0] + random.normal(size=4500)).round(2)
    for rows, depth, least, weight in ((4500, 4, 1, np.ones(4500)), (400, 50, 5, random.random(4500) + 0.1)):
        limits = Growth(CRITERIA[criterion], depth, 2, least, 0.001, 9, 0.0, random=True)
        tree = assert_same(X[:rows], Target(y[:rows], weight[:rows], classes), limits, random.integers(0, 3, rows), 7)
        assert len(tree.feature) > 15


@pytest.mark.parametrize("rows", [300, 5000])
def test_categories_of_tree_after_tree_are_the_textbooks(rows: int) -> None:
    """A thread gives the steps of its categories other values for each tree."""
    random = np.random.default_rng(5)
    X = np.stack([random.integers(0, 9, rows), random.normal(size=rows).round(2), random.integers(0, 40, rows)], axis=1)
    X[random.random(X.shape) < 0.05] = np.nan
    target = Target(random.integers(0, 2, rows), np.ones(rows), 2)
    limits = Growth(CRITERIA["gini"], 3, 2, 1, 0.0, 1, 0.0, random=True, levels=(9, 0, 40))
    draws = {seed: random.integers(0, 3, rows) for seed in range(4)}
    for seed, tree in zip(draws, grow_forest(X, target, limits, draws.__getitem__, list(draws), 2), strict=True):
        slow = textbook_tree(X, target, limits, draws[seed], seed)
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(tree, name), getattr(slow, name), err_msg=name)


def test_steps_never_fall_where_values_rise() -> None:
    random = np.random.default_rng(3)
    for kind in ("normal", "heavy", "mostly one", "huge", "tiny"):
        X = spread(kind, random)
        X[random.random(X.shape) < 0.1] = np.nan
        steps = Steps.of(X)
        for f in range(X.shape[1]):
            order = np.argsort(X[:, f], kind="stable")  # NaN comes last, as MISSING_STEP does
            assert np.all(np.diff(steps.step[f, order].astype(int)) >= 0)
            np.testing.assert_array_equal(steps.step[f] == MISSING_STEP, np.isnan(X[:, f]))
        assert len(np.unique(steps.step[0])) > {"tiny": 1, "mostly one": 3, "heavy": 100, "huge": 1}.get(kind, 2000)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_eight_at_once_are_numpys(dtype: type) -> None:
    random = np.random.default_rng(4)
    table = random.normal(size=(50, 16)).astype(dtype)
    rows = random.permutation(50)[:21].astype(np.uint32)
    low, high, cut, sums = np.zeros(16), np.zeros(16), random.normal(size=16), np.zeros((3, 16))
    amounts = random.integers(-9, 9, (2, 30)) * 1.0
    eight_at_once(table, rows, low, high, cut, amounts, sums)
    np.testing.assert_array_equal([low[8:], high[8:]], [table[rows, 8:].min(axis=0), table[rows, 8:].max(axis=0)])
    goes = table[rows, 8:] <= cut[8:]
    np.testing.assert_array_equal(sums[:, 8:], np.vstack([np.ones(21), amounts[:, :21]]) @ goes)
    assert not np.any([*sums[:, :8], low[:8], high[:8]])  # what was not asked for stays as it was


@jit
def eight_at_once(table, rows, low, high, cut, amounts, sums):  # type: ignore[no-untyped-def]
    bounds_of_eight(table, rows, np.uint64(8), low, high)
    sums_of_eight(table, rows, np.uint64(8), cut, amounts, sums)
