"""Hooks of optimisers, called as PyTorch calls them."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import optim
from openbook.errors import InputError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.torch


def told(library: Any, rule: str) -> tuple[list[Any], list[float]]:
    """What hooks are told in three steps, of which the second is given another closure; and where the parameter ends."""
    p = library.nn.Parameter(library.tensor([1.0, 2.0]))
    optimizer = getattr(library.optim, rule)([p], lr=0.1)
    heard: list[Any] = []

    def closure(factor: float = 1.0) -> Any:
        optimizer.zero_grad()
        loss = (factor * p * p).sum()
        loss.backward()
        return loss

    def before(who: Any, args: Any, kwargs: Any) -> Any:
        heard.append(("before", who is optimizer, args[0] is optimizer, len(args), sorted(kwargs)))
        return ((args[0], lambda: closure(3.0)), {}) if len(heard) == 3 else None

    def after(who: Any, args: Any, kwargs: Any) -> None:
        heard.append(("after", who is optimizer, args[0] is optimizer, len(args), sorted(kwargs)))

    handles = [optimizer.register_step_pre_hook(before), optimizer.register_step_post_hook(after)]
    losses = [float(optimizer.step(closure)), float(optimizer.step(closure=closure))]
    for handle in handles:
        handle.remove()
    losses.append(float(optimizer.step(closure)))
    return heard, [*losses, *p.detach().tolist()]


@pytest.mark.parametrize("rule", ["SGD", "Adam", "LBFGS"])
def test_steps_are_told_as_torchs(rule: str) -> None:
    (heard, numbers), (truth, others) = told(ob, rule), told(torch, rule)
    assert heard == truth
    assert len(heard) == 4
    np.testing.assert_allclose(numbers, others, rtol=1e-5)


def test_a_step_of_ones_own_is_told_once() -> None:
    class Twice(optim.SGD):
        def step(self, closure: Any = None) -> Any:
            super().step(closure)
            return super().step()

    optimizer, heard = Twice([ob.ones(2, requires_grad=True)], lr=0.1), []
    optimizer.register_step_post_hook(lambda *told: heard.append(told))
    optimizer.step()
    assert len(heard) == 1


def states(library: Any) -> list[Any]:
    """What hooks of the state are told, in order, and the rate in the end."""
    optimizer = library.optim.SGD([library.ones(2, requires_grad=True)], lr=0.1)
    heard: list[Any] = []

    def changed(who: Any, state: Any) -> Any:
        heard.append(("read", who is optimizer, sorted(state)))
        return {**state, "note": 1}

    def slower(who: Any, state: Any) -> Any:
        heard.append(("loading", sorted(state)))
        state["param_groups"][0]["lr"] = 0.01
        return state

    optimizer.register_state_dict_pre_hook(lambda who: heard.append("reading"))
    optimizer.register_state_dict_pre_hook(lambda who: heard.append("first"), prepend=True)
    optimizer.register_state_dict_post_hook(changed)
    optimizer.register_load_state_dict_pre_hook(slower)
    optimizer.register_load_state_dict_post_hook(lambda who: heard.append(("loaded", who is optimizer)))
    state = optimizer.state_dict()
    heard.append(sorted(state))
    optimizer.load_state_dict(state)
    return [*heard, optimizer.param_groups[0]["lr"]]


def test_states_are_told_as_torchs() -> None:
    assert states(ob) == states(torch)


def test_a_copy_has_no_hooks() -> None:
    optimizer, heard = optim.SGD([ob.ones(2, requires_grad=True)], lr=0.1), []
    optimizer.register_step_post_hook(lambda *told: heard.append(told))
    copy.deepcopy(optimizer).step()
    assert not heard


def test_arguments_that_will_not_do_are_said() -> None:
    optimizer = optim.SGD([ob.ones(2, requires_grad=True)], lr=0.1)
    optimizer.register_step_pre_hook(lambda *told: "soon")
    with pytest.raises(InputError, match="args begin with the optimiser"):
        optimizer.step()
