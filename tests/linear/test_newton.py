"""Newton's method: one step for squared error, a few for log loss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import linear_model as sk
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from openbook.errors import OpenbookError
from openbook.linear import LinearRegression, LogisticRegression, newton_step


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.floats(-100, 100))
def test_one_step_from_any_start_is_least_squares(seed: int, d: int, far: float) -> None:
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(30, d)), random.normal(size=30)
    step = newton_step(X, y, np.full(d, far))
    np.testing.assert_allclose(step.theta, np.linalg.lstsq(X, y, rcond=None)[0], rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(step.gradient, -X.T @ (y - X @ np.full(d, far)) / 30, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(step.hessian, X.T @ X / 30, rtol=1e-12)


def test_collinear_columns_take_the_shortest_step() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(20, 1))
    X, y = np.hstack([x, 2 * x]), random.normal(size=20)
    step = newton_step(X, y)
    scale = np.linalg.norm(X, axis=0)
    np.testing.assert_allclose(step.theta, np.linalg.pinv(X / scale) @ y / scale, rtol=1e-6)
    np.testing.assert_allclose(X @ step.theta, X @ np.linalg.pinv(X) @ y, rtol=1e-6)
    assert "eigenvalues" in step.method


def test_linear_regression_is_scikit_learns() -> None:
    X, y = load_diabetes(return_X_y=True)
    ours, theirs = LinearRegression().fit(X, y), sk.LinearRegression().fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-7)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, rel=1e-9)


@pytest.mark.parametrize("load", [load_breast_cancer, load_wine])
@pytest.mark.parametrize("C", [0.1, 1.0, 10.0])
def test_logistic_regression_is_scikit_learns(load, C: float) -> None:  # type: ignore[no-untyped-def]
    X, y = load(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    ours = LogisticRegression(C=C).fit(X, y)
    theirs = sk.LogisticRegression(C=C, tol=1e-10, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=2e-6)
    assert ours.n_iter_ < 15


def test_separable_rows_without_penalty_say_so() -> None:
    X, y = np.arange(10.0)[:, None], np.arange(10) > 4
    with pytest.raises(OpenbookError, match="C"):
        LogisticRegression(C=np.inf).fit(X, y)


def test_weights_count_as_rows() -> None:
    random = np.random.default_rng(3)
    X, y, w = random.normal(size=(50, 3)), random.integers(0, 2, 50), random.integers(1, 4, 50)
    a = LogisticRegression().fit(X, y, sample_weight=w)
    b = LogisticRegression().fit(np.repeat(X, w, 0), np.repeat(y, w))
    np.testing.assert_allclose(a.coef_, b.coef_, rtol=1e-7)
