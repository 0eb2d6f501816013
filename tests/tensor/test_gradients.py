"""`autograd.grad` and `autograd.backward`, beside PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook.errors import GraphError, InputError, ShapeError

DATA = np.random.default_rng(0).normal(size=(3, 4))


def leaf(data: Any = DATA) -> Any:
    return ob.tensor(np.array(data), requires_grad=True)


@pytest.mark.torch
def test_as_pytorchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    results = []
    for t in (ob, torch):
        x = t.tensor(DATA, dtype=t.float64, requires_grad=True)
        w = t.tensor(DATA[0], dtype=t.float64, requires_grad=True)
        h = (x * w).sin()
        y, z = h.sum(0), h.exp().sum()
        weights = t.tensor(DATA[1], dtype=t.float64)
        found = list(t.autograd.grad((y, z), (x, w, h), (weights, None), retain_graph=True))
        (g,) = t.autograd.grad(z, x, create_graph=True)
        found += t.autograd.grad((g * g).sum(), [w, x], retain_graph=True)
        unit = t.tensor(np.eye(4), dtype=t.float64)
        found += t.autograd.grad(y, (x, w), unit, is_grads_batched=True, retain_graph=True)
        t.autograd.backward((y, z), (weights, None), inputs=[w], retain_graph=True)
        assert x.grad is None
        t.autograd.backward((y, z), (weights, None))
        results.append([np.asarray(g.detach()) for g in (*found, w.grad, x.grad)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_nothing_else_is_touched() -> None:
    x = leaf()
    (g,) = ob.autograd.grad((x * x).sum(), x)
    assert x.grad is None and not g.requires_grad
    np.testing.assert_array_equal(g.data, 2 * DATA)


def test_inputs_that_nothing_depends_on() -> None:
    x, other = leaf(), leaf(DATA[0])
    with pytest.raises(GraphError, match="input 1"):
        ob.autograd.grad((x * x).sum(), (x, other))
    assert ob.autograd.grad((x * x).sum(), (x, other), allow_unused=True)[1] is None
    assert ob.autograd.grad((x * x).sum(), (x, other), materialize_grads=True)[1].tolist() == [0, 0, 0, 0]


def test_graphs_are_freed_unless_kept() -> None:
    x = leaf()
    y = (x * x).sum()
    ob.autograd.grad(y, x, retain_graph=True)
    ob.autograd.grad(y, x)
    with pytest.raises(GraphError, match="freed"):
        ob.autograd.grad(y, x)


def test_hooks_are_called() -> None:
    x = leaf()
    x.register_hook(lambda g: g * 10)
    h = x * 2
    h.register_hook(lambda g: g + 1)
    np.testing.assert_array_equal(ob.autograd.grad(h.sum(), x)[0].data, np.full((3, 4), 40.0))


def test_what_cannot_be_asked() -> None:
    x = leaf()
    with pytest.raises(GraphError, match="single number"):
        ob.autograd.grad(x * 2, x)
    with pytest.raises(GraphError, match="does not require"):
        ob.autograd.grad((x * 2).sum(), ob.tensor([1.0]))
    with pytest.raises(GraphError, match="does not require"):
        ob.autograd.grad(ob.tensor(1.0), x)
    with pytest.raises(ShapeError, match="grad_outputs"):
        ob.autograd.grad(x * 2, x, ob.ones(3))
    with pytest.raises(InputError, match="not a tensor"):
        ob.autograd.grad(x.sum(), 3.0)


def test_the_gradient_shares_no_memory_with_its_weights() -> None:
    x, weights = leaf(), ob.ones(3, 4, dtype=ob.float64)
    (g,) = ob.autograd.grad(x + 1, x, weights)
    g.mul_(5)
    assert weights.sum().item() == 12
