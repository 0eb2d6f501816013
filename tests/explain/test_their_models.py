"""scikit-learn's models explain one row: checked steps, the owner's number, contributions that add up, slips that are caught."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import ensemble, linear_model, naive_bayes, neighbors, svm, tree
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, PowerTransformer, StandardScaler

import openbook as ob
from openbook.errors import ExplainError
from openbook.record import Working

SCALED = MinMaxScaler()


def _data(name: str) -> tuple[np.ndarray, np.ndarray]:
    if name == "cancer":
        X, y = load_breast_cancer(return_X_y=True)
        return SCALED.fit_transform(X), y
    if name == "named cancer":
        X, y = load_breast_cancer(return_X_y=True)
        return SCALED.fit_transform(X), np.where(y == 1, "benign", "malignant")
    if name == "gaps":
        X, y = load_breast_cancer(return_X_y=True)
        X[::3, 7], X[::4, 20] = np.nan, np.nan
        return X, y
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return X[:500] / 16, y[:500]
    if name == "diabetes":
        X, y = load_diabetes(return_X_y=True)
        return X, y
    X, y = {"iris": load_iris, "wine": load_wine}[name](return_X_y=True)
    return SCALED.fit_transform(X), y


_TREE, _STUMP = tree.DecisionTreeClassifier(max_depth=4, random_state=0), tree.DecisionTreeRegressor(max_depth=3, random_state=0)
_LOGISTIC = linear_model.LogisticRegression(max_iter=2000)
_FEW = {"n_estimators": 12, "random_state": 0}

CASES: list[tuple[Any, str]] = [
    (_TREE, "iris"),
    (_TREE, "gaps"),
    (tree.ExtraTreeClassifier(max_depth=4, random_state=0), "wine"),
    (tree.DecisionTreeRegressor(max_depth=5, random_state=0), "diabetes"),
    (tree.ExtraTreeRegressor(max_depth=5, random_state=0), "diabetes"),
    (ensemble.RandomForestClassifier(min_samples_leaf=3, **_FEW), "named cancer"),
    (ensemble.RandomForestClassifier(class_weight="balanced", max_leaf_nodes=9, **_FEW), "gaps"),
    (ensemble.RandomForestRegressor(**_FEW), "diabetes"),
    (ensemble.ExtraTreesClassifier(min_samples_leaf=2, **_FEW), "digits"),
    (ensemble.ExtraTreesRegressor(**_FEW), "diabetes"),
    (ensemble.GradientBoostingClassifier(**_FEW), "named cancer"),
    (ensemble.GradientBoostingClassifier(loss="exponential", subsample=0.7, **_FEW), "cancer"),
    (ensemble.GradientBoostingClassifier(init="zero", max_leaf_nodes=5, **_FEW), "cancer"),
    (ensemble.GradientBoostingClassifier(**_FEW), "wine"),
    (ensemble.GradientBoostingClassifier(init=_TREE, **_FEW), "iris"),
    (ensemble.GradientBoostingRegressor(**_FEW), "diabetes"),
    (ensemble.GradientBoostingRegressor(loss="huber", criterion="squared_error", **_FEW), "diabetes"),
    (ensemble.GradientBoostingRegressor(loss="quantile", alpha=0.8, **_FEW), "diabetes"),
    (ensemble.HistGradientBoostingClassifier(max_iter=15), "gaps"),
    (ensemble.HistGradientBoostingClassifier(max_iter=15), "iris"),
    (ensemble.HistGradientBoostingRegressor(max_iter=15), "diabetes"),
    (ensemble.HistGradientBoostingRegressor(max_iter=15, loss="poisson"), "diabetes"),
    (ensemble.HistGradientBoostingRegressor(max_iter=15, loss="absolute_error"), "diabetes"),
    (ensemble.AdaBoostClassifier(n_estimators=15, random_state=0), "named cancer"),
    (ensemble.AdaBoostClassifier(_TREE, n_estimators=15, random_state=0), "wine"),
    (ensemble.AdaBoostRegressor(**_FEW), "diabetes"),
    (ensemble.BaggingClassifier(_TREE, max_features=0.6, **_FEW), "wine"),
    (ensemble.BaggingClassifier(svm.LinearSVC(), **_FEW), "cancer"),
    (ensemble.BaggingRegressor(linear_model.Ridge(), n_estimators=3, random_state=0), "diabetes"),
    (ensemble.IsolationForest(**_FEW), "cancer"),
    (ensemble.IsolationForest(max_features=0.5, contamination=0.1, **_FEW), "wine"),
    (MLPClassifier((20,), max_iter=40, random_state=0), "named cancer"),
    (MLPClassifier((16, 8), activation="tanh", max_iter=40, random_state=0), "digits"),
    (MLPClassifier((300, 60), activation="logistic", max_iter=5, random_state=0), "wine"),
    (MLPRegressor((10,), activation="identity", max_iter=40, random_state=0), "diabetes"),
    (linear_model.LinearRegression(), "diabetes"),
    (linear_model.LinearRegression(fit_intercept=False), "diabetes"),
    (linear_model.RidgeCV(), "diabetes"),
    (linear_model.Lasso(alpha=0.1), "diabetes"),
    (linear_model.ElasticNetCV(cv=3), "diabetes"),
    (linear_model.Lars(), "diabetes"),
    (linear_model.BayesianRidge(), "diabetes"),
    (linear_model.HuberRegressor(max_iter=1000), "diabetes"),
    (linear_model.SGDRegressor(random_state=0), "diabetes"),
    (linear_model.PoissonRegressor(), "diabetes"),
    (linear_model.GammaRegressor(), "diabetes"),
    (linear_model.TweedieRegressor(power=1.5), "diabetes"),
    (linear_model.TweedieRegressor(power=0), "diabetes"),
    (svm.LinearSVR(max_iter=100_000), "diabetes"),
    (_LOGISTIC, "named cancer"),
    (_LOGISTIC, "digits"),
    (linear_model.LogisticRegressionCV(cv=3, max_iter=500, Cs=3), "iris"),
    (linear_model.SGDClassifier(loss="log_loss", random_state=0), "cancer"),
    (linear_model.SGDClassifier(loss="log_loss", random_state=0), "wine"),
    (linear_model.SGDClassifier(loss="modified_huber", random_state=0), "cancer"),
    (linear_model.SGDClassifier(loss="modified_huber", alpha=0.5, random_state=0), "wine"),
    (linear_model.SGDClassifier(random_state=0), "wine"),
    (linear_model.Perceptron(random_state=0), "named cancer"),
    (linear_model.RidgeClassifier(), "cancer"),
    (linear_model.RidgeClassifierCV(), "iris"),
    (svm.LinearSVC(), "digits"),
    (LinearDiscriminantAnalysis(), "cancer"),
    (LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"), "wine"),
    (naive_bayes.GaussianNB(), "iris"),
    (naive_bayes.GaussianNB(), "cancer"),
    (naive_bayes.BernoulliNB(binarize=0.3), "digits"),
    (naive_bayes.MultinomialNB(), "digits"),
    (naive_bayes.ComplementNB(), "wine"),
    (make_pipeline(OrdinalEncoder(), naive_bayes.CategoricalNB(min_categories=60)), "iris"),
    (neighbors.KNeighborsClassifier(7), "iris"),
    (neighbors.KNeighborsClassifier(25, weights="distance"), "named cancer"),
    (neighbors.KNeighborsClassifier(5, metric="manhattan"), "wine"),
    (neighbors.KNeighborsRegressor(4, weights="distance"), "diabetes"),
    (CalibratedClassifierCV(_TREE, cv=3, method="isotonic"), "cancer"),
    (CalibratedClassifierCV(svm.LinearSVC(), cv=3), "wine"),
    (CalibratedClassifierCV(svm.LinearSVC(), cv=5), "named cancer"),
    (CalibratedClassifierCV(_LOGISTIC, cv=3, method="temperature", ensemble=False), "cancer"),
    (CalibratedClassifierCV(naive_bayes.GaussianNB(), cv=3, method="temperature"), "cancer"),
    (CalibratedClassifierCV(naive_bayes.GaussianNB(), cv=3, method="temperature"), "iris"),
    (CalibratedClassifierCV(_LOGISTIC, cv=3, method="isotonic", ensemble=False), "iris"),
    (CalibratedClassifierCV(_LOGISTIC, cv=3, method="temperature"), "wine"),
    (ensemble.VotingClassifier([("lr", _LOGISTIC), ("nb", naive_bayes.GaussianNB())], voting="soft", weights=[2, 1]), "named cancer"),
    (ensemble.VotingClassifier([("lr", _LOGISTIC), ("tree", _TREE), ("svm", svm.LinearSVC())]), "iris"),
    (ensemble.VotingRegressor([("a", linear_model.Ridge()), ("b", _STUMP), ("c", "drop")]), "diabetes"),
    (ensemble.StackingClassifier([("tree", _TREE), ("svm", svm.LinearSVC())], _LOGISTIC, cv=3), "named cancer"),
    (ensemble.StackingClassifier([("tree", _TREE), ("nb", naive_bayes.GaussianNB())], _LOGISTIC, cv=3, passthrough=True), "iris"),
    (ensemble.StackingRegressor([("a", linear_model.Ridge()), ("b", _STUMP)], linear_model.LinearRegression(), cv=3), "diabetes"),
    (OneVsRestClassifier(_LOGISTIC), "iris"),
    (OneVsRestClassifier(_LOGISTIC), "named cancer"),
    (OneVsRestClassifier(svm.LinearSVC()), "wine"),
    (make_pipeline(StandardScaler(), ensemble.GradientBoostingClassifier(**_FEW)), "cancer"),
    (make_pipeline("passthrough", StandardScaler(), MLPClassifier((8,), max_iter=20, random_state=0)), "iris"),
    (GridSearchCV(make_pipeline(StandardScaler(), _LOGISTIC), {"logisticregression__C": [0.1, 1.0]}, cv=3), "wine"),
    (TransformedTargetRegressor(linear_model.Ridge(), func=np.log, inverse_func=np.exp), "diabetes"),
    (TransformedTargetRegressor(_STUMP, transformer=StandardScaler()), "diabetes"),
    (TransformedTargetRegressor(_STUMP, transformer=PowerTransformer()), "diabetes"),
]  # fmt: skip


def _fitted(model: Any, data: str) -> tuple[Any, np.ndarray]:
    from sklearn.base import clone

    X, y = _data(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # networks that have not converged are networks all the same
        return clone(model).fit(X, y), X


def _name(case: tuple[Any, str]) -> str:
    return f"{' '.join(str(case[0]).split())[:70]} {case[1]}"


def _owners(model: Any, row: np.ndarray, of: Any = None) -> float:
    """What the model itself says: the probability of a class, else its score for that class, else its number."""
    classes = list(getattr(model, "classes_", []))
    k = 1 if len(classes) == 2 else None
    for method in ("predict_proba", "decision_function", "predict"):
        if not hasattr(model, method) or (method == "predict" and classes):
            continue
        said = np.asarray(getattr(model, method)(row))[0]
        if np.ndim(said) == 0:
            return float(said)
        return float(said[classes.index(of) if of is not None else k if k is not None else int(np.argmax(said))])
    return float("nan")  # a hard vote


def _number(w: Working) -> float:
    return w.result["soft"] if isinstance(w.result, dict) else w.result


@pytest.mark.parametrize("case", CASES, ids=_name)
@pytest.mark.parametrize("place", [3, 120])
def test_a_row_adds_up_to_the_owners_number(case: tuple[Any, str], place: int) -> None:
    model, X = _fitted(*case)
    row = X[place : place + 1]
    w = ob.explain(model, row=X[place])
    w.check()
    assert not w.verification.unchecked
    owners = _owners(model, row)
    if np.isfinite(owners):
        assert _number(w) == pytest.approx(owners, rel=1e-9, abs=1e-12)
    else:
        assert w["call"].value == model.predict(row)[0]
    assert len(w.text()) > 200
