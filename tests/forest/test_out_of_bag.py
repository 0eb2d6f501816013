"""Quantiles, intervals and importances: from the leaves' own rows, and from rows the trees have not seen."""

from __future__ import annotations

import numpy as np
import pytest

from openbook.errors import InputError
from openbook.forest import ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor

random = np.random.default_rng(1)
X = random.uniform(-1, 1, (1500, 3))
Y = X[:, 0] + (0.2 + 0.5 * (X[:, 1] > 0)) * random.normal(size=1500)  # the spread depends on the second feature


def by_definition(model: RandomForestRegressor, x: np.ndarray, q: float) -> float:
    """Meinshausen's weights, one training row at a time."""
    weights = np.zeros(len(X))
    for t, leaf in enumerate(model.apply(x[None])[0]):
        drawn = np.ones(len(X)) if model.drawn(t) is None else model.drawn(t)
        inside = (model.apply(X)[:, t] == leaf) * drawn
        weights += inside / inside.sum() / len(model.trees_)
    order = np.argsort(Y)
    upto = np.cumsum(weights[order])
    return float(Y[order][np.searchsorted(upto, q - 1e-9)])


@pytest.mark.parametrize("kind", [RandomForestRegressor, ExtraTreesRegressor])
def test_quantiles_are_meinshausens(kind: type) -> None:
    model = kind(7, min_samples_leaf=8, keep_targets=True, random_state=0).fit(X, Y)
    found = model.predict_quantiles(X[:10], (0.1, 0.5, 0.83))
    expected = [[by_definition(model, x, q) for q in (0.1, 0.5, 0.83)] for x in X[:10]]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(model.predict_quantiles(X[:10], 0.5), found[:, 1])


def test_intervals_hold_what_they_promise() -> None:
    model = RandomForestRegressor(100, min_samples_leaf=10, keep_targets=True, oob_score=True, random_state=0)
    model.fit(X[:1000], Y[:1000])
    for by in ("leaves", "out_of_bag"):
        low, high = model.predict_interval(X[1000:], 0.9, by=by).T
        assert 0.85 < np.mean((low <= Y[1000:]) & (Y[1000:] <= high)) < 0.95
    wide = np.diff(model.predict_interval(X[1000:], 0.9), axis=1)[:, 0]
    assert wide[X[1000:, 1] > 0.1].mean() > 2 * wide[X[1000:, 1] < -0.1].mean()


def test_what_was_not_kept_cannot_be_asked() -> None:
    model = RandomForestRegressor(3, random_state=0).fit(X, Y)
    with pytest.raises(InputError, match="keep_targets=True"):
        model.predict_quantiles(X)
    with pytest.raises(InputError, match="oob_score=True"):
        model.predict_interval(X, by="out_of_bag")
    with pytest.raises(InputError, match="one output"):
        RandomForestRegressor(3, keep_targets=True).fit(X, np.stack([Y, Y], axis=1))


@pytest.mark.parametrize("kind", [RandomForestClassifier, RandomForestRegressor])
def test_only_features_that_matter_are_important(kind: type) -> None:
    y = Y > 0 if kind is RandomForestClassifier else Y
    found = kind(40, min_samples_leaf=5, random_state=0).fit(X, y).oob_importances(X, y)
    assert found.argmax() == 0 and found[0] > 20 * abs(found[1:]).max()


def test_importances_are_losses_on_rows_a_tree_has_not_seen() -> None:
    """With one tree: its accuracy on its own unseen rows before and after, over all shuffles of a feature in the long run."""
    y = (X[:, 0] > 0).astype(int)
    model = RandomForestClassifier(1, max_features=None, max_depth=1, random_state=0).fit(X, y)
    out = model.drawn(0) == 0
    share = y[out].mean()  # shuffled, the first feature says 1 that often, whatever is true
    found = model.oob_importances(X, y, repeats=200)
    right = model.score(X[out], y[out])
    assert found[0] == pytest.approx(right - share**2 - (1 - share) ** 2, abs=0.01)
    np.testing.assert_array_equal(found[1:], 0)


def test_importances_want_the_training_rows() -> None:
    model = RandomForestClassifier(3, random_state=0).fit(X, Y > 0)
    with pytest.raises(InputError, match="training rows"):
        model.oob_importances(X[:10], Y[:10] > 0)


def test_other_trees_make_what_is_known_of_the_old_ones_go() -> None:
    X = np.random.default_rng(0).normal(size=(80, 3))
    model = RandomForestRegressor(20, random_state=0, oob_score=True, keep_targets=True).fit(X, X[:, 0])
    kept = {"oob_score_", "oob_prediction_", "oob_residuals_", "leaf_targets_"}
    assert kept <= set(vars(model))
    with pytest.warns(UserWarning, match="does not fit new trees"):
        model.set_params(oob_score=False, keep_targets=False, warm_start=True).fit(X, X[:, 0])
    assert kept <= set(vars(model))  # the trees are the same
    model.set_params(n_estimators=21).fit(X, X[:, 0])
    assert not kept & set(vars(model))
    with pytest.raises(InputError, match="does not know the targets"):
        model.predict_quantiles(X)
