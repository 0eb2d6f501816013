"""NaN and ∞: where the first one is born."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from openbook.diagnose.case import Case, quietly, rates
from openbook.diagnose.check import Check, Fix, Subject, Suspicion
from openbook.diagnose.checks.probe import redrawn
from openbook.diagnose.engines import Birth
from openbook.diagnose.facts import facts_of
from openbook.diagnose.sample import Sample
from openbook.diagnose.trial import train
from openbook.record import Step, given

__all__ = ["NotANumber"]

EVIDENCE = "Evidence"
_ORDINARY = 1e6  # an operation that overflows on larger numbers is not where the fault lies


class NotANumber(Check):
    """NaN or ∞ in the data, in the parameters, or out of an operation fed with finite numbers."""

    code = "OB019"
    title = "NaN or ∞"

    def suspect(self, subject: Subject) -> Suspicion | None:
        case = subject.case
        return _in_data(case) or _in_parameters(case) or _in_training(case)


def _in_data(case: Case) -> Suspicion | None:
    sample = case.sample
    for name, array in (*((f"input {i}", x) for i, x in enumerate(sample.inputs)), ("targets", sample.targets)):
        wrong = ~np.isfinite(array) if array.dtype.kind == "f" else np.zeros(array.shape, bool)
        if not wrong.any():
            continue
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        evidence = (
            given("entries that are no number", int(wrong.sum()), f"of {wrong.size} in {name}", EVIDENCE),
            given("the first", float(array[place]), f"{name}{list(place)}: row {place[0]}", EVIDENCE),
        )
        rows = np.ones(len(sample), bool)
        for x in (*sample.inputs, sample.targets):
            rows &= np.isfinite(x).reshape(len(x), -1).all(axis=1)
        fixes = [Fix("fill them with the mean of their column", _filled)] if name != "targets" else []
        if rows.sum() > 1:
            fixes.append(Fix("leave their rows out", partial(_kept, rows=np.flatnonzero(rows))))
        return Suspicion(f"{name}, row {place[0]}", "There is NaN or ∞ in the data itself, and every sum it enters becomes NaN.",
                         evidence, tuple(fixes), scale=0.0)  # fmt: skip
    return None


def _kept(case: Case, rows: np.ndarray) -> Case:
    return case.with_(sample=case.sample.take(rows))


def _filled(case: Case) -> Case:
    def filled(array: np.ndarray) -> np.ndarray:
        if array.dtype.kind != "f":
            return array
        finite = np.isfinite(array)
        with np.errstate(all="ignore"):
            mean = np.where(finite, array, 0).sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
        return np.where(finite, array, mean).astype(array.dtype)

    return case.with_(sample=replace(case.sample, inputs=tuple(map(filled, case.sample.inputs))))


def _in_parameters(case: Case) -> Suspicion | None:
    wrong = {
        name: int(np.sum(~np.isfinite(case.engine.array(p))))
        for name, p in (*case.model.named_parameters(), *case.model.named_buffers())
        if case.engine.array(p).dtype.kind == "f"
    }
    wrong = {name: count for name, count in wrong.items() if count}
    if not wrong:
        return None
    first = next(iter(wrong))
    evidence = (given("entries that are no number", sum(wrong.values()), f"in {', '.join(list(wrong)[:4])}", EVIDENCE),)
    words = "draw the weights anew (reset_parameters())"

    def calmer(start: Case) -> Case:
        return slower(redrawn(start), 0.01)

    return Suspicion(first, "The parameters themselves are NaN: an earlier step has destroyed them.", evidence,
                     (Fix(words, redrawn), Fix(f"{words}, and a learning rate of a hundredth", calmer)),
                     scale=0.0)  # fmt: skip


def slower(case: Case, factor: float) -> Case:
    """Another learning rate, in all groups."""

    def edit(model: Any, optimizer: Any) -> None:
        for group, rate in zip(optimizer.param_groups, rates(optimizer), strict=True):
            group["lr"] = rate * factor

    return case.edited(edit)


def _in_training(case: Case) -> Suspicion | None:
    """Train as it is; where the loss stops being a number, go back to the last whole state and look at each operation."""
    if facts_of(case).problem:
        return None
    run = train(case, 0)
    if run.finite:
        return None
    broke = len(run.losses) - 1
    batches = list(case.sample.batches(0, broke + 1))
    for at in range(broke, max(-1, broke - 2), -1):
        model = train(case, 0, at).model
        if all(np.all(np.isfinite(case.engine.array(p))) for p in model.parameters()):
            return _born(case, model, batches[at], at)
    return None


def _born(case: Case, model: Any, batch: Sample, at: int) -> Suspicion | None:
    moved = case.with_(model=model)
    own, loss, _ = moved.copies()
    with quietly(), case.engine.seeded(0):
        birth = case.engine.birth(lambda: case.value(own, loss, batch), own)
    if birth is None or not birth.guarded or any(abs(v) > _ORDINARY for v in birth.fed):
        return None
    evidence = (given("step", at, "the last whole state", EVIDENCE), *_told(birth))
    return Suspicion(
        where=f"{birth.operation}, {birth.phase}, entry {list(birth.index)}",
        says=f"The first NaN or ∞ comes out of {birth.operation} on the way {birth.phase}, from finite numbers.",
        evidence=evidence,
        fixes=(Fix(f"keep the input of {birth.guarded} away from where it has no value or slope "
                   "(x.clamp(min=1e-6), or + 1e-6)",
                   lambda c: c.with_(guards=(*c.guards, birth.guarded))),),
        scale=0.0,
    )  # fmt: skip


def _told(birth: Birth) -> list[Step]:
    fed = [
        given(f"fed {i}" if len(birth.fed) > 1 else "fed", v, "what went in there", EVIDENCE)
        for i, v in enumerate(birth.fed)
    ]
    slope = "its value" if birth.phase == "forward" else "the gradient it hands back"
    return [*fed, given("born", str(birth.value), f"{slope}, entry {list(birth.index)}", EVIDENCE)]
