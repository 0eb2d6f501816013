"""Normalisation: entries shifted and scaled to mean 0 and variance 1 over a batch, a layer or a group."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor.autograd import no_grad

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm"]


def layer_norm(
    input: Any, normalized_shape: Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Mean 0 and variance 1 over the last axes, then times `weight` plus `bias` (Ba et al. 2016)."""
    axes = _last_axes("layer_norm", input, normalized_shape)
    return _affine(word.standardize(input, axis=axes, eps=eps), weight, bias)


def rms_norm(input: Any, normalized_shape: Sequence[int], weight: Any = None, eps: float | None = None) -> Any:
    """Divided by the root mean square over the last axes, then times `weight` (Zhang & Sennrich 2019).

    `eps` is by default the spacing of floats around 1.
    """
    axes = _last_axes("rms_norm", input, normalized_shape)
    small = float(np.finfo(input.dtype).eps) if eps is None else eps
    return _affine(word.rms_standardize(input, axis=axes, eps=small), weight, None)


def _last_axes(name: str, x: Any, shape: Sequence[int]) -> tuple[int, ...]:
    wanted = tuple(shape)
    if not wanted or tuple(x.shape[-len(wanted) :]) != wanted:
        raise ShapeError(f"{name} over {wanted} does not fit an input of shape {x.shape}: these must be its last axes")
    return tuple(range(-len(wanted), 0))


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Mean 0 and variance 1 over all axes but the second, then times `weight` plus `bias` (Ioffe & Szegedy 2015).

    In training by the statistics of the batch, and the running ones move towards them by `momentum` (the variance
    divided by n − 1); in use by the running ones.
    """
    if input.ndim < 2:
        raise ShapeError(f"batch_norm takes (batch, channels, …), not shape {input.shape}")
    if not training:
        return _by_running(input, running_mean, running_var, weight, bias, eps)
    axes = (0, *range(2, input.ndim))
    if math.prod(input.shape) < 2 * input.shape[1]:
        raise ShapeError(
            f"a batch of shape {tuple(input.shape)} has one value for each channel, so it has no variance",
            where="batch_norm",
            do="train on larger batches, or call eval() first",
        )
    if running_mean is not None:
        _move(running_mean, running_var, input, axes, momentum)
    return _by_channel(word.standardize(input, axis=axes, eps=eps), weight, bias)


def _by_running(x: Any, mean: Any, var: Any, weight: Any, bias: Any, eps: float) -> Any:
    """With fixed statistics it is one scale and one shift a channel."""
    if mean is None or var is None:
        raise InputError("there are no running statistics to normalise by", where="batch_norm", do="pass training=True")
    scale = word.rsqrt(var + eps)
    scale = scale if weight is None else weight * scale
    shift = -mean * scale
    return _by_channel(x, scale, shift if bias is None else bias + shift)


def _by_channel(y: Any, weight: Any, bias: Any) -> Any:
    """Times a weight and plus a bias for each channel, on axis 1."""
    shape = (y.shape[1],) + (1,) * (y.ndim - 2)
    return _affine(y, *(None if v is None else word.reshape(v, shape=shape) for v in (weight, bias)))


def _affine(y: Any, weight: Any, bias: Any) -> Any:
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Mean 0 and variance 1 over each group of channels, then times `weight` plus `bias` (Wu & He 2018)."""
    if input.ndim < 2 or input.shape[1] % num_groups:
        raise ShapeError(f"the channels (axis 1) of shape {input.shape} do not make {num_groups} groups")
    groups = word.reshape(input, shape=(input.shape[0], num_groups, math.prod(input.shape[1:]) // num_groups))
    y = word.reshape(word.standardize(groups, axis=(2,), eps=eps), shape=tuple(input.shape))
    return _by_channel(y, weight, bias)


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Mean 0 and variance 1 over the spatial axes of each channel of each row (Ulyanov et al. 2016)."""
    if not use_input_stats:
        return _by_running(input, running_mean, running_var, weight, bias, eps)
    axes = tuple(range(2, input.ndim))
    if math.prod(input.shape[2:]) < 2:
        raise ShapeError(f"instance_norm needs more than one spatial entry, not shape {tuple(input.shape)}")
    if running_mean is not None:
        _move(running_mean, running_var, input, axes, momentum, lambda statistic: statistic.mean(0))
    return _by_channel(word.standardize(input, axis=axes, eps=eps), weight, bias)


def _move(
    mean: Any, var: Any, x: Any, axes: tuple[int, ...], momentum: float, over_rows: Callable[[Any], Any] = lambda s: s
) -> None:
    """Running statistics towards those of a batch, in place."""
    with no_grad():
        seen = x.detach()
        mean.mul_(1 - momentum).add_(over_rows(seen.mean(axes)), alpha=momentum)
        var.mul_(1 - momentum).add_(over_rows(seen.var(axes)), alpha=momentum)


def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """Each entry divided by (k + α · mean of the squares in `size` channels around it)^β (Krizhevsky et al. 2012)."""
    if input.ndim < 3:
        raise ShapeError(f"local_response_norm takes (N, C, …) of three axes and more, not shape {tuple(input.shape)}")
    widths = ((0, 0), (size // 2, (size - 1) // 2), *((0, 0),) * (input.ndim - 2))
    squares = word.pad(word.square(input), widths=widths, value=0.0)
    means = squares.unfold(1, size, 1).mean(-1)
    return input / word.power(means * alpha + k, beta)
