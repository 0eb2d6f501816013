"""Pictures of trees, and trees in words, where features are categories."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

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


def lines_of(picture: Any, side: str) -> dict[str, list[float]]:
    """From the SVG: the lines of the root's levels on one side, by name in their order; the widths of what their bars hold."""
    svg = ElementTree.fromstring(picture.svg())
    root = next(box for box in svg.iter() if box.get("data-node") == "0")
    lines = [g for g in root.iter() if g.get("class") == "level"]
    own = [g for g in lines if any(r.get("class") == f"goes {side}" for r in g.iter())]
    return {words(g)[1]: [float(r.get("width", 0)) for r in list(g)[-1] if r.get("class") != "track"] for g in own}


def words(line: Any) -> list[str]:
    """The title of a level's line, and its name."""
    return [part.text for part in line.iter() if part.text]


def test_a_question_has_a_bar_for_each_level_in_the_order_of_the_tree() -> None:
    """Bern once in three, Zug twice, the others as they come; Thun is not there at all."""
    town = np.repeat(TOWNS[[0, 1, 2, 4, 5]], [60, 20, 10, 40, 30])
    y = np.concatenate([np.arange(60) % 3 == 0, np.ones(20), np.zeros(10), np.arange(40) < 10, np.arange(30) < 20])
    frame, y = pd.DataFrame({"town": town}), y.astype(int)
    frame.loc[155:, "town"] = None
    model = DecisionTreeClassifier(max_depth=1, random_state=0).fit(frame, y)
    picture = plot_tree(model, frame, y, row=["Zug"])
    left, right = lines_of(picture, "left"), lines_of(picture, "right")
    assert list(left) == ["Genf", "Visp", "Bern", "missing"] and list(right) == ["Zug", "Chur"]
    rows = {"Genf": [10, 0], "Visp": [30, 10], "Bern": [40, 20], "missing": [5, 0], "Zug": [5, 20], "Chur": [0, 20]}
    unit = sum(left["Bern"]) / 60
    for name, widths in (left | right).items():
        np.testing.assert_allclose(widths, [unit * n for n in rows[name] if n], atol=0.011)
    lit = re.findall(r'class="end rowmark"[^>]*>([^<]*)', picture.svg())
    assert lit == ["Zug"]


def test_without_targets_bars_have_the_colour_of_their_side() -> None:
    frame, y = towns()
    picture = plot_tree(DecisionTreeClassifier(random_state=0).fit(frame, y), frame)
    assert set(lines_of(picture, "left")) == set(TOWNS) - HIGH and set(lines_of(picture, "right")) == HIGH
    assert all(len(widths) == 1 for side in ("left", "right") for widths in lines_of(picture, side).values())


def test_of_many_levels_the_heaviest_have_names_and_the_row_has_its_own() -> None:
    sizes = np.arange(10, 30)
    frame = pd.DataFrame({"key": np.repeat([f"k{i:02}" for i in range(20)], sizes)})
    y = (frame["key"] < "k15").to_numpy().astype(float)
    model = DecisionTreeRegressor().fit(frame, y)
    picture = plot_tree(model, frame, y, row=["k03"])
    assert list(lines_of(picture, "left")) == [f"k{i}" for i in range(15, 20)]
    assert list(lines_of(picture, "right")) == ["k03", "k12", "k13", "k14", "+ 11 more"]
    assert f"+ 11 more: {sizes[:12].sum() - sizes[3]} rows" in picture.svg()
    assert len(re.findall('class="mean" d="M[0-9.]+ [0-9.]+V', picture.svg())) == 2


def test_levels_of_too_few_rows_are_told_from_missing_values() -> None:
    frame, y = towns()
    frame.loc[:2, "town"] = "Olten"
    picture = plot_tree(DecisionTreeClassifier(random_state=0).fit(frame, y), frame, y)
    assert "missing, rare" in lines_of(picture, "left") | lines_of(picture, "right")


def test_in_a_tree_of_a_forest_a_row_counts_as_often_as_it_was_drawn() -> None:
    frame, y = towns()
    y = np.where(np.arange(240) % 5 == 0, 1 - y, y)
    model = RandomForestClassifier(1, random_state=0, max_depth=1).fit(frame, y)
    picture, drawn = plot_tree(model, frame, y, tree=0), model.drawn(0)
    bars = lines_of(picture, "left") | lines_of(picture, "right")
    held = {t: np.bincount(y[own := frame["town"] == t], drawn[own], 2) for t in TOWNS}
    unit = max(map(sum, bars.values())) / max(map(sum, held.values()))
    for name in TOWNS:
        np.testing.assert_allclose(bars[name], unit * held[name], atol=0.011)
