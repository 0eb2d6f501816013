"""The loss against what it is given: broadcasting, the wrong loss for the targets, an activation applied twice."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from openbook.diagnose.case import Case, calm, quietly
from openbook.diagnose.check import Check, Fix, Subject, Suspicion
from openbook.diagnose.checks.probe import last_operation
from openbook.diagnose.facts import REGRESSION, Facts, facts_of, probabilities, surprise
from openbook.diagnose.sample import Sample
from openbook.diagnose.trial import LOSS, Measure
from openbook.expr import parse
from openbook.record import Step, Witness, given

__all__ = ["AppliedTwice", "Broadcasting", "WrongLoss"]

EVIDENCE = "Evidence"


class Broadcasting(Check):
    """Predictions (N, 1) against targets (N,): every prediction meets every target."""

    code = "OB004"
    title = "the loss broadcasts predictions against targets"

    def suspect(self, subject: Subject) -> Suspicion | None:
        case = subject.case
        facts, y = facts_of(case), case.sample.targets
        outputs = facts.outputs
        if outputs is None or outputs.shape == y.shape or outputs.size != y.size or outputs.size < 2:
            return None
        if facts.loss_kind in ("cross_entropy", "nll_loss"):
            return None
        aligned = case.with_(adapt=lambda given, targets: given.reshape(targets.shape))
        if facts_of(aligned).problem:
            return None
        wanted = facts_of(aligned).now
        if not facts.problem and math.isclose(facts.now, wanted, rel_tol=1e-4):
            return None
        n = given("N", len(y), f"predictions {outputs.shape}, targets {y.shape}", EVIDENCE)
        pairs = Step("pairs", outputs.size * y.size, parse("N*N"), (n,), rule="every prediction with every target",
                     part=EVIDENCE) if outputs.size == len(y) else n  # fmt: skip
        numbers = [n, pairs] if pairs is not n else [n]
        if facts.problem:
            numbers.append(given("the loss", "refused", facts.problem, EVIDENCE))
        else:
            numbers.append(given("loss as given", facts.now, "the mean over all pairs", EVIDENCE))
        numbers.append(Step("loss row by row", wanted, rule="each prediction with its own target", part=EVIDENCE,
                            witnesses=tuple(_by_hand(facts, outputs, y))))  # fmt: skip
        return Suspicion(
            where=f"predictions {outputs.shape} against targets {y.shape}",
            says="The loss pairs every prediction with every target, so its gradient pulls all predictions to one value.",
            evidence=tuple(numbers),
            fixes=(Fix("give both one shape: loss(outputs, targets.reshape(outputs.shape))", lambda c: aligned),),
            measure=Measure("loss row by row", lambda c, model, sample: aligned.measure(model, sample)),
        )


def _by_hand(facts: Facts, outputs: np.ndarray, y: np.ndarray) -> Iterator[Witness]:
    d = outputs.reshape(-1).astype(np.float64) - y.reshape(-1)
    if facts.loss_kind in ("mse_loss", "l1_loss"):
        power = 2 if facts.loss_kind == "mse_loss" else 1
        yield Witness("a loop over the rows", lambda: math.fsum(abs(v) ** power for v in d) / len(d), rtol=1e-4)


# --- the wrong loss ------------------------------------------------------------------------------------------------------


class WrongLoss(Check):
    """A loss for classes on real numbers, one for numbers on classes, indices for one-hot rows, and their kin."""

    code = "OB012"
    title = "the loss does not fit the targets"

    def suspect(self, subject: Subject) -> Suspicion | None:
        case = subject.case
        facts = facts_of(case)
        if facts.outputs is None or facts.outputs.ndim < 1 or len(facts.outputs) != len(case.sample):
            return None
        for look in (_classes_loss, _binary_loss, _numbers_loss):
            suspicion = look(case, facts)
            if suspicion is not None:
                return suspicion
        return None


def _columns(facts: Facts) -> int:
    outputs = facts.outputs
    assert outputs is not None
    return 1 if outputs.ndim == 1 else outputs.shape[1]


def _with_targets(case: Case, targets: np.ndarray, **changes: Any) -> Case:
    return case.with_(sample=replace(case.sample, targets=targets), **changes)


def _wrong_share(labels: np.ndarray, values: np.ndarray | None = None) -> Measure:
    """The share of rows called wrongly, by whatever the case's loss reads in its outputs."""

    def of(case: Case, model: Any, sample: Sample) -> float:
        scores = case.outputs(model, sample)
        scores = scores.reshape(len(scores), -1)
        kind = facts_of(case).loss_kind
        if scores.shape[1] > 1:
            calls = scores.argmax(axis=1)
        elif kind in ("bce", "bce_with_logits"):
            calls = (scores[:, 0] > (0.5 if kind == "bce" else 0)).astype(int)
        elif values is not None:
            calls = np.abs(scores - values[None, :]).argmin(axis=1)
        else:
            calls = np.zeros(len(labels), int)  # a softmax over one column always says the same
        truth = labels
        if values is not None:  # of these very rows: before the fix their targets are the values, after it the numbers
            flat = sample.targets.reshape(-1)
            truth = flat if kind == "cross_entropy" else np.searchsorted(values, flat)
        return float(np.mean(calls != truth))

    return Measure("share of rows called wrongly", of)


