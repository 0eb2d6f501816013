"""Prediction by ranks gives the bits that walking the thresholds themselves gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openbook.forest import RandomForestClassifier, RandomForestRegressor, prediction, ranks
from openbook.forest.prediction import Walk, leaf_values, vote_shares
from openbook.forest.tree import LEAF, Tree

ADD_UP = ranks.Ranks.add_up
SPECIAL = [0.0, -0.0, 1e300, -1e300, np.inf, -np.inf, 5e-324, 1.7e308, -1.7e308]


def both_ways(walk: Walk, X: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sums over the trees by ranks, and by walking from node to node one row at a time, without kernels."""
    found = np.zeros((len(X), values.shape[1]))
    known = ranks.Ranks.of(walk)
    assert known is not None
    known.add_up(X, values, walk, found)
    return found, by_hand(walk, X, values)


def by_hand(walk: Walk, X: np.ndarray, values: np.ndarray) -> np.ndarray:
    child, feature = walk.child.astype(int), walk.feature.astype(int)
    sums = np.zeros((len(X), values.shape[1]))
    for row, x in enumerate(X):
        for start in walk.starts.astype(int):
            node = start
            while child[node] != node:
                value = x[feature[node]]
                right = not walk.missing_left[node] if np.isnan(value) else value > walk.thresholds[node]
                node = child[node] + int(right)
            sums[row] += values[walk.leaves.which[node]]
    return sums


def stump(feature: int, threshold: float) -> Tree:
    ends = np.array([1.0, 0.25, -3.0])
    return Tree(
        feature=np.array([feature, LEAF, LEAF], np.int32), threshold=np.array([threshold, 0, 0]),
        left=np.array([1, LEAF, LEAF], np.int32), right=np.array([2, LEAF, LEAF], np.int32), missing_left=np.zeros(3, bool),
        value=ends[:, None], weight=np.ones(3), samples=np.ones(3), gain=np.zeros(3),
    )  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from(SPECIAL) | st.floats(allow_nan=False), min_size=1, max_size=40), st.integers(0, 10_000))
def test_any_thresholds(thresholds: list[float], seed: int) -> None:
    """Values on a threshold, just beside it, and at the ends of the floats."""
    random = np.random.default_rng(seed)
    walk = Walk.of([stump(int(random.integers(3)), t) for t in thresholds], 3)
    with np.errstate(over="ignore"):
        near = [v for t in thresholds for v in (t, np.nextafter(t, np.inf), np.nextafter(t, -np.inf))]
    X = random.choice([*near, *SPECIAL], (int(random.integers(1, 20)), 3))
    found, want = both_ways(walk, X, walk.leaves.values)
    np.testing.assert_array_equal(found, want)


