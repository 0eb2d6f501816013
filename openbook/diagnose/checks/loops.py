"""The user's own training step, watched on copies: are gradients cleared, does anything move."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from openbook.diagnose.case import Case, quietly
from openbook.diagnose.check import Check, Fix, Subject, Suspicion
from openbook.diagnose.checks.probe import joint_norm
from openbook.diagnose.facts import facts_of
from openbook.diagnose.finding import Effect
from openbook.diagnose.sample import Sample
from openbook.diagnose.trial import LOSS, Measure, train
from openbook.errors import InputError
from openbook.record import Step, Witness, given

__all__ = ["GradientsNotCleared", "NothingMoves", "call_step", "stepped"]

EVIDENCE = "Evidence"
_CALLS = 8  # gradients may be gathered over so many calls on purpose
Train = Callable[..., Any]


class GradientsNotCleared(Check):
    """A marker put into the gradients after a step of the optimiser is still there at its next."""

    code = "OB002"
    title = "gradients are not cleared"

    def suspect(self, subject: Subject) -> Suspicion | None:
        if subject.train_step is None or facts_of(subject.case).problem:
            return None
        step = subject.train_step
        shares = _marker_shares(subject)
        if not shares or min(shares) < 0.5:
            return None
        put = given(
            "steps watched", len(shares), "steps of the optimiser, a marker put into every .grad after each", EVIDENCE
        )
        again = Witness("the calls repeated with another marker", lambda: min(_marker_shares(subject, 1)), rtol=1e-2)
        left = Step("share left", min(shares), rule="the least share of the marker in what the next step met",
                    why="0 where gradients are cleared, 1 where they pile up", part=EVIDENCE, witnesses=(again,))  # fmt: skip

        def cleared(model: Any, optimizer: Any, *batch: Any) -> Any:
            optimizer.zero_grad()
            return step(model, optimizer, *batch)

        return Suspicion(
            where="train_step",
            says="Every step also moves by the gradients of all steps before it.",
            evidence=(put, left),
            fixes=(Fix("call optimizer.zero_grad() before the gradients are computed", lambda c: c),),
            trial=lambda c, fixed: compare_steps(subject, step, cleared, LOSS),
        )


class NothingMoves(Check):
    """The step runs, and no parameter is any different."""

    code = "OB020"
    title = "the training step changes nothing"

    def suspect(self, subject: Subject) -> Suspicion | None:
        if subject.train_step is None or facts_of(subject.case).problem:
            return None
        case, step = subject.case, subject.train_step
        seen = call_step(subject, calls=2 * _CALLS)
        moved = max(seen.moves)
        gradient = joint_norm(case.value_and_gradients(*_two(case), case.sample)[2])
        if moved > 0 or gradient == 0:
            return None
        reason = (
            "optimizer.step() is never called" if not seen.gradients
            else "the gradients are empty when the optimiser steps" if all(joint_norm(g) == 0 for g in seen.gradients)
            else "the optimiser steps, but not this model's parameters"
        )  # fmt: skip
        evidence = (
            given("‖Δθ‖", moved, "the farthest any of 16 calls of your training step moved the parameters", EVIDENCE),
            given("‖g‖", gradient, "the gradient there is to follow", EVIDENCE),
            given("optimiser steps", len(seen.gradients), reason, EVIDENCE),
        )
        return Suspicion(
            where="train_step", says=f"The parameters stay where they are: {reason}.", evidence=evidence,
            fixes=(Fix("optimizer.zero_grad(); loss.backward(); optimizer.step(), in this order", lambda c: c),),
            trial=lambda c, fixed: compare_steps(subject, step, None, LOSS),
        )  # fmt: skip


def _two(case: Case) -> tuple[Any, Any]:
    return case.copies()[:2]


# --- watching ----------------------------------------------------------------------------------------------------------


class Seen:
    """What was met at each call of the optimiser, and how far each call of the step moved the parameters."""

    def __init__(self) -> None:
        self.gradients: list[list[np.ndarray | None]] = []
        self.moves: list[float] = []
        self.modes: list[bool] = []
        self.closures = False


def _watched(case: Case, optimizer: Any, model: Any, seen: Seen) -> None:
    """Let the copy of the optimiser note the gradients whenever it is asked to step."""
    whole = type(optimizer).step

    def step(*arguments: Any, **options: Any) -> Any:
        if arguments or options:
            seen.closures = True
        seen.gradients.append([_gradient(case, p) for p in model.parameters()])
        return whole(optimizer, *arguments, **options)

    optimizer.step = step


def _gradient(case: Case, parameter: Any) -> np.ndarray | None:
    return None if parameter.grad is None else np.array(case.engine.array(parameter.grad), np.float64)


def call_step(subject: Subject, calls: int) -> Seen:
    """Call the user's step on copies some times, and watch."""
    case, seen = subject.case, Seen()
    model, _, optimizer = case.copies()
    _watched(case, optimizer, model, seen)
    for module in model.modules():
        if _noisy(module):
            module.register_forward_pre_hook(lambda m, inputs: seen.modes.append(bool(m.training)))
    for batch in case.sample.batches(0, calls):
        before = [np.array(case.engine.array(p)) for p in model.parameters()]
        _call(subject, model, optimizer, batch)
        moved = [case.engine.array(p) - b for p, b in zip(model.parameters(), before, strict=True)]
        seen.moves.append(joint_norm(moved))
    return seen