def _suspicion(
    where: str, says: str, evidence: list[Step], fixes: list[Fix], measure: Measure, scale: float
) -> Suspicion:
    return Suspicion(where, says, tuple(evidence), tuple(fixes), measure, scale=scale)


def _seen(case: Case, facts: Facts) -> list[Step]:
    y = case.sample.targets
    numbers = [
        given("output columns", _columns(facts), "", EVIDENCE),
        given("targets", f"{y.dtype} {y.shape}", f"{len(np.unique(y))} different values, {y.min():g} to {y.max():g}",
              EVIDENCE),
    ]  # fmt: skip
    if facts.problem:
        numbers.append(given("the loss", "refused", facts.problem, EVIDENCE))
    return numbers


def _classes_loss(case: Case, facts: Facts) -> Suspicion | None:
    """Cross-entropy and its kin."""
    if facts.loss_kind not in ("cross_entropy", "nll_loss"):
        return None
    y, labels, columns = case.sample.targets, facts.labels, _columns(facts)
    where, seen = f"{facts.loss_kind} on targets {y.dtype} {y.shape}", _seen(case, facts)
    if labels is None:
        if y.dtype.kind == "f" and y.size == facts.outputs.size and not facts.whole:  # type: ignore[union-attr]
            return _real_targets(case, where, seen)
        return None
    if columns == 1 and facts.classes == 2:
        return _one_column(case, labels, where, seen)
    if columns == 1:
        return None
    wrong = _wrong_share(labels)
    if facts.problem:
        indices = y.argmax(axis=1) if facts.one_hot else labels if _beyond(y, columns) else y.reshape(len(y))
        fixed = _with_targets(case, indices.astype(np.int64))
        words = "give the loss the classes' numbers, from 0, as int64: " + (
            "targets.argmax(1)"
            if facts.one_hot
            else "targets - targets.min()"
            if _beyond(y, columns)
            else "targets.long()"
        )
        return _suspicion(where, "The loss wants one whole number from 0 for each row, and is given something else.", seen,
                          [Fix(words, lambda c: fixed)], wrong, 1.0)  # fmt: skip
    if facts.loss_kind == "nll_loss":
        return _nll_of_what(case, facts, labels, where, seen)
    return None


def _beyond(y: np.ndarray, columns: int) -> bool:
    return y.ndim == 1 and bool(y.max() >= columns)


def _real_targets(case: Case, where: str, seen: list[Step]) -> Suspicion:
    fixed = case.with_(loss=case.engine.nn.MSELoss(), adapt=lambda outputs, targets: outputs.reshape(targets.shape))
    share = float(np.mean(case.sample.targets != np.round(case.sample.targets)))
    seen.append(given("share of targets that are no whole number", share, "classes are whole numbers", EVIDENCE))
    return _suspicion(where, "The targets are real numbers, and this loss is for classes.", seen,
                      [Fix("use MSELoss", lambda c: fixed)], _unexplained(), 1.0)  # fmt: skip


def _unexplained() -> Measure:
    def of(case: Case, model: Any, sample: Sample) -> float:
        outputs = case.outputs(model, sample).reshape(-1).astype(np.float64)
        y = sample.targets.reshape(-1).astype(np.float64)
        return float(np.mean((outputs - y) ** 2) / np.var(y))

    return Measure("share of variance unexplained", of)


