"""Formulas are read as people mean them, and nothing is ever executed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbook.errors import FormulaError
from openbook.expr import evaluate, parse, source, text

NAMES = {"x": 1.5, "y": -0.75, "w": 2.25}


def formulas() -> st.SearchStrategy[str]:
    """Python expressions over a few names, with brackets where chance puts them."""
    leaves = st.sampled_from(["x", "y", "w", "2", "0.5", "3"])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(" ".join),
            inner.map(lambda e: f"({e})"),
            inner.map(lambda e: f"-({e})"),
            inner.map(lambda e: f"tanh({e})"),
            inner.map(lambda e: f"({e})**2"),
        ),
        max_leaves=8,
    )


@given(formulas())
def test_means_what_python_means(formula: str) -> None:
    """Precedence and associativity: Python itself is the judge."""
    try:
        expected = eval(formula, {"tanh": math.tanh}, dict(NAMES))
    except ZeroDivisionError:
        return
    assert evaluate(parse(formula), NAMES) == pytest.approx(expected, rel=1e-13, nan_ok=True)


@given(formulas())
def test_printing_and_reading_again_changes_nothing(formula: str) -> None:
    read = parse(formula)
    assert parse(source(read)) == read


def test_keeps_the_writers_order() -> None:
    assert text(parse("b + x*w - 2*(y + 1)")) == "b + x·w − 2·(y + 1)"


def test_caret_is_a_power() -> None:
    assert evaluate(parse("2^3^2 + 1"), {}) == 2**9 + 1


@pytest.mark.parametrize(
    "attack",
    [
        "__import__('os').system('true')",
        "().__class__.__bases__[0]",
        "[x for x in (1, 2)]",
        "lambda: 0",
        "x.append(1)",
        "open('/etc/passwd')",
        "f'{x}'",
        "x := 2",
        "print(x) if x else 0",
        "x[1:2]",
        "tanh(*x)",
        "tanh(x=1)",
        "'text'",
        "2 3",
        "x +",
        "2(x + 1)",
        "a < b < c",
        "",
        "   ",
        "x" * 20_000,
        "(" * 500 + "x" + ")" * 500,
        "-" * 5_000 + "x",
    ],
)
def test_refuses_what_is_no_formula(attack: str) -> None:
    with pytest.raises(FormulaError):
        evaluate(parse(attack), NAMES)


def test_points_at_the_character() -> None:
    with pytest.raises(FormulaError, match=r"x \+ \* y\n +\^"):
        parse("x + * y")
