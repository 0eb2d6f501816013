"""How weights start, drawn from the generator that `openbook.manual_seed` seeds."""

from __future__ import annotations

import math

import numpy as np

from openbook.tensor.create import generator
from openbook.tensor.tensor import Tensor

__all__ = ["kaiming_uniform_", "normal_", "uniform_", "xavier_uniform_", "zeros_"]


def uniform_(x: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Fill with draws from the uniform distribution."""
    x.data[...] = generator().uniform(low, high, x.shape)
    return x.changed_in_place()


def normal_(x: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Fill with draws from the normal distribution."""
    x.data[...] = generator().normal(mean, std, x.shape)
    return x.changed_in_place()


def zeros_(x: Tensor) -> Tensor:
    """Fill with zeros."""
    x.data[...] = np.zeros(x.shape)
    return x.changed_in_place()


def kaiming_uniform_(x: Tensor, a: float = 0.0) -> Tensor:
    """Fill so that a (leaky) ReLU with slope `a` keeps the variance of what flows through (He et al. 2015).

    Bound √(6 / ((1 + a²)·fan_in)); weights have shape (out, in).
    """
    bound = math.sqrt(6 / ((1 + a * a) * x.shape[-1]))
    return uniform_(x, -bound, bound)


def xavier_uniform_(x: Tensor, gain: float = 1.0) -> Tensor:
    """Fill so that tanh keeps the variance both ways (Glorot & Bengio 2010); bound gain·√(6 / (fan_in + fan_out))."""
    bound = gain * math.sqrt(6 / (x.shape[-1] + x.shape[0]))
    return uniform_(x, -bound, bound)
