"""Levels in the order of the target: the best of all ways to part them, and the direction in which classes vary most."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from openbook.forest import DecisionTreeClassifier, DecisionTreeRegressor
from openbook.forest.fixed import FixedPoint, Target
from openbook.forest.orders import UNSEEN, Categories, first_component, placed


def impurity_of(y: np.ndarray, classes: bool) -> float:
    """Of some rows, weighted by their number: gini, or the squared error."""
    if not classes:
        return float(((y - y.mean()) ** 2).sum())
    share = np.unique(y, return_counts=True)[1] / len(y)
    return float(len(y) * (1 - (share**2).sum()))


def best_of_all_subsets(codes: np.ndarray, y: np.ndarray, levels: int, classes: bool) -> float:
    sides = [np.isin(codes, some) for k in range(1, levels) for some in combinations(range(levels), k)]
    return min(impurity_of(y[s], classes) + impurity_of(y[~s], classes) for s in sides if s.any() and not s.all())


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("classes", [True, False])
def test_no_subset_of_levels_is_better(seed: int, classes: bool) -> None:
    random = np.random.default_rng(seed)
    levels = int(random.integers(3, 8))
    codes = random.integers(0, levels, 60)
    y = (random.random(60) < random.random(levels)[codes]).astype(int) if classes else random.normal(size=60)
    kind = DecisionTreeClassifier if classes else DecisionTreeRegressor
    model = kind(max_depth=1, categorical_features=[0], min_samples_level=1).fit(codes[:, None].astype(float), y)
    leaves = model.apply(codes[:, None].astype(float))
    found = sum(impurity_of(y[leaves == leaf], classes) for leaf in np.unique(leaves))
    assert found == pytest.approx(best_of_all_subsets(codes, y, levels, classes), rel=1e-12)


@pytest.mark.parametrize("shape", [(9, 3), (4, 7), (2, 2), (64, 90), (90, 64), (70, 65), (65, 300), (300, 200)])
def test_the_first_component_is_that_of_principal_components(shape: tuple[int, int]) -> None:
    """Weights are as good as rows repeated; few levels of many classes go another way than many of few, and many of many yet another."""
    random = np.random.default_rng(0)
    means, weight = random.random(shape), random.integers(1, 6, shape[0])
    theirs = PCA(1, svd_solver="full").fit(np.repeat(means, weight, axis=0))
    sign = np.sign(theirs.components_[0][np.argmax(np.abs(theirs.components_[0]))])
    found = first_component(means, weight.astype(float))
    scale = np.ptp(theirs.transform(means)) / np.ptp(found)
    expected = sign * theirs.transform(means)[:, 0]
    np.testing.assert_allclose((found - found[0]) * scale, expected - expected[0], rtol=1e-9, atol=1e-12)


def test_many_levels_of_many_classes_that_are_all_alike() -> None:
    """There is no direction then, and no endless search for it."""
    found = first_component(np.full((128, 70), 1 / 64), np.ones(128))
    np.testing.assert_array_equal(found, found[0])
    assert np.isfinite(found[0])


def test_only_rows_in_the_bag_count_and_levels_of_few_rows_have_no_place() -> None:
    codes = np.array([0, 0, 0, 1, 1, 1, 2, 2, 3])
    y = np.array([1, 1, 0, 0, 0, 1, 1, 1, 1])
    fixed = FixedPoint.of(Target(y, np.ones(9), 2))

    def order(target: FixedPoint, counts: np.ndarray, least: int) -> list[int]:
        rows = np.flatnonzero(counts).astype(np.uint32)
        *places, missing = Categories.of(codes[None], [4]).places([(target, 2)], rows, counts, least)
        assert missing == UNSEEN
        return places

    counts = np.array([2, 0, 1, 1, 0, 1, 3, 0, 0])
    assert order(fixed, np.ones(9, int), 1) == [1, 0, 2, 3]  # equals stand by code
    assert order(fixed, counts, 1) == [1, 0, 2, UNSEEN]
    assert order(fixed, counts, 2) == [1, 0, UNSEEN, UNSEEN]
    y[[1, 4, 7, 8]] = 1 - y[[1, 4, 7, 8]]
    other = FixedPoint.of(Target(y, np.ones(9), 2))
    assert order(other, counts, 1) == [1, 0, 2, UNSEEN]


def test_what_has_no_place_is_missing() -> None:
    order = np.array([2, UNSEEN, 0, 1], np.int16)
    found = placed(order, np.array([0, 1, 2, 3, 4, -1, np.nan]))
    np.testing.assert_array_equal(found, [2, np.nan, 0, 1, np.nan, np.nan, np.nan])
