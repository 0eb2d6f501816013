"""Wrong digits, planted one at a time into workings of every kind: each is found, or the step says that nobody checks it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from openbook.expr import Expr, Number, evaluate
from openbook.record import Step
from openbook.record.verify import check_step
from tests.gallery import GALLERY, working


def numbers(value: Any) -> np.ndarray | None:
    """The value as floats; None where it is a formula, a text or a truth value."""
    if isinstance(value, (Expr, str, bool)) or value is None:
        return None
    return np.asarray(value, np.float64)


def is_rounding(value: Any) -> bool:
    """Whether a number is what rounding left of zero: it has no digits that could be wrong."""
    array = numbers(value)
    return array is not None and bool(np.max(np.abs(array), initial=0.0) < 1e-12)


def with_wrong_digit(value: Any) -> Any:
    """The fourth digit of the largest entry one higher; of a formula and of a zero, a thousandth more."""
    array = numbers(value)
    if array is None:
        return value + Number(0.001) if isinstance(value, Expr) else f"{value}!"
    place = np.unravel_index(int(np.argmax(np.abs(array))), array.shape)
    size = 0.0 if is_rounding(array) else abs(float(array[place]))
    array = array.copy()
    array[place] += 10.0 ** (math.floor(math.log10(size)) - 3) if size else 1e-3
    return array if array.ndim else float(array)


def with_wrong_sign(value: Any) -> Any:
    """The other sign; None where there is no number, or a zero, which has none."""
    return None if numbers(value) is None or is_rounding(value) else -value


def slips(step: Step) -> Iterator[tuple[str, Step]]:
    """The step with one mistake of each kind that is a mistake here."""
    yield "digit", replace(step, value=with_wrong_digit(step.value))
    if (other := with_wrong_sign(step.value)) is not None:
        yield "sign", replace(step, value=other)
    for i, j in zip(range(len(step.inputs)), range(1, len(step.inputs)), strict=False):
        swapped = [replace(s) for s in step.inputs]
        swapped[i], swapped[j] = (
            replace(step.inputs[i], value=step.inputs[j].value),
            replace(step.inputs[j], value=step.inputs[i].value),
        )
        if matters(step, swapped):
            yield f"{step.inputs[i].name} and {step.inputs[j].name} swapped", replace(step, inputs=tuple(swapped))


def matters(step: Step, inputs: list[Step]) -> bool:
    """Whether the formula gives another number for these inputs: b + a is a + b."""
    if step.formula is None or any(numbers(s.value) is None for s in inputs):
        return False
    if any(np.shape(a.value) != np.shape(b.value) for a, b in zip(step.inputs, inputs, strict=True)):
        return False
    with np.errstate(all="ignore"):
        now, then = (
            np.asarray(evaluate(step.formula, {s.name: np.asarray(s.value, np.float64) for s in those}), np.float64)
            for those in (step.inputs, inputs)
        )
        return bool(np.max(np.abs(now - then)) > 1e-4 * np.max(np.abs(now)))


@pytest.mark.parametrize("name", GALLERY)
def test_every_planted_slip_is_found(name: str) -> None:
    whole = working(name)
    assert whole.check().passed
    unchecked = {id(s) for s in whole.steps if not check_step(s)}
    missed = []
    for place, step in enumerate(whole.steps):
        if id(step) in unchecked:
            continue
        for slip, wrong in slips(step):
            steps = (*whole.steps[:place], wrong, *whole.steps[place + 1 :])
            if all(check.passed for check in check_step(wrong)) or replace(whole, steps=steps).verification.passed:
                missed.append(f"{step.name}: {slip}")
    assert not missed


@pytest.mark.parametrize("name", GALLERY)
def test_what_nobody_checks_is_said(name: str) -> None:
    """A value that is neither given nor derived a second way stands in the verdict."""
    whole = working(name)
    for step in whole.steps:
        if not check_step(step) and (step.inputs or step.formula is not None or step.rule not in ("given", "")):
            assert step.name in whole.verification.unchecked
    if whole.verification.unchecked:
        assert "not checked" in whole.verification.summary() and "not checked" in " ".join(whole.text().split())
