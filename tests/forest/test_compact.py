"""Compact forests: the same predictions to the last bit, in little room, and nothing else."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn import ensemble

import openbook as ob
from openbook import forest
from openbook.errors import ExplainError, ModelError
from openbook.files import Stored
from openbook.files.models import from_stored, to_stored

MODELS = {
    "tree": forest.DecisionTreeClassifier(random_state=0),
    "forest": forest.RandomForestClassifier(9, random_state=0),
    "shallow": forest.ExtraTreesClassifier(9, random_state=0, max_depth=3, voting="hard", n_jobs=-1),
    "weights": forest.RandomForestClassifier(5, random_state=0, class_weight="balanced", min_samples_leaf=5),
    "stump": forest.DecisionTreeRegressor(max_depth=1),
    "numbers": forest.RandomForestRegressor(9, random_state=0),
    "several outputs": forest.RandomForestClassifier(5, random_state=0, min_samples_leaf=3),
    "several numbers": forest.ExtraTreesRegressor(5, random_state=0, max_depth=4),
    "ordered": forest.RandomForestClassifier(5, random_state=0, monotonic_cst=[1, 0, 0, -1]),
}


def data(model: Any, rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    X = random.normal(size=(rows, 4))
    X[random.random(X.shape) < 0.1] = np.nan
    score = np.nan_to_num(X[:, 0]) + random.normal(0, 0.5, rows)
    return X, (np.array(["a", "b", "c"])[np.digitize(score, [-0.5, 0.5])] if hasattr(model, "predict_proba") else score)


def require_equal(found: Any, wanted: Any) -> None:
    """Of one output, or of each of several."""
    if isinstance(wanted, np.ndarray):
        found, wanted = [found], [wanted]
    for mine, theirs in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("name", MODELS)
def test_the_same_predictions(name: str, tmp_path: Path) -> None:
    model = MODELS[name]
    X, y = data(model)
    if name.startswith("several"):
        y = np.column_stack([y, y[::-1] if y.dtype.kind == "f" else np.where(X[:, 1] > 0, "p", "q")])
    if name == "ordered":
        y = np.where(y == "c", "b", y)
    model.fit(X, y)
    compact = model.compact()
    ob.save(compact, tmp_path / "compact.safetensors")
    for form in (compact, ob.load(tmp_path / "compact.safetensors"), pickle.loads(pickle.dumps(compact))):
        for rows in (X, X[:1], X.astype(np.float32)):
            np.testing.assert_array_equal(form.predict(rows), model.predict(rows))
            for voting in ("soft", "hard") if hasattr(model, "classes_") else ():
                require_equal(form.predict_proba(rows, voting), model.predict_proba(rows, voting))
        if hasattr(model, "classes_"):
            require_equal(form.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("kind", ["RandomForestClassifier", "RandomForestRegressor"])
def test_a_quarter_of_what_joblib_makes_of_scikit_learns(kind: str, tmp_path: Path) -> None:
    """Node for node, even where joblib compresses (of regressions, half); a tenth where it does not."""
    X, y = data(getattr(forest, kind)(), 3000)
    ours = getattr(forest, kind)(10, random_state=0).fit(X, y)
    theirs = getattr(ensemble, kind)(10, random_state=0).fit(X, y)
    ob.save(ours.compact(), tmp_path / "ours")
    joblib.dump(theirs, tmp_path / "theirs")
    joblib.dump(theirs, tmp_path / "compressed", compress=3)
    nodes = sum(len(tree) for tree in ours.trees_), sum(tree.tree_.node_count for tree in theirs.estimators_)
    size = {name: (tmp_path / name).stat().st_size / nodes[name != "ours"] for name in ("ours", "theirs", "compressed")}
    assert size["ours"] < size["theirs"] / 8
    assert size["ours"] < size["compressed"] * (0.35 if kind == "RandomForestClassifier" else 0.5)


def test_what_is_gone_is_said() -> None:
    model = MODELS["forest"]
    X, y = data(model)
    compact = model.fit(X, y).compact()
    for name in ("fit", "apply", "explain", "feature_importances_", "votes", "to_onnx", "trees_"):
        assert hasattr(model, name) and not hasattr(compact, name)
        with pytest.raises(ModelError, match=f"{name} is gone"):
            getattr(compact, name)
    with pytest.raises(ExplainError, match="only what predicts"):
        ob.explain(compact, row=X[0])
    with pytest.raises(AttributeError, match="frobnicate"):
        compact.frobnicate  # noqa: B018
    with pytest.raises(ModelError, match="numbers, not probabilities"):
        MODELS["stump"].fit(X, np.arange(300.0)).compact().predict_proba(X)
    with pytest.raises(ValueError, match="3 features"):
        compact.predict(X[:, :3])


def test_columns_by_name() -> None:
    X, y = data(MODELS["forest"])
    frame = pd.DataFrame(X, columns=list("abcd"))
    compact = forest.RandomForestClassifier(3, random_state=0).fit(frame, y).compact()
    assert len(compact.predict(frame)) == len(X)
    with pytest.raises(ValueError, match="feature names"):
        compact.predict(frame[list("abdc")])


WRONG = {
    "no bits": lambda a: {"split": a["split"][:-1]},
    "a class that is not there": lambda a: {"pure.0": np.full_like(a["pure.0"], 7)},
    "all split": lambda a: {"split": np.full_like(a["split"], 255)},
    "endless": lambda a: {"threshold": np.full_like(a["threshold"], np.nan)},
    "sizes": lambda a: {"sizes": a["sizes"] * 2**40},
}


@pytest.mark.parametrize("damage", WRONG)
def test_damage_is_found_before_it_predicts(damage: str) -> None:
    X, y = data(MODELS["forest"])
    stored = to_stored(MODELS["forest"].fit(X, y).compact())
    wrong = Stored(stored.kind, stored.facts, stored.arrays | WRONG[damage](stored.arrays))
    with pytest.raises(ModelError):
        from_stored(wrong)
