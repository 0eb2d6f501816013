"""How weights start, drawn from the generator that `openbook.manual_seed` seeds. All fill in place.

`generator` is a NumPy generator to draw from instead.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.tensor.create import generator as default_generator
from openbook.tensor.tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

_GAINS = {
    "linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "conv_transpose1d": 1.0, "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4,
}  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that makes up for what an activation takes from the standard deviation; `param` is leaky ReLU's slope."""
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        raise InputError(f"no gain is known for {nonlinearity!r}", do=f"choose one of {', '.join(_GAINS)}, leaky_relu")
    return _GAINS[nonlinearity]


Source = np.random.Generator | None  # of random numbers: that of `openbook.manual_seed`, unless one is given


def _fill(x: Tensor, values: Any) -> Tensor:
    x.data[...] = values
    return x.changed_in_place()


def _fans(x: Tensor) -> tuple[int, int]:
    """How many inputs an output sees and how many outputs an input: weights (out, in, *kernel)."""
    if x.ndim < 2:
        raise ShapeError(f"a tensor of shape {x.shape} has no fan in or out", do="give weights of two or more axes")
    field = math.prod(x.shape[2:])
    return x.shape[1] * field, x.shape[0] * field


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Source = None) -> Tensor:
    """Fill with draws from the uniform distribution on [a, b)."""
    return _fill(tensor, (generator or default_generator()).uniform(a, b, tensor.shape))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Source = None) -> Tensor:
    """Fill with draws from the normal distribution."""
    return _fill(tensor, (generator or default_generator()).normal(mean, std, tensor.shape))


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Source = None
) -> Tensor:
    """Fill with draws from the normal distribution, of those that lie in [a, b]: by inverting its distribution function."""
    from scipy.special import ndtr, ndtri

    if not a < b:
        raise InputError(f"[{a}, {b}] is no interval", where="trunc_normal_", do="give a < b")
    low, high = ndtr((a - mean) / std), ndtr((b - mean) / std)
    draws = mean + std * ndtri((generator or default_generator()).uniform(low, high, tensor.shape))
    return _fill(tensor, np.clip(draws, a, b))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value."""
    return _fill(tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return _fill(tensor, 0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return _fill(tensor, 1)


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity: inputs pass as they are."""
    if tensor.ndim != 2:
        raise ShapeError(f"only a matrix becomes the identity, not shape {tensor.shape}", where="eye_")
    return _fill(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Source = None) -> Tensor:
    """Fill a matrix with normal draws, and set the share `sparsity` of every column to zero (Martens 2010)."""
    if tensor.ndim != 2:
        raise ShapeError(f"only a matrix has columns, not shape {tensor.shape}", where="sparse_")
    rows, columns = tensor.shape
    normal_(tensor, 0.0, std, generator)
    source = generator or default_generator()
    for column in range(columns):
        tensor.data[source.permutation(rows)[: math.ceil(sparsity * rows)], column] = 0
    return tensor.changed_in_place()


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill convolution weights (out, in, *kernel) so that channels pass as they are."""
    if tensor.ndim < 3 or tensor.shape[0] % groups:
        raise ShapeError(f"no convolution in {groups} groups has weights of shape {tensor.shape}", where="dirac_")
    values = np.zeros(tensor.shape)
    each = tensor.shape[0] // groups
    middle = tuple(n // 2 for n in tensor.shape[2:])
    for group in range(groups):
        for channel in range(min(each, tensor.shape[1])):
            values[(group * each + channel, channel, *middle)] = 1
    return _fill(tensor, values)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Source = None) -> Tensor:
    """Fill so that the variance is kept both ways (Glorot & Bengio 2010); bound gain·√(6 / (fan_in + fan_out))."""
    bound = gain * math.sqrt(6 / sum(_fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Source = None) -> Tensor:
    """Fill so that the variance is kept both ways (Glorot & Bengio 2010); std gain·√(2 / (fan_in + fan_out))."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(_fans(tensor))), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise InputError(f"there is no mode {mode!r}", where="kaiming", do='choose "fan_in" or "fan_out"')
    fan = _fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Source = None
) -> Tensor:
    """Fill so that a (leaky) ReLU with slope `a` keeps the variance of what flows through (He et al. 2015).

    Bound gain·√(3 / fan); "fan_in" keeps it on the way forward, "fan_out" on the way back.
    """
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Source = None
) -> Tensor:
    """Fill with normal draws so that a (leaky) ReLU keeps the variance (He et al. 2015); std gain / √fan."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Source = None) -> Tensor:
    """Fill with a random (half-)orthogonal matrix (Saxe et al. 2014); axes from the second on count as one."""
    if tensor.ndim < 2:
        raise ShapeError(f"a tensor of shape {tensor.shape} is no matrix", where="orthogonal_")
    rows = tensor.shape[0]
    columns = math.prod(tensor.shape[1:])
    q, r = np.linalg.qr((generator or default_generator()).standard_normal((max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diag(r))  # the signs that make the distribution uniform
    return _fill(tensor, gain * (q.T if rows < columns else q).reshape(tensor.shape))
