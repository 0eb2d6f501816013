"""What a network's parameters and the curvature of its loss are, against PyTorch and SciPy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.optimize

import openbook as ob
from openbook import nn
from openbook.errors import ExplainError

XOR = ob.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), ob.tensor([[0.0], [1], [1], [0]])

LAYERS: dict[str, Any] = {
    "linear": lambda nn: nn.Linear(5, 7),
    "linear, no bias": lambda nn: nn.Linear(5, 7, bias=False),
    "bilinear": lambda nn: nn.Bilinear(2, 3, 4),
    "conv, groups": lambda nn: nn.Conv2d(4, 8, (3, 5), groups=2),
    "conv1d, no bias": lambda nn: nn.Conv1d(4, 8, 3, bias=False),
    "transposed": lambda nn: nn.ConvTranspose2d(4, 6, 5, groups=2),
    "embedding": lambda nn: nn.Embedding(50, 8),
    "bag": lambda nn: nn.EmbeddingBag(50, 8),
    "layer norm": lambda nn: nn.LayerNorm([3, 4]),
    "batch norm": lambda nn: nn.BatchNorm2d(7),
    "group norm": lambda nn: nn.GroupNorm(2, 4),
    "rms norm": lambda nn: nn.RMSNorm(6),
    "rnn": lambda nn: nn.RNN(3, 4, num_layers=3),
    "lstm": lambda nn: nn.LSTM(8, 16, num_layers=2, bidirectional=True),
    "lstm, projected": lambda nn: nn.LSTM(8, 16, num_layers=2, proj_size=5),
    "gru, no bias": lambda nn: nn.GRU(8, 16, bias=False),
    "cells": lambda nn: nn.ModuleList([nn.LSTMCell(3, 4), nn.GRUCell(3, 4, bias=False), nn.RNNCell(3, 4)]),
    "attention": lambda nn: nn.MultiheadAttention(8, 2),
    "attention, odd": lambda nn: nn.MultiheadAttention(8, 2, kdim=5, vdim=6, add_bias_kv=True, bias=False),
    "transformer": lambda nn: nn.TransformerEncoderLayer(8, 2, 16),
    "prelu": lambda nn: nn.PReLU(3),
}


@pytest.mark.parametrize("name", LAYERS)
def test_formulas_count_what_is_there(name: str) -> None:
    net = LAYERS[name](nn)
    working = ob.explain(net)
    working.check()
    assert working.result == sum(p.numel() for p in net.parameters())
    formulas = [s for s in working.steps if s.formula is not None and s.name != "parameters"]
    assert formulas and all(s.witnesses for s in formulas)
    wrong = replace(formulas[0], value=formulas[0].value + 1)
    assert not replace(working, steps=(wrong,)).verification.passed


@pytest.mark.torch
@pytest.mark.parametrize("name", LAYERS)
def test_pytorchs_modules_are_counted_by_the_same_formulas(name: str) -> None:
    torch = pytest.importorskip("torch", reason="needs PyTorch beside openbook")
    from openbook.explain.parameters import explain_parameters

    theirs = explain_parameters(LAYERS[name](torch.nn))
    theirs.check()
    assert theirs.result == ob.explain(LAYERS[name](nn)).result


def test_tied_frozen_and_unknown_parameters() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(3, 3, bias=False)
            self.again = nn.Linear(3, 3, bias=False)
            self.again.weight = self.inner.weight
            self.scale = nn.Parameter(ob.ones(2, 5))
            self.scale.requires_grad_(False)

    working = ob.explain(Scaled())
    working.check()
    assert working.result == 9 + 10
    assert working["own"].why == "2×5" and "10 of them are frozen" in working.notes[0]
    with pytest.raises(ExplainError, match="no parameters"):
        ob.explain(nn.Flatten())


# --- curvature -----------------------------------------------------------------------------------------------------


def tanh_net() -> nn.Module:
    ob.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))


def test_a_deep_net_bends_down_somewhere_and_newton_is_led_astray() -> None:
    working = ob.explain(tanh_net(), *XOR, about="curvature", loss=nn.MSELoss())
    working.check()
    assert working["n"].value == 13 and working["entries"].value == 169
    assert working["λ_min"].value < 0 < working["negative"].value
    assert working["L damped"].value < working["L"].value
    assert working["changed"].value > 0.01


def test_the_hessian_is_scipys() -> None:
    """Eigenvalues of differences of gradients that SciPy takes of the network's own loss."""
    net = tanh_net()
    x, y = (t.double() for t in XOR)
    net = net.double()
    parameters = list(net.parameters())
    start = np.concatenate([p.data.ravel() for p in parameters])

    def gradient(theta: np.ndarray) -> np.ndarray:
        at = 0
        for p in parameters:
            p.data[...] = theta[at : at + p.data.size].reshape(p.shape)
            p.grad, at = None, at + p.data.size
        nn.MSELoss()(net(x), y).backward()
        return np.concatenate([p.grad.data.ravel() for p in parameters])

    H = scipy.optimize.approx_fprime(start, gradient, 1e-6)
    values = np.linalg.eigvalsh((H + H.T) / 2)
    working = ob.explain(tanh_net(), *XOR, about="curvature", loss=nn.MSELoss())
    assert working["λ_min"].value == pytest.approx(values[0], rel=1e-4)
    assert working["λ_max"].value == pytest.approx(values[-1], rel=1e-4)


