"""scikit-learn's parameters mean what they mean there: the same predictions where splits do not tie."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import ensemble, tree
from sklearn.metrics import balanced_accuracy_score, mean_absolute_error

from openbook import forest
from openbook.errors import InputError
from openbook.forest import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

random = np.random.default_rng(0)
X = random.normal(size=(400, 4))
NUMBERS = np.exp(X[:, 0]) + X[:, 1] ** 2 + random.normal(size=400) / 10
CLASSES = np.digitize(NUMBERS, np.quantile(NUMBERS, [0.4, 0.8]))
WEIGHT = random.random(400) + 0.1
OWN = {"voting", "max_time", "max_memory", "keep_targets", "categorical_features", "min_samples_level"}


@pytest.mark.parametrize("name", [n for n in forest.__all__ if n.endswith(("Classifier", "Regressor"))])
def test_every_parameter_of_scikit_learns_is_there_with_its_default(name: str) -> None:
    theirs = inspect.signature(getattr(ensemble, name, None) or getattr(tree, name)).parameters
    ours = inspect.signature(getattr(forest, name)).parameters
    assert set(ours) - set(theirs) <= OWN
    assert {p: theirs[p].default for p in theirs} == {p: ours[p].default for p in theirs}
    assert {p: theirs[p].kind for p in theirs} == {p: ours[p].kind for p in theirs}


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("depth", [1, 4])
@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error", "poisson"])
def test_numbers_by_every_criterion(criterion: str, depth: int, weight: np.ndarray | None) -> None:
    own, other = (
        module.DecisionTreeRegressor(criterion=criterion, max_depth=depth, random_state=0).fit(
            X, NUMBERS, sample_weight=weight
        )
        for module in (forest, tree)
    )
    exact = 1e-11 if weight is None else 1e-8  # weights are rounded to 2⁻²⁷ of the largest
    np.testing.assert_allclose(own.predict(X), other.predict(X), rtol=exact)
    np.testing.assert_allclose(np.sort(own.tree_.impurity), np.sort(other.tree_.impurity), rtol=exact, atol=exact)


@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error"])
def test_several_numbers(criterion: str) -> None:
    Y = np.stack([NUMBERS, 1000 * X[:, 2]], axis=1)
    own, other = (
        module.DecisionTreeRegressor(criterion=criterion, max_depth=5, random_state=0).fit(X, Y)
        for module in (forest, tree)
    )
    np.testing.assert_allclose(own.predict(X), other.predict(X), rtol=1e-11)
    assert own.predict(X).shape == (400, 2) and own.n_outputs_ == 2


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
def test_several_classes(criterion: str) -> None:
    Y = np.stack([NUMBERS > 1, CLASSES], axis=1).astype(int)
    own, other = (
        module.DecisionTreeClassifier(criterion=criterion, max_depth=5, random_state=0).fit(X, Y)
        for module in (forest, tree)
    )
    for p, q in zip(own.predict_proba(X), other.predict_proba(X), strict=True):
        np.testing.assert_allclose(p, q, atol=1e-12)
    np.testing.assert_array_equal(own.predict(X), other.predict(X))
    np.testing.assert_allclose(own.tree_.impurity[0], other.tree_.impurity[0], rtol=1e-12)


def test_several_outputs_of_a_forest_are_those_of_its_trees() -> None:
    Y = np.stack([NUMBERS > 1, CLASSES], axis=1).astype(int)
    model = RandomForestClassifier(7, random_state=0, oob_score=False).fit(X, Y)
    alone = [tree.predict_proba(X) for tree in model.estimators_]
    for output, p in enumerate(model.predict_proba(X)):
        np.testing.assert_allclose(p, np.mean([each[output] for each in alone], axis=0), rtol=1e-12)
    hard = model.predict_proba(X, voting="hard")
    votes = [np.eye(3)[np.argmax(each[1], axis=1)] for each in alone]
    np.testing.assert_allclose(hard[1], np.mean(votes, axis=0), rtol=1e-12)


@pytest.mark.parametrize("signs", [[1, 0, 0, 0], [-1, 1, 0, 0], [0, -1, 1, 0]])
@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error"])
def test_constraints_are_scikit_learns(criterion: str, signs: list[int]) -> None:
    """In large leaves: in small ones many splits have the very same absolute error."""
    options = {
        "criterion": criterion,
        "monotonic_cst": signs,
        "min_samples_leaf": 20,
        "max_depth": 3,
        "random_state": 0,
    }
    own, other = (module.DecisionTreeRegressor(**options).fit(X, NUMBERS) for module in (forest, tree))
    np.testing.assert_allclose(own.predict(X), other.predict(X), rtol=1e-11)


def test_constraints_on_classes_are_scikit_learns() -> None:
    options = {"monotonic_cst": [1, -1, 0, 0], "max_depth": 5, "random_state": 0}
    own, other = (module.DecisionTreeClassifier(**options).fit(X, NUMBERS > 1) for module in (forest, tree))
    np.testing.assert_allclose(own.predict_proba(X), other.predict_proba(X), atol=1e-12)


@pytest.mark.parametrize("kind", [RandomForestRegressor, ExtraTreesRegressor, RandomForestClassifier])
def test_predictions_keep_their_order_along_a_constrained_feature(kind: type) -> None:
    gaps = X.copy()
    gaps[random.random(X.shape) < 0.2] = np.nan
    model = kind(10, random_state=0, monotonic_cst=[0, 0, 1, -1]).fit(gaps, CLASSES > 0)
    told = model.predict if kind is not RandomForestClassifier else lambda rows: model.predict_proba(rows)[:, 1]
    for feature, sign in ((2, 1), (3, -1)):
        line = np.repeat(X[:20], 50, axis=0)
        line[:, feature] = np.tile(np.linspace(-4, 4, 50), 20)
        assert (np.diff(told(line).reshape(20, 50), axis=1) * sign >= 0).all()


@pytest.mark.parametrize("options", [{"class_weight": "balanced"}, {"class_weight": {0: 1, 1: 5, 2: 0.5}}])
def test_class_weights_of_a_tree(options: dict) -> None:
    own, other = (
        module.DecisionTreeClassifier(max_depth=3, random_state=0, **options).fit(X, CLASSES)
        for module in (forest, tree)
    )
    np.testing.assert_allclose(own.predict_proba(X), other.predict_proba(X), atol=1e-7)


@pytest.mark.parametrize("weights", ["balanced", "balanced_subsample"])
def test_a_balanced_forest_finds_the_rare_class(weights: str) -> None:
    rare = (CLASSES == 2) & (random.random(400) < 0.4)
    scores = [
        balanced_accuracy_score(
            rare[200:],
            RandomForestClassifier(50, max_depth=3, class_weight=w, random_state=0)
            .fit(X[:200], rare[:200])
            .predict(X[200:]),
        )
        for w in (None, weights)
    ]
    assert scores[1] > scores[0] + 0.05


def test_a_balanced_subsample_weighs_what_was_drawn() -> None:
    model = RandomForestClassifier(3, class_weight="balanced_subsample", random_state=0).fit(X, CLASSES)
    for t, grown in enumerate(model.trees_):
        drawn = np.bincount(CLASSES, model.drawn(t), 3)
        np.testing.assert_allclose(grown.value[0], np.full(3, drawn.sum() / 3), rtol=1e-7)


def test_weights_are_chances_of_being_drawn() -> None:
    weight = np.where(np.arange(400) < 40, 10.0, 0.5)
    model = RandomForestRegressor(200, random_state=0, max_depth=1).fit(X, NUMBERS, sample_weight=weight)
    drawn = np.sum([model.drawn(t) for t in range(200)], axis=0)
    assert drawn.sum() == 200 * 400
    heavy = 400 / (400 + 180)  # the share of the weight
    assert abs(drawn[:40].sum() / drawn.sum() - heavy) < 4 * np.sqrt(heavy * (1 - heavy) / drawn.sum())


@pytest.mark.parametrize("size, expected", [(None, 400), (50, 50), (0.3, 120), (700, 700)])
def test_samples_are_as_large_as_asked(size: Any, expected: int) -> None:
    model = RandomForestClassifier(2, max_samples=size, random_state=0).fit(X, CLASSES)
    assert [len(rows) for rows in model.estimators_samples_] == [expected] * 2
    np.testing.assert_array_equal(np.bincount(model.estimators_samples_[1], minlength=400), model.drawn(1))


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_a_warm_start_grows_the_same_trees(kind: type) -> None:
    whole = kind(9, random_state=3).fit(X, CLASSES)
    grown = kind(4, random_state=3, warm_start=True).fit(X, CLASSES)
    first = grown.trees_[0]
    grown.predict(X)
    grown.set_params(n_estimators=9).fit(X, CLASSES)
    assert grown.trees_[0] is first
    np.testing.assert_array_equal(grown.predict_proba(X), whole.predict_proba(X))
    with pytest.warns(UserWarning, match="does not fit new trees"):
        grown.fit(X, CLASSES)
    with pytest.raises(InputError, match="larger or equal"):
        grown.set_params(n_estimators=2).fit(X, CLASSES)
    with pytest.raises(InputError, match="other classes"):
        grown.set_params(n_estimators=20).fit(X, CLASSES > 0)


def test_the_out_of_bag_score_may_be_a_function() -> None:
    model = RandomForestClassifier(40, oob_score=balanced_accuracy_score, random_state=0).fit(X, CLASSES)
    told = model.oob_decision_function_.argmax(axis=1)
    assert model.oob_score_ == pytest.approx(balanced_accuracy_score(CLASSES, told), rel=1e-12)
    numbers = RandomForestRegressor(40, oob_score=mean_absolute_error, random_state=0).fit(X, NUMBERS)
    assert numbers.oob_score_ == pytest.approx(mean_absolute_error(NUMBERS, numbers.oob_prediction_), rel=1e-12)


def test_rows_that_every_tree_has_drawn_have_no_out_of_bag_estimate() -> None:
    with pytest.warns(UserWarning, match="Some inputs do not have OOB scores"):
        model = RandomForestRegressor(1, oob_score=True, random_state=0).fit(X, NUMBERS)
    np.testing.assert_array_equal(np.isnan(model.oob_prediction_), model.drawn(0) > 0)


@pytest.mark.parametrize("form", [sp.csc_matrix, sp.csr_matrix, sp.csc_array, sp.csr_array, sp.coo_matrix])
@pytest.mark.parametrize("kind", [DecisionTreeRegressor, RandomForestRegressor, ExtraTreesRegressor])
def test_sparse_tables_give_the_trees_of_dense_ones(kind: type, form: Any) -> None:
    sparse = np.where(random.random(X.shape) < 0.6, 0.0, X)
    dense, own = kind(random_state=0).fit(sparse, NUMBERS), kind(random_state=0).fit(form(sparse), NUMBERS)
    np.testing.assert_array_equal(own.predict(form(sparse)), dense.predict(sparse))
    np.testing.assert_array_equal(own.apply(form(sparse)), dense.apply(sparse))


@pytest.mark.parametrize("package", ["pandas", "polars", "pyarrow"])
def test_frames_of_any_kind(package: str) -> None:
    library = pytest.importorskip(package, reason=f"{package} is not installed")
    columns = {name: X[:, k] for k, name in enumerate("abcd")}
    frame = library.table(columns) if package == "pyarrow" else library.DataFrame(columns)
    model = RandomForestClassifier(3, random_state=0).fit(frame, CLASSES)
    np.testing.assert_array_equal(model.feature_names_in_, list("abcd"))
    expected = RandomForestClassifier(3, random_state=0).fit(X, CLASSES).predict_proba(X)
    np.testing.assert_array_equal(model.predict_proba(frame), expected)


def test_floats_are_not_copied() -> None:
    from openbook.forest.columns import Columns

    for table in (X, X.astype(np.float32)):
        assert np.shares_memory(Columns.of(table).X, table)
        checked, _ = DecisionTreeClassifier()._table(table, CLASSES)
        assert np.shares_memory(checked, table)


def test_a_path_is_every_node_on_the_way() -> None:
    model = RandomForestClassifier(3, max_depth=4, random_state=0).fit(X, CLASSES)
    passed, starts = model.decision_path(X)
    for t, grown in enumerate(model.trees_):
        own = passed[:, starts[t] : starts[t + 1]].toarray()
        for row in (0, 17, 399):
            turns, leaf = grown.path(X[row])
            assert set(np.flatnonzero(own[row])) == {leaf, *(turn.node for turn in turns)}
    one = DecisionTreeClassifier(max_depth=4, random_state=0).fit(X, CLASSES)
    np.testing.assert_array_equal(one.decision_path(X).sum(axis=1).max(), one.get_depth() + 1)


def test_a_forests_trees_stand_alone() -> None:
    model = ExtraTreesClassifier(4, random_state=0, max_depth=5).fit(X, CLASSES)
    assert [type(tree) for tree in model.estimators_] == [forest.ExtraTreeClassifier] * 4
    alone = np.mean([tree.predict_proba(X) for tree in model.estimators_], axis=0)
    np.testing.assert_allclose(model.predict_proba(X), alone, rtol=1e-12)
    assert model[1].get_depth() == 5 and len(model) == 4


def test_trees_have_scikit_learns_names_for_their_arrays() -> None:
    own = DecisionTreeRegressor(max_depth=3, random_state=0).fit(X, NUMBERS).tree_
    other = tree.DecisionTreeRegressor(max_depth=3, random_state=0).fit(X, NUMBERS).tree_
    for name in ("node_count", "n_leaves", "max_depth", "n_features", "n_outputs", "max_n_classes"):
        assert getattr(own, name) == getattr(other, name), name
    for name in ("n_node_samples", "weighted_n_node_samples", "impurity"):
        np.testing.assert_allclose(np.sort(getattr(own, name)), np.sort(getattr(other, name)), rtol=1e-9, err_msg=name)
    assert (own.children_left[own.children_left >= 0] + 1 == own.children_right[own.children_right >= 0]).all()


def test_whole_targets_come_out_whole() -> None:
    y = np.round(NUMBERS)
    np.testing.assert_array_equal(DecisionTreeRegressor(random_state=0).fit(X, y).predict(X), y)


def test_one_class_is_certain() -> None:
    np.testing.assert_array_equal(RandomForestClassifier(2).fit(X, np.ones(400)).predict_proba(X), np.ones((400, 1)))


@pytest.mark.parametrize(
    "kind, options, words",
    [
        (RandomForestClassifier, {"class_weight": "heavy"}, "class_weight"),
        (DecisionTreeClassifier, {"class_weight": "balanced_subsample"}, "class_weight"),
        (RandomForestClassifier, {"monotonic_cst": [1, 0, 0, 0]}, "multiclass"),
        (RandomForestClassifier, {"monotonic_cst": [2, 0, 0, 0]}, "-1, 0 or 1"),
        (RandomForestClassifier, {"monotonic_cst": [1]}, "4 features"),
        (RandomForestClassifier, {"bootstrap": False, "oob_score": True}, "bootstrap=True"),
        (RandomForestClassifier, {"bootstrap": False, "max_samples": 3}, "bootstrap=True"),
        (RandomForestClassifier, {"max_time": -1}, "max_time"),
        (RandomForestRegressor, {"criterion": "gini"}, "criterion"),
        (DecisionTreeRegressor, {"splitter": "worst"}, "splitter"),
    ],
)
def test_what_cannot_be_is_said(kind: type, options: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        kind(**options).fit(X, CLASSES)


def test_poissons_targets_are_counts() -> None:
    with pytest.raises(InputError, match="negative"):
        RandomForestRegressor(criterion="poisson").fit(X, X[:, 0])
    with pytest.warns(FutureWarning, match="friedman_mse"):
        assert RandomForestRegressor(criterion="friedman_mse").criterion == "squared_error"
