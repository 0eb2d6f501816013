"""Pooling: windows of entries made into one each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn.functional.arguments import per_axis, require_axes
from openbook.ops import vocabulary as word

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "max_pool1d", "max_pool2d", "max_pool3d",
]  # fmt: skip


def _max_pool(
    axes: int, input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest entry of every window; `stride` is the window's size unless given."""
    if return_indices:
        raise InputError("pooling gives no indices here", do="leave return_indices out")
    return _windows("max_pool", word.max_pool, axes, input, kernel_size, stride, padding,
                    dilation=per_axis(dilation, axes, "dilation", least=1), ceil_mode=ceil_mode)  # fmt: skip


def _avg_pool(
    axes: int, input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """The mean of every window; `stride` is the window's size unless given."""
    if divisor_override is not None:
        raise InputError("avg_pool divides by the size of the window only", do="leave divisor_override out, and scale")
    return _windows("avg_pool", word.avg_pool, axes, input, kernel_size, stride, padding,
                    ceil_mode=ceil_mode, count_include_pad=count_include_pad)  # fmt: skip


def _windows(
    name: str, pool: Callable[..., Any], axes: int, x: Any, kernel_size: Any, stride: Any, padding: Any, **options: Any
) -> Any:
    alone = require_axes(f"{name}{axes}d", x, axes)
    kernel = per_axis(kernel_size, axes, "kernel_size", least=1)
    step = kernel if stride is None else per_axis(stride, axes, "stride", least=1)
    sides = per_axis(padding, axes, "padding", least=0)
    if any(2 * p > k for p, k in zip(sides, kernel, strict=True)):
        raise ShapeError(f"padding {sides} is more than half of the window {kernel}", where=f"{name}{axes}d")
    batch = word.reshape(x, shape=(1, *x.shape)) if alone else x
    y = pool(batch, kernel_size=kernel, stride=step, padding=sides, **options)
    return word.reshape(y, shape=y.shape[1:]) if alone else y


def _adaptive(axes: int, input: Any, output_size: Any, name: str) -> tuple[int, ...]:
    """The wanted size of every spatial axis; None keeps what is there."""
    require_axes(f"{name}{axes}d", input, axes)
    sizes = tuple(output_size) if isinstance(output_size, tuple | list) else (output_size,) * axes
    own = tuple(input.shape[input.ndim - axes :])
    return per_axis(tuple(n if s is None else s for s, n in zip(sizes, own, strict=True)), axes, "output_size", least=1)


def _adaptive_avg_pool(axes: int, input: Any, output_size: Any) -> Any:
    """Means of as many windows as asked for, as equal in size as can be: windows start at ⌊i·n/out⌋, end at ⌈(i+1)·n/out⌉."""
    wanted = _adaptive(axes, input, output_size, "adaptive_avg_pool")
    first = input.ndim - axes
    if wanted == (1,) * axes:
        return word.mean(input, axis=tuple(range(first, input.ndim)), keepdims=True)
    for axis, size in enumerate(wanted, first):  # a mean over a box is one mean after the other
        weights = np.zeros((size, input.shape[axis]), input.dtype)
        for i, (start, end) in enumerate(_bounds(input.shape[axis], size)):
            weights[i, start:end] = 1 / (end - start)
        last = (*(a for a in range(input.ndim) if a != axis), axis)
        back = tuple(int(a) for a in np.argsort(last))
        input = word.permute(word.linear(word.permute(input, axes=last), weights), axes=back)
    return input


def _adaptive_max_pool(axes: int, input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest entry of as many windows as asked for, as equal in size as can be."""
    if return_indices:
        raise InputError("pooling gives no indices here", do="leave return_indices out")
    wanted = _adaptive(axes, input, output_size, "adaptive_max_pool")
    first = input.ndim - axes
    if all(n % size == 0 for n, size in zip(input.shape[first:], wanted, strict=True)):
        kernel = tuple(n // size for n, size in zip(input.shape[first:], wanted, strict=True))
        return _max_pool(axes, input, kernel)
    for axis, size in enumerate(wanted, first):
        before = (slice(None),) * axis
        bounds = _bounds(input.shape[axis], size)
        windows = [word.gather_entries(input, index=(*before, slice(*ends))) for ends in bounds]
        input = word.cat(*(word.amax(window, axis=axis, keepdims=True) for window in windows), axis=axis)
    return input


def _bounds(entries: int, windows: int) -> list[tuple[int, int]]:
    return [(i * entries // windows, -(-(i + 1) * entries // windows)) for i in range(windows)]


def _over(axes: int, function: Callable[..., Any]) -> Any:
    def over(input: Any, *arguments: Any, **options: Any) -> Any:
        return function(axes, input, *arguments, **options)

    over.__name__, over.__doc__ = f"{function.__name__.lstrip('_')}{axes}d", function.__doc__
    return over


max_pool1d, max_pool2d, max_pool3d = (_over(n, _max_pool) for n in (1, 2, 3))
avg_pool1d, avg_pool2d, avg_pool3d = (_over(n, _avg_pool) for n in (1, 2, 3))
adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d = (_over(n, _adaptive_avg_pool) for n in (1, 2, 3))
adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d = (_over(n, _adaptive_max_pool) for n in (1, 2, 3))
