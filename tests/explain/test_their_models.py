"""scikit-learn's models explain one row: checked steps, the owner's number, contributions that add up, slips that are caught."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import ensemble, linear_model, naive_bayes, neighbors, svm, tree
from sklearn.base import BaseEstimator, clone
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
from threadpoolctl import threadpool_limits

import openbook as ob
from openbook import forest
from openbook.errors import ExplainError
from openbook.record import Working
from openbook.record.verify import check_step

SCALED = MinMaxScaler()


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Histogram boosting's threads, in every worker of the tests at once, would only wait for one another."""
    with threadpool_limits(1):
        yield


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


_TREE, _STUMP = (
    tree.DecisionTreeClassifier(max_depth=4, random_state=0),
    tree.DecisionTreeRegressor(max_depth=3, random_state=0),
)
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
    (MLPRegressor(hidden_layer_sizes=(10,), activation="identity", max_iter=40, random_state=0), "diabetes"),
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
def test_rows_add_up_to_the_owners_number(case: tuple[Any, str]) -> None:
    model, X = _fitted(*case)
    for place in (3, 120):
        w = ob.explain(model, row=X[place])
        w.check()
        assert not w.verification.unchecked
        owners = _owners(model, X[place : place + 1])
        if np.isfinite(owners):
            assert _number(w) == pytest.approx(owners, rel=1e-9, abs=1e-12)
        else:
            assert w["call"].value == model.predict(X[place : place + 1])[0]
        assert len(w.text()) > 200


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_a_slip_in_any_step_is_found(case: tuple[Any, str]) -> None:
    """One digit of one value changed, in each step that is not given; and in one of them the whole working is asked."""
    model, X = _fitted(*case)
    w = ob.explain(model, row=X[3])
    derived = [i for i, s in enumerate(w.steps) if s.formula is not None or s.witnesses]
    assert len(derived) >= 2
    for i in derived:
        slipped = replace(w.steps[i], value=_slip(w.steps[i].value))
        assert not all(check.passed for check in check_step(slipped)), slipped
    some = derived[len(derived) // 2]
    steps = (*w.steps[:some], replace(w.steps[some], value=_slip(w.steps[some].value)), *w.steps[some + 1 :])
    assert not replace(w, steps=steps).verification.passed


def _slip(value: Any) -> Any:
    """The third significant digit changed, of the largest entry; another label."""
    if isinstance(value, str):
        return value + "?"
    array = np.array(value, dtype=np.float64)
    at = np.unravel_index(int(np.argmax(np.abs(array))), array.shape)
    array[at] = array[at] * 1.01 if array[at] else 0.01
    return array if array.ndim else float(array)


# --- classes, weights, frames -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (ensemble.GradientBoostingClassifier(**_FEW), "wine"),
        (ensemble.HistGradientBoostingClassifier(max_iter=10), "named cancer"),
        (ensemble.RandomForestClassifier(**_FEW), "iris"),
        (ensemble.AdaBoostClassifier(n_estimators=10, random_state=0), "named cancer"),
        (ensemble.BaggingClassifier(_TREE, **_FEW), "named cancer"),
        (ensemble.StackingClassifier([("tree", _TREE), ("nb", naive_bayes.GaussianNB())], _LOGISTIC, cv=3), "wine"),
        (ensemble.VotingClassifier([("lr", _LOGISTIC), ("nb", naive_bayes.GaussianNB())], voting="soft"), "wine"),
        (CalibratedClassifierCV(svm.LinearSVC(), cv=3), "wine"),
        (CalibratedClassifierCV(_TREE, cv=3, method="isotonic"), "named cancer"),
        (CalibratedClassifierCV(_LOGISTIC, cv=3, method="temperature"), "named cancer"),
        (OneVsRestClassifier(_LOGISTIC), "iris"),
        (MLPClassifier((6,), max_iter=30, random_state=0), "named cancer"),
        (naive_bayes.GaussianNB(), "wine"),
        (neighbors.KNeighborsClassifier(), "named cancer"),
        (linear_model.SGDClassifier(loss="modified_huber", random_state=0), "named cancer"),
    ],
)  # fmt: skip
def test_every_class_can_be_asked_about(model: Any, data: str) -> None:
    model, X = _fitted(model, data)
    numbers = []
    for label in model.classes_:
        w = ob.explain(model, row=X[5], of=label)
        w.check()
        assert _number(w) == pytest.approx(_owners(model, X[5:6], label), rel=1e-9, abs=1e-12)
        numbers.append(_number(w))
    assert sum(numbers) == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize(
    "kind",
    [
        ensemble.RandomForestRegressor,
        ensemble.GradientBoostingRegressor,
        ensemble.HistGradientBoostingRegressor,
        ensemble.AdaBoostRegressor,
        ensemble.BaggingRegressor,
        linear_model.Ridge,
    ],
)
def test_sample_weights(kind: Any) -> None:
    X, y = load_diabetes(return_X_y=True)
    weights = np.random.default_rng(0).uniform(0.1, 3, len(y))
    model = kind().set_params(random_state=0).fit(X, y, sample_weight=weights)
    w = ob.explain(model, row=X[9])
    w.check()
    assert w.result == pytest.approx(model.predict(X[9:10])[0], rel=1e-9)


