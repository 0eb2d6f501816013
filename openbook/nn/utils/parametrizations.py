"""Weights with a norm of their own: parametrizations ready to use."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.nn.convolution import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from openbook.nn.module import Module
from openbook.nn.utils.parametrize import register_parametrization
from openbook.ops import vocabulary as word
from openbook.tensor.create import generator
from openbook.tensor.tensor import Tensor

__all__ = ["spectral_norm", "weight_norm"]


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learn a weight's length and direction apart: g · v/|v|, one length along each entry of axis `dim`, or one in all.

    (Salimans & Kingma 2016.) The module gets `parametrizations.weight.original0` (g) and `original1` (v).
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def take_older_names(module: Any, state: dict[str, Any], prefix: str, *others: Any) -> None:
        for i, letter in enumerate("gv"):
            if f"{prefix}{name}_{letter}" in state:
                state[f"{prefix}parametrizations.{name}.original{i}"] = state.pop(f"{prefix}{name}_{letter}")

    module.register_load_state_dict_pre_hook(take_older_names)
    return module


class _WeightNorm(Module):
    """A weight from its length and its direction."""

    def __init__(self, dim: int | None):
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, g: Any, v: Any) -> Any:
        return with_length(g, v, self.dim)

    def right_inverse(self, weight: Any) -> tuple[Any, Any]:
        return length(weight, self.dim), weight


def with_length(g: Any, v: Any, dim: int) -> Any:
    """g · v/|v|."""
    return v * (g / length(v, dim))


def length(weight: Any, dim: int) -> Any:
    """The 2-norm over all axes but one, which stays where it is; over all where `dim` is −1, as in PyTorch."""
    if dim == -1:
        return weight.norm()
    others = [axis for axis in range(weight.ndim) if axis != dim]
    return weight.norm(2, others, keepdim=True) if others else weight.abs()


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Keep a weight's largest singular value at 1 by dividing by an estimate of it (Miyato et al. 2018).

    In training, every look at the weight improves the estimate by `n_power_iterations` steps of power iteration, kept in
    buffers. The weight counts as a matrix whose rows are axis `dim`: the outputs, unless given.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise InputError(f"{type(module).__name__} has no parameter or buffer {name!r}", where="spectral_norm")
    axis = outputs_axis(module) if dim is None else dim
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, axis, eps))


def outputs_axis(module: Module) -> int:
    """Which axis of a layer's weight counts its outputs."""
    return 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0


class _SpectralNorm(Module):
    """A weight divided by the estimate of its largest singular value; a vector by its length."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12):
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise InputError(f"a weight of shape {tuple(weight.shape)} has no axis {dim}", where="spectral_norm")
        require_iterations(n_power_iterations)
        self.dim, self.eps = dim % weight.ndim, eps
        if weight.ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = as_matrix(weight.detach(), self.dim).data
            for label, size in zip(("_u", "_v"), matrix.shape, strict=True):
                self.register_buffer(label, random_unit(size, matrix.dtype, eps))
            self._iterate(matrix, 15)

    def _iterate(self, matrix: np.ndarray, times: int) -> None:
        u, v = self._u.data, self._v.data
        for _ in range(times):
            u = unit(matrix @ v, self.eps)
            v = unit(matrix.T @ u, self.eps)
        self._u, self._v = Tensor(u), Tensor(v)

    def forward(self, weight: Any) -> Any:
        if weight.ndim == 1:
            return weight / weight.norm().clamp(min=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._iterate(matrix.data, self.n_power_iterations)
        return weight / largest_singular_value(matrix, self._u.data, self._v.data)

    def right_inverse(self, value: Any) -> Any:
        return value


def require_iterations(n_power_iterations: int) -> None:
    """Refuse to estimate by nothing."""
    if n_power_iterations < 1:
        raise InputError(f"n_power_iterations={n_power_iterations} improves nothing", do="give at least 1")


def as_matrix(weight: Any, dim: int) -> Any:
    """A weight as the matrix whose rows are its entries along an axis."""
    if dim:
        weight = word.permute(weight, axes=(dim, *(axis for axis in range(weight.ndim) if axis != dim)))
    return word.reshape(weight, shape=(weight.shape[0], -1))


def largest_singular_value(matrix: Any, u: np.ndarray, v: np.ndarray) -> Any:
    """uᵀ W v, where u and v are (close to) the singular vectors of the largest one."""
    return word.total((matrix @ v) * u)


def unit(x: np.ndarray, eps: float) -> np.ndarray:
    """A vector at length 1; one shorter than `eps` counts as that long."""
    return x / x.dtype.type(max(np.linalg.norm(x), eps))


def random_unit(size: int, dtype: np.dtype, eps: float) -> Tensor:
    """A direction drawn evenly."""
    return Tensor(unit(generator().standard_normal(size).astype(dtype), eps))
