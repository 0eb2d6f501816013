"""Formulas evaluated in floats and in any precision."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from openbook.errors import FormulaError
from openbook.expr import evaluate, number_text, parse, precise


def test_fifty_digits_are_fifty_digits() -> None:
    with mpmath.workdps(60):
        truth = (mpmath.mpf("0.5") * (1 - mpmath.tanh(1)) ** 2) - mpmath.log(2)
        ours = evaluate(parse("0.5*(1 - tanh(x))**2 - log(2)"), {"x": 1}, precise(50))
        assert abs(ours - truth) < mpmath.mpf(10) ** -48


def test_arrays_and_matrices() -> None:
    X, y = np.arange(6.0).reshape(3, 2), np.array([1.0, -1.0, 2.0])
    gradient = evaluate(parse("-(X.T @ (y - X @ t))/3"), {"X": X, "y": y, "t": np.array([0.5, 0.25])})
    np.testing.assert_allclose(gradient, -X.T @ (y - X @ [0.5, 0.25]) / 3, rtol=1e-15)


def test_matrices_in_fifty_digits() -> None:
    A = np.array([[2.0, 1.0], [1.0, 3.0]])
    exact = evaluate(parse("inv(A) @ A"), {"A": A}, precise(50))
    assert np.max(np.abs(np.asarray(exact - np.eye(2), float))) < 1e-45


def test_unknown_name_and_function() -> None:
    with pytest.raises(FormulaError, match="q"):
        evaluate(parse("q + 1"), {})
    with pytest.raises(FormulaError, match="frobnicate"):
        evaluate(parse("frobnicate(1)"), {})


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (31.560846, "31.5608"), (0.0284153, "0.02842"), (0.5, "0.5"), (2.0, "2"), (1e-9, "1.000e-9"), (8, "8"),
        (-0.2002, "-0.2002"), (float("inf"), "∞"), (float("nan"), "nan"), (1234567.891, "1234567.891"),
    ],
)  # fmt: skip
def test_numbers_read_well(value: float, shown: str) -> None:
    assert number_text(value) == shown
