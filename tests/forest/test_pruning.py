"""Smaller trees beside scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import tree as sktree
from sklearn.datasets import load_diabetes, make_classification

from openbook.forest import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreesClassifier, RandomForestClassifier

KINDS = [
    (DecisionTreeClassifier, sktree.DecisionTreeClassifier, "gini"),
    (DecisionTreeClassifier, sktree.DecisionTreeClassifier, "entropy"),
    (DecisionTreeRegressor, sktree.DecisionTreeRegressor, "squared_error"),
]


def data(criterion: str) -> tuple[np.ndarray, np.ndarray]:
    if criterion == "squared_error":
        return load_diabetes(return_X_y=True)
    return make_classification(900, 8, n_informative=4, n_classes=3, flip_y=0.3, random_state=1)


@pytest.mark.parametrize("ours, theirs, criterion", KINDS)
@pytest.mark.parametrize("leaves", [2, 5, 12])
def test_best_first_keeps_scikit_learns_leaves(ours: type, theirs: type, criterion: str, leaves: int) -> None:
    X, y = data(criterion)
    own = ours(criterion=criterion, max_leaf_nodes=leaves, random_state=0).fit(X, y)
    other = theirs(criterion=criterion, max_leaf_nodes=leaves, random_state=0).fit(X, y)
    assert own.get_n_leaves() == leaves
    np.testing.assert_allclose(own.predict(X), other.predict(X), rtol=1e-7)


@pytest.mark.parametrize("ours, theirs, criterion", KINDS)
def test_the_pruning_path_is_scikit_learns(ours: type, theirs: type, criterion: str) -> None:
    X, y = data(criterion)
    own = ours(criterion=criterion, max_depth=4, random_state=0).cost_complexity_pruning_path(X, y)
    other = theirs(criterion=criterion, max_depth=4, random_state=0).cost_complexity_pruning_path(X, y)
    np.testing.assert_allclose(own.ccp_alphas, other.ccp_alphas, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(own.impurities, other.impurities, rtol=1e-6)


@pytest.mark.parametrize("ours, theirs, criterion", KINDS)
@pytest.mark.parametrize("step", [3, 6, 9])
def test_pruned_trees_are_scikit_learns(ours: type, theirs: type, criterion: str, step: int) -> None:
    X, y = data(criterion)
    path = theirs(criterion=criterion, max_depth=4, random_state=0).cost_complexity_pruning_path(X, y).ccp_alphas
    alpha = float(path[step] + path[step + 1]) / 2
    own = ours(criterion=criterion, max_depth=4, ccp_alpha=alpha, random_state=0).fit(X, y)
    other = theirs(criterion=criterion, max_depth=4, ccp_alpha=alpha, random_state=0).fit(X, y)
    assert own.get_n_leaves() == other.get_n_leaves()
    np.testing.assert_allclose(own.predict(X), other.predict(X), rtol=1e-7)
    own.tree_.validate(X.shape[1])


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_every_tree_of_a_forest_is_made_smaller(kind: type) -> None:
    X, y = data("gini")
    forest = kind(5, max_leaf_nodes=7, random_state=0).fit(X, y)
    assert [int(t.is_leaf.sum()) for t in forest.trees_] == [7] * 5
    small = kind(5, ccp_alpha=0.01, random_state=0).fit(X, y)
    full = kind(5, random_state=0).fit(X, y)
    assert all(0 < len(a) < len(b) for a, b in zip(small.trees_, full.trees_, strict=True))
