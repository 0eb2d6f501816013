"""Normalisation layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn import functional, init
from openbook.nn.module import Module, Parameter
from openbook.nn.parameter import empty_parameter, float_dtype
from openbook.ops import vocabulary as word
from openbook.tensor.tensor import Tensor

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d",
    "LayerNorm", "LocalResponseNorm", "RMSNorm",
]  # fmt: skip


class _Norm(Module):
    """What normalisations share: `weight` starts as ones, `bias` as zeros, and either may be left out."""

    weight: Parameter | None
    bias: Parameter | None

    def _register_affine(self, shape: tuple[int, ...], affine: bool, bias: bool, kind: np.dtype) -> None:
        self.register_parameter("weight", empty_parameter(*shape, dtype=kind) if affine else None)
        self.register_parameter("bias", empty_parameter(*shape, dtype=kind) if affine and bias else None)

    def reset_parameters(self) -> None:
        """Back to no scaling and no shift."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class LayerNorm(_Norm):
    """Mean 0 and variance 1 over the last axes, then times `weight` plus `bias`, both of shape `normalized_shape`."""

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._register_affine(self.normalized_shape, elementwise_affine, bias, float_dtype(device, dtype))
        self.reset_parameters()

    def forward(self, input: Any) -> Any:
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        affine = f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        return f"{self.normalized_shape}, eps={self.eps}, {affine}"


class RMSNorm(Module):
    """Divided by the root mean square over the last axes, then times `weight`."""

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        kind = float_dtype(device, dtype)
        weight = empty_parameter(*self.normalized_shape, dtype=kind) if elementwise_affine else None
        self.register_parameter("weight", weight)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Back to no scaling."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Any) -> Any:
        return functional.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


def _shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


class GroupNorm(_Norm):
    """Mean 0 and variance 1 over each of `num_groups` groups of channels, then times `weight` plus `bias` a channel."""

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise InputError(f"{num_channels} channels do not make {num_groups} groups", where="GroupNorm")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self._register_affine((num_channels,), affine, bias, float_dtype(device, dtype))
        self.reset_parameters()

    def forward(self, input: Any) -> Any:
        _require_channels(self, input, self.num_channels)
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        affine = f"affine={self.affine}, bias={self.bias is not None}"
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, {affine}"


def _require_channels(module: Module, x: Any, channels: int) -> None:
    if x.ndim < 2 or x.shape[1] != channels:
        raise ShapeError(f"{type(module).__name__} takes {channels} channels on axis 1, not shape {x.shape}")


class _ByChannel(_Norm):
    """What batch and instance norms share."""

    ndims: tuple[int, ...]
    running_mean: Any  # tensors, or None without running statistics
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__()
        kind = float_dtype(device, dtype)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self._register_affine((num_features,), affine, bias, kind)
        tracked = track_running_stats
        self.register_buffer("running_mean", Tensor(np.zeros(num_features, kind)) if tracked else None)
        self.register_buffer("running_var", Tensor(np.ones(num_features, kind)) if tracked else None)
        self.register_buffer("num_batches_tracked", Tensor(np.array(0, np.int64)) if tracked else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the batches seen."""
        if self.track_running_stats:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Back to no scaling and no shift, and no batches seen."""
        super().reset_parameters()
        self.reset_running_stats()

    def extra_repr(self) -> str:
        affine = f"affine={self.affine}, bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, {affine}"


class _BatchNorm(_ByChannel):
    """Mean 0 and variance 1 for each channel (axis 1), then times `weight` plus `bias`.

    In training by the statistics of the batch, which `running_mean` and `running_var` follow: by `momentum`, or as the
    average of all batches where it is None. In use by the running ones, unless `track_running_stats=False`.
    """

    def forward(self, input: Any) -> Any:
        if input.ndim not in self.ndims:
            wanted = " or ".join(map(str, self.ndims))
            raise ShapeError(f"{type(self).__name__} takes inputs of {wanted} axes, not shape {input.shape}")
        _require_channels(self, input, self.num_features)
        batch = self.training or self.running_mean is None
        share = self._share() if self.training and self.track_running_stats else 0.0
        return functional.batch_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias, batch, share, self.eps
        )

    def _share(self) -> float:
        """How much the next batch counts."""
        self.num_batches_tracked.add_(1)
        return 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum


class BatchNorm1d(_BatchNorm):
    __doc__ = _BatchNorm.__doc__
    ndims = (2, 3)


class BatchNorm2d(_BatchNorm):
    __doc__ = _BatchNorm.__doc__
    ndims = (4,)


class BatchNorm3d(_BatchNorm):
    __doc__ = _BatchNorm.__doc__
    ndims = (5,)


class _InstanceNorm(_ByChannel):
    """Mean 0 and variance 1 over the spatial axes of each channel of each row, then times `weight` plus `bias`.

    With `track_running_stats`, `running_mean` and `running_var` follow the average over the rows in training, and serve in
    use; without, every input is normalised by its own statistics.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Any) -> Any:
        (batched,) = self.ndims
        if input.ndim not in (batched - 1, batched):
            raise ShapeError(f"{type(self).__name__} takes inputs of {batched} axes, not shape {input.shape}")
        batch = input if input.ndim == batched else word.reshape(input, shape=(1, *input.shape))
        _require_channels(self, batch, self.num_features)
        y = functional.instance_norm(
            batch, self.running_mean, self.running_var, self.weight, self.bias,
            self.training or not self.track_running_stats, self.momentum or 0.0, self.eps,
        )  # fmt: skip
        return y if input.ndim == batched else word.reshape(y, shape=input.shape)


class InstanceNorm1d(_InstanceNorm):
    __doc__ = _InstanceNorm.__doc__
    ndims = (3,)


class InstanceNorm2d(_InstanceNorm):
    __doc__ = _InstanceNorm.__doc__
    ndims = (4,)


class InstanceNorm3d(_InstanceNorm):
    __doc__ = _InstanceNorm.__doc__
    ndims = (5,)


class LocalResponseNorm(Module):
    """Each entry divided by (k + α · mean of the squares in `size` channels around it)^β (Krizhevsky et al. 2012)."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0):
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Any) -> Any:
        return functional.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
