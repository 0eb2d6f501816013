"""Normalisation: entries shifted and scaled to mean 0 and variance 1 over a batch, a layer or a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn.functional.arguments import given
from openbook.ops import vocabulary as word

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm"]


def layer_norm(
    input: Any, normalized_shape: Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Mean 0 and variance 1 over the last axes, then times `weight` plus `bias` (Ba et al. 2016)."""
    axes = _last_axes("layer_norm", input, normalized_shape)
    return word.layer_norm(input, *given(weight, bias), axes=axes, eps=eps)


def rms_norm(input: Any, normalized_shape: Sequence[int], weight: Any = None, eps: float | None = None) -> Any:
    """Divided by the root mean square over the last axes, then times `weight` (Zhang & Sennrich 2019).

    `eps` is by default the spacing of floats around 1.
    """
    axes = _last_axes("rms_norm", input, normalized_shape)
    small = float(np.finfo(input.dtype).eps) if eps is None else eps
    return word.rms_norm(input, *given(weight), axes=axes, eps=small)


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
    count = input.data.size // max(1, input.shape[1])
    if count < 2:
        raise ShapeError(
            f"a batch of shape {input.shape} has one value for each channel, so it has no variance",
            where="batch_norm",
            do="train on larger batches, or call eval() first",
        )
    if running_mean is not None:
        axes = (0, *range(2, input.ndim))
        _move(running_mean, input.data.mean(axis=axes), momentum)
        _move(running_var, input.data.var(axis=axes, ddof=1), momentum)
    return word.batch_norm(input, *given(weight, bias), eps=eps)


def _move(running: Any, value: Any, momentum: float) -> None:
    running.data[...] = (1 - momentum) * running.data + momentum * value
    running.changed_in_place()


def _by_running(x: Any, mean: Any, var: Any, weight: Any, bias: Any, eps: float) -> Any:
    """With fixed statistics it is one scale and one shift a channel."""
    if mean is None or var is None:
        raise InputError("there are no running statistics to normalise by", where="batch_norm", do="pass training=True")
    shape = (x.shape[1],) + (1,) * (x.ndim - 2)
    scale = 1 / np.sqrt(var.data + np.asarray(eps, var.data.dtype))
    shift = -mean.data * scale
    if weight is not None:
        scale, shift = weight * scale, weight * shift
    if bias is not None:
        shift = bias + shift
    return x * word.reshape(scale, shape=shape) + word.reshape(shift, shape=shape)


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Mean 0 and variance 1 over each group of channels, then times `weight` plus `bias` (Wu & He 2018)."""
    if input.ndim < 2 or input.shape[1] % num_groups:
        raise ShapeError(f"the channels (axis 1) of shape {input.shape} do not make {num_groups} groups")
    return word.group_norm(input, *given(weight, bias), groups=num_groups, eps=eps)


def instance_norm(input: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Mean 0 and variance 1 over the spatial axes of each channel of each row: a group norm of one channel a group."""
    if input.ndim < 3 or input[0, 0].data.size < 2:
        raise ShapeError(f"instance_norm needs more than one spatial entry, not shape {input.shape}")
    return word.group_norm(input, *given(weight, bias), groups=input.shape[1], eps=eps)
