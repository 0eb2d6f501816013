"""Trees and forests beside scikit-learn's, and beside counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import tree as sktree
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_classification
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

from openbook.errors import InputError, ModelError, OpenbookError
from openbook.forest import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)


def impurity(y: np.ndarray, criterion: str) -> float:
    """Weighted impurity of a node, from its definition."""
    if criterion == "squared_error":
        return float(np.sum((y - y.mean()) ** 2))
    p = np.unique(y, return_counts=True)[1] / len(y)
    return float(len(y) * (1 - np.sum(p**2) if criterion == "gini" else -np.sum(p * np.log(p))))


@pytest.mark.parametrize("criterion", ["gini", "entropy", "squared_error"])
def test_every_split_is_the_best_there_is(criterion: str) -> None:
    """At each node all splits of all features are tried by definition; none gains more than the one taken."""
    random = np.random.default_rng(0)
    X = random.integers(0, 12, (80, 4)).astype(float)
    y = random.integers(0, 3, 80) if criterion != "squared_error" else random.normal(size=80)
    kind = DecisionTreeRegressor if criterion == "squared_error" else DecisionTreeClassifier
    model = kind(criterion=criterion, random_state=0).fit(X, y)
    grown = model.tree_
    members = {0: np.arange(80)}
    for node in np.flatnonzero(~grown.is_leaf):
        rows = members[node]
        left = X[rows, grown.feature[node]] <= grown.threshold[node]
        members[grown.left[node]], members[grown.right[node]] = rows[left], rows[~left]
        gain = _gain(y[rows], left, criterion)
        best = max(_gain(y[rows], X[rows, f] <= t, criterion) for f in range(4) for t in np.unique(X[rows, f])[:-1])
        assert gain == pytest.approx(best, rel=1e-6, abs=1e-9)


def _gain(y: np.ndarray, left: np.ndarray, criterion: str) -> float:
    return impurity(y, criterion) - impurity(y[left], criterion) - impurity(y[~left], criterion)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_shallow_trees_are_scikit_learns(depth: int) -> None:
    X, y = make_classification(900, 8, flip_y=0.3, random_state=depth)  # noisy: no two splits are equally good
    ours = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(X, y)
    theirs = sktree.DecisionTreeClassifier(max_depth=depth, random_state=0).fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-12)


def test_regression_trees_are_scikit_learns() -> None:
    X, y = load_diabetes(return_X_y=True)
    ours = DecisionTreeRegressor(max_depth=4, random_state=0).fit(X, y)
    theirs = sktree.DecisionTreeRegressor(max_depth=4, random_state=0).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-7)


@pytest.mark.parametrize("limit", [{"min_samples_leaf": 7}, {"min_samples_split": 30}, {"max_depth": 3}])
def test_limits_hold(limit: dict[str, int]) -> None:
    X, y = load_iris(return_X_y=True)
    grown = DecisionTreeClassifier(random_state=0, **limit).fit(X, y).tree_
    if "min_samples_leaf" in limit:
        assert grown.samples[grown.is_leaf].min() >= 7
    if "min_samples_split" in limit:
        assert grown.samples[~grown.is_leaf].min() >= 30
    if "max_depth" in limit:
        assert grown.depth <= 3


def test_leaf_fractions_are_the_training_rows_shares() -> None:
    X, y = load_iris(return_X_y=True)
    model = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y)
    leaves = model.apply(X)
    for leaf in np.unique(leaves):
        share = np.bincount(y[leaves == leaf], minlength=3) / np.sum(leaves == leaf)
        np.testing.assert_allclose(model.predict_proba(X[leaves == leaf])[0], share, rtol=1e-12)


def test_soft_is_the_mean_and_hard_the_share_of_votes() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    model = RandomForestClassifier(n_estimators=25, min_samples_leaf=5, random_state=0).fit(X, y)
    fractions = np.stack([t.value[model.apply(X)[:, i]] for i, t in enumerate(model.trees_)])
    fractions = fractions / fractions.sum(axis=2, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X, voting="soft"), fractions.mean(axis=0), rtol=1e-12)
    votes = np.eye(2)[fractions.argmax(axis=2)]
    np.testing.assert_allclose(model.predict_proba(X, voting="hard"), votes.mean(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(model.votes(X), votes.sum(axis=0))


def test_out_of_bag_uses_only_trees_that_did_not_see_the_row() -> None:
    X, y = load_iris(return_X_y=True)
    model = RandomForestClassifier(n_estimators=30, oob_score=True, random_state=3).fit(X, y)
    row = 17
    unseen = [t for t in range(30) if model.drawn(t)[row] == 0]
    shares = [model.trees_[t].fractions(model.apply(X[row : row + 1])[0, t]) for t in unseen]
    np.testing.assert_allclose(model.oob_decision_function_[row], np.mean(shares, axis=0), rtol=1e-12)
    assert 0.9 < model.oob_score_ < 1


@pytest.mark.parametrize("kind", [RandomForestClassifier, RandomForestRegressor])
def test_threads_change_no_bit(kind: type) -> None:
    X, y = make_classification(3000, 12, random_state=1)
    target = y if kind is RandomForestClassifier else X[:, 0] * 3 + y
    grown = [kind(n_estimators=12, random_state=5, n_jobs=k).fit(X, target) for k in (1, 2, 4)]
    for other in grown[1:]:
        for a, b in zip(grown[0].trees_, other.trees_, strict=True):
            for name in ("feature", "threshold", "left", "right", "value", "gain", "missing_left"):
                np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_row_order_changes_no_tree() -> None:
    """Sums are whole numbers: the order of adding does not matter."""
    X, y = make_classification(500, 6, random_state=2)
    turned = np.random.default_rng(0).permutation(500)
    a = DecisionTreeClassifier(random_state=0).fit(X, y).tree_
    b = DecisionTreeClassifier(random_state=0).fit(X[turned], y[turned]).tree_
    np.testing.assert_array_equal(a.threshold, b.threshold)
    np.testing.assert_array_equal(a.value, b.value)


def test_as_good_as_scikit_learns_forest() -> None:
    from sklearn.ensemble import RandomForestClassifier as Theirs

    X, y = make_classification(6000, 20, n_informative=8, flip_y=0.1, random_state=4)
    X, held, y, truth = train_test_split(X, y, test_size=0.4, random_state=0)
    scores = []
    for kind in (RandomForestClassifier, Theirs):
        p = kind(n_estimators=100, min_samples_leaf=3, random_state=0, n_jobs=2).fit(X, y).predict_proba(held)[:, 1]
        scores.append((roc_auc_score(truth, p), -log_loss(truth, p)))
    assert scores[0][0] > scores[1][0] - 0.005 and scores[0][1] > scores[1][1] - 0.01


def test_missing_values_go_where_they_help() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(2000, 3))
    y = (X[:, 0] > 0).astype(int)
    gaps = random.random(2000) < 0.3
    y[gaps] = 1  # missing means positive
    X[gaps, 0] = np.nan
    model = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.999
    assert model.predict([[np.nan, 0, 0]])[0] == 1


def test_sample_weights_count_as_rows() -> None:
    random = np.random.default_rng(1)
    X, y, w = random.normal(size=(60, 3)), random.integers(0, 2, 60), random.integers(0, 4, 60)
    weighted = DecisionTreeClassifier(max_depth=4, random_state=0).fit(X, y, sample_weight=w).tree_
    repeated = DecisionTreeClassifier(max_depth=4, random_state=0).fit(np.repeat(X, w, 0), np.repeat(y, w)).tree_
    np.testing.assert_array_equal(weighted.feature, repeated.feature)
    np.testing.assert_array_equal(weighted.value, repeated.value)


@pytest.mark.parametrize("field", ["left", "right", "feature", "threshold", "value"])
def test_damaged_trees_never_reach_a_kernel(field: str) -> None:
    X, y = load_iris(return_X_y=True)
    grown = DecisionTreeClassifier(random_state=0).fit(X, y).tree_
    getattr(grown, field).flat[0] = {"threshold": np.nan, "value": np.inf}.get(field, 9999)
    with pytest.raises(ModelError, match=r"node|child"):
        grown.validate(4)


@pytest.mark.parametrize(
    "options",
    [{"criterion": "banana"}, {"max_depth": 0}, {"min_samples_leaf": 0}, {"max_features": 2.5}, {"n_estimators": 0}],
)
def test_bad_options_are_named(options: dict) -> None:
    X, y = load_iris(return_X_y=True)
    with pytest.raises(OpenbookError, match=next(iter(options))):
        RandomForestClassifier(**options).fit(X, y)


def test_regression_forests_average_leaf_means() -> None:
    X, y = load_diabetes(return_X_y=True)
    model = RandomForestRegressor(n_estimators=20, oob_score=True, random_state=0).fit(X, y)
    means = np.stack([t.value[model.apply(X)[:, i], 0] for i, t in enumerate(model.trees_)])
    np.testing.assert_allclose(model.predict(X), means.mean(axis=0), rtol=1e-12)
    assert 0.3 < model.oob_score_ < 0.6


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error"])
@pytest.mark.parametrize("power", [-1060, -900, -460, -300, 300, 480, 900, 1020])
def test_targets_of_any_size_are_scaled_or_refused(power: int, criterion: str, outputs: int) -> None:
    """A power of two more changes no digit of a tree; where squares leave the floats, an error says what to do."""
    X = np.random.default_rng(0).normal(size=(80, 3))
    y = X[:, 0] if outputs == 1 else np.column_stack([X[:, 0], X[:, 1] ** 2])
    plain = DecisionTreeRegressor(criterion=criterion, max_depth=4, random_state=0).fit(X, y)
    model = clone(plain)
    try:
        model.fit(X, np.ldexp(y, power))
    except InputError as error:
        assert "power of two" in error.do and abs(power) > (500 if criterion == "squared_error" else 1015)
        return
    if power < -1000:  # so small that digits are lost in y already
        assert criterion == "absolute_error"
        return
    np.testing.assert_array_equal(model.predict(X), np.ldexp(plain.predict(X), power))
    scale = (2 if criterion == "squared_error" else 1) * power
    np.testing.assert_array_equal(model.tree_.gain, np.ldexp(plain.tree_.gain, scale))
    np.testing.assert_array_equal(model.tree_.impurity, np.ldexp(plain.tree_.impurity, scale))
