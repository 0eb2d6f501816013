"""Training and evaluation mode: dropout and batch norm behave differently in the two."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.diagnose.case import Case, calm, quietly
from openbook.diagnose.check import Check, Fix, Subject, Suspicion
from openbook.diagnose.checks.loops import call_step, compare_steps
from openbook.diagnose.facts import facts_of
from openbook.diagnose.finding import Effect
from openbook.diagnose.sample import Sample
from openbook.diagnose.trial import Measure
from openbook.errors import InputError
from openbook.record import Step, Witness, given

__all__ = ["WrongMode"]

EVIDENCE = "Evidence"
_BATCH = 8  # rows predicted together, where a prediction must not depend on its neighbours


class WrongMode(Check):
    """Trained in evaluation mode, used in training mode, or some of each."""

    code = "OB018"
    title = "training and evaluation mode confused"

    def suspect(self, subject: Subject) -> Suspicion | None:
        if facts_of(subject.case).problem or not _noisy(subject.case.model):
            return None
        looks = (_trained_in_eval, _predicts_in_train, _half_in_eval, _stale)
        return next((s for look in looks if (s := look(subject)) is not None), None)


def _noisy(model: Any) -> list[tuple[str, Any]]:
    """The modules whose doing depends on the mode."""
    return [
        (path, m)
        for path, m in model.named_modules()
        if ("Dropout" in type(m).__name__ and getattr(m, "p", 0.0) > 0) or "BatchNorm" in type(m).__name__
    ]


def _loss_in_use(case: Case, model: Any, sample: Sample) -> float:
    """The loss as predictions will have it: in evaluation mode."""
    with quietly(), case.engine.no_grad():
        model.eval()
        return float(case.engine.array(case.value(model, case.loss, sample)))


IN_USE = Measure("loss in evaluation mode", _loss_in_use)


def _trained_in_eval(subject: Subject) -> Suspicion | None:
    if subject.train_step is None:
        return None
    step = subject.train_step
    modes = call_step(subject, calls=2).modes
    if not modes or any(modes):
        return None

    def in_training(model: Any, optimizer: Any, *batch: Any) -> Any:
        model.train()
        return step(model, optimizer, *batch)

    names = ", ".join(path for path, _ in _noisy(subject.case.model)[:3])
    return Suspicion(
        where=f"train_step ({names})",
        says="Your training step runs in evaluation mode: batch norm learns no statistics, dropout drops nothing.",
        evidence=(given("calls in training mode", 0, f"of {len(modes)} calls of {names}", EVIDENCE),),
        fixes=(Fix("call model.train() before training", lambda c: c.edited(lambda model, _: model.train())),),
        trial=lambda c, fixed: compare_steps(subject, step, in_training, IN_USE),
        share=0.05,
    )


def _predictions(subject: Subject, model: Any, seed: int) -> np.ndarray:
    """The user's predictions on a copy, some rows at a time."""
    case, sample = subject.case, subject.case.sample
    assert subject.predict is not None
    found = []
    with case.engine.seeded(seed), quietly():
        for start in range(0, len(sample), _BATCH):
            part = sample.take(slice(start, start + _BATCH))
            try:
                given_outputs = subject.predict(model, *(case.engine.tensor(x) for x in part.inputs))
            except Exception as problem:
                raise InputError(
                    f"predict failed: {problem}", where="diagnose(predict=…)", do="write it as predict(model, *inputs)"
                ) from problem
            found.append(np.array(case.engine.array(given_outputs)))
    return np.concatenate(found)


