"""Convolutions over one, two or three spatial axes, and their transposes."""

from __future__ import annotations

import math
from typing import Any

from openbook.errors import InputError, ShapeError
from openbook.nn.functional.arguments import given, per_axis, require_axes
from openbook.nn.functional.maps import pad
from openbook.ops import vocabulary as word

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "fold", "unfold",
]  # fmt: skip


def convolution(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """A kernel moved over an input (N, C, *spatial): `weight` has shape (out, C/groups, *kernel).

    `padding` is a number, one for each axis, "valid" (none) or "same" (the output as large as the input).
    """
    axes = weight.ndim - 2
    name = f"conv{axes}d"
    alone = require_axes(name, input, axes)
    x = word.reshape(input, shape=(1, *input.shape)) if alone else input
    stride, dilation = per_axis(stride, axes, "stride", least=1), per_axis(dilation, axes, "dilation", least=1)
    x, padding = _padded(x, padding, weight.shape[2:], stride, dilation)
    y = word.convolution(
        x, *given(weight, bias), stride=stride, padding=padding, dilation=dilation, groups=groups
    )  # fmt: skip
    return word.reshape(y, shape=y.shape[1:]) if alone else y


def _padded(
    x: Any, padding: Any, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[Any, tuple[int, ...]]:
    """The input, padded itself where the two sides of "same" differ by one, and the padding that is left to do."""
    if not isinstance(padding, str):
        return x, per_axis(padding, len(kernel), "padding", least=0)
    if padding == "valid":
        return x, (0,) * len(kernel)
    if padding != "same":
        raise InputError(f"there is no padding {padding!r}", do='give numbers, "valid" or "same"')
    if max(stride) > 1:
        raise InputError(f'padding="same" with stride {stride} has no meaning', do="use stride 1")
    total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    if all(t % 2 == 0 for t in total):
        return x, tuple(t // 2 for t in total)
    return pad(x, [side for t in reversed(total) for side in (t // 2, t - t // 2)]), (0,) * len(kernel)


def convolution_transpose(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The way back of a convolution as a map of its own: `weight` has shape (in, out/groups, *kernel)."""
    axes = weight.ndim - 2
    name = f"conv_transpose{axes}d"
    alone = require_axes(name, input, axes)
    x = word.reshape(input, shape=(1, *input.shape)) if alone else input
    if x.shape[1] != weight.shape[0]:
        raise ShapeError(f"{name} has weights for {weight.shape[0]} channels, and the input of shape {input.shape} has "
                         f"{x.shape[1]}", do="give the channels before the spatial axes")  # fmt: skip
    stride, dilation = per_axis(stride, axes, "stride", least=1), per_axis(dilation, axes, "dilation", least=1)
    padding, extra = per_axis(padding, axes, "padding", least=0), per_axis(output_padding, axes, "output_padding", 0)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ShapeError(f"output_padding {extra} is not below stride {stride} or dilation {dilation}", where=name)
    y = _spread(x, weight, stride, dilation, groups)
    y = pad(y, [side for p, e in zip(reversed(padding), reversed(extra), strict=True) for side in (-p, e - p)])
    if bias is not None:
        y = y + word.reshape(bias, shape=(-1,) + (1,) * axes)
    return word.reshape(y, shape=y.shape[1:]) if alone else y


def _spread(x: Any, weight: Any, stride: tuple[int, ...], dilation: tuple[int, ...], groups: int) -> Any:
    """Every entry spread over a window, and what overlaps added up: what carries a convolution's gradient to its input."""
    (rows, channels, *places), kernel = x.shape, tuple(weight.shape[2:])
    axes = len(kernel)
    columns = word.reshape(x, shape=(rows, groups, channels // groups, math.prod(places)))
    weights = word.reshape(weight, shape=(groups, channels // groups, math.prod(weight.shape[1:])))
    spread = word.reshape(
        word.matmul(word.swap(weights), columns), shape=(rows, weight.shape[1] * groups, *kernel, *places)
    )
    order = (0, 1, *range(2 + axes, 2 + 2 * axes), *range(2, 2 + axes))  # windows last
    sizes = tuple((n - 1) * s + d * (k - 1) + 1 for n, s, d, k in zip(places, stride, dilation, kernel, strict=True))
    return word.fold(word.permute(spread, axes=order), sizes=sizes, kernel=kernel, stride=stride, dilation=dilation)


def _over(axes: int, function: Any, name: str) -> Any:
    def over(input: Any, weight: Any, *arguments: Any, **options: Any) -> Any:
        if weight.ndim != axes + 2:
            raise ShapeError(f"{name} takes weights of {axes + 2} axes, not of shape {weight.shape}")
        return function(input, weight, *arguments, **options)

    over.__name__, over.__doc__ = name, function.__doc__
    return over


conv1d, conv2d, conv3d = (_over(n, convolution, f"conv{n}d") for n in (1, 2, 3))
conv_transpose1d, conv_transpose2d, conv_transpose3d = (
    _over(n, convolution_transpose, f"conv_transpose{n}d") for n in (1, 2, 3)
)


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Every window of (N, C, H, W) as a column: (N, C·kernel, windows)."""
    alone = require_axes("unfold", input, 2)
    x = word.reshape(input, shape=(1, *input.shape)) if alone else input
    kernel, step, gap, sides = _sliding(kernel_size, stride, dilation, padding)
    x = pad(x, [side for p in reversed(sides) for side in (p, p)])
    seen = word.permute(word.windows(x, kernel=kernel, stride=step, dilation=gap), axes=(0, 1, 4, 5, 2, 3))
    columns = word.reshape(seen, shape=(seen.shape[0], math.prod(seen.shape[1:4]), math.prod(seen.shape[4:])))
    return word.reshape(columns, shape=columns.shape[1:]) if alone else columns


def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Columns added back into an image of `output_size`: the way back of `unfold`."""
    alone = input.ndim == 2
    x = word.reshape(input, shape=(1, *input.shape)) if alone else input
    kernel, step, gap, sides = _sliding(kernel_size, stride, dilation, padding)
    sizes = tuple(n + 2 * p for n, p in zip(per_axis(output_size, 2, "output_size", least=1), sides, strict=True))
    places = tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(sizes, kernel, step, gap, strict=True))
    if x.ndim != 3 or x.shape[1] % math.prod(kernel) or x.shape[2] != math.prod(places):
        raise ShapeError(
            f"fold takes (N, channels·{math.prod(kernel)}, {math.prod(places)}), not shape {tuple(input.shape)}"
        )
    windows = word.reshape(x, shape=(x.shape[0], x.shape[1] // math.prod(kernel), *kernel, *places))
    y = word.fold(word.permute(windows, axes=(0, 1, 4, 5, 2, 3)), sizes=sizes, kernel=kernel, stride=step, dilation=gap)
    y = pad(y, [-p for p in reversed(sides) for _ in range(2)])
    return word.reshape(y, shape=y.shape[1:]) if alone else y


def _sliding(kernel: Any, stride: Any, dilation: Any, padding: Any) -> tuple[tuple[int, ...], ...]:
    return (
        per_axis(kernel, 2, "kernel_size", least=1),
        per_axis(stride, 2, "stride", least=1),
        per_axis(dilation, 2, "dilation", least=1),
        per_axis(padding, 2, "padding", least=0),
    )
