"""Derivations: every line judged by SymPy and mpmath, here again and independently; planted mistakes all found."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import mpmath
import pytest
import sympy
from hypothesis import example, given, settings
from hypothesis import strategies as st

import openbook as ob
from openbook.errors import CheckError, ExplainError, FormulaError, InputError
from openbook.explain.derivations.derivation import derivation
from openbook.expr import FUNCTIONS, Binary, Call, Expr, Name, Number, evaluate, parse, precise, source, text, tidy
from openbook.expr.functions import Defined
from openbook.record import Working

AT = {"z": 0.7, "w": 0.4, "y": 1.3}
WORDS = {"sigmoid": lambda x: 1 / (1 + sympy.exp(-x)), "softplus": lambda x: sympy.log(1 + sympy.exp(x))}


def formulas(leaves: int = 5) -> st.SearchStrategy[str]:
    """Sums, products, quotients, powers and chains that are smooth where they are compared."""
    return st.recursive(
        st.sampled_from(["z", "z", "w", "y", "2", "0.5", "3"]),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda t: f"({' '.join(t)})"),
            st.tuples(inner, inner).map(lambda t: f"(({t[0]})/(2 + ({t[1]})**2))"),
            st.tuples(inner, st.sampled_from(["2", "3", "-1"])).map(lambda t: f"(1 + ({t[0]})**2)**({t[1]})"),
            st.tuples(inner, inner).map(lambda t: f"(2 + ({t[0]})**2)**({t[1]})"),
            st.tuples(st.sampled_from(["tanh", "sigmoid", "softplus", "sin", "cos", "atan", "erf"]), inner).map(
                lambda t: f"{t[0]}({t[1]})"
            ),
            inner.map(lambda e: f"exp(-({e})**2)"),
            inner.map(lambda e: f"log(2 + ({e})**2)"),
            inner.map(lambda e: f"sqrt(1 + ({e})**2)"),
        ),
        max_leaves=leaves,
    )


def by_sympy(formula: str, order: int) -> str:
    """The derivative at the point, forty digits of it."""
    exact = {name: sympy.Rational(*value.as_integer_ratio()) for name, value in AT.items()}
    return str(sympy.N(sympy.sympify(formula, locals=WORDS, rational=True).diff("z", order), 40, subs=exact))


def close(value: mpmath.mpf, truth: str) -> bool:
    with mpmath.workdps(60):
        expected = mpmath.mpf(truth)
        return bool(abs(mpmath.mpf(str(value)) - expected) <= 1e-30 * (1 + abs(expected)))


def line_formulas(working: Working) -> list[Expr]:
    return [step.value for step in working.steps if isinstance(step.value, Expr) and step.name != "f"]


@settings(max_examples=25, deadline=None)
@given(formulas())
def test_every_line_is_the_derivative(formula: str) -> None:
    """Not only each equal to the one before: each equal to what SymPy makes of the formula."""
    truth = by_sympy(formula, 1)
    working = ob.derive(formula, "z")
    assert working.check().passed
    for line in line_formulas(working):
        assert close(evaluate(line, AT, precise(50)), truth), text(line)


@settings(max_examples=12, deadline=None)
@given(formulas(leaves=3))
def test_second_derivatives(formula: str) -> None:
    truth = by_sympy(formula, 2)
    working = ob.derive(formula, "z", order=2)
    assert close(evaluate(working.result, AT, precise(50)), truth)
    assert working.check().passed


SMOOTH = [
    name
    for name, f in FUNCTIONS.items()
    if f.arity == (1,) and (f.slope or isinstance(f, Defined)) and name not in ("tetragamma", "nan_to_num")
]  # fmt: skip


@pytest.mark.parametrize("name", SMOOTH)
def test_every_function_has_a_checked_derivation(name: str) -> None:
    working = ob.derive(f"{name}(z)")
    assert working.check().passed and not working.verification.unchecked
    assert len(line_formulas(working)) >= 1


def test_tanh_as_a_teacher_would() -> None:
    rules = [step.rule for step in ob.derive("tanh(z)", "z").steps[1:]]
    assert rules == [
        "definition of tanh", "quotient rule", "slopes of the parts", "simplify", "divide term by term", "definition of tanh",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("tanh(z)", "1 - tanh(z)**2"), ("sigmoid(z)", "sigmoid(z)*(1 - sigmoid(z))"), ("softplus(z)", "sigmoid(z)"),
        ("sinh(z)", "cosh(z)"), ("logit(z)", "1/(z*(1 - z))"), ("sqrt(1 + z**2)", "z/sqrt(1 + z**2)"),
        ("max(z, 0, -z)*0 + 3*z**2 + 2*z", "6*z + 2"), ("z**2*sin(z)", "2*z*sin(z) + z**2*cos(z)"), ("5", "0"),
    ],
)  # fmt: skip
def test_ends_where_a_teacher_would(formula: str, expected: str) -> None:
    assert source(ob.derive(formula, "z").result) == source(parse(expected))


def test_with_numbers() -> None:
    working = ob.derive("0.5*(y - tanh(w*x + b))**2", "w, b", w=0.5, x=2, y=1, b=0)
    h = float(mpmath.tanh(1))
    assert working["∂f/∂w"].value == pytest.approx(-2 * (1 - h) * (1 - h * h), rel=1e-14)
    assert working["∂f/∂b"].value == pytest.approx(-(1 - h) * (1 - h * h), rel=1e-14)
    assert working.check().passed


def test_questions_that_cannot_be_answered() -> None:
    for formula, options, kind in [
        ("w*x", {}, ExplainError), ("w*x", {"by": "1"}, ExplainError), ("tanh(z)", {"order": 0}, InputError),
        ("tanh(z)", {"y": 1.0}, InputError), ("w*x", {"by": "w", "w": 1.0}, InputError), ("log(z)", {"z": -1.0}, InputError),
        ("A @ x", {"by": "x", "order": 2}, (ExplainError, FormulaError)), ("tanh(", {}, FormulaError),
    ]:  # fmt: skip
        with pytest.raises(kind):
            ob.derive(formula, **options)


# --- planted mistakes ------------------------------------------------------------------------------------------


def mistakes(expr: Expr) -> Iterator[Expr]:
    """Every slip a hand makes: a sign, a factor, an exponent, a function, a missing term; one at a time."""
    for place, part in enumerate(expr.walk()):
        for wrong in slips(part):
            seen = iter(range(10_000))
            yield expr.replace(lambda p, place=place, wrong=wrong, seen=seen: wrong if next(seen) == place else None)


def slips(part: Expr) -> list[Expr]:
    match part:
        case Binary(operator="+", left=a, right=b):
            return [a - b, a]
        case Binary(operator="-", left=a, right=b):
            return [a + b, b - a]
        case Binary(operator="*", left=a, right=b):
            return [a, Number(2) * a * b]
        case Binary(operator="**", left=a, right=b):
            return [a ** (b + 1), a]
        case Call(function="tanh"):
            return [Call("sinh", part.arguments)]
        case Call(function="exp", arguments=(a,)):
            return [Call("exp", (-a,))]
        case Number(value=v):
            return [Number(v + 1e-9)]
    return []


@pytest.mark.parametrize(
    "formula", ["tanh(z)", "exp(-z**2)*sin(w*z)", "(z**2 + 1)/(z + 3)", "0.5*(y - tanh(w*z))**2", "log(2 + z**2)*z**3"]
)
def test_every_planted_slip_is_found(formula: str) -> None:
    caught = 0
    for before in [line.formula for line in derivation(parse(formula), Name("z"))][-2:]:
        for wrong in mistakes(before):
            truth = [evaluate(e, {"z": 0.31, "w": 1.7, "y": 0.9}, precise(60)) for e in (before, wrong)]
            if abs(truth[0] - truth[1]) < 1e-30:
                continue  # no mistake after all: −0, or both sides of a difference swapped and squared
            verdict = ob.check_line(before, wrong)
            assert verdict.holds is False and verdict.counterexample is not None, (text(before), text(wrong))
            at = dict(verdict.counterexample.at)
            assert float(evaluate(before, at, precise(50))) == pytest.approx(verdict.counterexample.before)
            assert float(evaluate(wrong, at, precise(50))) == pytest.approx(verdict.counterexample.after)
            caught += 1
    assert caught >= 8


@pytest.mark.parametrize("place", range(1, 7))
def test_a_line_changed_afterwards_is_found(place: int) -> None:
    working = ob.derive("tanh(z)", "z")
    wrong = next(mistakes(working.steps[place].value))
    steps = [replace(s, value=wrong) if i == place else s for i, s in enumerate(working.steps)]
    assert not replace(working, steps=tuple(steps)).verification.passed


def test_a_wrong_slope_in_the_table_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from openbook.expr import derive

    right = derive.slope_of
    monkeypatch.setattr(derive, "slope_of", lambda f, p="x": parse("cos(x)*1.001") if f == "sin" else right(f, p))
    assert not ob.derive("z*sin(z)").verification.passed


# --- verdicts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("diff(tanh(z), z)", "1 - tanh(z)^2"), ("(a + b)**2", "a² + 2·a·b + b²"), ("sqrt(x**2)", "abs(x)"),
        ("exp(100*x) - exp(100*x) + x", "x"), ("tan(x)**2 + 1", "1/cos(x)**2"), ("x/x", "1"), ("2 + 2", "4"),
        ("diff(diff(tanh(w*z), z), z)", "-2*w**2*tanh(w*z)*(1 - tanh(w*z)**2)"), ("diff(max(x, 0), x)", "1 if x > 0 else 0"),
    ],
)  # fmt: skip
def test_true_lines_are_proved(before: str, after: str) -> None:
    verdict = ob.check_line(before, after)
    assert verdict and verdict.holds is True and "SymPy" in verdict.how and "20 random points" in verdict.how
    assert verdict.require() is verdict


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x", "x + 1e-60*x"), ("where(x < 1000, x, 0)", "x"), ("log(x**2)", "2*log(x)"), ("log(-1 - x**2)", "x"),
        ("1/0", "x"), ("x", "x + exp(-1000 - x**2)"), ("exp(exp(exp(exp(exp(x)))))", "exp(exp(exp(exp(exp(x))))) + 1"),
    ],
)  # fmt: skip
def test_what_nobody_proved_is_not_called_true(before: str, after: str) -> None:
    verdict = ob.check_line(before, after)
    assert not verdict and verdict.holds is not True
    with pytest.raises(CheckError):
        verdict.require()


def test_without_sympy_nothing_is_called_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    from openbook.explain.derivations import equal

    monkeypatch.setattr(equal, "_installed", lambda: False)
    verdict = ob.check_line("(x + 1)**2", "x**2 + 2*x + 1")
    assert verdict.holds is None and verdict.agrees and "not installed" in verdict.how
    working = ob.derive("tanh(z)")
    assert working.check().passed and any("Not proved" in note for note in working.notes)


@pytest.mark.parametrize("slip", range(1, 5))
def test_the_first_false_line_is_named(slip: int) -> None:
    lines = ["diff(z**2*sin(z), z)", "diff(z**2, z)*sin(z) + z**2*diff(sin(z), z)", "2*z*sin(z) + z**2*cos(z)",
             "z*(2*sin(z) + z*cos(z))", "2*z*(sin(z) + z*cos(z)/2)"]  # fmt: skip
    assert ob.check_lines(lines).result == {"first false line": None, "undecided lines": []}
    lines[slip] += " + z"
    working = ob.check_lines("\n= ".join(lines))
    assert working.result["first false line"] == slip + 1
    assert not working.verification.passed
    assert f"Line {slip + 1} is the first" in working.text()
    assert ("product rule" in " ".join(working.notes)) == (slip == 1)


def test_a_verdict_explains_itself() -> None:
    assert ob.check_line("z", "z").explain().check().passed
    assert "0.8218" in str(ob.check_line("z", "z + 1"))


# --- tidying ---------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(formulas(leaves=8))
@example("exp(-((1 + 0.5**2)**(-1))**2)")  # the opposite of 0.64 is −64/100, not a float next to it
def test_tidying_changes_nothing_and_comes_to_rest(formula: str) -> None:
    expr = parse(formula)
    once = tidy(expr)
    before, after = (evaluate(e, AT, precise(50)) for e in (expr, once))
    assert abs(before - after) <= 1e-40 * (1 + abs(before))
    assert source(tidy(once)) == source(once)


@pytest.mark.parametrize(
    ("formula", "tidied"),
    [
        ("2*0.5*(y - h)*(-1)", "-(y - h)"), ("z/(2*sqrt(z))", "sqrt(z)/2"), ("x*x + 2*x**2 - 3*x*x", "0"),
        ("a/b/c", "a/(b*c)"), ("exp(z)*exp(-z)", "1"), ("sqrt(2)*sqrt(2)*x", "2*x"), ("-x + y", "y - x"), ("1/0", "1/0"),
        ("0.1*x + 0.2*x", "0.3*x"), ("x/3 + x/3", "2*x/3"), ("sqrt(x**2)", "sqrt(x**2)"), ("(x*y)**0.5", "sqrt(x*y)"),
    ],
)  # fmt: skip
def test_tidied_as_a_person_would(formula: str, tidied: str) -> None:
    assert source(tidy(parse(formula))) == source(parse(tidied))


def test_what_is_printed_can_be_read_again() -> None:
    random.seed(0)
    for formula in ("3*z**2 - 1", "a*b - c**12", "-(2*z**3)"):
        again = parse(text(parse(formula)))
        assert evaluate(again, {"z": 0.3, "a": 2.0, "b": 3.0, "c": 1.1}) == pytest.approx(
            evaluate(parse(formula), {"z": 0.3, "a": 2.0, "b": 3.0, "c": 1.1}), rel=1e-14
        )
