"""How weights start, drawn from the generator that `openbook.manual_seed` seeds."""

from __future__ import annotations

import math

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.tensor.create import generator
from openbook.tensor.tensor import Tensor

__all__ = [
    "calculate_gain", "constant_", "eye_", "kaiming_normal_", "kaiming_uniform_", "normal_", "ones_", "orthogonal_",
    "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_", "zeros_",
]  # fmt: skip


def _fill(x: Tensor, values: np.ndarray | float) -> Tensor:
    x.data[...] = values
    return x.changed_in_place()


def uniform_(x: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Fill with draws from the uniform distribution on [a, b)."""
    return _fill(x, generator().uniform(a, b, x.shape))


def normal_(x: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Fill with draws from the normal distribution."""
    return _fill(x, generator().normal(mean, std, x.shape))


def trunc_normal_(x: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0) -> Tensor:
    """Fill with draws from the normal distribution, drawn again until they lie in [a, b]."""
    values = generator().normal(mean, std, x.shape)
    outside = (values < a) | (values > b)
    while outside.any():
        values[outside] = generator().normal(mean, std, int(outside.sum()))
        outside = (values < a) | (values > b)
    return _fill(x, values)


def constant_(x: Tensor, val: float) -> Tensor:
    """Fill with one value."""
    return _fill(x, val)


def ones_(x: Tensor) -> Tensor:
    """Fill with ones."""
    return _fill(x, 1.0)


def zeros_(x: Tensor) -> Tensor:
    """Fill with zeros."""
    return _fill(x, 0.0)


def eye_(x: Tensor) -> Tensor:
    """Fill with the identity matrix."""
    if x.ndim != 2:
        raise ShapeError(f"the identity is a matrix, and this has {x.ndim} axes", where="init.eye_")
    return _fill(x, np.eye(x.shape[0], x.shape[1]))


def fans(x: Tensor) -> tuple[int, int]:
    """How many entries make up one output, and how many outputs an entry goes to; weights have shape (out, in, …)."""
    if x.ndim < 2:
        raise ShapeError(f"fans are of weights with at least two axes, not of shape {x.shape}", where="nn.init")
    window = math.prod(x.shape[2:])
    return x.shape[1] * window, x.shape[0] * window


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much an activation lets variance shrink (He et al. 2015; PyTorch's table)."""
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2 / (1 + slope * slope))
    table = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75}
    table |= {f"conv{turned}{n}d": 1.0 for turned in ("", "_transpose") for n in (1, 2, 3)}
    if nonlinearity not in table:
        raise InputError(f"no gain is known for {nonlinearity!r}", where="init.calculate_gain")
    return table[nonlinearity]


def kaiming_uniform_(x: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> Tensor:
    """Fill so that a (leaky) ReLU with slope `a` keeps the variance of what flows through (He et al. 2015).

    Uniform within √3·gain/√fan.
    """
    bound = math.sqrt(3) * _kaiming_std(x, a, mode, nonlinearity)
    return uniform_(x, -bound, bound)


def kaiming_normal_(x: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> Tensor:
    """The same, from the normal distribution."""
    return normal_(x, 0.0, _kaiming_std(x, a, mode, nonlinearity))


def _kaiming_std(x: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise InputError(f"mode={mode!r} is neither of two", where="nn.init", do='choose "fan_in" or "fan_out"')
    return calculate_gain(nonlinearity, a) / math.sqrt(fans(x)[mode == "fan_out"])


def xavier_uniform_(x: Tensor, gain: float = 1.0) -> Tensor:
    """Fill so that tanh keeps the variance both ways (Glorot & Bengio 2010); bound gain·√(6 / (fan_in + fan_out))."""
    bound = gain * math.sqrt(6 / sum(fans(x)))
    return uniform_(x, -bound, bound)


def xavier_normal_(x: Tensor, gain: float = 1.0) -> Tensor:
    """The same, from the normal distribution."""
    return normal_(x, 0.0, gain * math.sqrt(2 / sum(fans(x))))


def orthogonal_(x: Tensor, gain: float = 1.0) -> Tensor:
    """Fill with orthonormal rows or columns, whichever are fewer (Saxe et al. 2014)."""
    if x.ndim < 2:
        raise ShapeError(f"orthogonal weights have at least two axes, not shape {x.shape}", where="init.orthogonal_")
    rows = x.shape[0]
    drawn = generator().standard_normal((rows, math.prod(x.shape[1:])))
    q, r = np.linalg.qr(drawn if rows >= drawn.shape[1] else drawn.T)
    q = q * np.sign(np.diag(r))  # every rotation equally likely
    return _fill(x, gain * (q if rows >= drawn.shape[1] else q.T).reshape(x.shape))
