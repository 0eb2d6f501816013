"""The kernels are the textbook, to the last bit."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openbook.forest.textbook import textbook_tree
from openbook.forest.training import CRITERIA, Growth, Target, _batches, grow_forest, grow_trees
from openbook.forest.tree import Tree

FIELDS = ("feature", "threshold", "left", "right", "missing_left", "value", "weight", "samples", "gain")

SAME = """
import hashlib
import numpy as np
from openbook.forest import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor, prediction
prediction._WORTH_RANKS = 50  # rows × trees, so that 40 rows go by ranks
random = np.random.default_rng(0)
X = random.normal(size=(4200, 3))
X[:, 1:] = np.round(X[:, 1:], 2)  # the first column has more values than a small node has ranks
X[random.random(X.shape) < 0.05] = np.nan
y = random.integers(0, 3, 4200)
seen = hashlib.sha256()
for kind, target in ((RandomForestClassifier, y > 0), (ExtraTreesClassifier, y), (RandomForestClassifier, y), (RandomForestRegressor, y)):
    model = kind(2, max_depth=3, bootstrap=False, random_state=0).fit(X, target)
    for tree in model.trees_:
        for array in (tree.feature, tree.threshold, tree.left, tree.missing_left, tree.value, tree.gain):
            seen.update(np.ascontiguousarray(array).tobytes())
    seen.update(model.predict(X[:40]).tobytes())
    seen.update(model.predict(np.nan_to_num(X[:40])).tobytes())
    seen.update(model.apply(X[:3]).tobytes())
for dtype in (np.float32, np.float64):  # all features of a row at once
    tree = ExtraTreesRegressor(1, max_depth=3, random_state=0).fit(np.nan_to_num(X).astype(dtype), X[:, 0] > 0).trees_[0]
    seen.update(tree.threshold.tobytes() + tree.value.tobytes() + tree.gain.tobytes())
few, numbers = X[:60], random.normal(size=(60, 2))
for options, target in (
    ({}, numbers), ({"criterion": "absolute_error"}, numbers), ({"criterion": "poisson"}, abs(numbers[:, 0])),
    ({"monotonic_cst": [1, 0, -1]}, numbers[:, 0]),
):
    for kind in (RandomForestRegressor, ExtraTreesRegressor):
        tree = kind(1, max_depth=3, bootstrap=False, random_state=0, **options).fit(few, target).trees_[0]
        seen.update(tree.threshold.tobytes() + tree.value.tobytes() + tree.gain.tobytes())
wide = random.normal(size=(150, 8))
tree = RandomForestClassifier(1, bootstrap=False, random_state=0).fit(wide, wide[:, 0] + random.normal(size=150) > 0).trees_[0]
seen.update(tree.threshold.tobytes() + tree.value.tobytes() + tree.gain.tobytes())
few[:, 0] = np.round(few[:, 0])
for kind, target in ((RandomForestClassifier, y[:60]), (RandomForestRegressor, numbers[:, 0])):
    model = kind(2, bootstrap=False, random_state=0, categorical_features=[0], min_samples_level=2).fit(few, target)
    seen.update(model.predict(few).tobytes() + model.apply(X[:9]).tobytes())