def _one_column(case: Case, labels: np.ndarray, where: str, seen: list[Step]) -> Suspicion:
    shape = facts_of(case).outputs.shape  # type: ignore[union-attr]
    dtype = case.engine.float_dtype(case.model)
    fixed = _with_targets(case, labels.reshape(shape).astype(dtype), loss=case.engine.nn.BCEWithLogitsLoss())
    seen.append(given("softmax of one number", 1.0, "e^z / e^z, whatever z is: no gradient", EVIDENCE))
    return _suspicion(where, "A softmax over a single column is 1 whatever the network says: there is nothing to learn from.",
                      seen, [Fix("use BCEWithLogitsLoss, with float targets of the outputs' shape", lambda c: fixed)],
                      _wrong_share(labels), 1.0)  # fmt: skip


def _nll_of_what(case: Case, facts: Facts, labels: np.ndarray, where: str, seen: list[Step]) -> Suspicion | None:
    """NLLLoss reads log-probabilities: the exponentials of a row must add up to 1."""
    scores = facts.outputs.astype(np.float64)  # type: ignore[union-attr]
    if scores.ndim != 2:
        return None
    totals = np.exp(scores).sum(axis=1)
    worst = float(np.max(np.abs(totals - 1)))
    if worst < 1e-3:
        return None
    seen.append(Step("largest |Σ exp − 1|", worst, rule="log-probabilities would give 0", part=EVIDENCE, witnesses=(
        Witness("row by row", lambda: max(abs(math.fsum(map(math.exp, row)) - 1) for row in scores), rtol=1e-9),)))  # fmt: skip
    by_probability = bool(np.allclose(scores.sum(axis=1), 1, atol=1e-4) and scores.min() >= 0)
    if by_probability:
        fixed = case.with_(adapt=lambda outputs, targets: outputs.clamp(min=1e-12).log())
        words = "give NLLLoss log-probabilities: LogSoftmax in place of Softmax"
    else:
        fixed = case.with_(loss=_like(case, "CrossEntropyLoss"))
        words = "use CrossEntropyLoss, which takes logits (or put LogSoftmax before NLLLoss)"

    def log_loss(judged: Case, model: Any, sample: Sample) -> float:
        given_scores = case.outputs(model, sample).astype(np.float64)  # without any fix between
        read = given_scores if by_probability else probabilities("cross_entropy", given_scores, facts.classes)
        return surprise(read, labels)  # type: ignore[arg-type]

    return Suspicion(where, "The loss takes the outputs for log-probabilities, and they are not: it can fall without end.",
                     tuple(seen), (Fix(words, lambda c: fixed),), Measure("log loss", log_loss))  # fmt: skip


def _like(case: Case, name: str) -> Any:
    """Another loss with this one's weights of classes, if it has any."""
    weight = getattr(case.loss, "weight", None)
    kind = getattr(case.engine.nn, name)
    return kind() if weight is None else kind(weight)


def _binary_loss(case: Case, facts: Facts) -> Suspicion | None:
    """Binary cross-entropy, from probabilities or log-odds."""
    if facts.loss_kind not in ("bce", "bce_with_logits"):
        return None
    y, labels, columns = case.sample.targets, facts.labels, _columns(facts)
    where, seen = f"{facts.loss_kind} on targets {y.dtype} {y.shape}", _seen(case, facts)
    outputs = facts.outputs
    assert outputs is not None
    dtype = case.engine.float_dtype(case.model)
    if columns > 1 and labels is not None and y.size == len(y) and facts.problem:
        fixed = _with_targets(case, labels, loss=_like(case, "CrossEntropyLoss"))
        return _suspicion(where, "There is a column for each class and one class for each row: that is cross-entropy's case.",
                          seen, [Fix("use CrossEntropyLoss", lambda c: fixed)], _wrong_share(labels), 1.0)  # fmt: skip
    if labels is not None and columns == 1 and (y.min() < 0 or y.max() > 1) and facts.classes == 2:
        fixed = _with_targets(case, labels.reshape(y.shape).astype(dtype))
        return _suspicion(where, "The targets are not 0 and 1, and the loss has no lower end for others.", seen,
                          [Fix("give 0 and 1 as targets: (targets == targets.max()).float()", lambda c: fixed)],
                          _wrong_share(labels), 1.0)  # fmt: skip
    if facts.loss_kind == "bce" and (outputs.min() < 0 or outputs.max() > 1):
        fixed = case.with_(loss=_like(case, "BCEWithLogitsLoss"))
        seen.append(
            given("outputs", f"{outputs.min():.4g} to {outputs.max():.4g}", "probabilities lie in 0 to 1", EVIDENCE)
        )
        return Suspicion(where, "The loss takes probabilities, and the outputs are log-odds.", tuple(seen),
                         (Fix("use BCEWithLogitsLoss, or put a Sigmoid at the end", lambda c: fixed),))  # fmt: skip
    if facts.problem and y.dtype.kind != "f" and y.size == outputs.size:
        fixed = _with_targets(case, y.reshape(outputs.shape).astype(dtype))
        return Suspicion(where, "The loss wants the targets as floating-point numbers.", tuple(seen),
                         (Fix("give float targets of the outputs' shape: targets.float()", lambda c: fixed),))  # fmt: skip
    return None


