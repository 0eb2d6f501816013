"""Pictures of trees: every node once, counts that add up, the lit way that the model itself takes, nothing in the way."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, make_classification
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import openbook as ob
from openbook.errors import ExplainError, FileError, InputError
from openbook.explain.trees.marks import Axis, histogram
from openbook.explain.trees.named import named_tree
from openbook.explain.trees.overview import TALL, overview
from openbook.explain.trees.rows import rows_of
from openbook.explain.trees.style import class_colours
from tests.explain.trees.models import FORESTS, TREES, forest, grown

SVG = "{http://www.w3.org/2000/svg}"


def boxes(svg: str) -> dict[int, tuple[float, float, float, float, str]]:
    """Of every node drawn: left, top, right, bottom, kind. A node drawn twice is an error."""
    found: dict[int, tuple[float, float, float, float, str]] = {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if group.get("data-node") is None:
            continue
        node, (x, y) = int(group.get("data-node")), map(float, re.findall(r"[-\d.]+", group.get("transform")))
        card = next(rect for rect in group.iter(f"{SVG}rect") if rect.get("class") == "card")
        assert node not in found
        found[node] = (x, y, x + float(card.get("width")), y + float(card.get("height")), group.get("class"))
    return found


def words(svg: str) -> str:
    return " ".join(text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text"))


def tree_of(name: str) -> ob.forest.Tree:
    return named_tree(grown(name).model, None).tree


@pytest.mark.parametrize("orientation", ["down", "right"])
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("name", TREES)
def test_every_node_once_and_apart(name: str, given: bool, orientation: str) -> None:
    fitted = grown(name)
    X, y = (fitted.X, fitted.y) if given else (None, None)
    svg = ob.plot_tree(fitted.model, X, y, row=fitted.X[0], orientation=orientation, max_depth=99).svg()
    drawn = boxes(svg)
    tree = tree_of(name)
    assert sorted(drawn) == list(range(len(tree)))
    for (a, b, c, d, _), (e, f, g, h, _) in combinations(drawn.values(), 2):
        assert c <= e or g <= a or d <= f or h <= b
    width, height = (float(ElementTree.fromstring(svg).get(side)) for side in ("width", "height"))
    assert all(x >= 0 and y >= 0 and u <= width and v <= height for x, y, u, v, _ in drawn.values())
    below = 1 if orientation == "down" else 0
    for node in np.flatnonzero(~tree.is_leaf):
        left, right = drawn[tree.left[node]], drawn[tree.right[node]]
        assert min(left[below], right[below]) > drawn[node][below + 2] and left[1 - below] < right[1 - below]


@pytest.mark.parametrize("name", TREES)
def test_the_lit_way_is_the_models_own(name: str) -> None:
    fitted = grown(name)
    theirs = hasattr(fitted.model, "decision_path")
    for index in range(0, len(fitted.X), max(1, len(fitted.X) // 7)):
        row = fitted.X[index]
        picture = ob.plot_tree(fitted.model, row=row, max_depth=1)
        lit = {node for node, box in boxes(picture.svg()).items() if "lit" in box[4].split()}
        leaf = int(fitted.model.apply(row[None])[0])
        assert picture.to_dict()["path"][-1] == leaf
        if theirs:
            assert lit == set(fitted.model.decision_path(row[None]).indices.tolist())
        else:
            assert lit == set(picture.to_dict()["path"])


@pytest.mark.parametrize("name", TREES)
def test_counts_add_up(name: str) -> None:
    fitted = grown(name)
    nodes = {node["node"]: node for node in ob.plot_tree(fitted.model, max_depth=99).to_dict()["nodes"]}
    assert nodes[0]["rows"] == len(fitted.X)
    leaf = fitted.model.apply(fitted.X)
    for node in nodes.values():
        if "left" in node:
            pair = [nodes[node["left"]], nodes[node["right"]]]
            assert node["rows"] == sum(child["rows"] for child in pair)
            if "counts" in node:
                np.testing.assert_allclose(
                    node["counts"], np.sum([child["counts"] for child in pair], axis=0), rtol=1e-9, atol=1e-7
                )
        else:
            inside = fitted.X[leaf == node["node"]]
            assert node["rows"] == len(inside)
            if "fractions" in node:
                np.testing.assert_allclose(
                    node["fractions"], fitted.model.predict_proba(inside[:1])[0], rtol=1e-9, atol=1e-12
                )
            else:
                told = node.get("mean", node.get("median"))
                np.testing.assert_allclose(told, fitted.model.predict(inside[:1])[0], rtol=1e-12)


@pytest.mark.parametrize("name", TREES)
def test_the_rows_at_a_node_are_those_that_reach_it(name: str) -> None:
    fitted = grown(name)
    rows = rows_of(named_tree(fitted.model, None), fitted.X, fitted.y)
    assert rows is not None and rows.trained
    leaf = fitted.model.apply(fitted.X)
    for node in np.flatnonzero(tree_of(name).is_leaf):
        assert rows.reached[node].tolist() == np.flatnonzero(leaf == node).tolist()


@pytest.mark.parametrize("name", [name for name in FORESTS if name != "once theirs"])
def test_a_tree_of_a_forest_has_its_own_sample(name: str) -> None:
    fitted = forest(name)
    named = named_tree(fitted.model, 3)
    rows = rows_of(named, fitted.X, fitted.y)
    assert rows is not None and rows.trained
    if named.names.classes:
        for node in range(len(named.tree)):
            counted = np.bincount(rows.targets(node), rows.counts(node), len(named.names.classes))
            np.testing.assert_allclose(counted, named.tree.value[node], rtol=1e-9, atol=1e-7)


def test_rows_of_another_table_are_said_to_be() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    model = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X[:300], y[:300])
    assert "not those the tree was grown on" in words(ob.plot_tree(model, X[300:], y[300:]).svg())
    assert "not those the tree was grown on" not in words(ob.plot_tree(model, X[:300], y[:300]).svg())
    assert "pass X= and y=" in words(ob.plot_tree(model).svg())
    trees = ob.RandomForestClassifier(5, max_depth=2, random_state=0).fit(X[:200], y[:200])
    assert "the 369 rows given" in words(ob.plot_tree(trees, X[200:], y[200:], tree=1).svg())
    rows = rows_of(named_tree(trees, 1), X[200:], y[200:])
    assert rows is not None and len(rows.reached[0]) == rows.times.sum() == 369


def bars(drawn: str) -> dict[str, float]:
    """The area of each colour."""
    return {
        colour: sum(float(w) * float(h) for w, h in re.findall(r"M[-\d.]+ [-\d.]+h([\d.]+)v([\d.]+)", path))
        for colour, path in re.findall(r'fill="(#\w+)" d="([^"]+)"', drawn)
    }


def test_a_histogram_shows_every_row_by_class() -> None:
    """Areas are in proportion to how many rows there are; no bin has rows of both sides of the threshold."""
    values = np.random.default_rng(0).normal(size=500).round(2)
    groups = np.random.default_rng(1).integers(0, 3, 500)
    for threshold in (-0.5, 0.0, float(values.min()), 1.234):
        axis = Axis.around(values, threshold, 160.0)
        bins = axis.bins(values)
        assert bins[values <= threshold].max() == axis.left - 1 and bins[values > threshold].min() >= axis.left
        np.testing.assert_allclose(
            [axis.at(v) for v in values], 160.0 * (values - _end(axis, 0)) / (_end(axis, axis.count) - _end(axis, 0)),
            atol=1e-9,
        )  # fmt: skip
        at = np.array([axis.at(v) for v in values]) / 160.0 * axis.count
        assert np.all((at >= bins - 1e-9) & (at <= bins + 1 + 1e-9))
        colours = ["#000001", "#000002", "#000003"]
        area = bars(histogram(axis, values, groups, np.ones(500, int), colours, 56.0))
        each = np.bincount(groups)
        total = sum(area.values())
        assert [area[c] / total for c in colours] == pytest.approx(
            each / 500, rel=0.02
        )  # drawn to a hundredth of a pixel


def _end(axis: Axis, number: int) -> float:
    return axis.middle + (number - axis.left) * 2 * axis.half


@pytest.mark.parametrize(
    ("values", "threshold"),
    [([-1.7e308, 1.7e308], 0.0), ([0.0, 5e-324], 0.0), ([1e16, 1e16 + 2], 1e16), ([1.0, 1.0], 1.0), ([np.nan], 2.0),
     ([1.0, np.nan], np.inf)],
)  # fmt: skip
def test_axes_of_extreme_numbers(values: list[float], threshold: float) -> None:
    axis = Axis.around(np.array(values), threshold, 100.0)
    known = np.array(values)[~np.isnan(values)]
    assert axis.count >= 1 and all(0 <= axis.at(v) <= 100 for v in known)
    bins = axis.bins(known)
    assert np.all((bins >= 0) & (bins < axis.count))
    assert np.isfinite(axis.half)
    if np.isfinite(threshold):
        assert np.all((bins < axis.left) == (known <= threshold))


def test_names_are_escaped_and_long_ones_fit() -> None:
    X, y = load_iris(return_X_y=True)
    names = [f"<b>&{'long ' * 25}{i}" for i in range(4)]
    classes = ["<script>alert(1)</script>", "a\x00b", '"' + "c" * 120]
    picture = ob.plot_tree(
        DecisionTreeClassifier(max_depth=3).fit(X, y), X, y, row=X[0], feature_names=names, class_names=classes
    )
    svg = picture.svg()
    titles = " ".join(t.text or "" for t in ElementTree.fromstring(svg).iter(f"{SVG}title"))
    assert names[3] in titles and classes[0] in titles and "a�b" in titles
    assert "<script>alert" not in svg and "<b>" not in picture.html()
    assert json.dumps(picture.to_dict())


def test_folding_says_what_it_leaves_out() -> None:
    fitted = grown("digits")
    tree = tree_of("digits")
    picture = ob.plot_tree(fitted.model, max_depth=3)
    drawn = boxes(picture.svg())
    left_out = re.findall(r"▸ (\d+) nodes below", words(picture.svg()))
    assert len(drawn) + sum(map(int, left_out)) == len(tree)
    assert f"{len(drawn)} of {len(tree)} nodes are drawn" in words(picture.svg())
    assert sum(box[4] == "folded" for box in drawn.values()) == len(left_out) > 0
    assert picture.to_dict()["left_out"] == len(tree) - len(drawn)
    path = ob.plot_tree(fitted.model, row=fitted.X[7], max_depth=0).to_dict()["path"]
    assert set(path) <= set(boxes(ob.plot_tree(fitted.model, row=fitted.X[7], max_depth=0).svg()))
    assert 1 < len(boxes(ob.plot_tree(fitted.model).svg())) <= 63


@pytest.mark.parametrize("name", ["digits", "breast cancer", "diabetes"])
def test_the_overview_is_in_proportion(name: str) -> None:
    """Each level is as wide as the rows that come so deep, and every row of the lit way is on it."""
    fitted = grown(name)
    scene = ob.plot_tree(fitted.model, row=fitted.X[3], max_depth=1).drawing.scene
    drawn, height = overview(scene, 500.0)
    wide: Counter[float] = Counter()
    for y, width in re.findall(r"M[\d.]+ ([\d.]+)h([\d.]+)v", drawn):
        wide[float(y) / TALL] += float(width)
    tree, level = scene.tree, scene.outline.level
    assert height == TALL * (level.max() + 1) and drawn.count('class="lit"') == len(scene.outline.path)
    for depth in range(level.max() + 1):
        share = tree.samples[level == depth].sum() / tree.samples[0]
        assert wide[depth] == pytest.approx(500 * share, abs=0.06 * (level == depth).sum())


def test_ways_are_as_wide_as_their_rows() -> None:
    fitted = grown("breast cancer")
    svg = ob.plot_tree(fitted.model).svg()
    drawn = sorted(float(w) for w in re.findall(r'class="edge" stroke-width="([\d.]+)"', svg))
    samples = tree_of("breast cancer").samples
    assert drawn == pytest.approx(sorted(np.maximum(1.0, 11.0 * samples[1:] / samples[0])), abs=0.006)


def test_weights_and_draws_are_said_to_be() -> None:
    assert "by weight" in words(ob.plot_tree(grown("balanced").model).svg())
    for name in ("ours", "theirs", "our numbers"):
        fitted = forest(name)
        drawn = named_tree(fitted.model, 2).drawn
        assert drawn is not None
        told = f"{drawn.sum()} draws that came upon {np.count_nonzero(drawn)} rows"
        assert told in re.sub(r"\s+", " ", words(ob.plot_tree(fitted.model, tree=2, max_depth=1).svg()))
    for name in ("iris", "diabetes", "missing"):
        assert not re.search("weight|draws", words(ob.plot_tree(grown(name).model).svg()))


def test_thresholds_have_digits_enough() -> None:
    """However close the two sides are, the threshold as shown parts them; and no more digits than that."""
    X = np.array([[0.123456780], [0.123456789]])
    model = ob.DecisionTreeClassifier().fit(X, [0, 1])
    shown = re.search(r"≤ (0\.\d+)", words(ob.plot_tree(model, X, [0, 1]).svg()))
    assert shown and X[0, 0] <= float(shown[1]) < X[1, 0]
    close = ob.DecisionTreeClassifier().fit([[0.1234], [0.12344]], [0, 1])
    row = re.search(r"(0\.\d+) > (0\.\d+)", words(ob.plot_tree(close, row=[0.12344]).svg()))
    assert row and float(row[1]) > float(row[2])
    plain = ob.plot_tree(DecisionTreeClassifier(max_depth=1).fit(*load_iris(return_X_y=True)))
    assert "≤ 0.8" in words(plain.svg()) or "≤ 2.45" in words(plain.svg())


def test_missing_values_and_where_they_go() -> None:
    fitted = grown("only missing")
    told = words(ob.plot_tree(fitted.model, fitted.X, fitted.y, row=[np.nan]).svg())
    assert "is known? node 0" in ob.plot_tree(fitted.model).svg()
    assert "known, or missing?" in told and "is known" in told and "inf" not in told and "nan" not in told
    fitted = grown("missing")
    tree = tree_of("missing")
    told = words(ob.plot_tree(fitted.model, fitted.X, fitted.y).svg())
    side = "≤" if tree.missing_left[0] else ">"
    assert re.search(rf"{side} [\d.]+ or missing", told)


def test_the_middle_of_medians_is_called_so() -> None:
    fitted = grown("medians")
    assert "median" in words(ob.plot_tree(fitted.model).svg())
    assert "mean" not in words(ob.plot_tree(fitted.model).svg())


@pytest.mark.parametrize("classes", [2, 10, 13, 30])
def test_colours_of_classes(classes: int) -> None:
    colours = class_colours(list(range(classes, 0, -1)))
    assert len(colours) == classes and len(set(colours[: min(classes, 16)])) == min(classes, 16)


def test_many_classes_share_a_grey_and_that_is_said() -> None:
    X, y = make_classification(600, 10, n_informative=8, n_classes=20, n_clusters_per_class=1, random_state=0)
    told = words(ob.plot_tree(DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)).svg())
    assert "The 4 rarest classes share one grey." in told


@pytest.mark.parametrize("ending", [".svg", ".html", ".txt", ".json"])
def test_saved_whole(ending: str, tmp_path: Path) -> None:
    picture = ob.plot_tree(grown("iris").model)
    place = picture.save(tmp_path / f"tree{ending}")
    kind = {".svg": picture.svg, ".html": picture.html, ".txt": picture.text}.get(ending)
    text = place.read_text(encoding="utf-8")
    assert text == kind() if kind else json.loads(text) == picture.to_dict()
    assert [p.name for p in tmp_path.iterdir()] == [f"tree{ending}"]


def test_in_a_notebook() -> None:
    picture = ob.plot_tree(grown("iris").model)
    bundle = picture._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    assert picture._repr_svg_() == bundle["image/svg+xml"] == picture.svg()
    assert not re.findall(r'\bid="|https?://(?!www\.w3\.org/2000/svg)|<script', bundle["text/html"])


def test_mistakes_are_told() -> None:
    X, y = load_iris(return_X_y=True)
    model = DecisionTreeClassifier(max_depth=2).fit(X, y)
    with pytest.raises(ExplainError, match="not fitted"):
        ob.plot_tree(DecisionTreeClassifier())
    with pytest.raises(ExplainError, match="no tree or forest"):
        ob.plot_tree(GradientBoostingClassifier(n_estimators=2).fit(X, y))
    with pytest.raises(ExplainError, match="tree=0"):
        ob.plot_tree(forest("theirs").model)
    with pytest.raises(ExplainError, match="several outputs"):
        ob.plot_tree(DecisionTreeRegressor(max_depth=1).fit(X, X[:, :2]))
    with pytest.raises(InputError, match="no tree 30"):
        ob.plot_tree(forest("theirs").model, tree=30)
    with pytest.raises(InputError, match="4 features"):
        ob.plot_tree(model, X[:, :2], y)
    with pytest.raises(InputError, match="100 entries"):
        ob.plot_tree(model, X, y[:100])
    with pytest.raises(InputError, match="without X"):
        ob.plot_tree(model, y=y)
    with pytest.raises(InputError, match="class '7'"):
        ob.plot_tree(model, X, np.where(y == 2, 7, y))
    with pytest.raises(ExplainError, match="4 features need 4 different names"):
        ob.plot_tree(model, feature_names=["a", "b"])
    with pytest.raises(InputError, match="2 names are given for 3"):
        ob.plot_tree(model, class_names=["a", "b"])
    with pytest.raises(InputError, match="max_depth"):
        ob.plot_tree(model, max_depth=-1)
    with pytest.raises(InputError, match="orientation"):
        ob.plot_tree(model, orientation="up")
    with pytest.raises(ExplainError, match="3 entries"):
        ob.plot_tree(model, row=X[0, :3])
    with pytest.raises(InputError, match="no kind of file"):
        ob.plot_tree(model).save("tree.pdf")
    with pytest.raises(FileError):
        ob.plot_tree(model).save(Path("no") / "such" / "folder" / "tree.svg")


def test_frames_bring_their_names() -> None:
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    X, y = load_iris(return_X_y=True, as_frame=True)
    assert isinstance(X, pd.DataFrame)
    model = ob.DecisionTreeClassifier(max_depth=2).fit(X, y)
    told = words(ob.plot_tree(model, X, y, row=X.iloc[0]).svg())
    assert "petal width (cm)" in told or "petal length (cm)" in told


def test_a_bare_tree_is_drawn() -> None:
    tree = grown("our iris").model.tree_
    assert len(boxes(ob.plot_tree(tree).svg())) == len(tree)
    assert "x_4" in words(ob.plot_tree(tree).svg()) or "x_3" in words(ob.plot_tree(tree).svg())
