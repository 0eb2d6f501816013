"""Forests with categories, from tables of every kind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import openbook as ob
from openbook.errors import InputError, ModelError
from openbook.forest import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreesClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from openbook.forest.file import from_stored, to_stored
from openbook.forest.levels import encoded, learnt

TOWNS = [f"town {k:02}" for k in range(30)]


def table(rows: int = 600, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """A town of thirty, a colour of three, and two numbers; a tenth of everything is missing. The target has two classes."""
    random = np.random.default_rng(seed)
    town, colour = random.integers(0, 30, rows), random.integers(0, 3, rows)
    numbers = random.normal(size=(rows, 2)).round(2)
    worth = np.random.default_rng(99).normal(size=30)
    y = (worth[town] + (colour == 1) + numbers[:, 0] + random.normal(size=rows) > 0.5).astype(int)
    frame = pd.DataFrame(
        {
            "town": np.array(TOWNS, object)[town], "width": numbers[:, 0],
            "colour": pd.Categorical(np.array(["red", "green", "blue"], object)[colour]), "height": numbers[:, 1],
        }
    )  # fmt: skip
    return frame.mask(random.random(frame.shape) < 0.1), y


def as_codes(frame: pd.DataFrame) -> np.ndarray:
    """The same as floats: pandas numbers levels in their order."""
    codes = frame.copy()
    for name in ("town", "colour"):
        codes[name] = pd.Categorical(frame[name]).codes
    return codes.astype(float).where(frame.notna(), np.nan).to_numpy()


def forest(**options: Any) -> Any:
    return RandomForestClassifier(**{"n_estimators": 7, "random_state": 0, **options})


OTHERS = {
    "polars": lambda frame: pl.from_pandas(frame).with_columns(
        pl.col("colour").cast(pl.Enum(["red", "green", "blue"]))
    ),
    "Arrow": lambda frame: pa.Table.from_pandas(frame),
    "objects": lambda frame: frame.astype({"town": object, "colour": object}),
    "categories": lambda frame: frame.astype({"town": "category"}),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_frames_of_any_kind_give_one_forest(kind: str) -> None:
    frame, y = table()
    model, other = forest().fit(frame, y), forest().fit(OTHERS[kind](frame), y)
    assert [list(c) if c is not None else None for c in other.categories_] == [
        TOWNS,
        None,
        ["blue", "green", "red"],
        None,
    ]
    np.testing.assert_array_equal(other.predict_proba(OTHERS[kind](frame)), model.predict_proba(frame))


STORED = {
    "as Python's": lambda texts: texts,
    "by Arrow": lambda texts: texts.astype("str"),
    "in pieces": lambda texts: pd.concat([texts[:300].astype("str"), texts[300:].astype("str")]),
    "as codes, with a level that no row has": lambda texts: pd.Series(pd.Categorical(texts, ["z", *TOWNS[::-1]])),
    "among texts that are no Unicode": lambda texts: texts.mask(texts == TOWNS[0], "\ud800"),
    "before a number": lambda texts: texts.mask((texts == TOWNS[0]) & (texts.index > 300), 7),
}


@pytest.mark.parametrize("stored", STORED)
def test_levels_are_those_of_pandas(stored: str) -> None:
    texts = STORED[stored](table()[0]["town"].astype(object))
    levels, codes = learnt(texts.to_frame(), "from_dtype")
    different = sorted(set(texts.dropna()), key=lambda value: (type(value).__name__, value))
    expected = pd.Categorical(texts.astype(object), pd.Index(different, dtype=object))
    assert levels[0].tolist() == expected.categories.tolist()
    np.testing.assert_array_equal(codes[:, 0], np.where(expected.codes < 0, np.nan, expected.codes))


ODD = {
    "nothing odd": lambda frame: frame,
    "whole numbers that may be missing": lambda frame: frame.assign(width=pd.array(frame["width"] // 1, "Int64")),
    "texts of numbers": lambda frame: frame.assign(width=frame["width"].astype(str)),
    "truth values": lambda frame: frame.assign(width=frame["width"] > 0),
    "all as objects": lambda frame: frame.astype(object),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("kind", ["pandas", "polars", "Arrow"])
def test_few_rows_are_read_as_many_are(kind: str, odd: str) -> None:
    frame = ODD[odd](table()[0])
    if kind == "polars":
        frame = pl.from_pandas(frame)
    levels, codes = learnt(frame if kind != "Arrow" else pa.Table.from_pandas(frame), ["town", "colour"])
    for rows in (1, 7, 8, 600):
        some = frame[:rows] if kind != "Arrow" else pa.Table.from_pandas(frame).slice(0, rows)
        np.testing.assert_array_equal(encoded(some, levels), codes[:rows])


@pytest.mark.parametrize("chosen", [[0, 2], [True, False, True, False]])
def test_numbers_may_be_categories_too(chosen: list[Any]) -> None:
    frame, y = table()
    for codes in (as_codes(frame), as_codes(frame).astype(np.float32), as_codes(frame).tolist()):
        model = forest(categorical_features=chosen).fit(codes, y)
        np.testing.assert_array_equal(model.predict_proba(codes), forest().fit(frame, y).predict_proba(frame))


def test_names_choose_columns_and_none_chooses_none() -> None:
    frame, y = table()
    assert forest(categorical_features=["height"]).fit(frame[["width", "height"]], y).categories_[0] is None
    assert forest(categorical_features=["height"]).fit(frame[["width", "height"]], y).categories_[1] is not None
    for none in (None, []):
        with pytest.raises(ValueError, match="the column 'town' holds 'town 25', which is no number"):
            forest(categorical_features=none).fit(frame, y)


@pytest.mark.parametrize("chosen, said", [
    (["size"], "no column 'size'"), ([4], "has not"), ([-1], "has not"), ([True], "1 entries"), (0.5, "names no features"),
])  # fmt: skip
def test_features_that_are_not_there(chosen: Any, said: str) -> None:
    frame, y = table(40)
    with pytest.raises(InputError, match=said):
        forest(categorical_features=chosen).fit(frame, y)


def test_more_levels_than_there_is_room_for() -> None:
    keys = pd.DataFrame({"key": [f"{k}" for k in range(10_001)]})
    y = np.arange(10_001) % 2
    with pytest.raises(InputError, match="'key' has 10001 levels"):
        forest().fit(keys, y)
    assert len(forest(n_estimators=1).fit(keys[1:], y[1:]).categories_[0]) == 10_000


def test_columns_are_known_by_their_names() -> None:
    frame, y = table()
    with pytest.raises(ValueError, match="same order"):
        forest().fit(frame, y).predict(frame[["width", "town", "colour", "height"]])


def test_unknown_levels_go_where_missing_values_go() -> None:
    frame, y = table()
    model = forest().fit(frame, y)
    strange, missing = frame.copy(), frame.copy()
    strange["town"], missing["town"] = "nowhere", None
    np.testing.assert_array_equal(model.predict_proba(strange), model.predict_proba(missing))
    assert (model.predict_proba(strange) != model.predict_proba(frame)).any()


KINDS = {
    "classes": (RandomForestClassifier, lambda y, x: y),
    "three classes": (RandomForestClassifier, lambda y, x: y + (x > 0)),
    "random thresholds": (ExtraTreesClassifier, lambda y, x: y),
    "numbers": (RandomForestRegressor, lambda y, x: y + x),
    "two outputs": (RandomForestRegressor, lambda y, x: np.stack([y + x, x - y], axis=1)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [1, 7, 1300])
def test_prediction_is_every_tree_walked_by_hand(kind: str, rows: int) -> None:
    """A block of the kernel has 1,024 rows; few rows go by it too."""
    made, target = KINDS[kind]
    frame, y = table(1300)
    y = target(y, frame["width"].fillna(0).to_numpy())
    model = made(5, random_state=0, max_depth=6).fit(frame, y)
    X = model.encoded(frame[:rows])
    ends = np.array([[tree.path(x)[1] for tree in model.trees_] for x in X])
    np.testing.assert_array_equal(model.apply(frame[:rows]), ends)
    held = np.stack([tree.value[ends[:, t]] for t, tree in enumerate(model.trees_)])
    if hasattr(model, "predict_proba"):
        held = held / held.sum(axis=2, keepdims=True)
        told = model.predict_proba(frame[:rows])
        votes = np.stack([(held.argmax(axis=2) == k).sum(axis=0) for k in range(held.shape[2])], axis=1)
        np.testing.assert_array_equal(model.votes(frame[:rows]), votes)
    else:
        told = model.predict(frame[:rows]).reshape(rows, -1)
    np.testing.assert_allclose(told, held.mean(axis=0), rtol=1e-12, atol=1e-15)
    paths, starts = model.decision_path(frame[:rows])
    np.testing.assert_array_equal(paths.toarray()[np.arange(rows)[:, None], starts[:-1] + ends], 1)


def test_the_same_forest_on_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openbook.forest.prediction._WORTH_THREADS", 1)
    frame, y = table()
    told = [forest(n_jobs=threads).fit(frame, y).predict_proba(frame) for threads in (1, 2, 8)]
    assert all(np.array_equal(told[0], other) for other in told)


def test_out_of_bag_estimates_do_not_know_the_rows_they_judge() -> None:
    """Other targets of the rows a tree has not drawn change nothing in it."""
    frame, y = table()
    model = forest(n_estimators=30, oob_score=True).fit(frame, y)
    out = model.drawn(0) == 0
    other = forest(n_estimators=30).fit(frame, np.where(out, 1 - y, y))
    for f, order in model.trees_[0].orders.items():
        np.testing.assert_array_equal(order, other.trees_[0].orders[f])
    np.testing.assert_array_equal(model.trees_[0].threshold, other.trees_[0].threshold)
    seen = np.stack([model.drawn(t) for t in range(30)]) > 0
    each = np.stack([tree.predict_proba(frame) for tree in model.estimators_])
    expected = np.where(seen[..., None], 0, each).sum(axis=0) / (~seen).sum(axis=0)[:, None]
    np.testing.assert_allclose(model.oob_decision_function_, expected, rtol=1e-12)


def test_what_else_a_forest_can_do() -> None:
    frame, y = table()
    model = forest(n_estimators=30).fit(frame, y)
    importances = model.oob_importances(frame, y)
    assert importances[[0, 1, 2]].min() > importances[3]  # the height means nothing
    grown = forest(n_estimators=3, warm_start=True).fit(frame, y).set_params(n_estimators=7).fit(frame, y)
    np.testing.assert_array_equal(grown.predict_proba(frame), forest().fit(frame, y).predict_proba(frame))
    with pytest.raises(InputError, match="other levels"):
        grown.set_params(n_estimators=9).fit(frame.assign(town="nowhere"), y)
    with pytest.raises(InputError, match="monotonic"):
        forest(monotonic_cst=[1, 0, 0, 0]).fit(frame, y)
    numbers = RandomForestRegressor(5, random_state=0, keep_targets=True).fit(frame, y + 0.5)
    assert set(np.unique(numbers.predict_quantiles(frame[:20], 0.5))) <= {0.5, 1.5}


@pytest.mark.parametrize("limit", [{"max_leaf_nodes": 6}, {"ccp_alpha": 0.004}])
def test_smaller_trees_keep_their_orders(limit: dict[str, Any]) -> None:
    frame, y = table()
    whole, small = (DecisionTreeClassifier(random_state=0, **options).fit(frame, y) for options in ({}, limit))
    assert 1 < len(small.tree_) < len(whole.tree_)
    counts = np.bincount(small.apply(frame), minlength=len(small.tree_))
    leaf = small.tree_.is_leaf
    np.testing.assert_array_equal(counts[leaf], small.tree_.samples[leaf])


def test_a_useless_key_does_no_harm_unless_it_is_let() -> None:
    random = np.random.default_rng(0)
    X = pd.DataFrame({"x": random.normal(size=3000), "key": [f"{k}" for k in random.integers(0, 700, 3000)]})
    y = (X["x"].to_numpy() + random.normal(size=3000) > 0).astype(int)
    plain, careful, rash = (
        forest(n_estimators=20, oob_score=True, min_samples_leaf=20, min_samples_level=least).fit(X[columns], y)
        for columns, least in ((["x"], 5), (["x", "key"], 5), (["x", "key"], 1))
    )
    assert careful.oob_score_ > plain.oob_score_ - 0.02 > rash.oob_score_


def test_a_node_names_its_levels() -> None:
    frame = pd.DataFrame({"town": ["b", "a", "c", "d"] * 10})
    model = DecisionTreeRegressor(max_depth=1).fit(frame, np.array([1.0, 5.0, 1.5, 4.0] * 10))
    left, right = model.tree_.categories(0)
    assert [list(model.categories_[0][side]) for side in (left, right)] == [["b", "c"], ["a", "d"]]


def test_an_explanation_speaks_of_levels() -> None:
    frame, y = table()
    model = forest(n_estimators=3, max_depth=4).fit(frame, y)
    for row in (frame[5:6], frame.iloc[5], frame.iloc[5].tolist(), frame.iloc[5].to_dict()):
        working = ob.explain(model, row)
        working.check()
        assert working.result["soft"] == pytest.approx(model.predict_proba(frame[5:6])[0, 1])
    assert "colour in {" in working.text() and "levels, with 'town" in working.text()


@pytest.mark.parametrize("levels", ["texts", "numbers"])
def test_a_file_keeps_levels_and_their_orders(levels: str, tmp_path: Path) -> None:
    frame, y = table()
    X, options = (frame, {}) if levels == "texts" else (as_codes(frame), {"categorical_features": [0, 2]})
    model = forest(bootstrap=False, **options).fit(X, y)
    ob.save(model, tmp_path / "forest.safetensors")
    again = ob.load(tmp_path / "forest.safetensors")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(again.apply(X), model.apply(X))


def test_a_file_with_other_places_is_refused() -> None:
    frame, y = table(60)
    stored = to_stored(forest(bootstrap=False).fit(frame, y))
    for wrong, said in (
        ({"orders": stored.arrays["orders"][1:]}, "shape"),
        ({"orders": stored.arrays["orders"] + 30}, "place"),
    ):
        with pytest.raises(ModelError, match=said):
            from_stored(replace(stored, arrays=stored.arrays | wrong))
    stored.facts["learnt"]["categories_"] = [None]
    with pytest.raises(ModelError, match="one for each feature"):
        from_stored(stored)


@pytest.mark.parametrize("form", ["to_sklearn", "to_onnx", "compact"])
def test_forms_that_know_no_categories_say_so(form: str) -> None:
    frame, y = table(60)
    with pytest.raises(ModelError, match="categories"):
        getattr(forest().fit(frame, y), form)()
