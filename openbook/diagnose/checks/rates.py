"""The learning rate, by the loss's curvature along the steps it makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openbook.diagnose.case import Case, calm, quietly, rates
from openbook.diagnose.check import Check, Fix, Subject, Suspicion
from openbook.diagnose.checks.numbers import slower
from openbook.diagnose.facts import facts_of
from openbook.diagnose.trial import train
from openbook.expr import parse
from openbook.record import Step, Witness, given

__all__ = ["Stride", "TooLarge", "TooSmall", "strides"]

EVIDENCE = "Evidence"
_WATCHED = 20
_LEARNT = 0.2  # of what guessing costs: what is below it has learnt, and what two ends differ by less is no fault


@dataclass(frozen=True)
class Stride:
    """One step Δ of the optimiser on one batch: the loss before and after it, the slope gᵀΔ, the curvature ΔᵀHΔ along it.

    The curvature is the mean one along the step, Δᵀ(g(θ + Δ) − g(θ)).
    """

    before: float
    after: float
    slope: float
    bend: float

    @property
    def overshoot(self) -> float:
        """ΔᵀHΔ / 2|gᵀΔ|: ½ ends in the valley, more than 1 ends higher than it began (for a parabola)."""
        if not np.isfinite(self.bend) or not np.isfinite(self.after):
            return np.inf
        return self.bend / (2 * abs(self.slope)) if self.slope else 0.0


def strides(case: Case, count: int = _WATCHED) -> list[Stride]:
    """The first steps of training, each looked at from both ends; ends where something is not finite."""
    engine, found = case.engine, []
    with engine.seeded(0), engine.recording(), quietly():
        model, loss, optimizer = case.copies()
        calm(model)
        for batch in case.sample.batches(0, count):
            value, parameters, g0 = case.value_and_gradients(model, loss, batch)
            start = [np.array(engine.array(p), np.float64) for p in parameters]

            def closure(batch=batch):
                again, own, gradients = case.value_and_gradients(model, loss, batch)
                for parameter, gradient in zip(own, gradients, strict=True):
                    engine.put_gradient(parameter, gradient)
                return again

            optimizer.step(closure)
            ended, _, g1 = case.value_and_gradients(model, loss, batch)
            moves = [engine.array(p) - s for p, s in zip(parameters, start, strict=True)]
            found.append(Stride(float(engine.array(value)), float(engine.array(ended)), _dot(g0, moves),
                                _dot(g1, moves) - _dot(g0, moves)))  # fmt: skip
            if not np.isfinite(found[-1].overshoot):
                break
    return found


def _dot(a: list, b: list) -> float:
    return float(sum(np.sum(x * y, dtype=np.float64) for x, y in zip(a, b, strict=True) if x is not None))


def _ending(case: Case, factor: float) -> float:
    """The loss after training at another rate; ∞ where it fails."""
    try:
        other = case if factor == 1 else slower(case, factor)
        run = train(other, 0)
        return other.measure(run.model) if run.finite else np.inf
    except Exception:
        return np.inf


def _evidence(case: Case, seen: list[Stride]) -> tuple[Step, ...]:
    """The stride that overshoots most, and how many ended higher than they began."""
    most = max(seen, key=lambda s: s.overshoot)
    rate = given("lr", max(rates(case.optimizer)), type(case.optimizer).__name__, EVIDENCE)
    slope = given(
        "g·Δ", most.slope, "slope along the step Δ (of those watched, the one that overshoots most)", EVIDENCE
    )
    bend = given("Δ·HΔ", most.bend, "curvature along it, from the gradients at both ends", EVIDENCE)
    steps = [rate, slope, bend]
    if np.isfinite(most.overshoot):
        over = Step("overshoot", most.overshoot, parse("b/(2*abs(s))").rename({"b": "Δ·HΔ", "s": "g·Δ"}), (bend, slope),
                    rule="½ ends in the valley, over 1 ends higher than it began", part=EVIDENCE)  # fmt: skip
        steps.append(over)
    else:
        steps.append(given("overshoot", "∞", "the step leaves the numbers", EVIDENCE))
    up = sum(not s.after <= s.before for s in seen)
    watched = given("watched", len(seen), "steps, each on its own batch", EVIDENCE)
    higher = given("higher", up, "of them ended higher than they began", EVIDENCE)
    again = Witness("the steps taken again", lambda: sum(not s.after <= s.before for s in strides(case)) / len(seen))
    share = Step("share", up / len(seen), parse("higher/watched"), (higher, watched), rule="steps that go up", part=EVIDENCE,
                 witnesses=(again,))  # fmt: skip
    return (*steps, watched, higher, share)


class TooLarge(Check):
    """Steps that end higher than they began, so that the loss does not go down."""

    code = "OB010"
    title = "the learning rate is too large"

    def suspect(self, subject: Subject) -> Suspicion | None:
        case = subject.case
        if subject.optimizer is None or facts_of(case).problem or not rates(case.optimizer):
            return None
        seen = strides(case)
        up = sum(not s.after <= s.before for s in seen) / len(seen)
        over = max(s.overshoot for s in seen)
        start, end = facts_of(case).now, _ending(case, 1)
        chance = facts_of(case).chance
        restless = up >= 0.25 or over > 2 or not np.isfinite(end)
        if not restless or end < min(0.7 * start, _LEARNT * chance):
            return None
        ends = {factor: _ending(case, factor) for factor in (0.1, 0.01, 1e-3, 1e-4)}
        best = min(ends.values())
        if not best < 0.95 * start or (end < 0.7 * start and end - best < _LEARNT * chance):
            return None
        factor = next(f for f, value in ends.items() if value <= 1.2 * best)
        rate = max(rates(case.optimizer))
        return Suspicion(
            where=f"{type(case.optimizer).__name__}, lr = {rate:g}",
            says="The steps overshoot: the loss bends up under them faster than it falls.",
            evidence=_evidence(case, seen),
            fixes=(Fix(f"lr = {rate * factor:g}", lambda c: slower(c, factor)),),
            share=0.2,
        )


class TooSmall(Check):
    """Steps so short that nothing happens, where longer ones lead down."""

    code = "OB011"
    title = "the learning rate is too small"
    severity = "warning"

    def suspect(self, subject: Subject) -> Suspicion | None:
        case = subject.case
        if subject.optimizer is None or facts_of(case).problem or not rates(case.optimizer):
            return None
        start, end = facts_of(case).now, _ending(case, 1)
        if not np.isfinite(end) or start - end > 0.05 * abs(start):
            return None
        seen = strides(case, 10)
        if max(s.overshoot for s in seen) > 0.1:
            return None
        ends = {factor: _ending(case, factor) for factor in (10.0, 100.0, 1e3, 1e4)}
        best = min(ends.values())
        if not (best < 0.7 * start and start - end < 0.1 * (start - best)):
            return None
        factor = next(f for f, value in ends.items() if value <= best + 0.2 * (start - best))
        rate = max(rates(case.optimizer))
        return Suspicion(
            where=f"{type(case.optimizer).__name__}, lr = {rate:g}",
            says=f"In {case.steps} steps the loss falls by {start - end:.2g}; the valley is much farther than the steps reach.",
            evidence=_evidence(case, seen),
            fixes=(Fix(f"lr = {rate * factor:g}", lambda c: slower(c, factor)),),
            share=0.25,
            scale=5 * facts_of(case).chance,
        )
