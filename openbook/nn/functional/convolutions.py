"""Convolutions over one, two or three spatial axes, and their transposes."""

from __future__ import annotations

from typing import Any

from openbook.errors import InputError, ShapeError
from openbook.nn.functional.arguments import given, per_axis, require_axes
from openbook.nn.functional.maps import pad
from openbook.ops import vocabulary as word

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "convolution",
    "convolution_transpose",
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
    if x.shape[1] != weight.shape[1] * groups:
        raise ShapeError(
            f"{name} has weights for {weight.shape[1] * groups} channels, and the input of shape {input.shape} has "
            f"{x.shape[1]}",
            do="give the channels before the spatial axes",
        )
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
    y = word.convolution_transpose(
        x, *given(weight, bias), stride=stride, padding=padding, output_padding=extra, groups=groups, dilation=dilation
    )  # fmt: skip
    return word.reshape(y, shape=y.shape[1:]) if alone else y


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
