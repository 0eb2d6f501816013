"""Norms: entries brought to a common scale, then stretched and moved by what is learnt."""

from __future__ import annotations

from typing import Any

from openbook.errors import InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor.autograd import no_grad

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm"]


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Each case's last axes standardised, then weighted and moved entry by entry (Ba et al. 2016)."""
    y = word.standardize(input, axis=_last_axes("layer_norm", input, normalized_shape), eps=eps)
    return _affine(y, weight, bias)


def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """Each case's last axes divided by their root mean square, then weighted (Zhang & Sennrich 2019)."""
    import numpy as np

    axes = _last_axes("rms_norm", input, normalized_shape)
    y = word.rms_standardize(input, axis=axes, eps=float(np.finfo(input.dtype).eps) if eps is None else eps)
    return _affine(y, weight, None)


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Each case's channels standardised in groups, then weighted and moved by channel (Wu & He 2018)."""
    if input.shape[1] % num_groups:
        raise InputError(f"{input.shape[1]} channels do not part into {num_groups} equal groups", where="group_norm")
    grouped = input.reshape(input.shape[0], num_groups, -1)
    y = word.standardize(grouped, axis=(2,), eps=eps).reshape(input.shape)
    return _by_channel(y, weight, bias)


def instance_norm(
    input: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
    use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Each case's channels standardised one by one (Ulyanov et al. 2016)."""
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, training=False, eps=eps)
    axes = tuple(range(2, input.ndim))
    if running_mean is not None:
        with no_grad():
            seen = input.detach()
            running_mean.mul_(1 - momentum).add_(seen.mean(axes).mean(0) * momentum)
            running_var.mul_(1 - momentum).add_(seen.var(axes).mean(0) * momentum)
    return _by_channel(word.standardize(input, axis=axes, eps=eps), weight, bias)


def batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Each channel standardised over all cases (Ioffe & Szegedy 2015); in use by running statistics.

    In training `running_mean` and `running_var` (if given) move towards the batch's by the share `momentum`, in place; the
    running variance is Bessel-corrected, as PyTorch's is.
    """
    axes = (0, *range(2, input.ndim))
    if not training:
        if running_mean is None or running_var is None:
            raise InputError("in use batch_norm needs running statistics", where="batch_norm", do="train first")
        scale = word.rsqrt(running_var + eps)
        y = (input - _channel(running_mean, input)) * _channel(scale, input)
        return _by_channel(y, weight, bias)
    count = input.numel() // input.shape[1]
    if count <= 1:
        raise InputError(
            f"a single value per channel has no variance (input {tuple(input.shape)})", where="batch_norm in training",
            do="use larger batches, or model.eval()",
        )  # fmt: skip
    if running_mean is not None:
        with no_grad():
            seen = input.detach()
            running_mean.mul_(1 - momentum).add_(seen.mean(axes) * momentum)
            running_var.mul_(1 - momentum).add_(seen.var(axes) * momentum)
    return _by_channel(word.standardize(input, axis=axes, eps=eps), weight, bias)


def _last_axes(name: str, x: Any, shape: Any) -> tuple[int, ...]:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if not sizes or tuple(x.shape[-len(sizes) :]) != sizes:
        raise ShapeError(
            f"{name} over {sizes} does not fit an input of shape {tuple(x.shape)}", do="give the last axes"
        )
    return tuple(range(-len(sizes), 0))


def _channel(v: Any, x: Any) -> Any:
    return v.reshape(-1, *(1,) * (x.ndim - 2))


def _by_channel(y: Any, weight: Any, bias: Any) -> Any:
    return _affine(y, None if weight is None else _channel(weight, y), None if bias is None else _channel(bias, y))


def _affine(y: Any, weight: Any, bias: Any) -> Any:
    y = y if weight is None else y * weight
    return y if bias is None else y + bias
