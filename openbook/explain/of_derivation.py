"""Derivatives of formulas, line by line, each line held against the one before; and lines that somebody else wrote."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise

from openbook.errors import ExplainError, FormulaError, InputError
from openbook.explain.derivations.derivation import Line, derivation, next_line
from openbook.explain.derivations.equal import LineCheck, check_line, witnesses
from openbook.explain.dispatch import explains
from openbook.explain.of_vectors import is_of_vectors, vector_steps
from openbook.expr import Derivative, Expr, Name, as_expr, evaluate, parse, precise, text
from openbook.record import Step, Witness, Working, given

__all__ = ["check_lines", "derive"]

_ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
GIVEN, POINT, AT = "The formula", "At one point", "With numbers"


def derive(
    formula: str | Expr, by: str | None = None, order: int = 1, scalars: Sequence[str] = (), **values: float
) -> Working:
    """Differentiate a formula line by line: `derive("tanh(z)", "z")`.

    One named rule a line, and every line held against the one before, by SymPy (where it is installed) and at random
    points in fifty digits. `by` names what to differentiate by (several names, "w,b", one after the other); `order` how
    often. With values (`derive("tanh(z)", z=0.5)`) the outcome is worked out at that point too.

    Vectors and matrices are derived entry by entry, and read as matrices again: `derive("cross_entropy(W@x + b, y)", "W")`.
    There are `@`, `transpose`, `softmax`, `log_softmax`, `cross_entropy(logits, targets)`, `mse(prediction, target)`, `sum`,
    `mean` and `norm`; capitals are matrices, other names vectors, those in `scalars` single numbers.
    """
    read = as_expr(formula)
    names = _names(read, by)
    if is_of_vectors(read):
        return _derive_vectors(read, names, order, scalars, values)
    if not 1 <= order <= len(_ORDINALS):
        raise InputError(f"order {order} is not worked out", do=f"choose 1 to {len(_ORDINALS)}")
    _require_known(read, values)
    partial_ = len([n for n in read.names() if n not in ("pi", "inf")]) > 1
    steps = [given("f", read, part=GIVEN)]
    results: dict[str, Expr] = {}
    for name in names:
        made = _orders(read, Name(name), order, partial_, many=len(names) > 1)
        steps += made
        results[made[-1].name] = made[-1].value
        if values:
            steps += _numbers(read, name, order, made[-1], values)
    asked = ", ".join(results)
    return Working(
        title=f"{asked} for f = {text(read)}",
        question=f"What is the derivative of {text(read)} with respect to {' and '.join(names)}?",
        steps=tuple(steps),
        result=results[asked] if len(results) == 1 else results,
        notes=tuple(_notes(steps)),
    )


def _derive_vectors(
    formula: Expr, names: list[str], order: int, scalars: Sequence[str], values: dict[str, float]
) -> Working:
    if len(names) > 1 or order > 1 or values:
        raise ExplainError(
            f"{text(formula)} has vectors in it, and is derived once, by one name, without numbers",
            do='ask for one: derive("softmax(z)", "z")',
        )
    steps, outcome, notes = vector_steps(formula, names[0], tuple(scalars))
    return Working(
        title=f"∂f/∂{names[0]} for f = {text(formula)}",
        question=f"What is the derivative of {text(formula)} with respect to {names[0]}?",
        steps=tuple(steps),
        result=outcome,
        notes=(*notes, *_notes(steps)),
    )


def _names(formula: Expr, by: str | None) -> list[str]:
    """What to differentiate by: as asked, or the only name there is."""
    known = [n for n in formula.names() if n not in ("pi", "inf")]
    if by is None:
        if len(known) != 1:
            raise ExplainError(
                f"{text(formula)} could be differentiated by {', '.join(known) or 'nothing: it has no names'}",
                do='say which: derive(formula, "z")',
            )
        return known
    names = [name.strip() for name in by.split(",")]
    if not all(name.isidentifier() for name in names):
        raise ExplainError(f"{by!r} names nothing to differentiate by", do='write one name, or several: "w, b"')
    return names


def _require_known(formula: Expr, values: dict[str, float]) -> None:
    if not values:
        return
    names = [n for n in formula.names() if n not in ("pi", "inf")]
    missing, extra = [n for n in names if n not in values], [n for n in values if n not in names]
    if missing or extra:
        told = f"{', '.join(missing)} has no value" if missing else f"the formula does not use {', '.join(extra)}"
        raise InputError(told, where="the values", do="give one number to every name of the formula, or none at all")


def _orders(formula: Expr, by: Name, order: int, partial_: bool, many: bool) -> list[Step]:
    """The derivative, the derivative of that, and so on, each from the tidied form of the one before."""
    steps: list[Step] = []
    for k in range(1, order + 1):
        part = f"{_ORDINALS[k - 1]} derivative" + (f" by {by.id}" if many else "")
        start = steps[-1].value if steps else formula
        steps += _line_steps(_slope_name(by.id, k, partial_), start, by, part)
    return steps


def _slope_name(by: str, order: int, partial_: bool) -> str:
    d, power = "∂" if partial_ else "d", str(order).translate(_RAISED) if order > 1 else ""
    return f"{d}{power}f/{d}{by}{power}"


def _line_steps(name: str, start: Expr, by: Expr, part: str) -> list[Step]:
    before: Expr = Derivative(by, start)
    steps = []
    for line in derivation(start, by):
        steps.append(_step(name, before, line, part))
        before = line.formula
    return steps


def _step(name: str, before: Expr, line: Line, part: str) -> Step:
    verdict = check_line(before, line.formula)
    return Step(name, line.formula, rule=line.rule, why=line.why, part=part, witnesses=witnesses(verdict))


def _numbers(formula: Expr, name: str, order: int, slope: Step, values: dict[str, float]) -> list[Step]:
    """The derivative at one point, and mpmath's numerical derivative beside it."""
    nested = formula
    for _ in range(order):
        nested = Derivative(Name(name), nested)
    points = [given(n, values[n], part=POINT) for n in slope.value.names() if n in values]
    try:
        value = float(evaluate(slope.value, {p.name: p.value for p in points}))
        witness = Witness(
            "mpmath's numerical derivative in fifty digits",
            partial(lambda e, at: float(evaluate(e, at, precise(50))), nested, dict(values)), rtol=1e-12, atol=1e-300,
        )  # fmt: skip
        if not math.isfinite(float(evaluate(formula, values, precise(50))) + value + witness.compute()):
            raise ValueError("not finite")
    except (FormulaError, ArithmeticError, TypeError, ValueError) as problem:
        where = ", ".join(f"{n} = {v:g}" for n, v in values.items())
        raise InputError(f"{text(formula)} has no such derivative at {where}", do="choose another point") from problem
    return [*points, Step(slope.name, value, slope.value, tuple(points), part=AT, witnesses=(witness,))]