def _numbers_loss(case: Case, facts: Facts) -> Suspicion | None:
    """Squared error and its kin on classes: distances between the classes' numbers mean nothing."""
    labels, columns = facts.labels, _columns(facts)
    if (
        facts.loss_kind not in REGRESSION
        or labels is None
        or facts.classes < 3
        or case.sample.targets.size != len(labels)
    ):
        return None
    values = np.unique(case.sample.targets).astype(np.float64)
    where, seen = f"{facts.loss_kind} on {facts.classes} classes", _seen(case, facts)
    seen.append(given("classes", facts.classes, "whole numbers, each many times", EVIDENCE))
    wrong = _wrong_share(labels, values)
    entropy_loss = case.engine.nn.CrossEntropyLoss()
    if columns >= facts.classes:
        fix = Fix("use CrossEntropyLoss, with the classes' numbers as int64",
                  lambda c: _with_targets(c, labels, loss=entropy_loss))  # fmt: skip
    elif columns == 1 and _last_linear(case.model) is not None:
        fix = Fix(f"give the last layer {facts.classes} outputs and use CrossEntropyLoss",
                  lambda c: _widened(c, facts.classes, labels, entropy_loss))  # fmt: skip
    else:
        return None
    return Suspicion(where, "The loss measures distances between the numbers of classes, and these mean nothing.",
                     tuple(seen), (fix,), wrong, scale=2.0, share=0.25, steps=2 * case.steps, held_out=True)  # fmt: skip


def _last_linear(model: Any) -> tuple[str, Any] | None:
    found = [(path, m) for path, m in model.named_modules() if type(m).__name__ == "Linear"]
    return found[-1] if found and found[-1][0] and found[-1][1].out_features == 1 else None


def _widened(case: Case, classes: int, labels: np.ndarray, loss: Any) -> Case:
    def edit(model: Any, optimizer: Any) -> None:
        path, old = _last_linear(model)  # type: ignore[misc]
        with case.engine.recording():
            new = case.engine.nn.Linear(old.in_features, classes)
            new.to(next(iter(old.parameters())).dtype)
        parent, _, name = path.rpartition(".")
        setattr(dict(model.named_modules())[parent], name, new)
        optimizer.add_param_group({"params": list(new.parameters())})

    # What stood between the one column and the loss (a squeeze, a reshape) was for one column.
    return case.edited(edit, sample=replace(case.sample, targets=labels), loss=loss, adapt=None)


# --- an activation applied twice ------------------------------------------------------------------------------------------


class AppliedTwice(Check):
    """Softmax or sigmoid at the end of a network, and once more inside the loss."""

    code = "OB003"
    title = "softmax or sigmoid applied twice"

    def suspect(self, subject: Subject) -> Suspicion | None:
        case = subject.case
        facts = facts_of(case)
        if facts.problem or facts.loss_kind not in ("cross_entropy", "bce_with_logits") or facts.outputs is None:
            return None
        outputs = facts.outputs.astype(np.float64)
        if outputs.size < 2 or outputs.min() < 0 or outputs.max() > 1:
            return None
        ending = _ending(case, outputs)
        if not ending or (ending == "softmax" and facts.loss_kind != "cross_entropy"):
            return None
        fixed = case.with_(adapt=_logits_again(case, ending))
        evidence = [*_bounds(outputs, ending), *_floor(facts, outputs)]
        words = f"remove the {ending} at the end: the loss takes logits"
        return Suspicion(
            where="the end of the network",
            says=f"The network ends in a {ending}, and the loss applies its own: the answers can never be sure, and the "
            "gradients stay small.",
            evidence=tuple(evidence),
            fixes=(
                Fix(words, lambda c: fixed, _own_log_loss(case, facts)),
                Fix(words, lambda c: fixed, Measure("log loss of the probabilities that the loss reads", LOSS.of)),
            ),
        )


