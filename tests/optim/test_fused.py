"""Rules as compiled loops: the bits of NumPy's passes, whatever the rule, the dtype and the length."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn, optim
from openbook.errors import InputError
from openbook.optim import fused
from openbook.optim.bucket import BLOCK, LARGE

RULES: dict[str, dict[str, Any]] = {
    "SGD": {},
    "SGD momentum": {"momentum": 0.9},
    "SGD dampening": {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01},
    "SGD Nesterov": {"momentum": 0.9, "nesterov": True, "maximize": True},
    "Adam": {},
    "Adam amsgrad": {"amsgrad": True, "weight_decay": 0.1},
    "AdamW": {"weight_decay": 0.1},
    "NAdam": {},
    "Adamax": {},
    "Adagrad": {"lr_decay": 0.1},
    "Adadelta": {},
    "RMSprop": {"centered": True, "momentum": 0.5},
}


def trained(rule: str, wish: bool | None, dtype: str, size: int = LARGE + 13, steps: int = 25) -> np.ndarray:
    """A parameter after steps by gradients of all sizes, zeros among them."""
    random = np.random.default_rng(3)
    parameter = nn.Parameter(ob.from_numpy(random.standard_normal(size).astype(dtype)))
    options = {**RULES[rule], "lr": 0.01}
    optimizer = getattr(optim, rule.split()[0])([parameter], **options, fused=wish)
    for step in range(steps):
        gradient = random.standard_normal(size) * 10.0 ** random.integers(-6, 3, size)
        gradient[::7] = 0
        parameter.grad = ob.from_numpy(gradient.astype(dtype))
        if step == 15:
            optimizer.param_groups[0]["lr"] = 0.003
        optimizer.step()
    return parameter.data


def fused_or_none(rule: str) -> bool:
    return "fused" in getattr(optim, rule.split()[0])([nn.Parameter(ob.zeros(1))]).param_groups[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rule", [rule for rule in RULES if fused_or_none(rule)])
def test_loops_have_the_bits_of_numpy(rule: str, dtype: str) -> None:
    with np.errstate(invalid="ignore"):  # RMSprop's centred mean of squares may fall below zero by rounding
        np.testing.assert_array_equal(trained(rule, True, dtype), trained(rule, False, dtype))


@pytest.mark.parametrize("size", [LARGE, BLOCK, BLOCK + 1, 2 * BLOCK + 17])
def test_any_length(size: int) -> None:
    np.testing.assert_array_equal(trained("Adam", True, "float32", size, 3), trained("Adam", False, "float32", size, 3))


def test_loops_begin_after_some_steps_and_nothing_shows() -> None:
    np.testing.assert_array_equal(trained("Adam", None, "float32"), trained("Adam", False, "float32"))


def loop_of(optimizer: optim.Optimizer) -> fused.Fused:
    return optimizer._plans[0].buckets[0].fused  # type: ignore[attr-defined, return-value]


def stepped(optimizer: optim.Optimizer, parameter: nn.Parameter, steps: int) -> None:
    for _ in range(steps):
        parameter.grad = ob.ones_like(parameter)
        optimizer.step()


def test_large_parameters_have_a_loop_and_small_ones_none() -> None:
    large, small = nn.Parameter(ob.zeros(LARGE)), nn.Parameter(ob.zeros(LARGE - 1))
    for parameter, has in ((large, True), (small, False)):
        optimizer = optim.Adam([parameter])
        stepped(optimizer, parameter, fused.PATIENCE)
        assert not has or loop_of(optimizer).loop is None
        stepped(optimizer, parameter, 1)
        assert (loop_of(optimizer) is not None and loop_of(optimizer).loop is not None) == has


def test_a_new_option_makes_a_new_loop() -> None:
    parameter = nn.Parameter(ob.ones(LARGE))
    optimizer = optim.AdamW([parameter], lr=0.1, weight_decay=0.0, fused=True)
    stepped(optimizer, parameter, 2)
    first = loop_of(optimizer).loop
    optimizer.param_groups[0]["weight_decay"] = 0.5
    before = parameter.data.copy()
    optimizer.param_groups[0]["lr"] = 0.0
    stepped(optimizer, parameter, 1)
    np.testing.assert_array_equal(parameter.data, before)
    optimizer.param_groups[0]["lr"] = 1e-3
    stepped(optimizer, parameter, 1)
    assert loop_of(optimizer).loop is not first
    assert np.all(parameter.data < before * (1 - 0.4e-3))


def test_a_gradient_in_the_memory_of_its_parameter() -> None:
    """It would change while it is read: NumPy takes the step."""
    parameter = nn.Parameter(ob.ones(LARGE))
    parameter.grad = ob.from_numpy(parameter.data)
    optim.SGD([parameter], lr=0.5, fused=True).step()
    np.testing.assert_array_equal(parameter.data, np.full(LARGE, 0.5, np.float32))


def test_half_precision_stays_with_numpy_and_says_so_when_asked() -> None:
    parameter = nn.Parameter(ob.ones(LARGE, dtype=ob.float16))
    stepped(optim.SGD([parameter], lr=0.5), parameter, fused.PATIENCE + 2)
    with pytest.raises(InputError, match="float16"):
        stepped(optim.SGD([parameter], lr=0.5, fused=True), parameter, 1)


def test_without_llvm_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openbook.optim.loops", None)
    monkeypatch.setattr(fused, "_loops", {})
    np.testing.assert_array_equal(trained("Adam", None, "float32"), trained("Adam", False, "float32"))
    with pytest.raises(InputError, match="cannot be fused"):
        trained("Adam", True, "float32")


class Clipped(optim.SGD):
    """A rule that a loop has no words for."""

    def update(self, p, g, state, shared, group, work):  # type: ignore[no-untyped-def]
        p -= np.clip(g, -1, 1, out=work[0]) * shared[0]


def test_rules_of_ones_own_that_do_more_stay_with_numpy() -> None:
    parameter = nn.Parameter(ob.zeros(LARGE))
    optimizer = Clipped([parameter], lr=0.5)
    stepped(optimizer, parameter, fused.PATIENCE + 2)
    np.testing.assert_array_equal(parameter.data, np.full(LARGE, -0.5 * (fused.PATIENCE + 2), np.float32))
    assert "clip" in loop_of(optimizer).refused


@pytest.mark.parametrize(
    ("update", "why"),
    [
        (lambda p, g, state, shared, group, work: np.add(p, work[0], out=p), "before it is written"),
        (lambda p, g, state, shared, group, work: np.multiply(g, 2.0, out=g), "gradient"),
        (lambda p, g, state, shared, group, work: p if p else g, "depends on a number"),
        (lambda p, g, state, shared, group, work: np.add.reduce(p), "add"),
    ],
)
def test_what_has_no_form_as_a_loop(update: Any, why: str) -> None:
    with pytest.raises(fused.Unfusable, match=why):
        fused.written(update, (), 1, {})