@pytest.mark.parametrize("skew", [1, 9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_forests(skew: int, dtype: type) -> None:
    """Skewed columns have nearly all thresholds in one cell of the grid."""
    random = np.random.default_rng(0)
    X = np.exp(skew * random.normal(size=(700, 4))).astype(dtype)
    y = random.integers(0, 3, 700)
    model = RandomForestClassifier(6, random_state=0).fit(X, y)
    walk = model._walk()
    fresh = np.exp(skew * random.normal(size=(61, 4))).astype(dtype)
    for values in (walk.leaves.values, walk.votes):
        found, want = both_ways(walk, fresh, values)
        np.testing.assert_array_equal(found, want)


def test_large_batches_go_by_ranks_and_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    X = random.normal(size=(3000, 5)).round(2)
    model = RandomForestRegressor(9, random_state=0).fit(X, X[:, 0] * X[:, 1])
    by_nodes = model.predict(X)
    for threads in (1, 2, 8):
        monkeypatch.setattr(prediction, "_WORTH_RANKS", 1)
        monkeypatch.setattr(prediction, "_WORTH_THREADS", 1)
        monkeypatch.setattr(prediction, "_RANKED_BLOCK", 1000)
        used: list[int] = []
        monkeypatch.setattr(ranks.Ranks, "add_up", _counting(ADD_UP, used))
        np.testing.assert_array_equal(model.set_params(n_jobs=threads).predict(X), by_nodes)
        assert sum(used) == len(X)


def _counting(add_up, used):  # type: ignore[no-untyped-def]
    def counted(known, X, *arguments):  # type: ignore[no-untyped-def]
        used.append(len(X))
        return add_up(known, X, *arguments)

    return counted


@pytest.mark.parametrize("missing_in_training", [False, True])
def test_missing_values_go_where_each_node_sends_them(missing_in_training: bool) -> None:
    random = np.random.default_rng(2)
    X = random.normal(size=(900, 4))
    holes = np.where(random.random(X.shape) < 0.2, np.nan, X)
    y = np.where(np.isnan(holes[:, 0]), random.random(900) < 0.8, X[:, 1] > 0).astype(int)
    walk = RandomForestClassifier(5, random_state=0).fit(holes if missing_in_training else X, y)._walk()
    inner = ~walk.is_leaf
    assert 0.1 < walk.missing_left[inner].mean() < 0.9
    for rows in (holes[:77], np.full((3, 4), np.nan), X[:50]):
        found, want = both_ways(walk, rows, walk.leaves.values)
        np.testing.assert_array_equal(found, want)


def test_trees_in_several_sets_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(4)
    X = random.normal(size=(400, 3))
    walk = RandomForestRegressor(7, random_state=0).fit(X, X[:, 0] * X[:, 1])._walk()
    splits = np.bincount(walk.feature[~walk.is_leaf].astype(int)).max()
    monkeypatch.setattr(ranks, "_MOST_THRESHOLDS", splits // 3)
    known = ranks.Ranks.of(walk)
    assert known is not None and len(known.sets) > 2
    assert [s.last for s in known.sets[:-1]] == [s.first for s in known.sets[1:]] and known.sets[-1].last == 7
    rows = random.normal(size=(55, 3))
    rows[3, 1] = np.nan
    found, want = both_ways(walk, rows, walk.leaves.values)
    np.testing.assert_array_equal(found, want)


@pytest.mark.parametrize("tables", [[[0, 1, 2]], [[2, 0, 1], [1, -1, 0]], [[-1, -1, -1], [0, 1, 2]]])
def test_levels_go_where_each_tree_has_them(tables: list[list[int]]) -> None:
    """Levels without a place, unknown codes and missing ones go where missing values go; places are each tree's own."""
    random = np.random.default_rng(5)
    trees = []
    for table in tables:
        for threshold in (-0.5, 0.0, 0.5, 1.0, 1.5, np.inf):
            for left in (False, True):
                tree = replace(stump(1, threshold), orders={1: np.array(table, np.int16)})
                trees.append(replace(tree, missing_left=np.array([left, False, False])))
    walk = Walk.of(trees, 3)
    X = random.normal(size=(40, 3))
    X[:, 1] = random.choice([0, 1, 2, 3, 7, -1, np.nan], 40)
    want = np.array([[tree.value[tree.path(x)[1], 0] for tree in trees] for x in known_levels(X)]).sum(axis=1)
    found = np.zeros((40, 1))
    known = ranks.Ranks.of(walk)
    assert known is not None
    known.add_up(X, walk.leaves.values, walk, found)
    np.testing.assert_allclose(found[:, 0], want, rtol=1e-14)
    np.testing.assert_array_equal(found / len(trees), leaf_values(walk, X))


def known_levels(X: np.ndarray) -> np.ndarray:
    return np.where((np.arange(3) == 1) & ((X < 0) | (X > 2)), np.nan, X)


def test_more_thresholds_than_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.random.default_rng(3).normal(size=(300, 2))
    model = RandomForestClassifier(4, random_state=0).fit(X, X[:, 0] > X[:, 1])
    walk = Walk.of(model.trees_, 2)
    by_nodes = leaf_values(walk, X), vote_shares(walk, X)
    monkeypatch.setattr(ranks, "_MOST_THRESHOLDS", 3)
    monkeypatch.setattr(prediction, "_WORTH_RANKS", 1)
    walk = Walk.of(model.trees_, 2)
    assert walk.ranks is None
    np.testing.assert_array_equal(leaf_values(walk, X), by_nodes[0])
    np.testing.assert_array_equal(vote_shares(walk, X), by_nodes[1])