@pytest.mark.parametrize("row", [lambda f: f.iloc[4], lambda f: f.iloc[[4]], lambda f: f.iloc[4].to_dict(), lambda f: list(f.iloc[4]),
                                 lambda f: pl.from_pandas(f)[4]], ids=["series", "frame", "mapping", "list", "polars"])  # fmt: skip
@pytest.mark.parametrize("model", [ensemble.GradientBoostingClassifier(**_FEW), ensemble.RandomForestClassifier(**_FEW),
                                   make_pipeline(StandardScaler(), _LOGISTIC), naive_bayes.GaussianNB(),
                                   ensemble.HistGradientBoostingClassifier(max_iter=5)])  # fmt: skip
@pytest.mark.filterwarnings("error:X .* feature names")
def test_rows_of_frames_keep_their_names(model: Any, row: Callable[[pd.DataFrame], Any]) -> None:
    frame, y = load_iris(return_X_y=True, as_frame=True)
    model.fit(frame, y)
    w = ob.explain(model, row=row(frame))
    w.check()
    assert _number(w) == pytest.approx(_owners(model, frame.iloc[[4]]), rel=1e-9)
    assert "petal" in w.text()
    assert any(row[0].startswith("petal") for row in w.tables[-1].rows)


@pytest.mark.filterwarnings("error:X .* feature names")
def test_named_rows_of_models_that_were_fitted_on_arrays() -> None:
    frame, y = load_iris(return_X_y=True, as_frame=True)
    for model in (ensemble.HistGradientBoostingClassifier(max_iter=5), _LOGISTIC, ensemble.BaggingClassifier(**_FEW)):
        w = ob.explain(clone(model).fit(frame.to_numpy(), y), row=frame.iloc[4])
        w.check()
        assert "petal" in w.text()


def _mixed() -> tuple[pd.DataFrame, np.ndarray]:
    X, y = load_diabetes(return_X_y=True)
    frame = pd.DataFrame(
        {"bmi": X[:, 2], "sex": np.where(X[:, 1] > 0, "m", "f"), "ward": [f"w{int(v * 60)}" for v in X[:, 3]]}
    )
    frame.loc[::9, "bmi"] = np.nan
    return frame.astype({"sex": "category", "ward": "category"}), y


@pytest.mark.parametrize("place", range(0, 60, 6))
def test_categories_and_missing_values_of_histogram_boosting(place: int) -> None:
    frame, y = _mixed()
    model = ensemble.HistGradientBoostingRegressor(categorical_features="from_dtype", max_iter=20).fit(frame, y)
    w = ob.explain(model, row=frame.iloc[[place]])
    w.check()
    assert w.result == pytest.approx(model.predict(frame.iloc[[place]])[0], rel=1e-12)
    assert "ward ∈" in w.text(width=1000) or "ward ∉" in w.text(width=1000)
    assert {row[0] for row in w.tables[1].rows} <= {"bmi", "sex", "ward", "(bias)"}


def test_column_transformers_before_boosting() -> None:
    frame, y = _mixed()
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["sex", "ward"]), remainder="passthrough", sparse_threshold=0
    )
    model = make_pipeline(columns, ensemble.HistGradientBoostingRegressor(max_iter=10)).fit(frame, y)
    w = ob.explain(model, row=frame.iloc[[7]])
    w.check()
    assert w.result == pytest.approx(model.predict(frame.iloc[[7]])[0], rel=1e-12)
    assert "remainder__bmi" in {row[0] for row in w.tables[1].rows}


