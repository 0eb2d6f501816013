"""How a finding is known, as a Working: the evidence, then the fix and what it did."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

from openbook.diagnose.diagnosis import Diagnosis
from openbook.diagnose.finding import Effect, Finding
from openbook.explain.dispatch import explains
from openbook.expr import parse
from openbook.record import Step, Table, Witness, Working, given

__all__ = ["explain_diagnosis", "explain_effect", "explain_finding"]

FIX = "The fix, tried on a copy"


@explains(Finding)
def explain_finding(finding: Finding) -> Working:
    """The numbers a finding rests on, and those the fix gave; `check()` derives the first again, and runs the second again."""
    return Working(
        title=f"{finding.code} {finding.title}",
        question=f"{finding.says} How is that known?",
        steps=(*finding.evidence, *_effect(finding.effect)),
        result={"code": finding.code, "before": finding.effect.before, "after": finding.effect.after},
        notes=(f"Fix: {finding.fix}", f"More: {finding.page}"),
    )


@explains(Effect)
def explain_effect(effect: Effect) -> Working:
    """What a fix did: the measure without it and with it, and the difference."""
    steps = tuple(_effect(effect))
    return Working("What the fix did", steps, steps[-1].value, f"How much better is the {effect.measure} with the fix?")


def _effect(effect: Effect) -> list[Step]:
    again = cache(effect.again) if effect.again is not None else None
    spent = f"mean over {effect.seeds} seeds, {effect.steps} steps each" if effect.steps else effect.rows
    steps = []
    for place, (name, value) in enumerate((("before", effect.before), ("after", effect.after))):
        witnesses = (
            () if again is None else (Witness("the same trial run again", lambda i=place: again()[i], rtol=1e-6),)  # type: ignore[misc]
        )
        why = f"{effect.measure}, {'as it is' if name == 'before' else 'with the fix'}; {spent}"
        steps.append(Step(name, value, rule="measured", why=why, part=FIX, witnesses=witnesses))
    if math.isfinite(effect.before):
        change = effect.before - effect.after
        steps.append(
            Step("gain", change, parse("before - after"), tuple(steps), rule="what the fix is worth", part=FIX)
        )
    return steps


@explains(Diagnosis)
def explain_diagnosis(diagnosis: Diagnosis) -> Working:
    """All findings with their evidence, in the order of causes."""
    steps = [step for finding in diagnosis for step in _under(f"{finding.code} {finding.title}", finding)]
    if not steps:
        steps = [given("findings", 0, f"of {len(diagnosis.looked_at)} possible faults, none is borne out")]
    rows = tuple((f.code, f.title, f.where, f.effect.before, f.effect.after) for f in diagnosis)
    table = Table("Findings, causes first", ("code", "fault", "where", "before", "after"), rows)
    return Working(
        title=f"What is wrong with {diagnosis.model}" if diagnosis.findings else f"{diagnosis.model} is healthy",
        question="Why does it not learn?",
        steps=tuple(steps), result=list(diagnosis.codes), tables=(table,) if rows else (),
    )  # fmt: skip


def _under(heading: str, finding: Finding) -> list[Step]:
    """A finding's steps under one heading, each with the inputs that stand there."""
    moved: dict[int, Step] = {}
    for step in explain_finding(finding).steps:
        inputs = tuple(moved.get(id(i), i) for i in step.inputs)
        moved[id(step)] = replace(step, part=heading, inputs=inputs)
    return list(moved.values())
