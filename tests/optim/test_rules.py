"""The update rules, step by step beside PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn, optim

RULES: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.05},
    "SGD momentum": {"lr": 0.05, "momentum": 0.9},
    "SGD nesterov": {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    "SGD decay": {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01},
    "Adam": {"lr": 0.01},
    "Adam decay": {"lr": 0.01, "betas": (0.8, 0.95), "weight_decay": 0.1},
    "AdamW": {"lr": 0.01, "weight_decay": 0.1},
    "RMSprop": {"lr": 0.005},
    "RMSprop centered": {"lr": 0.005, "centered": True, "momentum": 0.5, "weight_decay": 0.01, "alpha": 0.9},
    "Adagrad": {"lr": 0.05},
    "Adagrad decay": {"lr": 0.05, "lr_decay": 0.1, "weight_decay": 0.01, "initial_accumulator_value": 0.2},
}
LOSSES = ("mse", "bce", "cross_entropy")


@pytest.mark.torch
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("rule", RULES)
def test_fifty_steps_agree(rule: str, loss: str) -> None:
    import torch

    random = np.random.default_rng(1)
    X = random.standard_normal((40, 5))
    outputs = 3 if loss == "cross_entropy" else 1
    y = random.integers(0, outputs, 40) if outputs > 1 else (X.sum(axis=1, keepdims=True) > 0).astype(np.float64)
    theirs = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, outputs)).double()
    ours = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, outputs)).double()
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    name = rule.split()[0]
    steps = zip(
        trained(ours, getattr(optim, name), RULES[rule], criterion(nn, loss), ob.tensor(X), ob.tensor(y)),
        trained(
            theirs, getattr(torch.optim, name), RULES[rule], criterion(torch.nn, loss), torch.tensor(X), torch.tensor(y)
        ),
        strict=True,
    )
    for mine, other in steps:
        assert mine == pytest.approx(other, rel=1e-10)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(mine.data, other.detach().numpy(), rtol=1e-9, atol=1e-12)


def criterion(library: Any, loss: str) -> Any:
    return {"mse": library.MSELoss, "bce": library.BCEWithLogitsLoss, "cross_entropy": library.CrossEntropyLoss}[loss]()


def trained(model: Any, rule: Any, options: dict[str, Any], criterion: Any, X: Any, y: Any) -> list[float]:
    """The losses of fifty steps; the same text trains both libraries' models."""
    optimizer = rule(model.parameters(), **options)
    losses = []
    for _ in range(50):
        optimizer.zero_grad()
        loss = criterion(model(X), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.torch
def test_clipping_agrees() -> None:
    import torch

    data = [np.random.default_rng(k).normal(size=(3, 4)) for k in range(2)]
    for limit in (0.5, 100.0):
        ours, theirs = (
            [ob.tensor(d, requires_grad=True) for d in data],
            [torch.tensor(d, requires_grad=True) for d in data],
        )
        for parameters in (ours, theirs):
            sum((p * p * p).sum() for p in parameters).backward()
        norm = nn.utils.clip_grad_norm_(ours, limit)
        assert norm == pytest.approx(float(torch.nn.utils.clip_grad_norm_(theirs, limit)), rel=1e-12)
        nn.utils.clip_grad_value_(ours, 0.2)
        torch.nn.utils.clip_grad_value_(theirs, 0.2)
        for mine, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine.grad.data, other.grad.numpy(), rtol=1e-12)
