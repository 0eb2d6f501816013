"""Part 1: a gradient by autograd beside the same gradient by differences, at every step size."""

from __future__ import annotations

import numpy as np

from openbook.explain.dispatch import explains
from openbook.explain.displays.gradients import StepSweepDisplay
from openbook.expr import Expr, Name, number_text, parse
from openbook.record import Step, Table, Working, given
from openbook.tensor import StepSweep

__all__ = ["explain_sweep", "sweep_table"]

EPS = float(np.finfo(np.float64).eps)
SEEN, PREDICTED, COST = "The slope, two ways", "Where the error comes from", "What it costs"


@explains(StepSweep)
def explain_sweep(sweep: StepSweep) -> Working:
    """Show error against step size, its two branches, the best step, and the cost in forward passes."""
    steps = [*_two_ways(sweep), *_branches(sweep), *_cost(sweep)]
    return Working(
        title="A gradient checked by central differences",
        question="Is the gradient right, and which step shows it best?",
        steps=tuple(steps),
        result={"agreement": sweep.agreement, "best step": sweep.best, "truncates": sweep.truncates},
        tables=(sweep_table(sweep),),
        notes=_notes(sweep),
        displays=(StepSweepDisplay(sweep),),
    )


def _two_ways(sweep: StepSweep) -> list[Step]:
    best = int(np.argmin(sweep.errors))
    autograd = given("autograd", sweep.autograd, "reverse mode: the chain rule, exact but for rounding", SEEN)
    differences = given(
        "differences",
        float(sweep.differences[best]),
        f"(f(x + h) − f(x − h)) / 2h at the step {sweep.steps[best]:.1e}, where both agree best",
        SEEN,
    )
    error = Step(
        "error", abs(differences.value - autograd.value), parse("abs(differences - autograd)"), (differences, autograd),
        rule="absolute difference", why="the least over all steps", part=SEEN,
    )  # fmt: skip
    if not sweep.autograd:
        return [autograd, differences, error]
    relative = Step("relative error", error.value / abs(autograd.value), Name("error") / parse("abs(autograd)"),
                    (error, autograd), why="about this many digits are confirmed", part=SEEN)  # fmt: skip
    return [autograd, differences, error, relative]


def _branches(sweep: StepSweep) -> list[Step]:
    f = given("f", sweep.value, "the function's value here", PREDICTED)
    third = given(
        "f‴", sweep.third, "the third derivative along the same direction, by autograd three times", PREDICTED
    )
    eps = given("ε", EPS, "the spacing of float64 at 1", PREDICTED)
    if sweep.best is None:
        return [f, third, eps]
    formula: Expr = (parse("3*e") * parse("abs(f/t)")) ** parse("1/3")
    best = Step("best h", sweep.best, formula.rename({"e": "ε", "t": "f‴"}), (eps, f, third), rule="balance both branches",
                why="where h²·|f‴|/6 and ε·|f|/h have the least sum", part=PREDICTED)  # fmt: skip
    return [f, third, eps, best]


def _cost(sweep: StepSweep) -> list[Step]:
    n = given("n", sweep.entries, "parameters", COST)
    passes = Step("forward passes", 2 * sweep.entries, parse("2*n"), (n,), rule="two for every parameter",
                  why="central differences of the whole gradient; reverse mode takes a small constant instead",
                  part=COST)  # fmt: skip
    return [n, passes]


def sweep_table(sweep: StepSweep) -> Table:
    """A row for each factor of ten of the step."""
    every = slice(None, None, 3)
    rows = zip(sweep.steps[every], sweep.differences[every], sweep.errors[every], strict=True)
    body = tuple((float(h), float(d), float(e), float(e) / max(abs(sweep.autograd), 1e-300)) for h, d, e in rows)
    least = min(range(len(body)), key=lambda i: body[i][2])
    return Table("Error against step size", ("h", "differences", "error", "relative"), body, marked=(least,))


def _notes(sweep: StepSweep) -> tuple[str, ...]:
    seen = float(sweep.steps[np.argmin(sweep.errors)])
    if sweep.best is None:
        shape = (
            "There is no truncation branch here: the function is straight or quadratic along this direction, so central "
            "differences leave nothing out, and only round-off is seen. The larger the step, the better."
        )
    else:
        shape = (
            f"Too large a step truncates (the error falls with h²), too small a one drowns in round-off (it grows with "
            f"1/h). They balance near h = {sweep.best:.1e}; the least error was measured at {seen:.1e}."
        )
    cost = (
        f"All {sweep.entries} parameters by differences would take {number_text(2 * sweep.entries)} forward passes; "
        "reverse mode gave them all in one pass forward and one back."
    )
    return shape, cost
