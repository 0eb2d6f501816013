"""Weight and spectral norm as hooks, as PyTorch had them before parametrizations: same names in the state."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.nn.module import Module
from openbook.nn.parameter import Parameter
from openbook.nn.utils.parametrizations import (
    as_matrix,
    largest_singular_value,
    length,
    outputs_axis,
    random_unit,
    require_iterations,
    unit,
    with_length,
)
from openbook.tensor.tensor import Tensor

__all__ = ["remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"]


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learn a weight's length and direction apart, as `weight_g` and `weight_v`; see `parametrizations.weight_norm`.

    The weight itself is computed anew whenever the module is called.
    """
    weight = _own_parameter(module, name, _WeightNorm, "weight_norm")
    norm = _WeightNorm(name, -1 if dim is None else dim)
    delattr(module, name)
    module.register_parameter(f"{name}_g", Parameter(np.array(length(weight.detach(), norm.dim).data)))
    module.register_parameter(f"{name}_v", Parameter(weight.data))
    return _registered(module, norm)


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Make the weight an ordinary parameter again, with the value it is computed to have."""
    return _removed(module, name, _WeightNorm, "weight_norm", ("_g", "_v"))


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Keep a weight's largest singular value at 1; see `parametrizations.spectral_norm`.

    What is learnt is `weight_orig`; the estimate is kept in `weight_u` and `weight_v`, and improved by every call in training.
    """
    require_iterations(n_power_iterations)
    weight = _own_parameter(module, name, _SpectralNorm, "spectral_norm")
    norm = _SpectralNorm(name, n_power_iterations, outputs_axis(module) if dim is None else dim, eps)
    rows, columns = as_matrix(weight.detach(), norm.dim).shape
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    module.register_buffer(f"{name}_u", random_unit(rows, weight.dtype, eps))
    module.register_buffer(f"{name}_v", random_unit(columns, weight.dtype, eps))
    setattr(module, name, weight.detach())
    module.register_forward_pre_hook(norm)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Make the weight an ordinary parameter again, with the value it is computed to have."""
    return _removed(module, name, _SpectralNorm, "spectral_norm", ("_orig", "_u", "_v"))


class _WeightNorm:
    """Computes the weight before each call."""

    def __init__(self, name: str, dim: int):
        self.name, self.dim = name, dim

    def weight(self, module: Module) -> Any:
        """The weight as it is now."""
        return with_length(getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v"), self.dim)

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.weight(module))


class _SpectralNorm:
    """Improves the estimate in training, and computes the weight before each call."""

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float):
        self.name, self.n_power_iterations, self.dim, self.eps = name, n_power_iterations, dim, eps

    def weight(self, module: Module, times: int = 0) -> Any:
        """The weight as it is now, after some more steps of power iteration."""
        original = getattr(module, f"{self.name}_orig")
        matrix = as_matrix(original, self.dim)
        u, v = (getattr(module, f"{self.name}_{letter}").data for letter in "uv")
        for _ in range(times):
            v = unit(matrix.data.T @ u, self.eps)
            u = unit(matrix.data @ v, self.eps)
        if times:
            setattr(module, f"{self.name}_u", Tensor(u))
            setattr(module, f"{self.name}_v", Tensor(v))
        return original / largest_singular_value(matrix, u, v)

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.weight(module, self.n_power_iterations if module.training else 0))


def _own_parameter(module: Module, name: str, kind: type, what: str) -> Parameter:
    """The parameter to be computed from now on."""
    if _hook(module, name, kind) is not None:
        raise InputError(f"{name!r} of {type(module).__name__} has a {what} already", do=f"call remove_{what} first")
    weight = module._parameters.get(name)
    if weight is None or not weight.numel():
        raise InputError(
            f"{type(module).__name__} has no parameter {name!r} with entries",
            where=what,
            do="name one that is there; a lazy layer has its size after its first call",
        )
    return weight


def _registered(module: Module, norm: Any) -> Module:
    setattr(module, norm.name, norm.weight(module))
    module.register_forward_pre_hook(norm)
    return module


def _hook(module: Module, name: str, kind: type) -> tuple[int, Any] | None:
    """A module's hook of this kind, with its number."""
    hooks = {} if module._hooks is None else module._hooks.before
    return next(((i, h) for i, (h, _) in hooks.items() if isinstance(h, kind) and h.name == name), None)  # type: ignore[attr-defined]


def _removed(module: Module, name: str, kind: type, what: str, parts: tuple[str, ...]) -> Module:
    found = _hook(module, name, kind)
    if found is None or module._hooks is None:
        raise InputError(f"{name!r} of {type(module).__name__} has no {what} to remove")
    number, norm = found
    weight = norm.weight(module).detach()
    del module._hooks.before[number]
    for part in (name, *(name + part for part in parts)):
        delattr(module, part)
    module.register_parameter(name, Parameter(np.array(weight.data)))
    return module
