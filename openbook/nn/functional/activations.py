"""Activations as functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn.functional.embeddings import one_hot
from openbook.ops import vocabulary as word
from openbook.tensor.create import generator
from openbook.tensor.functions import method_as_function

__all__ = [
    "celu", "elu", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "log_softmax",
    "logsigmoid", "mish", "prelu", "relu", "relu6", "rrelu", "selu", "sigmoid", "silu", "softmax", "softmin", "softplus",
    "softshrink", "softsign", "tanh", "tanhshrink", "threshold",
]  # fmt: skip

# Those that are one operation without parameters.
relu, relu6, sigmoid, tanh = map(method_as_function, ("relu", "relu6", "sigmoid", "tanh"))
silu, mish, selu, logsigmoid = map(method_as_function, ("silu", "mish", "selu", "logsigmoid"))
softsign, hardsigmoid, hardswish, tanhshrink = map(
    method_as_function, ("softsign", "hardsigmoid", "hardswish", "tanhshrink")
)

STEEP = 20.0  # where PyTorch's softplus turns into a straight line; ours needs not


def leaky_relu(input: Any, negative_slope: float = 0.01) -> Any:
    """A ReLU that leaks a little of the negative."""
    return word.leaky_relu(input, negative_slope=negative_slope)


def elu(input: Any, alpha: float = 1.0) -> Any:
    """The positive as it is, the negative bent towards −α."""
    return word.elu(input, alpha=alpha)


def celu(input: Any, alpha: float = 1.0) -> Any:
    """An ELU that is smooth for every α."""
    return word.celu(input, alpha=alpha)


def gelu(input: Any, approximate: str = "none") -> Any:
    """Each entry weighted by the share of a standard normal below it; `approximate="tanh"` as early transformers did."""
    if approximate not in ("none", "tanh"):
        raise InputError(f"GELU knows no approximation {approximate!r}", do='choose "none" or "tanh"')
    return word.gelu_tanh(input) if approximate == "tanh" else word.gelu(input)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """Straight inside an interval, flat outside."""
    return word.hardtanh(input, min_val=min_val, max_val=max_val)


def softplus(input: Any, beta: float = 1.0, threshold: float = STEEP) -> Any:
    """A smooth ReLU, log(1 + exp(βx))/β; above βx = `threshold` a straight line.

    At the default threshold, where the line and the curve are 2·10⁻⁹ apart, it stays the curve.
    """
    bent = word.softplus(input) if beta == 1 else word.softplus(input * beta) / beta
    return bent if threshold == STEEP else word.where(word.greater(input * beta, threshold), input, bent)


def threshold(input: Any, threshold: float, value: float) -> Any:
    """What is above a threshold as it is, everything else one value."""
    return word.threshold(input, threshold=threshold, value=value)


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """Everything λ closer to zero, and zero what is within λ of it."""
    return word.softshrink(input, lambd=lambd)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """Zero what is within λ of zero, the rest as it is."""
    return word.hardshrink(input, lambd=lambd)


def prelu(input: Any, weight: Any) -> Any:
    """A leaky ReLU whose slope is learnt: one `weight`, or one for each channel (axis 1)."""
    channels = math.prod(weight.shape)
    if channels == 1:
        weight = word.reshape(weight, shape=())
    else:
        if input.ndim < 2 or input.shape[1] != channels or weight.ndim != 1:
            raise ShapeError(f"{channels} slopes do not fit an input of shape {input.shape}: axis 1 has the channels")
        weight = word.reshape(weight, shape=(channels,) + (1,) * (input.ndim - 2))
    return word.where(word.greater(input, 0), input, input * weight)


def rrelu(input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Any:
    """A leaky ReLU whose slope is drawn for every entry in training, and is the middle of the interval in use."""
    if not training:
        return word.leaky_relu(input, negative_slope=(lower + upper) / 2)
    slopes = generator().uniform(lower, upper, input.shape).astype(input.dtype)
    return word.where(word.greater(input, 0), input, input * slopes)


def glu(input: Any, dim: int = -1) -> Any:
    """The first half of an axis, weighted by the sigmoid of the second (Dauphin et al. 2017)."""
    size = input.shape[dim]
    if size % 2:
        raise ShapeError(f"glu halves an axis, and axis {dim} of shape {input.shape} is odd")
    before = (slice(None),) * (dim % input.ndim)
    value = word.gather_entries(input, index=(*before, slice(0, size // 2)))
    return value * word.sigmoid(word.gather_entries(input, index=(*before, slice(size // 2, size))))


def implicit_axis(x: Any) -> int:
    """The axis PyTorch takes where none is named: the first of 0, 1 or 3 axes, the second of others."""
    return 0 if x.ndim in (0, 1, 3) else 1


def softmax(input: Any, dim: int | None = None, dtype: Any = None) -> Any:
    """Logits to probabilities along an axis; name it: without `dim` it is the first of 0, 1 or 3, the second of others."""
    return word.softmax(input if dtype is None else input.to(dtype), axis=implicit_axis(input) if dim is None else dim)


def softmin(input: Any, dim: int | None = None, dtype: Any = None) -> Any:
    """Costs to probabilities along an axis: the softmax of −x."""
    return softmax(-input, dim, dtype)


def log_softmax(input: Any, dim: int | None = None, dtype: Any = None) -> Any:
    """Logits to log-probabilities along an axis."""
    return word.log_softmax(
        input if dtype is None else input.to(dtype), axis=implicit_axis(input) if dim is None else dim
    )


def gumbel_softmax(logits: Any, tau: float = 1.0, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """A draw from the categories that gradients pass through (Jang et al. 2017); `eps` says nothing, as in PyTorch."""
    noise = -np.log(generator().exponential(size=tuple(logits.shape))).astype(logits.dtype)
    y = word.softmax((logits + noise) / tau, axis=dim)
    if not hard:
        return y
    chosen = one_hot(y.argmax(dim), y.shape[dim]).to(y.dtype).movedim(-1, dim)
    return chosen - y.detach() + y
