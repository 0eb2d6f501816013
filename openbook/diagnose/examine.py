"""`diagnose`: every check in the order of causes, each on the case as repaired so far."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from openbook.diagnose import checks as _checks  # to import them is to have them
from openbook.diagnose import working as _working  # findings explain themselves
from openbook.diagnose.case import Case, quietly
from openbook.diagnose.check import CHECKS, Subject, Verdict, examine
from openbook.diagnose.diagnosis import Diagnosis
from openbook.diagnose.engines import engine_of
from openbook.diagnose.facts import facts_of
from openbook.diagnose.finding import Finding
from openbook.diagnose.sample import read_sample
from openbook.errors import DTypeError, InputError
from openbook.threads import one_blas_thread

__all__ = ["codes", "diagnose"]

del _working
_PATIENCE = 2.0  # seconds before progress is shown


def codes() -> Mapping[str, str]:
    """All codes with the faults they stand for."""
    return {code: CHECKS[code].title for code in sorted(CHECKS)}


def diagnose(
    model: Any,
    data: Any,
    loss: Callable[[Any, Any], Any],
    optimizer: Any = None,
    *,
    train_step: Callable[..., Any] | None = None,
    predict: Callable[..., Any] | None = None,
    ignore: Iterable[str] = (),
    steps: int = 150,
    rows: int = 2048,
    batch_size: int | None = None,
    seconds: float = 300.0,
    progress: bool | None = None,
) -> Diagnosis:
    """Say why a model does not learn, each fault with its evidence and a fix that was tried on a copy.

    `model` is an `openbook.nn.Module` or a `torch.nn.Module`; `data` is `(X, y)` (arrays or tensors; X may be a tuple of
    several) or a DataLoader; `loss(outputs, targets)` a module or function; `optimizer` the one it is trained with. Without
    one, fixes are tried with Adam, and what concerns the optimiser is not looked at.

    `train_step(model, optimizer, *batch)` is your own training step, and `predict(model, *inputs)` your way of predicting:
    with them, faults of the loop are found too (gradients not cleared, the wrong mode). They are called on copies only.

    `ignore` mutes codes ("OB007", …). A fix is tried for `steps` steps from each of two seeds, on at most `rows` rows spread
    evenly over the data, in batches of `batch_size` (the loader's; else all rows, 128 at most). After `seconds` no further
    check is begun; what was not looked at is said. `progress` shows a line on standard error (by default, on a terminal,
    when it takes longer than two seconds). Nothing of yours is changed: not the model, the optimiser or the data, nor the
    state of any random generator.
    """
    muted = _muted(ignore)
    engine = engine_of(model)
    if not callable(loss):
        raise DTypeError("the loss is a module or function of outputs and targets", where="diagnose")
    for name, value in (("steps", steps), ("rows", rows), ("seconds", seconds)):
        if not value > 0:
            raise InputError(f"{name}={value} leaves nothing to look at", where="diagnose", do="give a positive number")
    with engine.seeded(0), quietly(), one_blas_thread():
        sample = read_sample(data, rows, batch_size, engine.float_dtype(model))
        shown = Case(engine, model, loss, optimizer, sample, steps)
        own_model, own_loss, own_optimizer = shown.copies()
        if own_optimizer is None and any(p.requires_grad for p in own_model.parameters()):
            own_optimizer = engine.optim.Adam([p for p in own_model.parameters() if p.requires_grad], lr=0.01)
        case = Case(engine, own_model, own_loss, own_optimizer, sample, steps)
        _require_inputs_fit(case)
        subject = Subject(case, model, optimizer, train_step, predict)
        return _looked(subject, muted, seconds, progress)


def _require_inputs_fit(case: Case) -> None:
    """Nothing can be said of a model that fails on the data; the loss may fail, and that is a finding."""
    try:
        case.outputs()
    except Exception as problem:
        raise InputError(
            f"the model does not take these inputs, {' and '.join(str(x.shape) for x in case.sample.inputs)}: {problem}",
            where="diagnose",
            do="give inputs as model(inputs) takes them, rows first",
        ) from problem


def _muted(ignore: Iterable[str]) -> frozenset[str]:
    muted = frozenset([ignore] if isinstance(ignore, str) else ignore)
    unknown = sorted(muted - set(CHECKS))
    if unknown:
        raise InputError(
            f"there is no code {', '.join(map(repr, unknown))}",
            where="diagnose(ignore=…)",
            do=f"choose from {', '.join(sorted(CHECKS))}",
        )
    return muted


def _looked(subject: Subject, muted: frozenset[str], seconds: float, progress: bool | None) -> Diagnosis:
    started = time.monotonic()
    found: list[Finding] = []
    let_go: dict[str, str] = {}
    late: list[str] = []
    at = [n for n in _checks.ORDER if n.code not in muted]
    case = subject.case
    with _shown(progress) as say:
        for number, check in enumerate(at):
            if time.monotonic() - started > seconds:
                late = [c.code for c in at[number:]]
                break
            say(number, len(at), check.title)
            verdict = examine(check(), _with_case(subject, case))
            found, case = _kept(verdict, found, case)
            if verdict.let_go:
                let_go[check.code] = verdict.let_go
    if not late and (problem := facts_of(case).problem):
        raise InputError(
            f"the loss does not take these outputs and targets, and no fix that is tried here helps: {problem}",
            where="diagnose",
            do="make loss(model(inputs), targets) give a number first",
        )
    return Diagnosis(
        model=type(subject.model).__name__,
        findings=tuple(found),
        looked_at=tuple(c.code for c in at if c.code not in late),
        let_go=let_go,
        muted=tuple(sorted(muted)),
        too_late=tuple(late),
        rows=(len(case.sample), case.sample.rows_given),
    )


def _with_case(subject: Subject, case: Case) -> Subject:
    return Subject(case, subject.model, subject.optimizer, subject.train_step, subject.predict)


def _kept(verdict: Verdict, found: list[Finding], case: Case) -> tuple[list[Finding], Case]:
    if verdict.finding is None:
        return found, case
    return [*found, verdict.finding], verdict.case or case


@contextmanager
def _shown(progress: bool | None) -> Iterator[Callable[[int, int, str], None]]:
    """A line on standard error that says what is being looked at; nothing in pipes, unless asked for."""
    wanted = sys.stderr.isatty() if progress is None else progress
    started = time.monotonic()
    written = 0

    def say(done: int, of: int, what: str) -> None:
        nonlocal written
        if wanted and (progress or time.monotonic() - started > _PATIENCE):
            line = f"diagnose {done + 1}/{of}: {what}"
            sys.stderr.write(f"\r{line:<{written}}")
            sys.stderr.flush()
            written = len(line)

    try:
        yield say
    finally:
        if written:
            sys.stderr.write("\r" + " " * written + "\r")
            sys.stderr.flush()
