"""Activations and losses as functions, under PyTorch's names."""

from __future__ import annotations

from typing import Any

from openbook.ops import vocabulary as word

__all__ = [
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "elu",
    "gelu",
    "hardsigmoid",
    "hardtanh",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "mish",
    "mse_loss",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]

leaky_relu, linear, logsigmoid = word.leaky_relu, word.linear, word.logsigmoid
elu, selu, mish, hardsigmoid = word.elu, word.selu, word.mish, word.hardsigmoid
relu, sigmoid, silu, softplus, tanh = word.relu, word.sigmoid, word.silu, word.softplus, word.tanh


def gelu(x: Any, approximate: str = "none") -> Any:
    """Each entry weighted by the share of a standard normal below it."""
    return word.gelu_tanh(x) if approximate == "tanh" else word.gelu(x)


def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """Straight inside an interval, flat outside."""
    return word.hardtanh(x, min_val=min_val, max_val=max_val)


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
