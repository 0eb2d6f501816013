"""Forests of random thresholds: as good as scikit-learn's, and random as they should be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest
from sklearn import ensemble
from sklearn.datasets import make_classification, make_friedman1

from openbook.forest import DecisionTreeRegressor, ExtraTreesClassifier, ExtraTreesRegressor


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