print(seen.hexdigest())
"""


def growth(criterion: str = "gini", **limits: float) -> Growth:
    defaults = {"max_depth": 100, "min_samples_split": 2, "min_samples_leaf": 1, "min_weight_leaf": 0.0, "max_features": 3,
                "min_impurity_decrease": 0.0}  # fmt: skip
    return Growth(criterion=CRITERIA[criterion], **{**defaults, **limits})  # type: ignore[arg-type]


def assert_same(
    X: np.ndarray, target: Target | list[Target], limits: Growth, counts: np.ndarray | None, seed: int
) -> Tree:
    slow = textbook_tree(X, target, limits, counts, seed)
    (fast,) = grow_forest(X, target, limits, lambda _: counts, [seed])
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name), err_msg=name)
    assert fast.orders.keys() == slow.orders.keys()
    for f, order in fast.orders.items():
        np.testing.assert_array_equal(order, slow.orders[f], err_msg=f"order of {f}")
    return fast


def levels_of(data: st.DataObject, X: np.ndarray, random: np.random.Generator) -> tuple[int, ...]:
    """Make some columns categories: codes of levels, not all of which need to be there."""
    levels = tuple(data.draw(st.lists(st.sampled_from([0, 1, 4, 20]), min_size=X.shape[1], max_size=X.shape[1])))
    for f, count in enumerate(levels):
        if count:
            X[:, f] = np.where(np.isnan(X[:, f]), np.nan, random.integers(0, count, len(X)))
    return levels


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_small_tables(data: st.DataObject) -> None:
    """Ties, or none at all, gaps, constant columns, weights (some so heavy that terms of the entropy are not looked up),
    bootstrap counts, limits, few features tried: every tree is the same."""
    draw = data.draw
    n, d = draw(st.integers(2, 40)), draw(st.integers(1, 7))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    X = random.integers(0, draw(st.integers(1, 12) | st.just(10**6)), (n, d)) / draw(st.sampled_from([1, 3, 7]))
    X[random.random((n, d)) < draw(st.sampled_from([0.0, 0.2]))] = np.nan
    criterion = draw(st.sampled_from(["gini", "entropy", "squared_error"]))
    classes = 0 if criterion == "squared_error" else draw(st.integers(1, 9))
    y = random.integers(0, classes, n) if classes else np.round(random.normal(size=n), draw(st.integers(0, 3)))
    weight = draw(st.sampled_from([
        np.ones(n), random.random(n) + 0.01, random.integers(1, 4, n).astype(float), random.integers(1, 10**5, n).astype(float),
    ]))  # fmt: skip
    counts = draw(st.sampled_from([None, random.integers(0, 3, n)]))
    if counts is not None and not counts.any():
        return
    limits = growth(
        criterion, max_features=draw(st.integers(1, d)), max_depth=draw(st.sampled_from([1, 3, 100])),
        min_samples_leaf=draw(st.integers(1, 4)), min_samples_split=draw(st.integers(2, 6)),
        min_weight_leaf=draw(st.sampled_from([0.0, 0.1])), min_impurity_decrease=draw(st.sampled_from([0.0, 0.01])),
        random=draw(st.booleans()), levels=levels_of(data, X, random),
        min_samples_level=draw(st.sampled_from([1, 3])),
    )  # fmt: skip
    assert_same(X, Target(y, weight, classes), limits, counts, draw(st.integers(0, 2**62)))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_small_tables_of_all_criteria_outputs_and_constraints(data: st.DataObject) -> None:
    """What the fast kernels do not know: several outputs, Poisson's deviance, medians, monotonic constraints."""
    draw = data.draw
    n, d = draw(st.integers(2, 40)), draw(st.integers(1, 5))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    X = random.integers(0, draw(st.integers(1, 12)), (n, d)) / draw(st.sampled_from([1, 3, 7]))
    X[random.random((n, d)) < draw(st.sampled_from([0.0, 0.2]))] = np.nan
    criterion = draw(st.sampled_from(["gini", "entropy", "squared_error", "poisson", "absolute_error"]))
    weight = draw(st.sampled_from([np.ones(n), random.random(n) + 0.01, random.integers(1, 4, n).astype(float)]))
    outputs, constrained = draw(st.sampled_from([(1, True), (1, False), (2, False), (3, False)]))
    targets = []
    for _ in range(outputs):
        if criterion in ("gini", "entropy"):
            classes = 2 if constrained else draw(st.integers(1, 5))
            targets.append(Target(random.integers(0, classes, n), weight, classes))
        else:
            y = np.round(random.normal(size=n), draw(st.integers(0, 3))) * 10.0 ** draw(st.integers(-3, 3))
            targets.append(Target(abs(y) if criterion == "poisson" else y, weight, 0))
    counts = draw(st.sampled_from([None, random.integers(0, 3, n)]))
    if counts is not None and not counts.any():
        return
    limits = growth(
        criterion, max_features=draw(st.integers(1, d)), max_depth=draw(st.sampled_from([1, 3, 100])),
        min_samples_leaf=draw(st.integers(1, 4)), min_weight_leaf=draw(st.sampled_from([0.0, 0.1])),
        min_impurity_decrease=draw(st.sampled_from([0.0, 0.01])), random=draw(st.booleans()),
        monotonic=tuple(draw(st.lists(st.integers(-1, 1), min_size=d, max_size=d))) if constrained else (),
        levels=() if constrained else levels_of(data, X, random), min_samples_level=draw(st.sampled_from([1, 3])),
    )  # fmt: skip
    assert_same(X, targets, limits, counts, draw(st.integers(0, 2**62)))


