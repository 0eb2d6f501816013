"""Activations as modules: each is one word of the vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.nn import functional
from openbook.nn.module import Module, Parameter
from openbook.ops import activation, normalize, pieces, trigonometric
from openbook.ops.op import Op, apply

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "SELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Identity", "LeakyReLU",
    "LogSigmoid", "LogSoftmax", "Mish", "PReLU", "ReLU", "ReLU6", "SiLU", "Sigmoid", "Softmax", "Softmin", "Softplus",
    "Softshrink", "Softsign", "Tanh", "Tanhshrink", "Threshold",
]  # fmt: skip


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

    op: type[Op] = activation.Elu

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


class Softmin(Softmax):
    """Costs to probabilities along an axis."""

    def forward(self, x: Any) -> Any:
        return super().forward(-x)


class ReLU6(Activation):
    """A ReLU that ends at 6."""

    op = pieces.Relu6


class Hardswish(Activation):
    """Each entry weighted by a sigmoid of straight pieces."""

    op = pieces.Hardswish


class Softsign(Activation):
    """x over 1 + |x|."""

    op = pieces.Softsign


class Tanhshrink(Activation):
    """What tanh takes away."""

    op = pieces.Tanhshrink


class CELU(ELU):
    """An ELU that is smooth for every α."""

    op = pieces.Celu


class _Shrink(Activation):
    def __init__(self, lambd: float = 0.5):
        super().__init__()
        if lambd < 0:
            raise InputError(f"lambd={lambd} is negative", where=type(self).__name__, do="give 0 or more")
        self.lambd = lambd

    @property
    def options(self) -> dict[str, Any]:
        return {"lambd": self.lambd}


class Softshrink(_Shrink):
    """Moved towards 0 by λ; 0 within λ of it."""

    op = pieces.Softshrink


class Hardshrink(_Shrink):
    """0 within λ of it, unchanged elsewhere."""

    op = pieces.Hardshrink


class Threshold(Activation):
    """The number where it passes the threshold, another value elsewhere."""

    op = pieces.Threshold

    def __init__(self, threshold: float, value: float):
        super().__init__()
        self.threshold, self.value = threshold, value

    @property
    def options(self) -> dict[str, Any]:
        return {"threshold": self.threshold, "value": self.value}


class PReLU(Module):
    """A leaky ReLU whose slope is learnt: one, or one for each channel."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25, dtype: Any = np.float32):
        super().__init__()
        self.num_parameters = num_parameters
        self.weight = Parameter(np.full(num_parameters, init, dtype))

    def forward(self, x: Any) -> Any:
        return functional.prelu(x, self.weight)


class GLU(Module):
    """One half of the entries, weighted by the sigmoid of the other."""

    def __init__(self, dim: int = -1):
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Any:
        return functional.glu(x, self.dim)
