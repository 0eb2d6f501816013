"""Pictures of trees, and trees in words, where features are categories."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from openbook.explain.trees import plot_forest, plot_tree, tree_text
from openbook.forest import DecisionTreeClassifier, DecisionTreeRegressor, RandomForestClassifier

TOWNS = np.array(["Bern", "Chur", "Genf", "Thun", "Visp", "Zug"], object)
HIGH = {"Chur", "Zug"}


def towns(rows: int = 240) -> tuple[pd.DataFrame, np.ndarray]:
    town = TOWNS[np.arange(rows) % 6]
    return pd.DataFrame({"town": town}), np.isin(town, list(HIGH)).astype(int)


def test_the_text_names_the_levels_of_both_sides() -> None:
    frame, y = towns()
    told = tree_text(DecisionTreeClassifier(random_state=0).fit(frame, y), row=["Zug"])
    assert "town in {Bern, Genf, Thun, Visp} → 0: 160 of 160" in told
    assert "▶ └─ town in {Chur, Zug} → 1: 80 of 80" in told


def test_of_many_levels_their_number_is_said() -> None:
    frame = pd.DataFrame({"key": [f"k{i:02}" for i in range(20)] * 10})
    told = tree_text(DecisionTreeClassifier().fit(frame, frame["key"].to_numpy() < "k08"))
    assert "key in 12 of 20 levels" in told and "key in 8 of 20 levels" in told


@pytest.mark.parametrize("kind", [DecisionTreeClassifier, DecisionTreeRegressor])
def test_the_rows_of_a_question_are_those_the_tree_was_grown_on(kind: type) -> None:
    frame, y = towns()
    model = kind(random_state=0).fit(frame, y)
    picture = plot_tree(model, row=["Zug"], X=frame, y=y)
    root = picture.to_dict()["nodes"][0]
    assert [set(side) for side in root["levels"]] == [set(TOWNS) - HIGH, HIGH]
    assert "Zug in {Chur, Zug}" in picture.svg()
    _, left, right = picture.drawing.scene.rows.reached
    assert (len(left), len(right)) == (160, 80) and not y[left].any() and y[right].all()


def test_the_vote_on_a_row_speaks_of_its_level() -> None:
    frame, y = towns()
    told = plot_forest(RandomForestClassifier(3, random_state=0).fit(frame, y), {"town": "Zug"}).svg()
    assert re.search(r"Zug in \{Chur, Zug\}", told)
