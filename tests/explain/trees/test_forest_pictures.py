"""A forest's vote on one row: what the model itself says, from every tree."""

from __future__ import annotations

import json
import re
from collections import Counter
from xml.etree import ElementTree

import numpy as np
import pytest

import openbook as ob
from openbook.errors import ExplainError
from tests.explain.trees.models import FORESTS, forest
from tests.explain.trees.test_tree_pictures import SVG, words


@pytest.mark.parametrize("name", FORESTS)
def test_soft_is_the_models_own_answer(name: str) -> None:
    fitted = forest(name)
    for row in fitted.X[:: max(1, len(fitted.X) // 5)]:
        told = ob.plot_forest(fitted.model, row).to_dict()
        own = fitted.model.predict_proba(row[None])[0] if "class" in told else fitted.model.predict(row[None])
        np.testing.assert_allclose(told["soft"], own, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", FORESTS)
def test_votes_and_leaves_are_those_of_the_trees(name: str) -> None:
    fitted = forest(name)
    row = fitted.X[2]
    told = ob.plot_forest(fitted.model, row).to_dict()
    assert [tree["leaf"] for tree in told["trees"]] == fitted.model.apply(row[None])[0].tolist()
    if "class" not in told:
        return
    if hasattr(fitted.model, "votes"):
        np.testing.assert_array_equal(
            np.rint(np.array(told["hard"]) * len(told["trees"])), fitted.model.votes(row[None])[0]
        )
    else:
        classes = np.array(told["classes"])
        votes = Counter(classes[int(tree.predict(row[None])[0])] for tree in fitted.model.estimators_)
        assert votes == Counter(tree["vote"] for tree in told["trees"])
        np.testing.assert_allclose(told["hard"], [votes[c] / len(told["trees"]) for c in classes])


@pytest.mark.parametrize("name", ["theirs", "many classes", "numbers"])
def test_the_features_asked_are_counted_from_the_ways(name: str) -> None:
    fitted = forest(name)
    row = fitted.X[4]
    told = ob.plot_forest(fitted.model, row).to_dict()
    questions: Counter[str] = Counter()
    trees: Counter[str] = Counter()
    for tree, drawn in zip(fitted.model.estimators_, told["trees"], strict=True):
        path = tree.decision_path(row[None].astype(np.float32)).indices
        assert set(path) == set(drawn["path"])
        asked = [f"x_{tree.tree_.feature[node] + 1}" for node in path if tree.tree_.feature[node] >= 0]
        questions.update(asked)
        trees.update(set(asked))
    assert {a["feature"]: (a["trees"], a["questions"]) for a in told["asked"]} == {
        f: (trees[f], questions[f]) for f in questions
    }
    assert [a["trees"] for a in told["asked"]] == sorted(trees.values(), reverse=True)


@pytest.mark.parametrize("name", FORESTS)
def test_every_tree_is_a_mark(name: str) -> None:
    fitted = forest(name)
    picture = ob.plot_forest(fitted.model, fitted.X[1])
    root = ElementTree.fromstring(picture.svg())
    count = len(picture.to_dict()["trees"])
    paths = [path.get("d") for path in root.iter(f"{SVG}path") if re.match(r"(M[-\d.]+ [-\d.]+h)", path.get("d"))]
    marks = sum(path.count("M") for path in paths)
    assert marks == (2 * count if "class" in picture.to_dict() else count)
    ways = [group for group in root.iter(f"{SVG}g") if group.get("class") == "way"]
    assert len(ways) == min(4, count)
    numbers = [next(t.text for t in way.iter(f"{SVG}text")) for way in ways]
    assert len(set(numbers)) == len(numbers)


def test_bars_stand_at_their_fractions() -> None:
    fitted = forest("theirs")
    row = fitted.X[np.argmin(np.abs(fitted.model.predict_proba(fitted.X)[:, 1] - 0.5))]
    picture = ob.plot_forest(fitted.model, row, of=1)
    drawn = re.findall(r"M([\d.]+) ([\d.]+)h[\d.]+V120", picture.svg())
    shares = [1 - float(y) / 120 for _, y in sorted(drawn, key=lambda place: float(place[0]))]
    own = sorted((tree.predict_proba(row[None])[0, 1] for tree in fitted.model.estimators_), reverse=True)
    assert 0.2 < np.mean(np.array(own) > 0.5) < 0.8
    assert shares == pytest.approx(own, abs=0.05 / 120 + 1e-9)


def test_another_class_can_be_asked_about() -> None:
    fitted = forest("missing")
    for label in fitted.model.classes_:
        told = ob.plot_forest(fitted.model, fitted.X[3], of=label)
        assert told.to_dict()["class"] == label and f"{label}: " in words(told.svg())
    with pytest.raises(ExplainError, match="no class"):
        ob.plot_forest(fitted.model, fitted.X[3], of="four")


def test_large_forests_and_json() -> None:
    fitted = forest("many classes")
    picture = ob.plot_forest(fitted.model, fitted.X[9])
    assert json.loads(json.dumps(picture.to_dict())) == picture.to_dict()
    assert max(map(len, picture.text(60).splitlines())) <= 60
    assert picture.title in picture.text() and picture.summary[0] in words(picture.svg())


def test_a_single_tree_votes_alone() -> None:
    model = ob.DecisionTreeClassifier(max_depth=2).fit([[0.0], [1.0], [2.0]], [0, 1, 1])
    told = ob.plot_forest(model, [0.0]).to_dict()
    assert told["soft"] == [1.0, 0.0] == told["hard"]
    assert "way" in ob.plot_forest(model, [0.0]).svg()
