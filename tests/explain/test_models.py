"""Models people already have: scikit-learn's and PyTorch's, asked without a rewrite."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import openbook as ob
from openbook.errors import ExplainError

X, Y = load_breast_cancer(return_X_y=True)


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_forests(kind: type) -> None:
    model = kind(n_estimators=60, min_samples_leaf=4, random_state=0).fit(X, Y)
    w = ob.explain(model, row=X[7])
    w.check()
    assert w.result["soft"] == pytest.approx(model.predict_proba(X[7:8])[0, 1], rel=1e-12)
    votes = [t.predict(X[7:8])[0] for t in model.estimators_]
    assert w.result["hard"] == pytest.approx(np.mean(votes), rel=1e-12)


def test_forests_out_of_bag() -> None:
    model = RandomForestClassifier(n_estimators=60, oob_score=True, random_state=0).fit(X, Y)
    w = ob.explain(model, row=X[7], index=7)
    w.check()
    assert w["p_oob"].value == pytest.approx(model.oob_decision_function_[7, 1], rel=1e-9)


def test_trees_and_missing_values() -> None:
    gaps = X.copy()
    gaps[::7, 3] = np.nan
    model = DecisionTreeClassifier(max_depth=4, random_state=0).fit(gaps, Y)
    for row in (0, 1, 7):
        w = ob.explain(model, row=gaps[row])
        w.check()
        assert w.result["soft"] == pytest.approx(model.predict_proba(gaps[row : row + 1])[0, 1], rel=1e-12)


def test_regression_forests() -> None:
    A, b = load_diabetes(return_X_y=True)
    model = RandomForestRegressor(n_estimators=30, random_state=0).fit(A, b)
    w = ob.explain(model, row=A[3])
    w.check()
    assert w.result == pytest.approx(model.predict(A[3:4])[0], rel=1e-12)


@pytest.mark.parametrize("row", [0, 100])
def test_logistic_regressions(row: int) -> None:
    scaled = StandardScaler().fit_transform(X)
    model = LogisticRegression().fit(scaled, Y)
    w = ob.explain(model, row=scaled[row])
    w.check()
    assert w.result == pytest.approx(model.predict_proba(scaled[row : row + 1])[0, 1], rel=1e-9)


def test_many_classes_and_a_chosen_one() -> None:
    A, b = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=1000).fit(A, b)
    w = ob.explain(model, row=A[80], of=2)
    w.check()
    assert w.result == pytest.approx(model.predict_proba(A[80:81])[0, 2], rel=1e-9)


def test_linear_regressions() -> None:
    A, b = load_diabetes(return_X_y=True)
    w = ob.explain(LinearRegression().fit(A, b), row=A[0])
    w.check()


def test_pipelines_with_names() -> None:
    import pandas as pd

    frame = pd.DataFrame({"size": [1.0, 2, 3, 4] * 10, "colour": ["red", "blue", "red", "green"] * 10})
    y = [0, 1, 1, 1] * 10
    steps = make_column_transformer((StandardScaler(), ["size"]), (OneHotEncoder(), ["colour"]))
    model = make_pipeline(steps, LogisticRegression()).fit(frame, y)
    w = ob.explain(model, row=frame.iloc[:1])
    w.check()
    assert w.result == pytest.approx(model.predict_proba(frame.iloc[:1])[0, 1], rel=1e-9)
    assert "colour" in w.text()


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (RandomForestClassifier(), {"row": X[0]}),
        (DecisionTreeClassifier().fit(X, Y), {}),
        (DecisionTreeClassifier().fit(X, Y), {"row": [1.0, 2.0]}),
        (DecisionTreeClassifier().fit(X, Y), {"row": X[0], "of": "banana"}),
        (object(), {}),
        (StandardScaler(), {}),
    ],
)
def test_what_cannot_be_explained_says_why(model: object, options: dict) -> None:
    with pytest.raises(ExplainError):
        ob.explain(model, **options)


# --- PyTorch --------------------------------------------------------------------------------------------------------


@pytest.mark.torch
@pytest.mark.parametrize("activation", ["Tanh", "ReLU", "Sigmoid", "GELU", "SiLU"])
def test_torch_entries(activation: str) -> None:
    import torch

    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 6), getattr(torch.nn, activation)(), torch.nn.Linear(6, 3))
    x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
    loss = torch.nn.CrossEntropyLoss()(model(x), y)
    (truth,) = torch.autograd.grad(loss, [model[0].weight], retain_graph=True)
    for at in (None, (2, 3)):
        w = ob.explain(loss, wrt="0.weight", model=model, at=at)
        w.check()
        entry = at or np.unravel_index(int(truth.abs().argmax()), truth.shape)
        assert w.result == pytest.approx(float(truth[tuple(entry)]), rel=1e-5)


@pytest.mark.torch
def test_torch_part_four() -> None:
    import torch

    w, b = torch.tensor(0.5, requires_grad=True), torch.tensor(0.0, requires_grad=True)
    loss = 0.5 * (1 - torch.tanh(w * 2 + b)) ** 2
    working = ob.explain(loss, wrt="w", names={"w": w, "b": b})
    working.check()
    assert working.result == pytest.approx(-2 * (1 - np.tanh(1)) * (1 - np.tanh(1) ** 2), rel=1e-6)


@pytest.mark.torch
def test_torch_without_a_graph() -> None:
    import torch

    with pytest.raises(ExplainError, match="backward"):
        ob.explain(torch.tensor(1.0))