def _notes(steps: Iterable[Step]) -> Iterable[str]:
    lines = [step for step in steps if isinstance(step.value, Expr) and step.rule != "given"]
    unproved = [i for i, step in enumerate(lines, 1) if not any("proved" in w.method for w in step.witnesses)]
    if unproved:
        yield (
            f"Not proved by symbols: line {', '.join(map(str, unproved))}. Random points agree, which is strong evidence, "
            "but no proof."
        )


# --- lines that somebody else wrote ----------------------------------------------------------------------------


def check_lines(lines: Sequence[str | Expr] | str) -> Working:
    """Check a derivation, line by line: which is the first that does not follow from the one before?

    `check_lines(["diff(z*sin(z), z)", "sin(z) + z*cos(z)"])`; one text with a line each will do as well, a leading `=` is
    passed over. The result names the first false line (counted from 1; None if there is none) and those undecided.
    """
    read = [_read(line) for line in (lines.splitlines() if isinstance(lines, str) else lines) if str(line).strip()]
    if len(read) < 2:
        raise InputError("a derivation has at least two lines", do='pass them as ["diff(z**2, z)", "2*z"]')
    verdicts = [check_line(a, b) for a, b in pairwise(read)]
    false = [i for i, v in enumerate(verdicts, 2) if v.holds is False]
    open_ = [i for i, v in enumerate(verdicts, 2) if v.holds is None]
    steps = [given("line 1", read[0])]
    steps += [
        Step(f"line {i}", v.after, rule="follows" if v.holds else "does not follow" if v.holds is False else "undecided",
             why=str(v.counterexample) if v.counterexample else v.how, witnesses=witnesses(v))
        for i, v in enumerate(verdicts, 2)
    ]  # fmt: skip
    return Working(
        title=f"A derivation of {len(read)} lines, checked",
        question="Does every line follow from the one before?",
        steps=tuple(steps),
        result={"first false line": false[0] if false else None, "undecided lines": open_},
        notes=tuple(_verdict(read, verdicts, false, open_)),
    )


def _read(line: str | Expr) -> Expr:
    if isinstance(line, Expr):
        return line
    written = line.strip()
    return parse(written[1:] if written.startswith("=") else written)


def _verdict(read: list[Expr], verdicts: list[LineCheck], false: list[int], open_: list[int]) -> Iterable[str]:
    if not false and not open_:
        yield "Every line follows from the one before."
    for line in false[:1]:
        yield f"Line {line} is the first that does not follow: {verdicts[line - 2].counterexample}."
        suggested = next_line(read[line - 2])
        if suggested is not None:
            yield f"From line {line - 1}, the {suggested.rule} gives {text(suggested.formula)}."
    if open_:
        yield f"Undecided: line {', '.join(map(str, open_))}. Equal where it was looked at, but nobody proved it."


@explains(LineCheck)
def explain_line(verdict: LineCheck) -> Working:
    """The verdict on one line, as a working."""
    return check_lines([verdict.before, verdict.after])