def _noisy(module: Any) -> bool:
    kind = type(module).__name__
    return "Dropout" in kind or "BatchNorm" in kind


def _call(subject: Subject, model: Any, optimizer: Any, batch: Sample, step: Train | None = None) -> Any:
    """The user's step on a copy and a batch of ours; an InputError where it fails, or reaches past its arguments."""
    case = subject.case
    step = step or subject.train_step
    assert step is not None
    tensors = [case.engine.tensor(x) for x in (*batch.inputs, batch.targets)]
    with _untouched(subject), case.engine.recording(), quietly():
        try:
            return step(model, optimizer, *tensors)
        except Exception as problem:
            raise InputError(
                f"train_step failed: {problem}",
                where="diagnose(train_step=…)",
                do="write it as train_step(model, optimizer, *batch), one step on one batch",
            ) from problem


@contextmanager
def _untouched(subject: Subject) -> Iterator[None]:
    """A step that works on the user's model instead of the copy it is given is undone, and refused."""
    engine, theirs = subject.case.engine, subject.model
    held = [*theirs.parameters(), *theirs.buffers()]
    before = [np.array(engine.array(t)) for t in held]
    grads = [None if (g := getattr(t, "grad", None)) is None else np.array(engine.array(g)) for t in held]
    yield
    changed = [not np.array_equal(engine.array(t), b, equal_nan=True) for t, b in zip(held, before, strict=True)]
    stray = [(g is None) != (getattr(t, "grad", None) is None) for t, g in zip(held, grads, strict=True)]
    if any(changed) or any(stray):
        for tensor, array, grad in zip(held, before, grads, strict=True):
            engine.write(tensor, array)
            engine.put_gradient(tensor, grad)
        raise InputError(
            "train_step works on your model itself, not on the one it is given",
            where="diagnose(train_step=…)",
            do="use the arguments only: def train_step(model, optimizer, *batch)",
        )


def _marker_shares(subject: Subject, seed: int = 0) -> list[float]:
    """How much of what the optimiser meets is a marker put into the gradients after its step before (cos²).

    0 where gradients are cleared somewhere between two steps, 1 where they pile up; [] where that cannot be told. The
    optimiser's own step is left out: the marker would throw the parameters far off.
    """
    case, shares = subject.case, []
    model, _, optimizer = case.copies()
    random = np.random.default_rng(seed)
    learnt = [p for p in model.parameters() if p.requires_grad]
    marks = [random.choice([-1.0, 1.0], size=tuple(p.shape)) for p in learnt]
    dtype, closures, steps = case.engine.float_dtype(model), [], [0]

    def step(*arguments: Any, **options: Any) -> None:
        if arguments or options:
            closures.append(True)
        met = [_gradient(case, p) for p in learnt]
        if steps[0]:
            shares.append(_cosine(met, marks) ** 2)
        steps[0] += 1
        size = 1e3 * max(joint_norm(met), 1e-3)
        for parameter, held, mark in zip(learnt, met, marks, strict=True):
            case.engine.put_gradient(parameter, ((0.0 if held is None else held) + size * mark).astype(dtype))

    optimizer.step = step
    with case.engine.seeded(0):
        for batch in case.sample.batches(0, 2 * _CALLS):
            _call(subject, model, optimizer, batch)
            if len(shares) >= _CALLS or closures:
                break
    return [] if closures else shares


def _cosine(met: list[np.ndarray | None], marks: list[np.ndarray]) -> float:
    product = sum(float(np.sum(g * m)) for g, m in zip(met, marks, strict=True) if g is not None)
    return product / max(joint_norm(met) * joint_norm(marks), 1e-300)


# --- trying -------------------------------------------------------------------------------------------------------------


def stepped(subject: Subject, step: Train | None, seed: int) -> tuple[Any, bool]:
    """A copy after the case's number of steps by a training step (None: the ordinary one), and whether it is finite."""
    case = subject.case
    if step is None:
        run = train(case, seed)
        return run.model, run.finite
    model, _, optimizer = case.copies()
    with case.engine.seeded(seed):
        for batch in case.sample.batches(seed, case.steps):
            _call(subject, model, optimizer, batch, step)
    finite = all(np.all(np.isfinite(case.engine.array(p))) for p in model.parameters())
    return model, bool(finite)


def compare_steps(subject: Subject, before: Train, after: Train | None, measure: Measure) -> Effect:
    """Two training steps side by side, from the same start and with the same batches."""
    case = subject.case

    def outcome(step: Train | None, seed: int) -> float:
        model, finite = stepped(subject, step, seed)
        return measure.of(case, model, case.sample) if finite else np.inf

    def both() -> list[tuple[float, float]]:
        return [(outcome(before, seed), outcome(after, seed)) for seed in case.seeds]

    def means(pairs: list[tuple[float, float]]) -> tuple[float, float]:
        with quietly():
            return float(np.mean([b for b, _ in pairs])), float(np.mean([a for _, a in pairs]))

    each = both()
    found = means(each)
    return Effect(measure.name, *found, case.steps, len(case.seeds), f"{len(case.sample)} rows", tuple(each),
                  lambda: means(both()))  # fmt: skip
