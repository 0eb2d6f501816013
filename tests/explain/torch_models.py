"""PyTorch models of every common kind, small, with inputs, targets and losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["MODELS", "Case"]


@dataclass(frozen=True, eq=False)
class Case:
    """A model with what it is given, and the parameters to ask about."""

    model: nn.Module
    inputs: Any
    target: Any
    loss: Callable[[Any, Any], Any]
    asked: tuple[str, ...]


class Recurrent(nn.Module):
    """Reads a sequence and judges it by its last state."""

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.cell, self.head = kind(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.cell(x)[0][:, -1])


class BagOfWords(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(7, 4), nn.Linear(4, 3)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        return F.log_softmax(self.head(self.embedding(words).mean(1)), -1)


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.attention(x, x, x)[0].mean(1)


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.inner, self.outer = nn.LayerNorm(4), nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.outer(x + F.gelu(self.inner(self.norm(x)))).squeeze(-1)


class Tied(nn.Module):
    """An autoencoder whose decoder is its encoder transposed: every weight is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.encoder(x)) @ self.encoder.weight


class Shared(nn.Module):
    """Two names for one weight, as language models have it."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(6, 3), nn.Linear(3, 6, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        return self.head(torch.tanh(self.embedding(words)))


class Loop(nn.Module):
    """A loop in Python, as often as the data say."""

    def __init__(self) -> None:
        super().__init__()
        self.step = nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        turns = 0
        while float(x.detach().norm()) > 0.5 and turns < 4:
            x, turns = torch.sin(self.step(x)) * 0.8, turns + 1
        return x.sum(1)


class Functional(nn.Module):
    """Parameters of its own and nothing but functions."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.randn(3))
        self.mix = nn.Parameter(torch.randn(3, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.softplus(torch.einsum("bi,ij->bj", x, self.mix)) * self.scale.exp()
        return torch.cat([y, x**2], 1).clamp(max=5.0).logsumexp(1)


class OwnLoss(nn.Module):
    """Gives its loss itself."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(self.linear(x), labels)


def _sequential(activation: nn.Module) -> Case:
    model = nn.Sequential(nn.Linear(4, 6), activation, nn.Linear(6, 3))
    return Case(model, torch.randn(8, 4), torch.randint(0, 3, (8,)), nn.CrossEntropyLoss(), ("0.weight", "2.bias"))


def _convolutional() -> Case:
    model = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 2, 3), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(2, 3),
    )  # fmt: skip
    return Case(
        model, torch.randn(4, 2, 8, 8), torch.randint(0, 3, (4,)), nn.CrossEntropyLoss(), ("0.weight", "1.weight")
    )


def _recurrent(kind: Any) -> Case:
    return Case(Recurrent(kind), torch.randn(2, 4, 3), torch.randn(2, 2), nn.MSELoss(),
                ("cell.weight_hh_l0", "cell.weight_ih_l0", "head.bias"))  # fmt: skip


def _bag() -> Case:
    return Case(
        BagOfWords(), torch.randint(0, 7, (3, 5)), torch.randint(0, 3, (3,)), nn.NLLLoss(), ("embedding.weight",)
    )


def _transformer() -> Case:
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    return Case(layer, torch.randn(2, 3, 4), torch.randn(2, 3, 4), nn.MSELoss(),
                ("self_attn.in_proj_weight", "linear1.weight", "norm1.weight"))  # fmt: skip


def _attention() -> Case:
    return Case(Attention(), torch.randn(2, 3, 4), torch.randn(2, 4), nn.SmoothL1Loss(), ("attention.in_proj_weight",))


def _residual() -> Case:
    return Case(
        Residual(), torch.randn(5, 4), torch.randint(0, 2, (5,)).float(), nn.BCEWithLogitsLoss(), ("inner.weight",)
    )


def _dropout() -> Case:
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.ELU(), nn.Linear(8, 1), nn.Flatten(0))
    return Case(model, torch.randn(6, 4), torch.randn(6), nn.HuberLoss(), ("0.weight", "3.weight"))


def _logistic() -> Case:
    return Case(nn.Sequential(nn.Linear(3, 1), nn.Flatten(0)).double(), torch.randn(9, 3).double(),
                torch.randint(0, 2, (9,)).double(), nn.BCEWithLogitsLoss(), ("0.weight", "0.bias"))  # fmt: skip


MODELS: dict[str, Callable[[], Case]] = {
    "MLP, ReLU": lambda: _sequential(nn.ReLU()),
    "MLP, ReLU in place": lambda: _sequential(nn.ReLU(inplace=True)),
    "MLP, tanh": lambda: _sequential(nn.Tanh()),
    "MLP, GELU": lambda: _sequential(nn.GELU()),
    "CNN": _convolutional,
    "LSTM": lambda: _recurrent(nn.LSTM),
    "GRU": lambda: _recurrent(nn.GRU),
    "RNN": lambda: _recurrent(nn.RNN),
    "embedding": _bag,
    "transformer layer": _transformer,
    "attention": _attention,
    "residual": _residual,
    "dropout": _dropout,
    "tied": lambda: Case(Tied(), torch.randn(5, 4), torch.randn(5, 4), nn.MSELoss(), ("encoder.weight",)),
    "shared": lambda: Case(Shared(), torch.randint(0, 6, (4,)), torch.randint(0, 6, (4,)), nn.CrossEntropyLoss(),
                           ("embedding.weight", "head.weight")),
    "loop": lambda: Case(Loop(), torch.randn(3, 3), torch.randn(3), nn.L1Loss(), ("step.weight",)),
    "functional": lambda: Case(Functional(), torch.randn(4, 3), torch.randn(4), nn.MSELoss(), ("mix", "scale")),
    "logistic, float64": _logistic,
}  # fmt: skip