def _predicts_in_train(subject: Subject) -> Suspicion | None:
    if subject.predict is None:
        return None
    case = subject.case

    def unrest() -> float:
        gap = np.abs(_predictions(subject, case.fresh(), 0) - _predictions(subject, case.fresh(), 1))
        return float(np.max(gap))

    model = case.fresh()
    calls: list[bool] = []
    for _, module in _noisy(model):
        module.register_forward_pre_hook(lambda m, inputs: calls.append(bool(m.training)))
    _predictions(subject, model, 0)
    if not any(calls):
        return None
    noise = Step("largest change", unrest(), rule="the same rows predicted twice, from two seeds", part=EVIDENCE,
                 why="a prediction in evaluation mode does not change", witnesses=(
                     Witness("both once more", unrest),))  # fmt: skip
    calls_seen = given(
        "calls in training mode", sum(calls), f"of {len(calls)} calls of dropout and batch norm", EVIDENCE
    )

    def trial(_: Case, fixed: Case) -> Effect:
        def outcome(start: Case, seed: int) -> float:
            outputs = case.engine.tensor(_predictions(subject, start.fresh(), seed))
            with quietly(), case.engine.no_grad():
                return float(case.engine.array(case.loss(outputs, case.engine.tensor(case.sample.targets))))

        each = [(outcome(case, s), outcome(fixed, s)) for s in case.seeds]
        before, after = (float(np.mean([pair[i] for pair in each])) for i in (0, 1))
        return Effect("loss of your predictions", before, after, 0, len(each), f"{len(case.sample)} rows, {_BATCH} at a time",
                      tuple(each))  # fmt: skip

    return Suspicion(
        where="predict",
        says="Predictions are made in training mode: dropout throws dice, batch norm looks at the neighbours.",
        evidence=(calls_seen, noise),
        fixes=(Fix("call model.eval() before predicting", lambda c: c.edited(lambda model, _: model.eval())),),
        trial=trial,
        repairs=False,
        share=0.05,
    )


def _half_in_eval(subject: Subject) -> Suspicion | None:
    """Training mode on the whole, and a part that was left in evaluation mode though it is learnt."""
    model = subject.case.model
    left = [
        path for path, m in _noisy(model)
        if model.training and not m.training and all(p.requires_grad for p in m.parameters())
    ]  # fmt: skip
    if not left or subject.train_step is not None:
        return None
    return Suspicion(
        where=", ".join(left[:3]),
        says="The model is in training mode, but a part of it was left in evaluation mode.",
        evidence=(given("modules in evaluation mode", len(left), ", ".join(left[:5]), EVIDENCE),),
        fixes=(Fix("call model.train() on the whole model", lambda c: c.edited(lambda m, _: m.train())),),
        measure=IN_USE,
    )


def _stale(subject: Subject) -> Suspicion | None:
    """Batch norm's running statistics are not those of the data."""
    case = subject.case
    norms = [(p, m) for p, m in _noisy(case.model) if getattr(m, "running_mean", None) is not None]
    counts = [int(case.engine.array(m.num_batches_tracked)) for _, m in norms if hasattr(m, "num_batches_tracked")]
    if not norms or not counts or min(counts) < 50 or len(case.sample) < 8:
        return None
    in_use, in_training = _loss_in_use(case, case.fresh(), case.sample), case.measure(case.fresh())
    if not in_use > 1.5 * in_training or in_training > 0.9 * facts_of(case).chance:
        return None
    evidence = (
        Step("loss in evaluation mode", in_use, rule="running statistics", part=EVIDENCE, witnesses=(
            Witness("float64", lambda: _loss_in_use(case.exact, case.exact.fresh(), case.exact.sample), rtol=1e-3),)),
        given("loss with the batch's statistics", in_training, "what the statistics should give", EVIDENCE),
        given("batches seen", min(counts), "by the norm that saw the fewest", EVIDENCE),
    )  # fmt: skip

    def estimated(start: Case) -> Case:
        def edit(model: Any, optimizer: Any) -> None:
            calm(model)
            for batch in case.sample.batches(0, 50):
                case.forward(model, batch)

        return start.edited(edit)

    def trial(_: Case, fixed: Case) -> Effect:
        after = _loss_in_use(case, fixed.fresh(), case.sample)
        return Effect("loss in evaluation mode", in_use, after, 0, 1, f"{len(case.sample)} rows", ((in_use, after),))

    return Suspicion(
        where=", ".join(path for path, _ in norms[:3]),
        says="In evaluation mode batch norm uses statistics that are not those of the data.",
        evidence=evidence,
        fixes=(Fix("estimate them again: 50 batches through model.train() without gradients", estimated),),
        trial=trial,
    )
