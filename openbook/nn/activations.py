"""Activations as modules: each is one word of the vocabulary, or a few."""

from __future__ import annotations

from typing import Any

from openbook.errors import ExplainError, InputError
from openbook.nn import functional, init
from openbook.nn.functional.activations import implicit_axis
from openbook.nn.in_place import over
from openbook.nn.linear import Identity
from openbook.nn.module import Module
from openbook.nn.parameter import empty_parameter, float_dtype
from openbook.ops.op import OPS, Op, apply

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "SELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Identity",
    "LeakyReLU", "LogSigmoid", "LogSoftmax", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SiLU", "Sigmoid", "Softmax",
    "Softmax2d", "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink", "Threshold",
]  # fmt: skip


class _Operation:
    """The operation of a name, looked up when it is asked for."""

    def __init__(self, name: str):
        self.name = name

    def __get__(self, module: Any, kind: type) -> type[Op]:
        return OPS[self.name]


class Activation(Module):
    """A module that applies one operation, entry by entry, with the operation's parameters as `options`."""

    op: Any

    @property
    def options(self) -> dict[str, Any]:
        return {}

    def forward(self, input: Any) -> Any:
        return apply(self.op, input, **self.options)

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.options.items())


class _InPlace(Activation):
    """An activation that may write its result over its input, with `inplace=True` (see `openbook.nn.in_place`)."""

    def __init__(self, inplace: bool = False):
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        if self.inplace:
            return over(input, super().forward)
        return apply(self.op, input, **self.options)

    def extra_repr(self) -> str:
        said = [f"{name}={value}" for name, value in self.options.items()]
        return ", ".join([*said, "inplace=True"] if self.inplace else said)


class ReLU(_InPlace):
    """Let the positive through."""

    op = _Operation("relu")


class ReLU6(_InPlace):
    """Let the positive through, up to 6."""

    op = _Operation("relu6")


class Sigmoid(Activation):
    """Squash into (0, 1)."""

    op = _Operation("sigmoid")


class Tanh(Activation):
    """Squash into (−1, 1)."""

    op = _Operation("tanh")


class SiLU(_InPlace):
    """Each entry weighted by its own sigmoid."""

    op = _Operation("silu")


class LogSigmoid(Activation):
    """The logarithm of the sigmoid."""

    op = _Operation("logsigmoid")


class Mish(_InPlace):
    """Each entry weighted by the tanh of its softplus."""

    op = _Operation("mish")


class Softsign(Activation):
    """x/(1 + |x|): squash into (−1, 1), slowly."""

    op = _Operation("softsign")


class Tanhshrink(Activation):
    """What tanh takes away."""

    op = _Operation("tanhshrink")


class Hardsigmoid(_InPlace):
    """A sigmoid of three straight pieces."""

    op = _Operation("hardsigmoid")
    extra_repr = Activation.extra_repr


class Hardswish(_InPlace):
    """Each entry weighted by its own hard sigmoid."""

    op = _Operation("hardswish")
    extra_repr = Activation.extra_repr


class SELU(_InPlace):
    """An ELU scaled so that activations keep mean 0 and variance 1."""

    op = _Operation("selu")


class LeakyReLU(_InPlace):
    """A ReLU that leaks a little of the negative."""

    op = _Operation("leaky_relu")

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False):
        super().__init__(inplace)
        self.negative_slope = negative_slope

    @property
    def options(self) -> dict[str, Any]:
        return {"negative_slope": self.negative_slope}


class ELU(_InPlace):
    """The positive as it is, the negative bent towards −α."""

    op = _Operation("elu")

    def __init__(self, alpha: float = 1.0, inplace: bool = False):
        super().__init__(inplace)
        self.alpha = alpha

    @property
    def options(self) -> dict[str, Any]:
        return {"alpha": self.alpha}


class CELU(ELU):
    """An ELU with a slope that does not jump, whatever α."""

    op = _Operation("celu")


