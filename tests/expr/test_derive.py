"""Derivatives of formulas, judged by SymPy."""

from __future__ import annotations

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from openbook.expr import derivative, evaluate, parse, rule_name, source

AT = {"x": 0.7, "y": 1.3, "w": 0.4}


def smooth() -> st.SearchStrategy[str]:
    """Formulas that are smooth at the point where they are compared."""
    leaves = st.sampled_from(["x", "y", "w", "2", "0.5"])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda t: f"({' '.join(t)})"),
            inner.map(lambda e: f"exp(-({e})**2)"),
            inner.map(lambda e: f"tanh({e})"),
            inner.map(lambda e: f"log(2 + ({e})**2)"),
            inner.map(lambda e: f"({e})/(1 + ({e})**2)"),
            inner.map(lambda e: f"sqrt(1 + ({e})**2)"),
        ),
        max_leaves=5,
    )


@settings(max_examples=60, deadline=None)
@given(smooth(), st.sampled_from(["x", "y", "w"]))
def test_agrees_with_sympy(formula: str, name: str) -> None:
    theirs = sympy.sympify(formula).diff(name)
    expected = float(theirs.evalf(30, subs=AT))
    assert evaluate(derivative(parse(formula), name), AT) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("formula", "slope"),
    [
        ("w*x + b", "x"),
        ("0.5*(y - w)**2", "-(y - w)"),
        ("3*w", "3"),
        ("w**2", "2*w"),
        ("x/w", "-(x/w**2)"),
        ("y", "0"),
    ],
)
def test_looks_as_a_teacher_would_write_it(formula: str, slope: str) -> None:
    assert source(derivative(parse(formula), "w")) == source(parse(slope))


@pytest.mark.parametrize(
    ("formula", "rule"), [("x*tanh(x)", "product rule"), ("x/(1 + x)", "quotient rule"), ("x**3", "power rule")]
)
def test_names_its_rule(formula: str, rule: str) -> None:
    assert rule_name(parse(formula), "x") == rule
