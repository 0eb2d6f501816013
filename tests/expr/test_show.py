"""Formulas on paper and on a page."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given

from openbook.expr import latex, mathml, name_latex, parse, text
from openbook.expr.show import split_name
from tests.expr.test_parser import formulas


@given(formulas())
def test_mathml_is_well_formed(formula: str) -> None:
    ElementTree.fromstring(f"<math>{mathml(parse(formula))}</math>")


@given(formulas())
def test_latex_braces_balance(formula: str) -> None:
    written = latex(parse(formula))
    assert written.count("{") == written.count("}")
    assert written.count(r"\left") == written.count(r"\right")


@pytest.mark.parametrize(
    ("name", "base", "low"),
    [
        ("p_a", "p", "a"), ("W[0, 3]", "W", "0, 3"), ("z_1[0, 37]", "z", "1; 0, 37"), ("learning_rate", "learning_rate", ""),
        ("L", "L", ""),
    ],
)  # fmt: skip
def test_subscripts(name: str, base: str, low: str) -> None:
    assert split_name(name) == (base, low)


def test_derivatives_are_fractions() -> None:
    assert name_latex("dL/dw") == r"\frac{dL}{dw}"


def test_brackets_only_where_they_matter() -> None:
    assert text(parse("(x*y)/(z + 1)")) == "x·y/(z + 1)"
    assert text(parse("x - (y - z)")) == "x − (y − z)"
    assert text(parse("(x - y) - z")) == "x − y − z"
    assert text(parse("(-x)**2")) == "(−x)²"
