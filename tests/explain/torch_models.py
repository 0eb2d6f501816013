"""PyTorch models of every common kind, small, with inputs, targets and losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["MODELS", "UNUSUAL", "Case", "OwnLoss"]


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


class Slices(nn.Module):
    """Writes every state of a recurrence into its place in a tensor made before."""

    def __init__(self) -> None:
        super().__init__()
        self.step = nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states = torch.zeros(4, len(x), 3, dtype=x.dtype)
        for t in range(4):
            x = torch.tanh(self.step(x))
            states[t] = x
        return states[1:].sum(0)


class Noise(nn.Module):
    """Draws in every way."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = torch.bernoulli(torch.full((3,), 0.5))
        return self.linear(x + torch.randn_like(x)) * torch.rand(3) + kept * x


class Doubled(torch.autograd.Function):
    """A user's own operation, its rule right."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return 2 * x + 1

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> torch.Tensor:
        return 2 * g


class Custom(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(3, 3), nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.outer(torch.tanh(Doubled.apply(self.inner(x))))


class Stopped(nn.Module):
    """Gradients do not go through the norm, nor through one of two factors."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.linear(x)
        with torch.no_grad():
            size = y.norm()
        return y / size + y.detach() * y


class Several(nn.Module):
    """Gives more than one thing."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTM(3, 2, num_layers=2, bidirectional=True, dropout=0.3)

    def forward(self, x: torch.Tensor) -> Any:
        return self.cell(x)


def _squares(output: Any, target: Any) -> torch.Tensor:
    first = output[0] if isinstance(output, tuple) else output
    return (first * torch.arange(1, first.numel() + 1, dtype=first.dtype).view(first.shape)).pow(2).mean()


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


def _unusual(model: nn.Module, *shape: int) -> Case:
    first = next(name for name, _ in model.named_parameters())
    return Case(model, torch.randn(shape), None, _squares, (first,))


# Models that write, draw, stop gradients, bring operations of their own, or lack a formula somewhere.
UNUSUAL: dict[str, Callable[[], Case]] = {
    "slices": lambda: _unusual(Slices(), 2, 3),
    "noise": lambda: _unusual(Noise(), 2, 3),
    "custom": lambda: _unusual(Custom(), 2, 3),
    "stopped": lambda: _unusual(Stopped(), 2, 3),
    "several": lambda: _unusual(Several(), 4, 2, 3),
    "spectral norm": lambda: _unusual(nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3)), 2, 3),
    "weight norm": lambda: _unusual(nn.utils.parametrizations.weight_norm(nn.Linear(3, 3)), 2, 3),
    "transformer layer, eval": lambda: _unusual(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True).eval(), 2, 3, 4),
    "batch norm, eval": lambda: _unusual(nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)).eval(), 4, 3),
    "random slopes": lambda: _unusual(nn.Sequential(nn.Linear(3, 3), nn.RReLU()), 4, 3),
    "activations": lambda: _unusual(nn.Sequential(nn.Linear(3, 3), nn.PReLU(), nn.CELU(), nn.Softsign()), 4, 3),
    "transposed": lambda: _unusual(nn.Sequential(nn.ConvTranspose2d(1, 2, 2, 2), nn.AdaptiveAvgPool2d(2)), 1, 1, 3, 3),
    "one axis": lambda: _unusual(
        nn.Sequential(nn.Conv1d(1, 2, 3, stride=2, dilation=2), nn.Upsample(scale_factor=2), nn.InstanceNorm1d(2),
                      nn.Tanh(), nn.AvgPool1d(2)), 2, 1, 9,
    ),
}  # fmt: skip
