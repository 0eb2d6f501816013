"""Trees in words, beside scikit-learn's export_text: the same splits in the same order."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, export_text

import openbook as ob
from openbook.errors import InputError
from tests.explain.trees.models import TREES, grown

THEIRS = [name for name in TREES if type(grown(name).model) in (DecisionTreeClassifier, DecisionTreeRegressor)]
SIDE = {"<=": "≤", "> ": ">"}


def theirs(model: object) -> list[tuple[int, str, str, str]]:
    """Of every branch: its depth, feature, side and threshold."""
    text = export_text(model, max_depth=100, decimals=3, feature_names=_names(model))
    found = re.findall(r"^([| ]*)\|--- (\S+) (<=|> ) +(\S+)$", text, flags=re.M)
    return [(bars.count("|"), name, SIDE[side], threshold.replace("inf", "∞")) for bars, name, side, threshold in found]


def _names(model: object) -> list[str]:
    return [f"f{i}" for i in range(model.n_features_in_)]  # type: ignore[attr-defined]


def ours(text: str) -> list[tuple[int, str, str, str]]:
    found = re.findall(r"^([│ ]*)[├└]─ (\S+) (≤|>) (\S+)", text, flags=re.M)
    return [(len(gutter) // 3, name, side, threshold.replace("−", "-")) for gutter, name, side, threshold in found]


@pytest.mark.parametrize("name", [name for name in THEIRS if name not in ("only missing", "one class")])
def test_the_splits_are_those_of_export_text(name: str) -> None:
    model = grown(name).model
    text = ob.tree_text(model, decimals=3, width=400, feature_names=_names(model))
    assert ours(text) == theirs(model) != []


def test_a_split_of_missing_values_has_no_number() -> None:
    text = ob.tree_text(grown("only missing").model)
    assert "x_1 is known" in text and "x_1 is missing" in text and "∞" not in text


@pytest.mark.parametrize("name", TREES)
def test_leaves_say_what_the_model_says(name: str) -> None:
    """The class and its fraction, or the mean, of every leaf in order."""
    fitted = grown(name)
    text = ob.tree_text(fitted.model, width=400, decimals=6)
    nodes = ob.plot_tree(fitted.model, max_depth=99).to_dict()["nodes"]
    leaves = [node["node"] for node in nodes if "left" not in node]
    place = {leaf: int(np.flatnonzero(fitted.model.apply(fitted.X) == leaf)[0]) for leaf in leaves}
    lines = text.splitlines()
    told = [line.partition("→ ")[2] for line in lines if "→" in line] or lines[-1:]
    assert len(told) == len(leaves)
    for line, leaf in zip(told, leaves, strict=True):
        row = fitted.X[place[leaf]][None]
        said = str(fitted.model.predict(row)[0])
        if line.startswith(("mean", "median")):
            assert float(line.split()[1].replace("−", "-")) == pytest.approx(float(said), abs=5.1e-7)
        else:
            assert line.startswith(f"{said}: ")
            shares = fitted.model.predict_proba(row)[0]
            assert line.endswith(f" {shares.max():.6f}") or shares.max() == 1.0


def test_the_way_of_a_row_is_marked() -> None:
    fitted = grown("iris")
    for index in (0, 60, 120):
        text = ob.tree_text(fitted.model, row=fitted.X[index])
        marked = [line for line in text.splitlines() if line.startswith("▶")]
        path = fitted.model.decision_path(fitted.X[index][None]).indices
        assert len(marked) == len(path)  # every node but the root, and the sentence at the end
        assert f"{fitted.model.predict(fitted.X[index][None])[0]}: " in marked[-1]
    assert "▶" not in ob.tree_text(fitted.model)


@pytest.mark.parametrize("width", [40, 72, 100])
def test_folded_to_the_width_and_nothing_lost(width: int) -> None:
    fitted = grown("iris")
    names = [f"a rather long name of the feature number {i}, in words" for i in range(4)]
    text = ob.tree_text(fitted.model, feature_names=names, width=width)
    assert max(map(len, text.splitlines())) <= width
    flat = re.sub(r"\s+", " ", re.sub(r"[│├└─]", " ", text))
    whole = re.sub(r"\s+", " ", re.sub(r"[│├└─]", " ", ob.tree_text(fitted.model, feature_names=names, width=9999)))
    assert flat == whole


def test_deep_trees_fold_and_say_so() -> None:
    model = grown("digits").model
    text = ob.tree_text(model, max_depth=2)
    left_out = sum(map(int, re.findall(r"… (\d+) nodes left out", text)))
    assert left_out + len(re.findall(r"[├└]", text)) + 1 == model.tree_.node_count
    assert len(re.findall(r"[├└]", ob.tree_text(model))) + 1 == model.tree_.node_count


def test_missing_directions_are_told_when_asked() -> None:
    fitted = grown("missing")
    told = ob.tree_text(fitted.model, missing=True, width=200)
    tree = fitted.model.tree_
    inner = int((~tree.is_leaf).sum())
    assert told.count("or missing") == inner
    assert len(re.findall(r"≤ \S+ or missing", told)) == int((tree.missing_left & ~tree.is_leaf).sum())
    assert "missing" not in ob.tree_text(fitted.model)


def test_mistakes_are_told() -> None:
    with pytest.raises(InputError, match="decimals"):
        ob.tree_text(grown("iris").model, decimals=-1)