# --- contributions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        tree.DecisionTreeClassifier(random_state=0),
        ensemble.RandomForestClassifier(50, random_state=0),
        ensemble.ExtraTreesClassifier(50, min_samples_leaf=4, random_state=0),
        ob.DecisionTreeClassifier(max_depth=5),
        ob.RandomForestClassifier(50, min_samples_leaf=3, random_state=0),
        forest.ExtraTreesClassifier(50, random_state=0),
    ],
)
def test_contributions_are_the_changes_along_decision_paths(model: Any) -> None:
    """Held against scikit-learn's decision_path, or every tree walked by its own arrays, whichever the model has."""
    X, y = _data("wine")
    model.fit(X, y)
    for place in (0, 77, 170):
        w = ob.explain(model, row=X[place], of=1)
        w.check()
        *features, (called, bias) = w.tables[-1].rows
        assert called == "(bias)"
        truth_bias, truth = _by_paths(model, X[place])
        assert bias == pytest.approx(truth_bias, rel=1e-12)
        assert dict(features) == pytest.approx(
            {f"x_{i + 1}": v for i, v in enumerate(truth) if v != 0}, rel=1e-9, abs=1e-15
        )
        own = model.predict_proba(X[place : place + 1])[0, 1]
        assert bias + sum(v for _, v in features) == pytest.approx(own, rel=1e-12, abs=1e-14)
        assert w["p by features"].value == pytest.approx(own, rel=1e-12, abs=1e-14)


def _by_paths(model: Any, x: np.ndarray) -> tuple[float, np.ndarray]:
    changes, roots = np.zeros(len(x)), []
    trees = [t.tree_ for t in getattr(model, "estimators_", [model])] if not hasattr(model, "trees_") else model.trees_
    for one in trees:
        if not isinstance(one, forest.Tree):
            nodes = one.decision_path(x[None].astype(np.float32)).indices
            shares = one.value[:, 0, 1] / one.value[:, 0].sum(axis=1)
        else:
            turns, leaf = one.path(x)
            nodes = [*(t.node for t in turns), leaf]
            shares = one.value[:, 1] / one.value.sum(axis=1)
        roots.append(shares[0])
        for parent, child in pairwise(nodes):
            changes[one.feature[parent]] += (shares[child] - shares[parent]) / len(trees)
    return float(np.mean(roots)), changes


@pytest.mark.parametrize("kind", [ensemble.GradientBoostingRegressor, ensemble.HistGradientBoostingRegressor])
def test_the_bias_of_boosting_is_the_mean_prediction(kind: Any) -> None:
    """A node holds the mean of the leaves below it over the training rows, so the roots' sum is the mean over all rows."""
    X, y = load_diabetes(return_X_y=True)
    model = kind(random_state=0).fit(X, y)
    w = ob.explain(model, row=X[0])
    assert w["bias"].value == pytest.approx(model.predict(X).mean(), rel=1e-9)


def test_contributions_as_bars() -> None:
    model, X = _fitted(ensemble.RandomForestClassifier(**_FEW), "wine")
    (bars,) = [d for d in ob.explain(model, row=X[0]).displays if type(d).__name__ == "ContributionBars"]
    bars.plot()
    widths = sorted((abs(p.get_width()) for p in bars.ax_.patches), reverse=True)
    assert widths == pytest.approx(sorted(np.abs(bars.values), reverse=True)[: len(widths)])


# --- thresholds, wrappers, and what is not known ------------------------------------------------------------------------


@pytest.mark.parametrize("inner", [_LOGISTIC, svm.LinearSVC(), ensemble.GradientBoostingClassifier(**_FEW)])
@pytest.mark.parametrize(("threshold", "positive"), [("auto", "malignant"), (0.2, "benign"), (0.9, "malignant")])
def test_fixed_thresholds(inner: Any, threshold: Any, positive: str) -> None:
    X, y = _data("named cancer")
    model = FixedThresholdClassifier(inner, threshold=threshold, pos_label=positive).fit(X, y)
    for place in range(0, 60, 7):
        w = ob.explain(model, row=X[place])
        w.check()
        assert w.result["class"] == model.predict(X[place : place + 1])[0]
        method = "predict_proba" if hasattr(inner, "predict_proba") else "decision_function"
        said = np.asarray(getattr(model, method)(X[place : place + 1]))[0]
        if method == "predict_proba":
            assert w.result["p"] == pytest.approx(said[list(model.classes_).index(positive)], rel=1e-9)
        else:
            assert w.result["score"] == pytest.approx(said if positive == "malignant" else -said, rel=1e-9)


