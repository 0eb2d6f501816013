"""The frame of a check: what makes it suspect a fault, and the fixes it would try, the smallest first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from openbook.diagnose.case import Case
from openbook.diagnose.facts import facts_of
from openbook.diagnose.finding import Effect, Finding
from openbook.diagnose.trial import LOSS, Measure, compare, helps
from openbook.record import Step

__all__ = ["CHECKS", "Check", "Fix", "Subject", "Suspicion", "Verdict", "examine"]

CHECKS: dict[str, type[Check]] = {}


@dataclass(frozen=True, eq=False)
class Subject:
    """What the checks look at: the case as repaired so far, and the user's own objects, which are only read.

    `train_step(model, optimizer, *batch)` and `predict(model, *inputs)` are the user's functions, if given.
    """

    case: Case
    model: Any
    optimizer: Any
    train_step: Callable[..., Any] | None = None
    predict: Callable[..., Any] | None = None


@dataclass(frozen=True)
class Fix:
    """A change, in words and as a function; `measure` in place of the suspicion's, where that is fairer to this one."""

    words: str
    apply: Callable[[Case], Case]
    measure: Measure | None = None


@dataclass(frozen=True, eq=False)
class Suspicion:
    """Where, what is wrong (a sentence), the numbers it rests on, and the fixes to try in turn.

    `trial` takes the place of training both (it gives the Effect of a fix); `steps` the place of the case's. `repairs`
    says whether the checks that follow look at the repaired case.
    """

    where: str
    says: str
    evidence: tuple[Step, ...]
    fixes: tuple[Fix, ...]
    measure: Measure = LOSS
    held_out: bool = False
    steps: int | None = None
    share: float = 0.1
    scale: float | None = None
    severity: str = ""
    trial: Callable[[Case, Case], Effect] | None = None
    repairs: bool = True


class Check:
    """One fault. Subclasses say in `suspect` what makes it likely; whether it is a finding, the fixes decide."""

    code: ClassVar[str] = ""
    title: ClassVar[str] = ""
    severity: ClassVar[str] = "error"

    def __init_subclass__(cls) -> None:
        CHECKS[cls.code] = cls

    def suspect(self, subject: Subject) -> Suspicion | None:
        """The suspicion, or None where there is none."""
        raise NotImplementedError


@dataclass(frozen=True)
class Verdict:
    """What came of a check: a finding with the repaired case, or why a suspicion was let go."""

    finding: Finding | None = None
    case: Case | None = None
    let_go: str = ""


def examine(check: Check, subject: Subject) -> Verdict:
    """Suspect, try the fixes, and find only what a fix proves."""
    suspicion = check.suspect(subject)
    if suspicion is None:
        return Verdict()
    case = subject.case
    scale = facts_of(case).chance if suspicion.scale is None else suspicion.scale
    tried = []
    for fix in suspicion.fixes:
        fixed = fix.apply(case)
        effect = (
            suspicion.trial(case, fixed)
            if suspicion.trial
            else compare(case, fixed, fix.measure or suspicion.measure, suspicion.held_out, suspicion.steps)
        )
        if helps(effect, scale, suspicion.share):
            finding = Finding(
                code=check.code, title=check.title, severity=suspicion.severity or check.severity,
                where=suspicion.where, says=suspicion.says, evidence=suspicion.evidence, fix=fix.words, effect=effect,
            )  # fmt: skip
            return Verdict(finding, fixed if suspicion.repairs else case)
        tried.append(f"{fix.words}: {effect.measure} {effect.before:.4g} → {effect.after:.4g}")
    return Verdict(let_go=f"{suspicion.says} But no fix helps ({'; '.join(tried)}).")
