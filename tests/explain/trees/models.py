"""Fitted trees and forests that the tests of pictures look at, ours and scikit-learn's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from sklearn import ensemble, tree
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine

import openbook as ob
from openbook.forest.scikit import from_sklearn

__all__ = ["FORESTS", "TREES", "Fitted", "forest", "grown"]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model and the rows it was fitted on."""

    model: Any
    X: np.ndarray
    y: np.ndarray


def _holes(X: np.ndarray) -> np.ndarray:
    return np.where(np.random.default_rng(0).random(X.shape) < 0.15, np.nan, X)


def _words(y: np.ndarray) -> np.ndarray:
    return np.array(["<&> one", 'two "2"', "three"])[y]


def _set(loader: Any) -> tuple[np.ndarray, np.ndarray]:
    return loader(return_X_y=True)


def _fitted(model: Any, X: np.ndarray, y: np.ndarray, then: Any = lambda model: model) -> Fitted:
    return Fitted(then(model.fit(X, y)), X, y)


TREES = {
    "iris": lambda: _fitted(tree.DecisionTreeClassifier(max_depth=3, random_state=0), *_set(load_iris)),
    "our iris": lambda: _fitted(ob.DecisionTreeClassifier(max_depth=3, random_state=0), *_set(load_iris)),
    "breast cancer": lambda: _fitted(tree.DecisionTreeClassifier(max_depth=4, random_state=0), *_set(load_breast_cancer)),
    "balanced": lambda: _fitted(
        ob.DecisionTreeClassifier(max_depth=4, class_weight="balanced", random_state=0), *_set(load_breast_cancer)
    ),
    "digits": lambda: _fitted(tree.DecisionTreeClassifier(random_state=0), *_set(load_digits)),
    "missing": lambda: _fitted(
        ob.DecisionTreeClassifier(max_depth=4, random_state=0), _holes(_set(load_wine)[0]), _words(_set(load_wine)[1])
    ),
    "their missing": lambda: _fitted(
        tree.DecisionTreeClassifier(max_depth=4, random_state=0), _holes(_set(load_wine)[0]), _words(_set(load_wine)[1])
    ),
    "only missing": lambda: _fitted(
        tree.DecisionTreeClassifier(), np.where(np.arange(60) % 3 == 0, np.nan, 1.0)[:, None], np.arange(60) % 3 == 0
    ),
    "diabetes": lambda: _fitted(tree.DecisionTreeRegressor(max_depth=4, random_state=0), *_set(load_diabetes)),
    "our diabetes": lambda: _fitted(ob.DecisionTreeRegressor(max_depth=4, random_state=0), *_set(load_diabetes)),
    "medians": lambda: _fitted(
        tree.DecisionTreeRegressor(max_depth=3, criterion="absolute_error", random_state=0), *_set(load_diabetes)
    ),
    "one leaf": lambda: _fitted(ob.DecisionTreeClassifier(), np.ones((3, 1)), np.array(["a", "a", "b"])),
    "one class": lambda: _fitted(tree.DecisionTreeClassifier(), np.arange(4.0)[:, None], np.zeros(4)),
    "constant target": lambda: _fitted(ob.DecisionTreeRegressor(), np.arange(4.0)[:, None], np.full(4, 2.5)),
}  # fmt: skip

FORESTS = {
    "ours": lambda: _fitted(ob.RandomForestClassifier(30, max_depth=4, random_state=0), *_set(load_breast_cancer)),
    "theirs": lambda: _fitted(ensemble.RandomForestClassifier(30, max_depth=4, random_state=0), *_set(load_breast_cancer)),
    "many classes": lambda: _fitted(ensemble.RandomForestClassifier(40, random_state=0), *_set(load_digits)),
    "extra": lambda: _fitted(ensemble.ExtraTreesClassifier(20, max_depth=3, random_state=0), *_set(load_wine)),
    "missing": lambda: _fitted(
        ob.RandomForestClassifier(20, max_depth=3, random_state=0), _holes(_set(load_wine)[0]), _words(_set(load_wine)[1])
    ),
    "numbers": lambda: _fitted(ensemble.RandomForestRegressor(25, random_state=0), *_set(load_diabetes)),
    "our numbers": lambda: _fitted(ob.RandomForestRegressor(25, random_state=0), *_set(load_diabetes)),
    "once theirs": lambda: _fitted(
        ensemble.RandomForestClassifier(10, max_depth=3, random_state=0), *_set(load_wine), from_sklearn
    ),
    "single leaves": lambda: _fitted(ob.RandomForestClassifier(5), np.ones((3, 1)), np.array([0, 1, 1])),
}  # fmt: skip


@cache
def grown(name: str) -> Fitted:
    """A tree, fitted once."""
    return TREES[name]()


@cache
def forest(name: str) -> Fitted:
    """A forest, fitted once."""
    return FORESTS[name]()
