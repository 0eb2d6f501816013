"""The slope of a function proved from its definition, with the numbers of one point in every line."""

from __future__ import annotations

from functools import partial

from openbook.explain.derivations.derivation import Line, definition, derivation
from openbook.explain.derivations.equal import POINTS, at_random_points
from openbook.expr import Call, Derivative, Expr, Name, evaluate, text
from openbook.record import Step, Witness

__all__ = ["slope_lines", "slope_steps"]


def slope_lines(function: str, name: str = "z") -> tuple[Line, ...]:
    """The derivative of a function, from its definition to the form it is used in.

    Empty for functions without a definition to start from (exp, log: their slopes are where proofs end). Lines in which a
    derivative still stands are passed over; the first without one says by which rules it was reached.
    """
    if definition(function) is None:
        return ()
    called, by = Call(function, (Name(name),)), Name(name)
    lines: list[Line] = []
    passed: list[Line] = []
    for line in derivation(called, by):
        if any(isinstance(part, Derivative) for part in line.formula.walk()):
            passed.append(line)
        elif passed:
            rules = dict.fromkeys(p.rule for p in passed if not p.rule.startswith("definition"))
            lines.append(Line(line.formula, ", ".join(rules) or line.rule, f"from {passed[0].why}"))
            passed = []
        else:
            lines.append(line)
    return tuple(lines)


def slope_steps(function: str, point: Step, part: str) -> list[Step]:
    """The proof as steps with the numbers of one point in them, each line verified equal to the one before."""
    steps: list[Step] = []
    before: Expr = Derivative(Name(point.name), Call(function, (Name(point.name),)))
    for line in slope_lines(function, point.name):
        steps.append(
            Step(
                f"{function}′({point.name})",
                float(evaluate(line.formula, {point.name: point.value})),
                line.formula,
                (point,),
                rule=line.rule,
                why=line.why,
                part=part,
                witnesses=(_line_witness(before, line.formula, point),),
            )
        )
        before = line.formula
    return steps


def _line_witness(before: Expr, after: Expr, point: Step) -> Witness:
    """The value of the line before, or, where the two differ anywhere, what they are there."""

    def compute(before: Expr, after: Expr) -> float | str:
        agreed, difference, _ = at_random_points(before, after)
        if difference is not None or agreed < POINTS:
            return f"{text(after)} does not follow: {difference or 'too few points to compare at'}"
        return float(evaluate(before, {point.name: point.value}))

    method = f"equal to the line before at {POINTS} random points in fifty digits"
    return Witness(method, partial(compute, before, after), rtol=1e-9)
