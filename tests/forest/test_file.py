"""All that fitting a tree or forest gives, in files: back to the last bit, or refused where it contradicts itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file as any_reader
from sklearn.base import clone

import openbook as ob
from openbook.errors import FileError
from openbook.files import Stored
from openbook.files.models import to_stored
from openbook.forest import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from tests.files.test_models import codes, read_again, require_same_model, resaved, same, table, with_entry

MORE = {
    "two labels": RandomForestClassifier(5, random_state=0, oob_score=True, max_samples=0.7),
    "labels of different numbers": DecisionTreeClassifier(criterion="entropy", random_state=0, ccp_alpha=0.001),
    "two numbers": RandomForestRegressor(5, random_state=0, oob_score=True, n_jobs=2),
    "two numbers of one tree": DecisionTreeRegressor(random_state=0, min_samples_leaf=4),
    "random tree": ExtraTreeClassifier(random_state=0, max_depth=6),
    "random tree of numbers": ExtraTreeRegressor(random_state=0, max_leaf_nodes=30),
    "rising": RandomForestClassifier(5, random_state=0, monotonic_cst=[1, 0, 0, 0, -1]),
    "one rising tree": DecisionTreeClassifier(random_state=0, monotonic_cst=np.array([1, 0, 0, 0, -1])),
    "medians": DecisionTreeRegressor(criterion="absolute_error", random_state=0, max_depth=5),
    "poisson": RandomForestRegressor(3, criterion="poisson", random_state=0, max_depth=5),
    "quantiles": RandomForestRegressor(5, random_state=0, keep_targets=True, oob_score=True, min_samples_leaf=3),
    "subsamples": RandomForestClassifier(5, random_state=0, class_weight="balanced_subsample", warm_start=True),
}


def targets(name: str, model: Any, X: np.ndarray) -> np.ndarray:
    numbers = np.nan_to_num(X[:, 0]) ** 2 / 3
    if not hasattr(model, "predict_proba"):
        return np.column_stack([numbers, np.nan_to_num(X[:, 1])]) if name.startswith("two") else numbers
    if "labels" not in name:
        return codes(X, 2)
    return np.column_stack([codes(X, 2), codes(X[:, 1:], 2 if name == "two labels" else 4)])


@pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores")
@pytest.mark.parametrize("name", MORE)
def test_what_else_a_fit_gives_comes_back_bit_for_bit(name: str, tmp_path: Path) -> None:
    X = table()
    model = clone(MORE[name])
    model.fit(X, targets(name, model, X), sample_weight=np.linspace(0.5, 1.7, len(X)))
    again = read_again(model, tmp_path)
    require_same_model(model, again, X)
    same(model.apply(X), again.apply(X))
    if hasattr(model, "predict_proba"):
        same(model.predict_proba(X), again.predict_proba(X))
    if hasattr(model, "drawn"):
        same(model.estimators_samples_, again.estimators_samples_)
    if name == "quantiles":
        same(model.predict_quantiles(X), again.predict_quantiles(X))
        same(model.predict_interval(X, by="out_of_bag"), again.predict_interval(X, by="out_of_bag"))


def test_a_tree_out_of_a_forest_comes_back(tmp_path: Path) -> None:
    X = table()
    forest = RandomForestRegressor(3, random_state=0, max_depth=4).fit(X, np.nan_to_num(X[:, 0]))
    require_same_model(forest.estimators_[1], read_again(forest.estimators_[1], tmp_path), X)


def test_a_forest_grows_on_after_reading(tmp_path: Path) -> None:
    X = table()
    y = codes(X, 3)
    model = RandomForestClassifier(3, random_state=0, warm_start=True).fit(X, y)
    again = read_again(model, tmp_path)
    require_same_model(model.set_params(n_estimators=6).fit(X, y), again.set_params(n_estimators=6).fit(X, y), X)


def test_impurities_of_another_criterion_are_kept(tmp_path: Path) -> None:
    X = table()
    model = DecisionTreeClassifier(random_state=0, max_depth=4).fit(X, codes(X, 12))
    ob.save(model, tmp_path / "as it was fitted")
    assert "impurity" not in any_reader(tmp_path / "as it was fitted")
    require_same_model(model.set_params(criterion="entropy"), read_again(model, tmp_path), X)


# --- files that contradict themselves ---


def with_part(stored: Stored, name: str, key: str, value: Any) -> dict[str, Any]:
    """The facts with one entry of a learnt dictionary changed."""
    pairs = [[k, value if k == key else v] for k, v in stored.facts["learnt"][name]["pairs"]]
    return {**stored.facts, "learnt": {**stored.facts["learnt"], name: {"pairs": pairs}}}


@pytest.fixture(scope="module")
def numbers() -> RandomForestRegressor:
    X = table()
    model = RandomForestRegressor(20, random_state=0, max_depth=4, keep_targets=True, oob_score=True)
    return model.fit(X, np.nan_to_num(X[:, 0]), sample_weight=np.linspace(0.5, 1.7, len(X)))


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("rows", 239, "from 239 of 240"), ("rows", 240.0, "be drawn"), ("size", 0, "samples of 0"), ("size", True, "be drawn"),
        ("weight", 3, "no array 'weight'"), ("weight", {"array": "samples"}, "shape"),
    ],
)  # fmt: skip
def test_wrong_draws_are_refused(
    key: str, value: Any, told: str, numbers: RandomForestRegressor, tmp_path: Path
) -> None:
    stored = to_stored(numbers)
    path = resaved(stored, tmp_path / "wrong", facts=with_part(stored, "bootstrap_", key, value))
    with pytest.raises(FileError, match=told):
        ob.load(path)


WRONG_LEARNT_ARRAYS = {
    "negative chance": ("bootstrap_.weight", lambda a: with_entry(a, 0, -1.0), "chances"),
    "NaN chance": ("bootstrap_.weight", lambda a: with_entry(a, 0, np.nan), "numbers that are none"),
    "no chance": ("bootstrap_.weight", lambda a: a * 0, "chances"),
    "no such target": ("leaf_targets_.code", lambda a: with_entry(a, 0, 10_000), "not there"),
    "negative target": ("leaf_targets_.code", lambda a: with_entry(a.astype(np.int32), 0, -1), "not there"),
    "endless target": ("leaf_targets_.numbers", lambda a: with_entry(a, -1, np.inf), "in order"),
    "unordered targets": ("leaf_targets_.numbers", lambda a: a[::-1], "in order"),
    "no share": ("leaf_targets_.share", lambda a: with_entry(a, 0, 0.0), "shares"),
    "short shares": ("leaf_targets_.share", lambda a: a[1:], "shape"),
    "empty leaf": ("leaf_targets_.rows", lambda a: with_entry(a, 0, 0), "other numbers"),
    "more rows": ("leaf_targets_.rows", lambda a: with_entry(a, 0, a[0] + 1), "other numbers"),
    "far too many rows": ("leaf_targets_.rows", lambda a: with_entry(a, 0, 2**62), "other numbers"),
    "residuals of two": ("oob_residuals_", lambda a: np.stack([a, a], axis=1), "oob_residuals_"),
    "whole predictions": ("oob_prediction_", lambda a: np.zeros(len(a), np.int64), "oob_prediction_"),
}


@pytest.mark.parametrize("damage", WRONG_LEARNT_ARRAYS)
def test_wrong_arrays_of_what_was_learnt_are_refused(
    damage: str, numbers: RandomForestRegressor, tmp_path: Path
) -> None:
    name, change, told = WRONG_LEARNT_ARRAYS[damage]
    stored = to_stored(numbers)
    with pytest.raises(FileError, match=told):
        ob.load(resaved(stored, tmp_path / "wrong", arrays=stored.arrays | {name: change(stored.arrays[name])}))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"n_outputs_": 0}, "0 outputs"), ({"n_outputs_": 3}, "each of 3"), ({"n_classes_": 2}, "n_classes_"),
        ({"n_classes_": [2, 2]}, "n_classes_"), ({"classes_": [{"texts": ["a", "b"], "dtype": "str"}]}, "each of 2"),
        ({"n_rows_": -3}, "n_rows_ is -3"), ({"max_features_": {"float": "nan"}}, "max_features_"),
        ({"impurity": 3}, "impurity"), ({"seeds_": [-1]}, "a seed for each"),
    ],
)  # fmt: skip
def test_wrong_facts_of_several_outputs_are_refused(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    X = table()
    y = np.column_stack([codes(X, 2), codes(X[:, 1:], 3)])
    stored = to_stored(DecisionTreeClassifier(random_state=0, max_depth=3).fit(X, y))
    facts = {**stored.facts, "learnt": {**stored.facts["learnt"], **changes}}
    with pytest.raises(FileError, match=told):
        ob.load(resaved(stored, tmp_path / "wrong", facts=facts))
