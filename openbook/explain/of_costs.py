"""Calls that cost least: the expected cost of each call, for one row or for all."""

from __future__ import annotations

from functools import partial

import numpy as np

from openbook.decide import CostDecision
from openbook.errors import ExplainError
from openbook.explain.dispatch import explains
from openbook.expr import Expr, Name, parse
from openbook.record import Step, Table, Witness, Working, given

__all__ = ["explain_costs"]

ROW, ALL = "The row", "All rows"


@explains(CostDecision)
def explain_costs(decision: CostDecision, row: int = 0) -> Working:
    """One row: what each call is expected to cost, Σ p · cost; and what all calls together have cost, where it is known."""
    if not -len(decision.p) <= row < len(decision.p):
        raise ExplainError(f"there is no row {row} among {len(decision.p)}", do=f"choose 0 to {len(decision.p) - 1}")
    steps = [given(f"p({name})", float(p), f"probability of {name}", ROW)
             for name, p in zip(decision.classes, decision.p[row], strict=True)]  # fmt: skip
    expected = [_expected(decision, row, call, steps) for call in range(len(decision.calls))]
    for costs, total in expected:
        steps += [*costs, total]
    totals = [total for _, total in expected]
    least = Step("least", min(t.value for t in totals), rule="minimum", inputs=tuple(totals), part=ROW,
                 why=f"so the call is {decision.calls[decision.chosen[row]]}",
                 witnesses=(Witness("going through the calls", lambda: sorted(t.value for t in totals)[0]),))  # fmt: skip
    return Working(
        title="The call that costs least", question=f"What is each call expected to cost for row {row}?",
        steps=(*steps, least, *_threshold(decision), *_paid(decision)), result=decision.calls[decision.chosen[row]],
        tables=(_table(decision, row),), notes=_notes(decision),
    )  # fmt: skip


def _expected(decision: CostDecision, row: int, call: int, shares: list[Step]) -> tuple[list[Step], Step]:
    """cost(class, call) for each class, and their mean weighted by the probabilities."""
    name = decision.calls[call]
    costs = [given(f"c({c}, {name})", float(decision.costs[i, call]), f"{name} where {c} is true", ROW)
             for i, c in enumerate(decision.classes)]  # fmt: skip
    total: Expr | None = None
    for p, cost in zip(shares, costs, strict=False):
        term = Name(p.name) * Name(cost.name)
        total = term if total is None else total + term
    expected = Step(f"E({name})", float(decision.expected[row, call]), total, (*shares[: len(costs)], *costs),
                    rule="expected cost", part=ROW)  # fmt: skip
    return costs, expected


def _threshold(decision: CostDecision) -> tuple[Step, ...]:
    """For two classes the costs are a threshold: where both calls are expected to cost the same."""
    if decision.threshold is None:
        return ()
    (a, b), (c, d) = decision.costs.tolist()
    yes = given(
        "regret_1", b - a, f"what calling {decision.calls[1]} costs more where {decision.classes[0]} is true", ALL
    )
    no = given(
        "regret_0", c - d, f"what calling {decision.calls[0]} costs more where {decision.classes[1]} is true", ALL
    )
    formula = parse("a/(a + b)").rename({"a": yes.name, "b": no.name})
    return yes, no, Step("T", decision.threshold, formula, (yes, no), rule="both calls cost the same", part=ALL,
                         why=f"{decision.calls[1]} where p > T (Elkan 2001)")  # fmt: skip


def _paid(decision: CostDecision) -> tuple[Step, ...]:
    if decision.paid is None:
        return ()
    steps = [("paid", decision.paid, decision.chosen, "by these calls")]
    if decision.paid_by_likeliest is not None:
        steps.append(
            (
                "paid by likeliest",
                decision.paid_by_likeliest,
                decision.p.argmax(axis=1),
                "by calling the likeliest class",
            )
        )
    return tuple(
        Step(name, value, rule="sum of costs", why=f"{why}, over {len(decision.p)} rows", part=ALL,
             witnesses=(Witness("row by row", partial(_add_up, decision, calls), rtol=1e-12),))
        for name, value, calls, why in steps
    )  # fmt: skip


def _add_up(decision: CostDecision, calls: np.ndarray) -> float:
    assert decision.y is not None
    return sum(
        float(decision.costs[truth][call]) for truth, call in zip(decision.y.tolist(), calls.tolist(), strict=True)
    )


def _table(decision: CostDecision, row: int) -> Table:
    rows = tuple((c, float(p), *map(float, costs))
                 for c, p, costs in zip(decision.classes, decision.p[row], decision.costs, strict=True))  # fmt: skip
    last = ("expected", "", *map(float, decision.expected[row]))
    return Table("What each call costs", ("true class", "p", *decision.calls), (*rows, last), marked=(len(rows),))


def _notes(decision: CostDecision) -> tuple[str, ...]:
    counts = np.bincount(decision.chosen, minlength=len(decision.calls))
    said = ", ".join(f"{n} × {name}" for name, n in zip(decision.calls, counts.tolist(), strict=True))
    return (f"Calls over all {len(decision.p)} rows: {said}.",)
