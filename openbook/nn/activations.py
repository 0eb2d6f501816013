"""Activations as modules: each is one word of the vocabulary."""

from __future__ import annotations

from typing import Any

from openbook.nn.module import Module
from openbook.ops import elementwise, loss
from openbook.ops.op import Op, apply

__all__ = [
    "Identity",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
]


class Activation(Module):
    """A module that applies one operation, entry by entry."""

    op: type[Op]

    def forward(self, x: Any) -> Any:
        return apply(self.op, x)


class ReLU(Activation):
    """Let the positive through."""

    op = elementwise.Relu


class Sigmoid(Activation):
    """Squash into (0, 1)."""

    op = elementwise.Sigmoid


class Tanh(Activation):
    """Squash into (−1, 1)."""

    op = elementwise.Tanh


class SiLU(Activation):
    """Each entry weighted by its own sigmoid."""

    op = elementwise.Silu


class Softplus(Activation):
    """A smooth ReLU."""

    op = elementwise.Softplus


class LogSigmoid(Activation):
    """The logarithm of the sigmoid."""

    op = elementwise.LogSigmoid


class LeakyReLU(Activation):
    """A ReLU that leaks a little of the negative."""

    op = elementwise.LeakyRelu

    def __init__(self, negative_slope: float = 0.01):
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, x: Any) -> Any:
        return apply(self.op, x, negative_slope=self.negative_slope)


class Identity(Module):
    """Nothing at all: what stands where an activation is left out."""

    def forward(self, x: Any) -> Any:
        return x


class Softmax(Module):
    """Logits to probabilities along an axis."""

    op: type[Op] = loss.Softmax

    def __init__(self, dim: int = -1):
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Any:
        return apply(self.op, x, axis=self.dim)


class LogSoftmax(Softmax):
    """Logits to log-probabilities along an axis."""

    op = loss.LogSoftmax
