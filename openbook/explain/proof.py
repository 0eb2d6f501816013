"""Prove the slope of a function from its definition, line by line; every line is held against the one before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from openbook.errors import CheckError
from openbook.expr import (
    FUNCTIONS,
    Binary,
    Call,
    Expr,
    Name,
    Number,
    derivative,
    evaluate,
    parse,
    precise,
    rule_name,
    substitute,
    text,
)
from openbook.record import Step, Witness

__all__ = ["Line", "same_everywhere", "slope_lines", "slope_steps"]

_POINTS = 20


@dataclass(frozen=True)
class Line:
    """One line of a proof: what stands there, and the rule that gave it."""

    formula: Expr
    rule: str
    why: str


def definition(function: str) -> Expr | None:
    """The formula in x that a proof about this function starts from, if it has one."""
    known = FUNCTIONS.get(function)
    if known is None:
        return None
    stated = getattr(known, "definition", "")
    return parse(stated) if stated else getattr(known, "formula", None)


def slope_lines(function: str, name: str = "z") -> tuple[Line, ...]:
    """The derivative of a function, from its definition to the form it is used in.

    Empty for functions without a definition to start from (exp, log: their slopes are where proofs end).
    """
    stated = definition(function)
    if stated is None:
        return ()
    parameters = getattr(FUNCTIONS[function], "parameters", ("x",))
    if len(parameters) != 1 or "where" in stated.calls() or set(stated.calls()) & {"max", "min"}:
        return ()
    start = stated.rename({parameters[0]: name})
    called = Call(function, (Name(name),))
    known = derivative(called, name)
    lines = [Line(derivative(start, name), rule_name(start, name), f"from {text(called)} = {text(start)}")]
    if (split := _split(lines[-1].formula)) is not None:
        lines.append(Line(split, "divide term by term", "the first term of the numerator is the denominator itself"))
        lines.append(
            Line(substitute(split, start, called), f"definition of {function}", "the fraction is the function")
        )
    if lines[-1].formula != known:
        lines.append(Line(known, "simplify", "the same function in the form it is used in"))
    return tuple(lines)


def _split(expr: Expr) -> Expr | None:
    """(b·b − a·a)/b² as 1 − (a/b)², where a formula has that shape."""
    match expr:
        case Binary(
            operator="/",
            left=Binary(operator="-", left=Binary(operator="*", left=b1, right=b2), right=Binary("*", a1, a2)),
            right=Binary(operator="**", left=below, right=Number(value=2)),
        ) if b1 == b2 == below and a1 == a2:
            return Binary("-", Number(1), Binary("**", Binary("/", a1, below), Number(2)))
    return None


def slope_steps(function: str, point: Step, part: str) -> list[Step]:
    """The proof as steps with the numbers of one point in them, each line verified equal to the one before."""
    lines = slope_lines(function, point.name)
    steps: list[Step] = []
    before = derivative(Call(function, (Name(point.name),)), point.name)
    for line in lines:
        steps.append(
            Step(
                f"{function}′({point.name})",
                float(evaluate(line.formula, {point.name: point.value})),
                line.formula,
                (point,),
                rule=line.rule,
                why=line.why,
                part=part,
                witnesses=tuple(_line_witnesses(before, line.formula, point)),
            )
        )
        before = line.formula
    return steps


def _line_witnesses(before: Expr, after: Expr, point: Step) -> Iterator[Witness]:
    def at_random_points() -> float:
        same_everywhere(before, after)
        return float(evaluate(before, {point.name: point.value}))

    yield Witness(f"equal to the line before at {_POINTS} random points in fifty digits", at_random_points, rtol=1e-9)


def same_everywhere(before: Expr, after: Expr, low: float = -3.0, high: float = 3.0) -> None:
    """Raise CheckError with a counterexample unless two formulas agree at random points to forty digits."""
    names = tuple(dict.fromkeys(before.names() + after.names()))
    random = np.random.default_rng(0)
    arithmetic = precise(50)
    for _ in range(_POINTS):
        values = {name: random.uniform(low, high) for name in names}
        left, right = evaluate(before, values, arithmetic), evaluate(after, values, arithmetic)
        if left != left and right != right:  # both undefined here
            continue
        if not abs(left - right) <= 1e-40 * (1 + abs(left)):
            where = ", ".join(f"{name} = {value:.4f}" for name, value in values.items())
            raise CheckError(
                f"{text(before)} is {float(left):.6g} but {text(after)} is {float(right):.6g}",
                where=f"at {where}",
                do="the second line does not follow from the first",
            )