@pytest.mark.slow
@settings(max_examples=3000, deadline=None)
@given(st.data())
def test_thousands_of_small_tables_of_all_kinds(data: st.DataObject) -> None:
    test_small_tables_of_all_criteria_outputs_and_constraints.hypothesis.inner_test(data)


@pytest.mark.parametrize("criterion, outputs", [("gini", 2), ("absolute_error", 1), ("poisson", 1)])
def test_where_bins_serve_the_other_criteria(criterion: str, outputs: int) -> None:
    """Bins at the root, very values below 4,096 rows, which each small subtree ranks anew; one feature with missing values."""
    random = np.random.default_rng(0)
    X = np.round(random.normal(size=(5000, 2)), 4)
    X[random.random(5000) < 0.03, 1] = np.nan
    y = random.poisson(np.exp(X[:, 0] / 2))
    targets = (
        [Target(np.minimum(y, 1), np.ones(5000), 2)] * outputs
        if criterion == "gini"
        else [Target(y * 1.0, np.ones(5000), 0)]
    )
    tree = assert_same(X, targets, growth(criterion, max_features=2, max_depth=2), None, 1)
    assert tree.samples[0] >= 4096 > tree.samples[1:].min()


@pytest.mark.parametrize("classes", [2, 3, 0])
def test_where_bins_serve_levels(classes: int) -> None:
    """More levels than bins, and more rows than are split between very values; a third of the levels have too few rows."""
    random = np.random.default_rng(classes)
    X = np.stack([random.geometric(0.004, 6000) % 900, random.integers(0, 5, 6000), random.normal(size=6000)], axis=1)
    X[random.random(X.shape) < 0.03] = np.nan
    y = random.integers(0, classes, 6000) if classes else random.normal(size=6000).round(3)
    limits = growth("gini" if classes else "squared_error", max_depth=2, levels=(900, 5, 0), min_samples_level=3)
    tree = assert_same(X, Target(y, np.ones(6000), classes), limits, random.integers(0, 3, 6000), 1)
    assert (tree.orders[0] >= 0).sum() > 255 and (tree.orders[0] < 0).sum() > 200


def test_many_levels_of_many_classes() -> None:
    """More of both than `first_component` finds a direction for by all their products."""
    random = np.random.default_rng(0)
    X = random.integers(0, 80, (1500, 1)).astype(float)
    y = np.where(random.random(1500) < 0.4, X[:, 0] % 70, random.integers(0, 70, 1500)).astype(int)
    limits = growth(max_depth=1, max_features=1, levels=(80,))
    tree = assert_same(X, Target(y, np.ones(1500), 70), limits, random.integers(0, 3, 1500), 1)
    assert (tree.orders[0] >= 0).all() and len(tree) == 3


@pytest.mark.slow
@settings(max_examples=3000, deadline=None)
@given(st.data())
def test_thousands_of_small_tables(data: st.DataObject) -> None:
    test_small_tables.hypothesis.inner_test(data)


