"""The kernels are the textbook, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openbook.forest.textbook import textbook_tree
from openbook.forest.training import CRITERIA, Growth, Target, grow_forest
from openbook.forest.tree import Tree

FIELDS = ("feature", "threshold", "left", "right", "missing_left", "value", "weight", "samples", "gain")


def growth(criterion: str = "gini", **limits: float) -> Growth:
    defaults = {"max_depth": 100, "min_samples_split": 2, "min_samples_leaf": 1, "min_weight_leaf": 0.0, "max_features": 3,
                "min_impurity_decrease": 0.0}  # fmt: skip
    return Growth(criterion=CRITERIA[criterion], **{**defaults, **limits})  # type: ignore[arg-type]


def assert_same(X: np.ndarray, target: Target, limits: Growth, counts: np.ndarray | None, seed: int) -> Tree:
    slow = textbook_tree(X, target, limits, counts, seed)
    (fast,) = grow_forest(X, target, limits, lambda _: counts, [seed])
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name), err_msg=name)
    return fast


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_small_tables(data: st.DataObject) -> None:
    """Ties, gaps, constant columns, weights, bootstrap counts, limits, few features tried: every tree is the same."""
    draw = data.draw
    n, d = draw(st.integers(2, 40)), draw(st.integers(1, 5))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    X = random.integers(0, draw(st.integers(1, 12)), (n, d)) / draw(st.sampled_from([1, 3, 7]))
    X[random.random((n, d)) < draw(st.sampled_from([0.0, 0.2]))] = np.nan
    criterion = draw(st.sampled_from(["gini", "entropy", "squared_error"]))
    classes = 0 if criterion == "squared_error" else draw(st.integers(1, 9))
    y = random.integers(0, classes, n) if classes else np.round(random.normal(size=n), draw(st.integers(0, 3)))
    weight = draw(st.sampled_from([np.ones(n), random.random(n) + 0.01, random.integers(1, 4, n).astype(float)]))
    counts = draw(st.sampled_from([None, random.integers(0, 3, n)]))
    if counts is not None and not counts.any():
        return
    limits = growth(
        criterion, max_features=draw(st.integers(1, d)), max_depth=draw(st.sampled_from([1, 3, 100])),
        min_samples_leaf=draw(st.integers(1, 4)), min_samples_split=draw(st.integers(2, 6)),
        min_weight_leaf=draw(st.sampled_from([0.0, 0.1])), min_impurity_decrease=draw(st.sampled_from([0.0, 0.01])),
        random=draw(st.booleans()),
    )  # fmt: skip
    assert_same(X, Target(y, weight, classes), limits, counts, draw(st.integers(0, 2**62)))


@pytest.mark.parametrize("criterion", ["gini", "squared_error"])
def test_where_bins_serve_and_where_values_do(criterion: str) -> None:
    """6,000 rows of some 5,000 different values: bins at the root, very values below 4,096 rows."""
    random = np.random.default_rng(0)
    X = np.round(random.normal(size=(6000, 2)), 4)
    X[random.random(6000) < 0.03, 1] = np.nan
    y = X[:, 0] + random.normal(size=6000)
    target = (
        Target((y > 0.3).astype(np.int64), np.ones(6000), 2) if criterion == "gini" else Target(y, np.ones(6000), 0)
    )
    tree = assert_same(X, target, growth(criterion, max_features=2, max_depth=2), None, 1)
    assert tree.samples[0] >= 4096 > tree.samples[1:].min()


def test_a_planted_mistake_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A textbook that prefers the last of equal splits grows another tree: the comparison can fail."""
    from openbook.forest import textbook

    random = np.random.default_rng(0)
    X, y = random.integers(0, 3, (40, 4)).astype(float), random.integers(0, 2, 40)
    right = textbook._Book.score
    monkeypatch.setattr(textbook._Book, "score", lambda self, sums: round(right(self, sums), 1))
    with pytest.raises(AssertionError):
        assert_same(X, Target(y, np.ones(40), 2), growth(max_features=4), None, 3)
