"""Activations and losses as functions, under PyTorch's names."""

from __future__ import annotations

from typing import Any

from openbook.ops import vocabulary as word

__all__ = [
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "mse_loss",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]

leaky_relu, linear, logsigmoid = word.leaky_relu, word.linear, word.logsigmoid
relu, sigmoid, silu, softplus, tanh = word.relu, word.sigmoid, word.silu, word.softplus, word.tanh


def softmax(x: Any, dim: int = -1) -> Any:
    """Logits to probabilities along an axis."""
    return word.softmax(x, axis=dim)


def log_softmax(x: Any, dim: int = -1) -> Any:
    """Logits to log-probabilities along an axis."""
    return word.log_softmax(x, axis=dim)


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The mean (or sum) of squared differences; shapes must be equal, nothing is broadcast."""
    return word.mse_loss(input, target, reduction=reduction)


def cross_entropy(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Minus the log-probability of the true class: logits (rows, classes), classes (rows,) as int64."""
    return word.cross_entropy(input, target, reduction=reduction)


def binary_cross_entropy_with_logits(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Minus the log-probability of a 0/1 target, from log-odds; shapes must be equal."""
    return word.bce_with_logits(input, target, reduction=reduction)