@pytest.mark.parametrize(
    "criterion, classes, weighted",
    [("gini", 2, False), ("entropy", 2, True), ("gini", 5, False), ("gini", 3, True), ("entropy", 4, False), ("squared_error", 0, True)],
)  # fmt: skip
def test_where_bins_serve_and_where_values_do(criterion: str, classes: int, weighted: bool) -> None:
    """6,000 rows of some 5,000 different values: bins at the root, very values below 4,096 rows."""
    random = np.random.default_rng(0)
    X = np.round(random.normal(size=(6000, 2)), 4)
    X[random.random(6000) < 0.03, 1] = np.nan
    y = X[:, 0] + random.normal(size=6000)
    if classes:
        y = np.digitize(y, np.quantile(y, np.arange(1, classes) / classes))
    weight = random.random(6000) + 0.1 if weighted else np.ones(6000)
    tree = assert_same(X, Target(y, weight, classes), growth(criterion, max_features=2, max_depth=2), None, 1)
    assert tree.samples[0] >= 4096 > tree.samples[1:].min()


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("seed", range(12))
def test_nodes_of_some_rows(seed: int, classes: int) -> None:
    """More rows than are compared all against all, and few features tried: buckets for two classes, bits for what has weights,
    limits or missing values, and for more classes."""
    random = np.random.default_rng(seed)
    n = int(random.integers(70, 500))
    X = np.round(random.normal(size=(n, 8)), 1 + 2 * (seed % 2))
    if seed % 3 == 0:
        X[random.random(X.shape) < 0.05] = np.nan
    y = (random.random(n) < 1 / (1 + np.exp(-2 * np.nan_to_num(X[:, 0])))).astype(int)
    weight = random.random(n) + 0.1 if seed % 4 == 3 else random.integers(1, 9, n).astype(float)
    limits = growth(["gini", "entropy"][seed // 2 % 2], max_features=1 + seed % 2, min_samples_leaf=1 + seed % 5 // 4)
    if classes > 2:
        y += 2 * random.integers(0, classes // 2, n)
    assert_same(X, Target(y, weight, classes), limits, random.integers(0, 4, n), seed)


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
@pytest.mark.parametrize("features", [3, 4, 5])
@pytest.mark.parametrize("few_values", [4, 12])
def test_several_features_at_once(criterion: str, features: int, few_values: int) -> None:
    """Three or four drawn features are looked at together where most have many values: beside them some of few values, one
    that is constant, one with missing values."""
    random = np.random.default_rng(features)
    n = 300
    X = random.normal(size=(n, 16))
    X[:, :few_values] = np.round(X[:, :few_values])
    X[:, 14], X[random.random(n) < 0.05, 15] = 1.0, np.nan
    y = (random.random(n) < 1 / (1 + np.exp(-X[:, 0] - X[:, 13]))).astype(int)
    limits = growth(criterion, max_features=features, max_depth=6)
    assert_same(X, Target(y, np.ones(n), 2), limits, random.integers(0, 4, n), features)


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
@pytest.mark.parametrize("n", [150, 400, 900])
def test_no_boundary_much_better_than_another(criterion: str, n: int) -> None:
    """Classes that take turns, come by chance or nearly so, among values of which some are equal: buckets of ranks leave few
    rows out, or none."""
    random = np.random.default_rng(n)
    X = random.integers(0, n, (n, 8)).astype(float)  # of few features lists would be made
    turns, chance = np.argsort(np.argsort(X[:, 0])) % 2, random.integers(0, 2, n)
    for y in (turns, chance, np.where(random.random(n) < 0.5, chance, X.sum(axis=1) > 4 * n).astype(int)):
        assert_same(X, Target(y, np.ones(n), 2), growth(criterion, max_features=1, max_depth=4), None, n)


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("features", [1, 4])
def test_splits_that_gain_nothing(criterion: str, classes: int, features: int) -> None:
    """Every value has as many rows of each class: what is no boundary must not look as good as one."""
    for times, different, missing in itertools.product((7, 20, 45), (2, 3), (False, True)):
        column = np.repeat(np.arange(different, dtype=float), classes * times)
        column[: classes * times if missing else 0] = np.nan
        y = np.tile(np.arange(classes), different * times)
        target = Target(y, np.full(len(y), 3.0), classes)
        assert_same(np.stack([column] * features, axis=1), target, growth(criterion, max_features=1), None, times)


@pytest.mark.parametrize(
    "criterion, classes, weighted", [("gini", 2, False), ("entropy", 2, True), ("squared_error", 0, False)]
)
@pytest.mark.parametrize("tried", [1, 3, 4, 6])
def test_large_nodes_add_up_several_features_at_once(criterion: str, classes: int, weighted: bool, tried: int) -> None:
    """Three or four in one pass, the rest one by one, some of them constant; one separates the classes perfectly, and may be drawn
    before others of its pass."""
    random = np.random.default_rng(tried)
    X = np.round(random.normal(size=(4500, 9)), 3)
    X[:, ::3], X[random.random(4500) < 0.03, 1] = 7.0, np.nan
    y = (X[:, 2] > 1).astype(int) if classes else X[:, 2] + random.normal(size=4500)
    weight = random.random(4500) + 0.1 if weighted else np.ones(4500)
    limits = growth(criterion, max_features=tried, max_depth=1, min_samples_leaf=1 + tried % 2 * 2)
    split = [assert_same(X, Target(y, weight, classes), limits, None, seed).feature[0] for seed in range(6)]
    assert 1 < len(set(split)) < 6 and not {0, 3, 6} & set(split)


@pytest.mark.parametrize("criterion, classes", [("entropy", 2), ("squared_error", 0), ("gini", 4)])
@pytest.mark.parametrize("tried", [1, 2])
def test_limits_in_large_nodes_leave_nothing_behind(criterion: str, classes: int, tried: int) -> None:
    """Large nodes count rows where leaves must have some, in memory that small nodes after them use, and the next tree too."""
    random = np.random.default_rng(classes)
    X = np.round(random.normal(size=(5000, 4)), 2)
    y = random.integers(0, classes, 5000) if classes else random.normal(size=5000)
    limits, target = (
        growth(criterion, max_features=tried, max_depth=3, min_samples_leaf=3),
        Target(y, np.ones(5000), classes),
    )
    trees = list(grow_trees(X, target, limits, lambda _: None, [1, 2]))
    for seed, fast in zip([1, 2], trees, strict=True):
        slow = textbook_tree(X, target, limits, None, seed)
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name), err_msg=name)


@pytest.mark.parametrize("criterion, classes", [("gini", 2), ("entropy", 4), ("squared_error", 0)])
@pytest.mark.parametrize("limits", [{}, {"max_features": 1}, {"random": True}, {"min_weight_leaf": 0.03}])
@pytest.mark.parametrize("threads", [1, 3])
def test_small_trees_grown_together_are_the_textbooks(
    criterion: str, classes: int, limits: dict[str, float], threads: int
) -> None:
    random = np.random.default_rng(classes)
    X = random.normal(size=(60, 3)).round(1)
    X[random.random(X.shape) < 0.05] = np.nan
    target = Target(random.integers(0, classes, 60) if classes else random.normal(size=60), np.ones(60), classes)
    draws = {seed: random.integers(0, 3, 60) for seed in range(100, 110)}
    grown = grow_trees(X, target, growth(criterion, **limits), draws.__getitem__, list(draws), threads)
    for seed, fast in zip(draws, grown, strict=True):
        slow = textbook_tree(X, target, growth(criterion, **limits), draws[seed], seed)
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name), err_msg=name)


