"""scikit-learn's trees and forests as ours, ours as scikit-learn's, and ours in ONNX: the same predictions."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import ensemble, tree
from sklearn.linear_model import LinearRegression

import openbook as ob
from openbook import forest
from openbook.errors import FileError, ModelError

THEIRS = {
    "tree": tree.DecisionTreeClassifier(random_state=0),
    "entropy": tree.DecisionTreeClassifier(criterion="entropy", max_depth=6, random_state=0),
    "forest": ensemble.RandomForestClassifier(8, random_state=0),
    "bootstrap off": ensemble.RandomForestClassifier(4, random_state=0, bootstrap=False, min_samples_leaf=5),
    "extra": ensemble.ExtraTreesClassifier(8, random_state=0),
    "tree of numbers": tree.DecisionTreeRegressor(random_state=0),
    "forest of numbers": ensemble.RandomForestRegressor(8, random_state=0),
    "absolute error": ensemble.RandomForestRegressor(3, random_state=0, criterion="absolute_error", max_depth=4),
    "extra of numbers": ensemble.ExtraTreesRegressor(8, random_state=0, min_samples_leaf=3),
}
OURS = {
    "tree": forest.DecisionTreeClassifier(random_state=0),
    "forest": forest.RandomForestClassifier(8, random_state=0, criterion="entropy"),
    "extra": forest.ExtraTreesClassifier(8, random_state=0),
    "tree of numbers": forest.DecisionTreeRegressor(random_state=0, max_depth=7),
    "forest of numbers": forest.RandomForestRegressor(8, random_state=0),
    "extra of numbers": forest.ExtraTreesRegressor(8, random_state=0),
}


def rows(missing: bool = False) -> np.ndarray:
    random = np.random.default_rng(5)
    X = random.normal(size=(400, 4)) * [1, 1e-3, 1e6, 1]
    X[:, 3] = np.round(X[:, 3], 1)
    if missing:
        X[random.random(X.shape) < 0.1] = np.nan
    return X


def target(model: Any, X: np.ndarray, classes: int = 3) -> np.ndarray:
    score = np.nan_to_num(X[:, 0]) + np.nan_to_num(X[:, 1]) * 1e3 + np.random.default_rng(6).normal(0, 0.3, len(X))
    if not hasattr(model, "predict_proba"):
        return score
    return np.array(["a", "b", "c"])[np.searchsorted(np.quantile(score, np.arange(1, classes) / classes), score)]


def around_thresholds(trees: list[Any], features: int) -> np.ndarray:
    """Rows whose entries lie on, just above and just below every threshold: in doubles, in floats, and halfway between."""
    grid: list[np.ndarray] = []
    for part in trees:
        inner = (part.children_left >= 0) & np.isfinite(part.threshold)  # ∞ parts missing values from all others
        t = part.threshold[inner]
        single = t.astype(np.float32)
        steps = [t, np.nextafter(t, np.inf), np.nextafter(t, -np.inf), single.astype(float)]
        for way in (np.inf, -np.inf):
            beside = np.nextafter(single, np.float32(way)).astype(float)
            middle = (beside + single) / 2
            steps += [beside, middle, np.nextafter(middle, np.inf), np.nextafter(middle, -np.inf)]
        for values in steps:
            X = np.zeros((len(t), features))
            X[np.arange(len(t)), part.feature[inner]] = values
            grid.append(X)
    return np.concatenate(grid)


def answers(model: Any, X: np.ndarray) -> np.ndarray:
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("name", THEIRS)
def test_theirs_as_ours_answers_alike_for_every_row(name: str, missing: bool) -> None:
    X = rows(missing)
    if missing and name == "absolute error":
        X = np.nan_to_num(X)  # scikit-learn has no missing values there
    theirs = THEIRS[name].fit(X, target(THEIRS[name], X))
    ours = ob.from_sklearn(theirs)
    trees = [part.tree_ for part in getattr(theirs, "estimators_", [theirs])]
    grid = np.concatenate([X, around_thresholds(trees, X.shape[1])])
    for given in (grid, grid.astype(np.float32)):
        np.testing.assert_array_equal(answers(ours, given), answers(theirs, given))
        np.testing.assert_array_equal(ours.predict(given), theirs.predict(given))
    np.testing.assert_allclose(ours.feature_importances_, theirs.feature_importances_, rtol=1e-9, atol=1e-12)
    assert type(ours).__name__ == type(theirs).__name__


def test_weights_that_are_no_whole_numbers_agree_to_rounding() -> None:
    X = rows()
    theirs = ensemble.RandomForestClassifier(8, random_state=0, class_weight="balanced")
    theirs.fit(X, target(theirs, X), sample_weight=np.linspace(0.1, 2.3, len(X)))
    np.testing.assert_allclose(ob.from_sklearn(theirs).predict_proba(X), theirs.predict_proba(X), rtol=1e-15)


def test_the_largest_floats_go_where_scikit_learn_sends_them() -> None:
    largest = float(np.finfo(np.float32).max)
    X = np.array([[-largest], [-largest / 2], [0.0], [1e-45], [largest / 2], [largest]])
    theirs = tree.DecisionTreeClassifier(random_state=0).fit(X, np.arange(6))
    ours = ob.from_sklearn(theirs)
    grid = np.concatenate([around_thresholds([theirs.tree_], 1), X, X * (1 + 2**-26)])
    assert (np.abs(grid) > largest).any()
    np.testing.assert_array_equal(ours.predict(grid), theirs.predict(grid))


def test_what_has_no_counterpart_is_said() -> None:
    X = rows()
    with pytest.raises(ModelError, match="counterpart"):
        ob.from_sklearn(LinearRegression().fit(X, X[:, 0]))
    with pytest.warns(UserWarning, match="no keep_targets, max_time"):
        forest.RandomForestRegressor(2, keep_targets=True, max_time=1e6).fit(X, X[:, 0]).to_sklearn()
    ours = ob.from_sklearn(ensemble.RandomForestClassifier(3, random_state=0).fit(X, target(THEIRS["forest"], X)))
    with pytest.raises(ModelError, match="another library"):
        ours.explain(row=X[0], index=0)
    for draws in (lambda: ours.drawn(0), lambda: ours.estimators_samples_, lambda: ours.oob_importances(X, X[:, 0])):
        with pytest.raises(ModelError, match="another library"):
            draws()
    assert ours.explain(row=X[0]).check().passed


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("name", OURS)
def test_ours_as_theirs_answers_alike(name: str, missing: bool) -> None:
    X = rows(missing).astype(np.float32)
    ours = OURS[name].fit(X, target(OURS[name], X))
    theirs = pickle.loads(pickle.dumps(ours.to_sklearn()))
    np.testing.assert_array_equal(theirs.predict(X), ours.predict(X))
    np.testing.assert_array_equal(answers(theirs, X), answers(ours, X))
    np.testing.assert_allclose(theirs.feature_importances_, ours.feature_importances_, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(theirs.apply(X), ours.apply(X))
    np.testing.assert_array_equal(ob.from_sklearn(theirs).predict(X), ours.predict(X))
    if hasattr(ours, "tree_"):
        assert theirs.get_depth() == ours.get_depth() and theirs.get_n_leaves() == ours.get_n_leaves()


SEVERAL = {
    "tree": tree.DecisionTreeClassifier(random_state=0, max_depth=5),
    "forest": ensemble.RandomForestClassifier(5, random_state=0, criterion="entropy"),
    "random tree": tree.ExtraTreeClassifier(random_state=0, max_depth=5),
    "random tree of numbers": tree.ExtraTreeRegressor(random_state=0, min_samples_leaf=3),
    "tree of numbers": tree.DecisionTreeRegressor(random_state=0, max_depth=5),
    "forest of numbers": ensemble.ExtraTreesRegressor(5, random_state=0, max_depth=5),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_outputs_go_over_and_back(name: str) -> None:
    """Three classes beside two, or two numbers: scikit-learn's as ours; ours, grown here, as scikit-learn's; and back."""
    X = rows().astype(np.float32)
    theirs = SEVERAL[name]
    y = np.column_stack([target(theirs, X), target(theirs, X[:, ::-1], 2)])
    theirs.fit(X, y)
    own = getattr(forest, type(theirs).__name__)(**theirs.get_params(deep=False)).fit(X, y)
    over = pickle.loads(pickle.dumps(own.to_sklearn()))
    for ours, other in ((ob.from_sklearn(theirs), theirs), (own, over), (ob.from_sklearn(over), over)):
        np.testing.assert_array_equal(ours.predict(X), other.predict(X))
        if hasattr(theirs, "predict_proba"):
            for mine, its in zip(ours.predict_proba(X), other.predict_proba(X), strict=True):
                np.testing.assert_array_equal(mine, its)
        np.testing.assert_allclose(ours.feature_importances_, other.feature_importances_, rtol=1e-9, atol=1e-12)
    if hasattr(theirs, "tree_"):
        np.testing.assert_array_equal(over.tree_.impurity, own.tree_.impurity)
        np.testing.assert_array_equal(np.sort(ob.from_sklearn(theirs).tree_.impurity), np.sort(theirs.tree_.impurity))


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_forests_trees_of_classes_know_their_impurity(criterion: str, outputs: int) -> None:
    X = rows().astype(np.float32)
    theirs = ensemble.RandomForestClassifier(3, criterion=criterion, max_depth=4, random_state=0)
    y = np.column_stack([target(theirs, X), target(theirs, X[:, ::-1], 2)])[:, :outputs]
    theirs.fit(X, y.squeeze())
    for ours, other in zip(ob.from_sklearn(theirs).estimators_, theirs.estimators_, strict=True):
        found, expected = np.sort(ours.tree_.impurity), np.sort(other.tree_.impurity)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    numbers = ensemble.RandomForestRegressor(2).fit(X, X[:, 0])
    assert not hasattr(ob.from_sklearn(numbers).estimators_[0].tree_, "impurity")


@pytest.mark.parametrize("kind", ["DecisionTreeClassifier", "RandomForestClassifier", "RandomForestRegressor"])
def test_constraints_hold_on_either_side(kind: str) -> None:
    """Shares under constraints stay the shares they are, so that their order stays to the last bit."""
    X = rows().astype(np.float32)
    theirs = (getattr(tree, kind, None) or getattr(ensemble, kind))(monotonic_cst=[1, -1, 0, 0], random_state=0)
    y = target(theirs, X, 2)
    line = np.zeros((500, 4), np.float32)
    line[:, 0] = np.sort(X[:, 0].repeat(2)[:500])
    own = getattr(forest, kind)(monotonic_cst=[1, -1, 0, 0], random_state=0).fit(X, y)
    for ours, other in ((ob.from_sklearn(theirs.fit(X, y)), theirs), (own, own.to_sklearn())):
        np.testing.assert_allclose(answers(ours, X), answers(other, X), rtol=1e-15, atol=1e-16)
        assert (np.diff(answers(ours, line).reshape(500, -1)[:, -1]) >= 0).all()
        assert ours.monotonic_cst == other.monotonic_cst
        values = [getattr(other, "estimators_", [other])[0].tree_.value[:, 0, -1], ours.trees_[0].value[:, -1]]
        np.testing.assert_array_equal(*np.sort(values))


def test_a_forest_that_came_over_gives_its_trees() -> None:
    X = rows().astype(np.float32)
    theirs = ensemble.RandomForestClassifier(3, random_state=0).fit(X, target(THEIRS["forest"], X))
    for ours, other in zip(ob.from_sklearn(theirs).estimators_, theirs.estimators_, strict=True):
        np.testing.assert_array_equal(ours.predict_proba(X), other.predict_proba(X))


def test_a_hard_vote_is_not_scikit_learns() -> None:
    X = rows()
    ours = forest.RandomForestClassifier(3, voting="hard").fit(X, target(THEIRS["forest"], X))
    with pytest.raises(ModelError, match="hard vote"):
        ours.to_sklearn()


# --- ONNX ------------------------------------------------------------------------------------------------------------


def run_onnx(model: Any, X: np.ndarray) -> list[np.ndarray]:
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    data = model if isinstance(model, bytes) else model.SerializeToString()
    return runtime.InferenceSession(data, providers=["CPUExecutionProvider"]).run(None, {"X": X})


def require_same_labels(found: np.ndarray, ours: Any, X: np.ndarray) -> None:
    best = np.sort(ours.predict_proba(X), axis=1)
    clear = best[:, -1] - best[:, -2] > 1e-6  # between equal probabilities rounding chooses
    assert clear.mean() > 0.5
    np.testing.assert_array_equal(found[clear].astype(ours.classes_.dtype), ours.predict(X)[clear])


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("name", OURS)
def test_onnxruntime_answers_as_ours(name: str, missing: bool) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    X = rows(missing)
    ours = OURS[name].fit(X, target(OURS[name], X))
    trees = [part.tree_ for part in getattr(ours.to_sklearn(), "estimators_", [ours.to_sklearn()])]
    grid = np.concatenate([X, around_thresholds(trees, X.shape[1])]).astype(np.float32)
    found = run_onnx(ours.to_onnx(), grid)
    size = 1 if hasattr(ours, "classes_") else float(np.abs(ours.predict(grid)).max())
    np.testing.assert_allclose(
        found[-1].reshape(answers(ours, grid).shape), answers(ours, grid), rtol=0, atol=1e-6 * size
    )
    if hasattr(ours, "classes_"):
        require_same_labels(found[0], ours, grid)


def test_several_numbers_in_onnx_and_several_classes_not() -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    X = rows().astype(np.float32)
    numbers = forest.RandomForestRegressor(4, random_state=0).fit(X, X[:, :2])
    found = run_onnx(numbers.to_onnx(), X)[0]
    np.testing.assert_allclose(found, numbers.predict(X), rtol=0, atol=1e-6 * float(np.abs(X[:, :2]).max()))
    with pytest.raises(ModelError, match="2 outputs has no form in ONNX"):
        forest.DecisionTreeClassifier().fit(X, X[:, :2] > 0).to_onnx()


@pytest.mark.parametrize(
    "labels",
    [np.array(["no", "yes"]), np.array([3, -2]), np.array([True, False]), np.array(["b", "a", "ü"], dtype=object)],
)
def test_classes_keep_their_names_in_onnx(labels: np.ndarray) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    X = rows().astype(np.float32)
    code = np.digitize(X[:, 0], [0.0, 1.0][: len(labels) - 1])
    for voting in ("soft", "hard"):
        ours = forest.RandomForestClassifier(5, random_state=0, voting=voting).fit(X, labels[code])
        label, probabilities = run_onnx(ours.to_onnx(), X)
        require_same_labels(label, ours, X)
        np.testing.assert_allclose(probabilities, ours.predict_proba(X), rtol=0, atol=1e-6)


def test_a_file_in_onnx(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    X = rows()
    ours = forest.RandomForestRegressor(3, random_state=0).fit(
        pandas.DataFrame(X, columns=["a", "b", "c", "d"]), X[:, 0]
    )
    ob.save(ours, tmp_path / "forest.onnx")
    data = (tmp_path / "forest.onnx").read_bytes()
    assert {p.key: p.value for p in onnx.load_from_string(data).metadata_props}["feature_names"] == "a\nb\nc\nd"
    assert run_onnx(data, X.astype(np.float32))[0].shape == (len(X), 1)
    with pytest.raises(FileError, match="does not turn into its own classes"):
        ob.load(tmp_path / "forest.onnx")
    with pytest.raises(ModelError, match="whole numbers or texts"):
        forest.DecisionTreeClassifier().fit(X, np.where(X[:, 0] > 0, 1.0, 2.0)).to_onnx()
    with pytest.raises(ModelError, match="no form in ONNX"):
        ob.save(ob.nn.Linear(2, 2), tmp_path / "net.onnx")