def _ending(case: Case, outputs: np.ndarray) -> str:
    if outputs.ndim >= 2 and outputs.shape[1] > 1 and np.allclose(outputs.sum(axis=1), 1, atol=1e-4):
        return "softmax"
    with case.engine.recording(), case.engine.seeded(0), quietly():
        last = last_operation(case, case.forward(calm(case.fresh()), case.sample))
    return "sigmoid" if last in ("sigmoid", "hardsigmoid") else ""


def _logits_again(case: Case, ending: str) -> Callable[[Any, Any], Any]:
    """The logits from the probabilities: what the loss would be given without the activation."""
    tiny = float(np.finfo(case.engine.float_dtype(case.model)).eps)
    between = case.adapt

    def adapt(outputs: Any, targets: Any) -> Any:
        p = (outputs if between is None else between(outputs, targets)).clamp(min=tiny, max=1 - tiny)
        return p.log() if ending == "softmax" else p.log() - (1 - p).log()

    return adapt


def _bounds(outputs: np.ndarray, ending: str) -> list[Step]:
    if ending == "softmax":
        worst = float(np.max(np.abs(outputs.sum(axis=1) - 1)))
        again = Witness("row by row", lambda: max(abs(math.fsum(r.ravel()) - 1) for r in outputs[:, :, ...]) if
                        outputs.ndim == 2 else worst, atol=1e-9)  # fmt: skip
        return [Step("largest |Σ outputs − 1|", worst, rule="0 for probabilities", part=EVIDENCE, witnesses=(again,))]
    return [given("least output", float(outputs.min()), "", EVIDENCE), given("largest output", float(outputs.max()), "all "
            "between 0 and 1: a sigmoid gave them", EVIDENCE)]  # fmt: skip


def _floor(facts: Facts, outputs: np.ndarray) -> list[Step]:
    """No weights bring the loss below this, for the scores it is given end at 0 and 1."""
    why = "not even with every answer right and sure"
    if facts.loss_kind == "cross_entropy" and outputs.ndim == 2:
        C = given("C", outputs.shape[1], "classes", EVIDENCE)
        value = math.log(1 + (C.value - 1) * math.exp(-1))
        return [C, Step("least loss possible", value, parse("log(1 + (C - 1)*exp(-1))"), (C,), why=why,
                        rule="the loss's softmax of 1 and zeros", part=EVIDENCE)]  # fmt: skip
    if facts.labels is None or facts.classes != 2:
        return []
    share = given("s", float(np.mean(facts.labels)), "share of ones among the targets", EVIDENCE)
    value = share.value * math.log(1 + math.exp(-1)) + (1 - share.value) * math.log(2)
    return [share, Step("least loss possible", value, parse("s*log(1 + exp(-1)) + (1 - s)*log(2)"), (share,), why=why,
                        rule="the loss's sigmoid of 1 and of 0", part=EVIDENCE)]  # fmt: skip


def _own_log_loss(case: Case, facts: Facts) -> Measure:
    """By the probabilities the network itself gives, before the loss squeezes them again."""
    y, labels = case.sample.targets, facts.labels

    def of(judged: Case, model: Any, sample: Sample) -> float:
        p = np.clip(case.outputs(model, sample).astype(np.float64), 1e-12, 1 - 1e-12)
        if facts.loss_kind == "bce_with_logits":
            t = y.reshape(p.shape)
            return float(-np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)))
        if labels is None or p.ndim != 2:
            return judged.measure(model, sample)
        p = p / p.sum(axis=1, keepdims=True)
        return surprise(p, labels)

    return Measure("log loss of the network's own probabilities", of)
