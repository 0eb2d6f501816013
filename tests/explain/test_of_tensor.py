"""Entries of gradients on our own graphs, planted mistakes included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import openbook as ob
from openbook import nn
from openbook.errors import ExplainError, GraphError


@pytest.fixture
def loss_and_model() -> tuple[ob.Tensor, nn.Sequential]:
    ob.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double()
    random = np.random.default_rng(0)
    x, y = ob.tensor(random.normal(size=(8, 4))), ob.tensor(random.integers(0, 3, 8))
    return nn.CrossEntropyLoss()(model(x), y), model


def test_every_entry_can_be_asked_for(loss_and_model: tuple) -> None:
    loss, model = loss_and_model
    asked = {at: ob.explain(loss, wrt="0.weight", model=model, at=at) for at in ((0, 0), (5, 3), (-1, -1))}
    loss.backward()
    before = model[0].weight.grad.data.copy()
    ob.optim.SGD(model.parameters(), lr=1.0).step()
    for at, working in asked.items():
        working.check()  # also when the graph is gone and the weights have moved on
        assert working.result == pytest.approx(before[at], rel=1e-12)


def test_a_wrong_gradient_rule_is_found(loss_and_model: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that is off by a thousandth: central differences of the loss say so."""
    from openbook.ops import OPS

    loss, model = loss_and_model
    right = OPS["tanh"].gradient
    monkeypatch.setattr(OPS["tanh"], "gradient", staticmethod(lambda g, y, x: right(g, y, x) * 1.001))
    assert not ob.explain(loss, wrt="0.weight", model=model).verification.passed


def test_a_wrong_digit_is_found(loss_and_model: tuple) -> None:
    loss, model = loss_and_model
    working = ob.explain(loss, wrt="0.weight", model=model)
    last = working.steps[-1]
    wrong = replace(working, steps=(*working.steps[:-1], replace(last, value=last.value * (1 + 1e-9))))
    assert not wrong.verification.passed


def test_gone_or_changed_graphs_say_so() -> None:
    x = ob.tensor([1.0, 2.0], requires_grad=True)
    loss = (x * x).sum()
    loss.backward()
    with pytest.raises(GraphError):
        ob.explain(loss)
    loss = (x * x).sum()
    with ob.no_grad():
        x += 1
    with pytest.raises(GraphError):
        ob.explain(loss)


def test_unknown_names_and_entries(loss_and_model: tuple) -> None:
    loss, model = loss_and_model
    for options in ({"wrt": "9.weight"}, {"wrt": "0.weight", "at": (99, 0)}, {"wrt": "0.weight", "at": 1}):
        with pytest.raises(ExplainError):
            ob.explain(loss, model=model, **options)
    with pytest.raises(ExplainError, match="single number"):
        ob.explain(model(ob.ones(2, 4).double()))
