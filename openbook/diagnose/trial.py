"""Trying things: training copies for some steps, and comparing what comes of two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.diagnose.case import Case, quietly
from openbook.diagnose.finding import Effect
from openbook.diagnose.sample import Sample

__all__ = ["LOSS", "Measure", "Run", "compare", "helps", "joint_norm", "train"]


@dataclass(frozen=True)
class Measure:
    """A number that is better the smaller it is, of a case and a trained copy on some rows."""

    name: str
    of: Callable[[Case, Any, Sample], float]


LOSS = Measure("loss", lambda case, model, sample: case.measure(model, sample))


@dataclass(frozen=True, eq=False)
class Run:
    """A copy after training: the model, and the loss of each batch before its step."""

    model: Any
    optimizer: Any
    losses: tuple[float, ...]

    @property
    def finite(self) -> bool:
        return bool(np.all(np.isfinite(self.losses)))


def train(case: Case, seed: int, steps: int | None = None, watch: Callable[..., None] | None = None) -> Run:
    """Train a copy as an ordinary loop does: clear, loss, gradients, step. Ends where the loss is not finite."""
    losses: list[float] = []
    engine = case.engine
    with engine.seeded(seed), engine.recording(), quietly():
        model, loss, optimizer = case.copies()
        if not model.training:
            model.train()
        for batch in case.sample.batches(seed, case.steps if steps is None else steps):

            def closure(batch: Sample = batch) -> Any:
                value, parameters, gradients = case.value_and_gradients(model, loss, batch)
                for parameter, gradient in zip(parameters, _clipped(gradients, case.clip), strict=True):
                    engine.put_gradient(parameter, gradient)
                return value

            value = optimizer.step(closure)
            losses.append(float(engine.array(value)))
            if watch is not None:
                watch(model, loss, batch)
            if not np.isfinite(losses[-1]):
                break
    return Run(model, optimizer, tuple(losses))


def _clipped(gradients: list[Any], most: float | None) -> list[Any]:
    """All gradients shrunk together to a joint norm of `most`."""
    norm = joint_norm(gradients)
    if most is None or not norm > most:
        return gradients
    return [None if g is None else g * g.dtype.type(most / norm) for g in gradients]


def joint_norm(gradients: Sequence[np.ndarray | None]) -> float:
    """The Euclidean norm of all entries together."""
    return float(np.sqrt(sum(np.sum(np.square(g, dtype=np.float64)) for g in gradients if g is not None)))


def compare(
    case: Case, fixed: Case, measure: Measure = LOSS, held_out: bool = False, steps: int | None = None
) -> Effect:
    """The same number of steps from the same start, with the same batches, as it is and with the fix."""
    before = [_outcome(case, measure, seed, held_out, steps) for seed in case.seeds]
    after = [_outcome(fixed, measure, seed, held_out, steps) for seed in case.seeds]
    rows = "rows held out" if held_out else "rows"
    return Effect(
        measure=measure.name + (" on rows held out" if held_out else ""),
        before=_mean(before), after=_mean(after), steps=case.steps if steps is None else steps,
        seeds=len(case.seeds), rows=f"{len(case.sample)} {rows}" if not held_out else f"30% of {len(case.sample)} rows",
        each=tuple(zip(before, after, strict=True)),
        again=lambda: (_mean([_outcome(case, measure, s, held_out, steps) for s in case.seeds]),
                       _mean([_outcome(fixed, measure, s, held_out, steps) for s in case.seeds])),
    )  # fmt: skip


def _mean(values: list[float]) -> float:
    """The mean; ∞ if any run came to nothing."""
    return float(np.mean(values)) if np.all(np.isfinite(values)) else np.inf


def _outcome(case: Case, measure: Measure, seed: int, held_out: bool, steps: int | None) -> float:
    """What a measure says after training; ∞ where the run fails, for whatever reason."""
    learn, judge = case.sample.parts(seed) if held_out else (case.sample, case.sample)
    try:
        run = train(case.with_(sample=learn), seed, steps)
        value = measure.of(case, run.model, judge) if run.finite else np.inf
    except Exception:
        return np.inf
    return float(value) if np.isfinite(value) else np.inf


def helps(effect: Effect, scale: float, share: float = 0.1) -> bool:
    """Whether the fix does better from every seed, and on average by a margin: a `share` of what was, 2 % of the scale."""
    if not np.isfinite(effect.after):
        return False
    if not np.isfinite(effect.before):
        return True
    better = all(after < before for before, after in effect.each)
    return better and effect.before - effect.after >= max(share * abs(effect.before), 0.02 * abs(scale))
