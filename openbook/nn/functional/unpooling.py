"""What undoes pooling, and pooling by other means than the mean and the largest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn.functional.arguments import per_axis, require_axes
from openbook.nn.functional.pooling import avg_pool1d, avg_pool2d, avg_pool3d
from openbook.ops import vocabulary as word
from openbook.tensor.tensor import Tensor

__all__ = ["lp_pool1d", "lp_pool2d", "lp_pool3d", "max_unpool1d", "max_unpool2d", "max_unpool3d"]


def _max_unpool(
    axes: int, input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The largest entries put back where max pooling found them (`indices`), zeros elsewhere."""
    require_axes(f"max_unpool{axes}d", input, axes)
    kernel = per_axis(kernel_size, axes, "kernel_size", least=1)
    step = kernel if stride in (None, (), []) else per_axis(stride, axes, "stride", least=1)
    sides = per_axis(padding, axes, "padding", least=0)
    lead = input.ndim - axes
    usual = tuple((n - 1) * s + k - 2 * p for n, s, k, p in zip(input.shape[lead:], step, kernel, sides, strict=True))
    sizes = usual if output_size is None else tuple(output_size)[-axes:]
    if any(not n - s < m < n + s for n, s, m in zip(usual, step, sizes, strict=True)):
        raise ShapeError(f"output_size {sizes} is a step or more from {usual}", where=f"max_unpool{axes}d")
    places = np.asarray(indices.data).reshape(*input.shape[:lead], -1)
    if places.size and (places.min() < 0 or places.max() >= math.prod(sizes)):
        raise InputError(f"the indices name places outside {sizes}", where=f"max_unpool{axes}d", do="give output_size")
    blank = Tensor(np.zeros((*input.shape[:lead], math.prod(sizes)), input.dtype))
    filled = blank.scatter(-1, Tensor(places), word.reshape(input, shape=places.shape))
    return word.reshape(filled, shape=(*input.shape[:lead], *sizes))


def _lp_pool(
    axes: int, input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """The root of the summed powers `norm_type` of every window."""
    average = (avg_pool1d, avg_pool2d, avg_pool3d)[axes - 1]
    size = math.prod(per_axis(kernel_size, axes, "kernel_size", least=1))
    means = average(word.power(input, norm_type), kernel_size, stride, 0, ceil_mode)
    return word.power(word.sign(means) * word.relu(word.absolute(means)) * size, 1 / norm_type)


def _over(axes: int, function: Any) -> Any:
    def over(input: Any, *arguments: Any, **options: Any) -> Any:
        return function(axes, input, *arguments, **options)

    over.__name__, over.__doc__ = f"{function.__name__.lstrip('_')}{axes}d", function.__doc__
    return over


max_unpool1d, max_unpool2d, max_unpool3d = (_over(n, _max_unpool) for n in (1, 2, 3))
lp_pool1d, lp_pool2d, lp_pool3d = (_over(n, _lp_pool) for n in (1, 2, 3))
