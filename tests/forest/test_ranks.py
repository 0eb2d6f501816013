"""Prediction by ranks gives the bits that walking the thresholds themselves gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openbook.forest import RandomForestClassifier, RandomForestRegressor, prediction, ranks
from openbook.forest.prediction import Walk, leaf_values, vote_shares
from openbook.forest.tree import LEAF, Tree

SPECIAL = [0.0, -0.0, 1e300, -1e300, np.inf, -np.inf, 5e-324, 1.7e308, -1.7e308]


def both_ways(walk: Walk, X: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sums over the trees by ranks, and by walking from node to node one row at a time, without kernels."""
    found = np.zeros((len(X), values.shape[1]))
    known = ranks.Ranks.of(walk, X.shape[1])
    assert known is not None and known.add_up(X, values, walk.starts, found)
    return found, by_hand(walk, X, values)


def by_hand(walk: Walk, X: np.ndarray, values: np.ndarray) -> np.ndarray:
    child, feature = (walk.links & np.uint64(0xFFFFFFFF)).astype(int), (walk.links >> np.uint64(33)).astype(int)
    sums = np.zeros((len(X), values.shape[1]))
    for row, x in enumerate(X):
        for start in walk.starts.astype(int):
            node = start
            while child[node] != node:
                node = child[node] + int(x[feature[node]] > walk.thresholds[node])
            sums[row] += values[node]
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
    found, want = both_ways(walk, X, walk.shares)
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
    for values in (walk.shares, walk.votes):
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
        used = []
        monkeypatch.setattr(ranks.Ranks, "add_up", _counting(ranks.Ranks.add_up, used))
        np.testing.assert_array_equal(model.set_params(n_jobs=threads).predict(X), by_nodes)
        assert used and all(used)


def _counting(add_up, used):  # type: ignore[no-untyped-def]
    def counted(*arguments):  # type: ignore[no-untyped-def]
        used.append(add_up(*arguments))
        return used[-1]

    return counted


def test_missing_values_go_by_the_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(2)
    X = random.normal(size=(900, 4))
    X[random.random(X.shape) < 0.2] = np.nan
    model = RandomForestClassifier(5, random_state=0).fit(X, random.integers(0, 2, 900))
    by_nodes = model.predict_proba(X)
    monkeypatch.setattr(prediction, "_WORTH_RANKS", 1)
    np.testing.assert_array_equal(model.predict_proba(X), by_nodes)


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