@pytest.mark.parametrize("stored", [True, False])
def test_tuned_thresholds(stored: bool) -> None:
    X, y = _data("cancer")
    model = TunedThresholdClassifierCV(_LOGISTIC, scoring="f1", cv=3, store_cv_results=stored).fit(X, y)
    w = ob.explain(model, row=X[20])
    w.check()
    assert w.result["threshold"] == model.best_threshold_
    assert w.result["class"] == model.predict(X[20:21])[0]
    if stored:
        assert w["best"].value == model.best_score_
        marked = w.tables[0].rows[w.tables[0].marked[0]]
        assert marked == (model.best_threshold_, pytest.approx(model.best_score_))
        steps = tuple(replace(s, value=_slip(s.value)) if s.name == "T" else s for s in w.steps)
        assert not replace(w, steps=steps).verification.passed


def test_calibrating_a_frozen_model() -> None:
    X, y = _data("cancer")
    model = CalibratedClassifierCV(FrozenEstimator(_TREE.fit(X[:300], y[:300]))).fit(X[300:], y[300:])
    w = ob.explain(model, row=X[310])
    w.check()
    assert w.result == pytest.approx(model.predict_proba(X[310:311])[0, 1], rel=1e-12)


@pytest.mark.parametrize("inner", [ob.LogisticRegression(), ob.RandomForestClassifier(10, random_state=0)])
def test_our_models_inside_theirs(inner: Any) -> None:
    X, y = _data("cancer")
    for model in (make_pipeline(StandardScaler(), inner), CalibratedClassifierCV(inner, cv=3),
                  ensemble.VotingClassifier([("ours", inner), ("tree", _TREE)], voting="soft")):  # fmt: skip
        w = ob.explain(model.fit(X, y), row=X[40])
        w.check()
        assert _number(w) == pytest.approx(model.predict_proba(X[40:41])[0, 1], rel=1e-9)


def test_rows_of_single_precision() -> None:
    X, _ = _data("cancer")
    for model in (
        _LOGISTIC,
        MLPClassifier((8,), max_iter=20, random_state=0),
        ensemble.GradientBoostingClassifier(**_FEW),
    ):
        model, _ = _fitted(model, "cancer")
        ob.explain(model, row=X[3].astype(np.float32)).check()


class Stranger(BaseEstimator):
    """An estimator of a library nobody here knows."""

    coef_ = np.ones(4)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Stranger(), "nothing here explains a .*Stranger"),
        (svm.SVC(), "nothing here explains"),
        (StandardScaler(), "nothing here explains"),
        (MultiOutputRegressor(linear_model.Ridge()), "nothing here explains"),
        (linear_model.Ridge(), "not fitted"),
        (linear_model.Ridge().fit(np.eye(4), np.eye(4)), "several targets"),
        (neighbors.KNeighborsRegressor(2).fit(np.eye(4), np.eye(4)), "several targets"),
        (tree.DecisionTreeClassifier().fit(np.eye(4), np.eye(4)), "several targets"),
        (
            MLPRegressor(hidden_layer_sizes=(2,), solver="lbfgs", max_iter=5000).fit(np.eye(4), np.eye(4)),
            "several targets",
        ),
        (make_pipeline(StandardScaler()).fit(np.eye(4)), "ends in no model"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_is_not_known_says_so(model: Any, said: str) -> None:
    with pytest.raises(ExplainError, match=said):
        ob.explain(model, row=np.ones(4))


@pytest.mark.parametrize(
    ("row", "said"), [(np.ones((2, 30)), "one row"), (np.ones(7), "7 entries"), (["a"] * 30, "no numbers")]
)
def test_rows_that_do_not_fit_say_so(row: Any, said: str) -> None:
    model, _ = _fitted(_LOGISTIC, "cancer")
    with pytest.raises(ExplainError, match=said):
        ob.explain(model, row=row)
    with pytest.raises(ExplainError, match="different names"):
        ob.explain(model, row=np.ones(30), names=["a", "a"])