def test_least_squares_keeps_its_hessian() -> None:
    """One linear layer: no curvature is negative, the step lands at the minimum, and the Hessian is the same elsewhere."""
    ob.manual_seed(0)
    random = np.random.default_rng(0)
    X, y = random.normal(size=(40, 3)), random.normal(size=(40, 1))
    working = ob.explain(nn.Linear(3, 1), ob.tensor(X), ob.tensor(y), about="curvature", loss=nn.MSELoss())
    working.check()
    assert working["negative"].value == 0 and working["changed"].value < 1e-12
    A = np.column_stack([X, np.ones(40)])
    best = np.mean((y - A @ np.linalg.lstsq(A, y, rcond=None)[0]) ** 2)
    assert working["L after"].value == pytest.approx(best, rel=1e-12) == working["promised"].value


def test_large_nets_are_asked_for_the_ends_only() -> None:
    random = np.random.default_rng(1)
    net = nn.Sequential(nn.Linear(12, 40), nn.ReLU(), nn.Linear(40, 3))
    X, y = ob.tensor(random.normal(size=(80, 12)).astype(np.float32)), ob.tensor(random.integers(0, 3, 80))
    before = {k: v.numpy().copy() for k, v in net.state_dict().items()}
    working = ob.explain(net, X, y, about="curvature", loss=nn.CrossEntropyLoss())
    working.check()
    assert working["n"].value > 400 and not working.tables
    assert working["λ_min"].value < working["λ_max"].value
    assert all(np.array_equal(v.numpy(), before[k]) for k, v in net.state_dict().items())


@pytest.mark.parametrize(
    "step", ["λ_min", "λ_max", "negative", "Δ", "gᵀΔ", "promised", "L after", "L damped", "changed", "bytes"]
)
def test_planted_mistakes_are_seen(step: str) -> None:
    working = ob.explain(tanh_net(), *XOR, about="curvature", loss=nn.MSELoss())
    right = working[step]
    wrong = replace(right, value=right.value + 1 if step == "negative" else right.value * 1.001)
    assert not replace(working, steps=(wrong,)).verification.passed


def test_a_loss_that_is_no_number() -> None:
    with pytest.raises(ExplainError, match="finite"):
        ob.explain(tanh_net(), XOR[0] * float("nan"), XOR[1], about="curvature", loss=nn.MSELoss())
    with pytest.raises(ExplainError, match="targets"):
        ob.explain(tanh_net(), XOR[0], about="curvature", loss=nn.MSELoss())
