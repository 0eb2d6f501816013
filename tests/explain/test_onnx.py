"""Models in ONNX, as skl2onnx and PyTorch export them: every node beside ONNX's evaluator, the answer beside the owner's."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, Normalizer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import openbook as ob
from openbook import forest
from openbook.errors import CheckError, ExplainError

pytestmark = pytest.mark.skipif(importlib.util.find_spec("onnx") is None, reason="onnx is not installed")

X, Y = load_iris(return_X_y=True)
X = X.astype(np.float32)
THREE, TWO, NUMBER = np.array(["setosa", "versicolor", "virginica"])[Y], np.where(Y > 1, "yes", "no"), X[:, 0] + X[:, 2]

CLASSIFIERS = {
    "logistic": (LogisticRegression(max_iter=2000), THREE), "logistic of two": (LogisticRegression(max_iter=2000), TWO),
    "scaled": (make_pipeline(StandardScaler(), LogisticRegression()), THREE),
    "normalised": (make_pipeline(Normalizer(), MinMaxScaler(), LogisticRegression()), Y),
    "tree": (make_pipeline(SimpleImputer(), DecisionTreeClassifier(max_depth=3, random_state=0)), THREE),
    "forest": (RandomForestClassifier(5, random_state=0), THREE), "forest of two": (RandomForestClassifier(5, random_state=0), TWO),
    "boosted": (GradientBoostingClassifier(n_estimators=4, random_state=0), THREE),
    "boosted, two": (GradientBoostingClassifier(n_estimators=4, random_state=0), (Y > 1).astype(int)),
    "net": (MLPClassifier((5,), max_iter=400, random_state=0), THREE),
    "net of two": (MLPClassifier((5, 4), activation="tanh", max_iter=400, random_state=0), Y > 1),
}  # fmt: skip
REGRESSORS = {
    "line": LinearRegression(), "ridge": make_pipeline(StandardScaler(), Ridge()),
    "forest": RandomForestRegressor(5, random_state=0), "extra": ExtraTreesRegressor(5, random_state=0),
    "boosted": GradientBoostingRegressor(n_estimators=5, random_state=0),
    "net": MLPRegressor(hidden_layer_sizes=(5,), activation="logistic", max_iter=400, random_state=0),
}  # fmt: skip


def exported(model: Any) -> Any:
    skl2onnx = pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")
    return skl2onnx.to_onnx(model, X[:1])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_of_skl2onnx(name: str) -> None:
    model, y = CLASSIFIERS[name]
    model.fit(X, y)
    graph = exported(model)
    for i in (0, 120):
        for k, label in enumerate(model.classes_):
            working = ob.explain(graph, row=X[i], of=str(label) if y.dtype != bool else str(int(label)))
            assert working.check().passed
            assert working.result == pytest.approx(model.predict_proba(X[[i]])[0, k], rel=1e-4, abs=1e-5)
    assert {"ONNX's reference evaluator", "onnxruntime"} <= {check.method for check in working.verification.checks}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors_of_skl2onnx(name: str) -> None:
    model = REGRESSORS[name].fit(X, NUMBER)
    working = ob.explain(exported(model), row=X[40])
    assert working.check().passed
    assert np.ravel(working.result)[0] == pytest.approx(model.predict(X[[40]])[0], rel=1e-5)


def test_our_own_forests_in_onnx() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(X, columns=["sepal length", "sepal width", "petal length", "petal width"])
    model = ob.RandomForestClassifier(6, random_state=0).fit(frame, THREE)
    working = ob.explain(model.to_onnx(), row=X[70], of="virginica")
    assert working.check().passed
    assert working.result == pytest.approx(model.predict_proba(frame.iloc[[70]])[0, 2], abs=1e-6)
    assert "petal" in working.text()
    gaps = np.where(np.random.default_rng(0).random(X.shape) < 0.3, np.nan, X)
    missing = ob.RandomForestClassifier(20, random_state=0).fit(gaps, THREE)
    for i in np.flatnonzero(np.isnan(gaps).any(axis=1))[:3]:
        found = ob.explain(missing.to_onnx(), row=gaps[i], of="setosa")
        assert found.check().passed and found.result == pytest.approx(missing.predict_proba(gaps[[i]])[0, 0], abs=1e-6)
    line = forest.ExtraTreesRegressor(6, random_state=0).fit(X, NUMBER)
    assert ob.explain(line.to_onnx(), row=X[3]).check().passed


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_nets_of_pytorch(tmp_path: Any) -> None:
    import onnx

    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.manual_seed(0)
    L = torch.nn
    images = L.Sequential(L.Conv2d(1, 3, 3, padding=1, stride=2), L.BatchNorm2d(3), L.GELU(), L.MaxPool2d(2),
                          L.AdaptiveAvgPool2d(1), L.Flatten(), L.Linear(3, 2), L.LogSoftmax(1))  # fmt: skip
    nets = {
        "mlp": (
            L.Sequential(L.Linear(4, 5), L.ReLU(), L.Linear(5, 3), L.Sigmoid(), L.Linear(3, 3), L.Softmax(1)),
            (1, 4),
        ),
        "images": (images, (1, 1, 8, 8)),
    }
    for net, shape in nets.values():
        x = torch.randn(shape)
        torch.onnx.export(net.eval(), x, str(tmp_path / "net.onnx"), dynamo=False)
        working = ob.explain(onnx.load(tmp_path / "net.onnx"), row=x[0].numpy())
        assert working.check().passed
        np.testing.assert_allclose(working.result, net(x).detach().numpy(), rtol=1e-5, atol=1e-6)
        entry = ob.explain(onnx.load(tmp_path / "net.onnx"), row=x[0].numpy(), of=1)
        assert entry.result == pytest.approx(net(x)[0, 1].item(), rel=1e-5)


def test_a_wrong_weight_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The witnesses can fail: a formula that is not what the graph does."""
    from openbook.explain.onnx import nodes as onnx_nodes

    graph = exported(REGRESSORS["net"].fit(X, NUMBER))
    monkeypatch.setitem(onnx_nodes._FORMULAS, "Sigmoid", "1 / (1 + exp(a))")
    with pytest.raises(CheckError):
        ob.explain(graph, row=X[0]).check()


def test_what_cannot_be_explained_is_said() -> None:
    from onnx import TensorProto, helper

    def graph(kind: str) -> Any:
        info = helper.make_tensor_value_info
        node = helper.make_node(kind, ["x"], ["y"])
        return helper.make_model(helper.make_graph([node], "g", [info("x", TensorProto.FLOAT, [None, 4])],
                                                   [info("y", TensorProto.FLOAT, [None, 4])]))  # fmt: skip

    with pytest.raises(ExplainError, match="the ONNX operator Celu is not explained"):
        ob.explain(graph("Celu"), row=X[0])
    with pytest.raises(ExplainError, match="one row"):
        ob.explain(graph("Relu"))
    with pytest.raises(ExplainError, match="3 entries"):
        ob.explain(graph("Relu"), row=X[0, :3])
    model, y = CLASSIFIERS["logistic"]
    with pytest.raises(ExplainError, match="no class 'rose'"):
        ob.explain(exported(model.fit(X, y)), row=X[0], of="rose")
