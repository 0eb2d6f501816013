"""A working that is wrong anywhere says so; one that is right says on how many digits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

import openbook as ob
from openbook.errors import CheckError
from openbook.expr import parse
from openbook.record import Step, Witness, Working, given


def chain(z: float = 1.0, h: float | None = None) -> Working:
    """z → h = tanh z → L = ½(1 − h)²."""
    first = given("z", z)
    second = Step("h", float(np.tanh(z)) if h is None else h, parse("tanh(z)"), (first,), rule="tanh")
    third = Step("L", 0.5 * (1 - second.value) ** 2, parse("0.5*(1 - h)**2"), (second,), rule="loss")
    return Working("chain", (first, second, third), third.value)


def test_a_right_working_passes_end_to_end() -> None:
    verification = chain().check()
    assert verification.passed and verification.end_to_end is not None
    assert verification.end_to_end.digits > 12


@settings(max_examples=40, deadline=None)
@forall(st.floats(-3, 3), st.sampled_from([1e-12, 1e-9, 1e-6, 1e-3]))
def test_a_wrong_digit_is_found(z: float, slip: float) -> None:
    """Whatever the digit: the step's own formula disagrees with it."""
    wrong = float(np.tanh(z)) + slip
    with pytest.raises(CheckError, match="h is"):
        chain(z, wrong).check()


@pytest.mark.parametrize("name", ["z", "h", "L", "dL/dh", "dL/dz", "dL/dw"])
def test_every_step_of_part_four_is_guarded(name: str) -> None:
    working = ob.explain("0.5*(y - tanh(w*x + b))**2", x=2, y=1, w=0.5, b=0)
    steps = tuple(replace(s, value=s.value + 1e-9) if s.name == name else s for s in working.steps)
    assert not replace(working, steps=steps).verification.passed
    assert working.verification.passed


def test_a_wrong_formula_is_found() -> None:
    x = given("x", 3.0)
    step = Step("y", 9.0, parse("x**2 + 1"), (x,))
    with pytest.raises(CheckError):
        Working("", (x, step), 9.0).check()


def test_a_lying_witness_is_found() -> None:
    step = Step("n", 3, witnesses=(Witness("counting", lambda: 4),))
    assert not Working("", (step,), 3).verification.passed


def test_what_nobody_checks_is_named() -> None:
    x = given("x", 1.0)
    claimed = Step("y", 2.0, None, (x,), rule="trust me")
    assert Working("", (x, claimed), 2.0).verification.unchecked == ("y",)
    assert "unchecked" in Working("", (x,), 1.0).verification.summary()


def test_float32_is_judged_as_float32() -> None:
    x = given("x", 0.1)
    value = float(np.tanh(np.float32(0.1)))
    coarse = Step("h", value, parse("tanh(x)"), (x,), dtype_eps=float(np.finfo(np.float32).eps))
    assert Working("", (x, coarse), value).verification.passed
    fine = replace(coarse, dtype_eps=0.0)
    assert not Working("", (x, fine), value).verification.passed


def test_only_agreed_digits_are_printed() -> None:
    """Central differences confirm some digits; no more than these are shown."""
    rough = Step("slope", 0.123456, witnesses=(Witness("by eye", lambda: 0.1236, rtol=1e-2),))
    working = Working("", (rough,), rough.value)
    assert working.digits(rough, 6) == 2