@pytest.mark.parametrize(
    "trees, most, threads", [(1, 54, 2), (10, 1, 2), (10, 54, 1), (100, 14, 2), (7, 3, 8), (0, 1, 1)]
)
def test_batches_are_even_and_leave_no_seed_out(trees: int, most: int, threads: int) -> None:
    batches = _batches(range(trees), most, threads)
    assert [seed for batch in batches for seed in batch] == list(range(trees))
    sizes = [len(batch) for batch in batches] or [1]
    assert 1 <= min(sizes) <= max(sizes) <= most and max(sizes) - min(sizes) <= 1
    assert len(batches) in (trees, threads * -(-trees // (threads * most)))


@pytest.mark.parametrize("random", [False, True])
def test_trees_as_deep_as_they_have_rows(random: bool) -> None:
    """Each split takes one row off: nothing that waits may outgrow its room."""
    n = 5000
    X, y = np.arange(n, dtype=float)[:, None], 1.005 ** np.arange(n)
    limits = growth("squared_error", max_features=1, max_depth=10**6, random=random)
    (tree,) = grow_forest(X, Target(y, np.ones(n), 0), limits, lambda _: None, [0])
    tree.validate(1)
    assert tree.is_leaf.sum() == n and tree.depth > 20


@pytest.mark.parametrize("setting", [pytest.param("NUMBA_BOUNDSCHECK", marks=pytest.mark.slow), "NUMBA_DISABLE_JIT"])
def test_the_same_with_bounds_checked_and_without_the_compiler(
    setting: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No kernel reads or writes outside an array, and each is the Python that it says it is."""
    monkeypatch.setattr("openbook.forest.prediction._WORTH_RANKS", 50)  # as SAME has it: put back afterwards
    exec(SAME, {})
    compiled = capsys.readouterr().out
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SAME], capture_output=True, text=True, check=False,
        env={**os.environ, setting: "1", "NUMBA_CACHE_DIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == compiled and len(compiled) > 60


def test_a_planted_mistake_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A textbook that prefers the last of equal splits grows another tree: the comparison can fail."""
    from openbook.forest import textbook_scores

    random = np.random.default_rng(0)
    X, y = random.integers(0, 3, (40, 4)).astype(float), random.integers(0, 2, 40)
    right = textbook_scores.Scores.of_split
    monkeypatch.setattr(textbook_scores.Scores, "of_split", lambda self, *sides: round(right(self, *sides), 1))
    with pytest.raises(AssertionError):
        assert_same(X, Target(y, np.ones(40), 2), growth(max_features=4), None, 3)
