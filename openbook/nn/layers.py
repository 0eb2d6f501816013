"""Affine layers, and what only reshapes or drops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.nn import functional, init
from openbook.nn.module import Module, Parameter
from openbook.ops import vocabulary as word

__all__ = ["Bilinear", "Dropout", "Dropout1d", "Dropout2d", "Flatten", "Linear", "Unflatten"]


class Linear(Module):
    """y = x Wᵀ + b, with `weight` of shape (out_features, in_features).

    Starts as PyTorch's does: weights and bias uniform in ±1/√in_features.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, dtype: Any = np.float32):
        super().__init__()
        if in_features < 1 or out_features < 1:
            raise InputError(f"a layer has at least one input and one output, not {in_features} and {out_features}")
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(np.empty((out_features, in_features), dtype))
        self.bias = Parameter(np.empty(out_features, dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial weights."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features)
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Any) -> Any:
        if self.bias is None:
            return word.linear(x, self.weight)
        return word.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """y_k = x₁ᵀ W_k x₂ + b_k, with `weight` of shape (out_features, in1_features, in2_features)."""

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True, dtype: Any = np.float32
    ):
        super().__init__()
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        self.weight = Parameter(np.empty((out_features, in1_features, in2_features), dtype))
        self.bias = Parameter(np.empty(out_features, dtype)) if bias else None
        bound = 1 / math.sqrt(in1_features)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def forward(self, input1: Any, input2: Any) -> Any:
        return functional.bilinear(input1, input2, self.weight, self.bias)


class Flatten(Module):
    """All axes from the second on as one."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1):
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Any:
        return x.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """One axis as several."""

    def __init__(self, dim: int, unflattened_size: Any):
        super().__init__()
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, x: Any) -> Any:
        return x.unflatten(self.dim, self.unflattened_size)


class Dropout(Module):
    """In training, drop each entry with probability p and scale the rest by 1/(1 − p); in use, do nothing."""

    def __init__(self, p: float = 0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise InputError(f"the share of entries to drop lies in [0, 1], not {p}", where=type(self).__name__)
        self.p = p

    def forward(self, x: Any) -> Any:
        return functional.dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Dropout1d(Dropout):
    """Dropout of whole channels (rows, channels, length)."""

    axes = 1

    def forward(self, x: Any) -> Any:
        if not self.training or self.p == 0:
            return x
        whole = x.new_ones(x.shape[: x.ndim - self.axes] + (1,) * self.axes)
        return x * functional.dropout(whole, self.p)


class Dropout2d(Dropout1d):
    """Dropout of whole channels (rows, channels, height, width)."""

    axes = 2
