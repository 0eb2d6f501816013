"""A gradient check, told: the verdict, the worst entry, how far differences can be trusted, and what it cost."""

from __future__ import annotations

from openbook.explain.dispatch import explains
from openbook.explain.displays.gradients import StepSweepDisplay
from openbook.explain.of_differences import sweep_table
from openbook.expr import number_text, parse
from openbook.record import Step, Table, Working, given
from openbook.tensor import EntryCheck, Gradcheck
from openbook.tensor.checks.checker import SAFETY
from openbook.tensor.checks.telling import branches

__all__ = ["explain_entry_check", "explain_gradcheck"]

_LISTED = 10
WORST, TAYLOR, COST = "The entry that agrees least", "How the remainder of the straight line shrinks", "What it costs"


@explains(Gradcheck)
def explain_gradcheck(check: Gradcheck) -> Working:
    """Show the verdict and what it rests on."""
    return Working(
        title=f"A {check.what} checked: {check.verdict}",
        question="Is the gradient right, or is it the differences that are not?",
        steps=(*_worst(check.worst), *_taylor(check), *_cost(check)),
        result={"verdict": check.verdict, "worst": check.worst.name, "gap": check.worst.gap, "order": check.order},
        tables=(_table(check), sweep_table(check.sweep)),
        notes=tuple(_notes(check)),
        displays=(StepSweepDisplay(check.sweep, wrong=check.verdict == "wrong"),),
    )


@explains(EntryCheck)
def explain_entry_check(entry: EntryCheck) -> Working:
    """One entry: autograd beside differences, and how far apart two right answers may lie."""
    told = {"kink": "f has a kink here: differences are the mean of both sides.", "jump": "f jumps here."}
    agree = f"The gap is {number_text(entry.excess)} of what is allowed."
    return Working(
        title=f"The gradient with respect to {entry.name}",
        question="Do autograd and differences agree?",
        steps=tuple(_worst(entry)),
        result=entry.gap,
        notes=(told.get(entry.bend, agree),),
    )


def _worst(entry: EntryCheck) -> list[Step]:
    autograd = given("autograd", entry.autograd, f"∂f/∂({entry.name}), by the chain rule", WORST)
    differences = given("differences", entry.differences, "(f(x + h) − f(x − h)) / 2h", WORST)
    gap = Step(
        "gap",
        entry.gap,
        parse("abs(autograd - differences)"),
        (autograd, differences),
        rule="absolute difference",
        part=WORST,
    )
    trust = given("u", entry.uncertainty, "what twice the step changes, and what rounding may", WORST)
    floor = given(
        "r", entry.allowed - SAFETY * entry.uncertainty, "rounding of autograd itself, and tolerances asked for", WORST
    )
    allowed = Step("allowed", entry.allowed, parse(f"{SAFETY:g}*u + r"), (trust, floor), rule="two steps underestimate the worst case",
                   part=WORST)  # fmt: skip
    return [autograd, differences, gap, trust, floor, allowed]


def _taylor(check: Gradcheck) -> list[Step]:
    if check.order is None:
        return [given("remainder", 0.0, "f is straight along a random direction: nothing is left over", TAYLOR)]
    return [given("order", check.order, "|f(x + hv) − f(x) − h∇f·v| ∝ h to this power: 2 if right, 1 if wrong", TAYLOR)]


def _cost(check: Gradcheck) -> list[Step]:
    n = given("n", check.of, "entries of all inputs", COST)
    looked = given("checked", check.entries, "all of them" if check.entries == check.of else "drawn at random", COST)
    spent = given(
        "evaluations",
        check.evaluations,
        "calls of f: four an entry, the rest around the worst",
        COST,
    )
    whole = Step("a whole gradient by differences", 2 * check.of, parse("2*n"), (n,), rule="two for every entry", part=COST,
                 why="reverse mode takes a small constant instead")  # fmt: skip
    return [n, looked, spent, whole]


def _table(check: Gradcheck) -> Table:
    order = sorted(check.checks, key=lambda c: -c.excess)[:_LISTED]
    rows = tuple((c.name, c.autograd, c.differences, c.gap, c.allowed, c.bend) for c in order)
    marked = tuple(i for i, c in enumerate(order) if c is check.worst)
    note = "" if len(order) == len(check.checks) else f"the {len(order)} that agree least of {len(check.checks)}"
    return Table(
        "Entry by entry", ("entry", "autograd", "differences", "gap", "allowed", ""), rows, note=note, marked=marked
    )


def _notes(check: Gradcheck) -> list[str]:
    notes = [check.reason, *branches(check.sweep)]
    kinks = sum(c.kinked for c in check.checks)
    if kinks:
        notes.append(
            f"At {kinks} of {len(check.checks)} entries f has a kink or a jump within the step, so that differences say "
            "nothing there."
        )
    return notes
