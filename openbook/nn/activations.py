"""Activations as modules: each is one word of the vocabulary."""

from __future__ import annotations

from typing import Any

from openbook.errors import InputError
from openbook.nn.module import Module
from openbook.ops import activation, normalize, trigonometric
from openbook.ops.op import Op, apply

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "Hardsigmoid",
    "Hardtanh",
    "Identity",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
]


class Activation(Module):
    """A module that applies one operation, entry by entry, with the operation's parameters as `options`."""

    op: type[Op]

    @property
    def options(self) -> dict[str, Any]:
        return {}

    def forward(self, x: Any) -> Any:
        return apply(self.op, x, **self.options)

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value:g}" for name, value in self.options.items())


class ReLU(Activation):
    """Let the positive through."""

    op = activation.Relu


class Sigmoid(Activation):
    """Squash into (0, 1)."""

    op = activation.Sigmoid


class Tanh(Activation):
    """Squash into (−1, 1)."""

    op = trigonometric.Tanh


class SiLU(Activation):
    """Each entry weighted by its own sigmoid."""

    op = activation.Silu


class Softplus(Activation):
    """A smooth ReLU."""

    op = activation.Softplus


class LogSigmoid(Activation):
    """The logarithm of the sigmoid."""

    op = activation.LogSigmoid


class LeakyReLU(Activation):
    """A ReLU that leaks a little of the negative."""

    op = activation.LeakyRelu

    def __init__(self, negative_slope: float = 0.01):
        super().__init__()
        self.negative_slope = negative_slope

    @property
    def options(self) -> dict[str, Any]:
        return {"negative_slope": self.negative_slope}


class ELU(Activation):
    """The positive as it is, the negative bent towards −α."""

    op = activation.Elu

    def __init__(self, alpha: float = 1.0):
        super().__init__()
        self.alpha = alpha

    @property
    def options(self) -> dict[str, Any]:
        return {"alpha": self.alpha}


class SELU(Activation):
    """An ELU scaled so that activations keep mean 0 and variance 1."""

    op = activation.Selu


class GELU(Activation):
    """Each entry weighted by the share of a standard normal below it; `approximate="tanh"` as early transformers did."""

    op: type[Op] = activation.Gelu

    def __init__(self, approximate: str = "none"):
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise InputError(f"GELU knows no approximation {approximate!r}", do='choose "none" or "tanh"')
        self.approximate = approximate
        if approximate == "tanh":
            self.op = activation.GeluTanh


class Mish(Activation):
    """Each entry weighted by the tanh of its softplus."""

    op = activation.Mish


class Hardsigmoid(Activation):
    """A sigmoid of three straight pieces."""

    op = activation.Hardsigmoid


class Hardtanh(Activation):
    """Straight inside an interval, flat outside."""

    op = activation.Hardtanh

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0):
        super().__init__()
        if not min_val < max_val:
            raise InputError(f"[{min_val}, {max_val}] is no interval", where="Hardtanh", do="give min_val < max_val")
        self.min_val, self.max_val = min_val, max_val

    @property
    def options(self) -> dict[str, Any]:
        return {"min_val": self.min_val, "max_val": self.max_val}


class Identity(Module):
    """Nothing at all: what stands where an activation is left out."""

    def forward(self, x: Any) -> Any:
        return x


class Softmax(Module):
    """Logits to probabilities along an axis."""

    op: type[Op] = normalize.Softmax

    def __init__(self, dim: int = -1):
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Any:
        return apply(self.op, x, axis=self.dim)


class LogSoftmax(Softmax):
    """Logits to log-probabilities along an axis."""

    op = normalize.LogSoftmax