class GELU(Activation):
    """Each entry weighted by the share of a standard normal below it; `approximate="tanh"` as early transformers did."""

    op = _Operation("gelu")

    def __init__(self, approximate: str = "none"):
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise InputError(f"GELU knows no approximation {approximate!r}", do='choose "none" or "tanh"')
        self.approximate = approximate
        if approximate == "tanh":
            self.op = OPS["gelu_tanh"]

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Hardtanh(_InPlace):
    """Straight inside an interval, flat outside."""

    op = _Operation("hardtanh")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False):
        super().__init__(inplace)
        if not min_val < max_val:
            raise InputError(f"[{min_val}, {max_val}] is no interval", where="Hardtanh", do="give min_val < max_val")
        self.min_val, self.max_val = min_val, max_val

    @property
    def options(self) -> dict[str, Any]:
        return {"min_val": self.min_val, "max_val": self.max_val}


class Softshrink(Activation):
    """Everything λ closer to zero, and zero what is within λ of it."""

    op = _Operation("softshrink")

    def __init__(self, lambd: float = 0.5):
        super().__init__()
        if lambd < 0:
            raise InputError(f"λ={lambd} is negative", where=type(self).__name__, do="give 0 or more")
        self.lambd = lambd

    @property
    def options(self) -> dict[str, Any]:
        return {"lambd": self.lambd}

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(Softshrink):
    """Zero what is within λ of zero, the rest as it is."""

    op = _Operation("hardshrink")


class Threshold(_InPlace):
    """What is above a threshold as it is, everything else one value."""

    op = _Operation("threshold")

    def __init__(self, threshold: float, value: float, inplace: bool = False):
        super().__init__(inplace)
        self.threshold, self.value = threshold, value

    @property
    def options(self) -> dict[str, Any]:
        return {"threshold": self.threshold, "value": self.value}


class Softplus(Activation):
    """A smooth ReLU, log(1 + exp(βx))/β; above βx = `threshold` a straight line (see `functional.softplus`)."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0):
        super().__init__()
        if not beta > 0:
            raise InputError(f"β={beta} is not positive", where="Softplus")
        self.beta, self.threshold = beta, threshold

    @property
    def op(self) -> type[Op]:
        """The operation, where it is one."""
        if (self.beta, self.threshold) != (1, 20):
            raise ExplainError(f"{self!r} is several operations", do="explain the tensor it gives")
        return OPS["softplus"]

    def forward(self, input: Any) -> Any:
        return functional.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class PReLU(Module):
    """A leaky ReLU that learns its slope: one, or one for each channel (axis 1)."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None):
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = empty_parameter(num_parameters, dtype=float_dtype(device, dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Back to the first slope."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Any) -> Any:
        return functional.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(Module):
    """A leaky ReLU whose slope is drawn for every entry in training, and is the middle of the interval in use."""

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False):
        super().__init__()
        if not lower <= upper:
            raise InputError(f"[{lower}, {upper}] is no interval", where="RReLU", do="give lower ≤ upper")
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, input: Any) -> Any:
        return over(input, self._leaked) if self.inplace else self._leaked(input)

    def _leaked(self, x: Any) -> Any:
        return functional.rrelu(x, self.lower, self.upper, self.training)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}" + (", inplace=True" if self.inplace else "")


class GLU(Module):
    """The first half of an axis, weighted by the sigmoid of the second."""

    def __init__(self, dim: int = -1):
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return functional.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(Module):
    """Logits to probabilities along an axis; without one, along PyTorch's choice (see `functional.softmax`)."""

    op: Any = _Operation("softmax")

    def __init__(self, dim: int | None = None):
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return apply(self.op, input, axis=implicit_axis(input) if self.dim is None else self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """Logits to log-probabilities along an axis."""

    op = _Operation("log_softmax")


class Softmin(Softmax):
    """Probabilities along an axis, the larger the smaller the entry."""

    def forward(self, input: Any) -> Any:
        return super().forward(-input)


class Softmax2d(Module):
    """Logits (N, C, H, W) to probabilities of the channels at every place."""

    def forward(self, input: Any) -> Any:
        if input.ndim not in (3, 4):
            raise InputError(f"Softmax2d takes (N, C, H, W) or (C, H, W), not shape {input.shape}")
        return functional.softmax(input, dim=-3)
