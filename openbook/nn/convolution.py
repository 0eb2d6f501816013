"""Convolutions and pooling as layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.nn import functional, init
from openbook.nn.functional.convolution import each_axis
from openbook.nn.module import Module, Parameter

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AvgPool1d", "AvgPool2d",
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "MaxPool1d", "MaxPool2d",
]  # fmt: skip


class _Convolution(Module):
    """What all convolutions share: sizes for each axis, and how weights start."""

    function: Callable[..., Any]
    axes = 1
    turned = False

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
        groups: int = 1, bias: bool = True, dtype: Any = np.float32,
    ):  # fmt: skip
        super().__init__()
        if in_channels % groups or out_channels % groups:
            raise InputError(
                f"{in_channels} and {out_channels} channels do not part into {groups} equal groups",
                where=type(self).__name__,
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride = each_axis(kernel_size, self.axes), each_axis(stride, self.axes)
        self.padding = padding if isinstance(padding, str) else each_axis(padding, self.axes)
        self.dilation = each_axis(dilation, self.axes)
        ends = (in_channels, out_channels) if self.turned else (out_channels, in_channels)
        self.weight = Parameter(np.empty((ends[0], ends[1] // groups, *self.kernel_size), dtype))
        self.bias = Parameter(np.empty(out_channels, dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial weights, as PyTorch does: uniform in ±1/√(entries that make up one output)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(math.prod(self.weight.shape[1:]))
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Any) -> Any:
        return type(self).function(
            x,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
        )

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"


class Conv1d(_Convolution):
    """A window sliding over (rows, channels, length)."""

    function = staticmethod(functional.conv1d)


class Conv2d(_Convolution):
    """A window sliding over (rows, channels, height, width)."""

    function = staticmethod(functional.conv2d)
    axes = 2


class Conv3d(_Convolution):
    """A window sliding over (rows, channels, depth, height, width)."""

    function = staticmethod(functional.conv3d)
    axes = 3


class ConvTranspose1d(_Convolution):
    """Every entry spread over a window: the transpose of Conv1d."""

    function = staticmethod(functional.conv_transpose1d)
    turned = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, bias: bool = True, dilation: Any = 1, dtype: Any = np.float32,
    ):  # fmt: skip
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, dtype)
        self.output_padding = each_axis(output_padding, self.axes)

    def forward(self, x: Any) -> Any:
        return type(self).function(
            x, self.weight, self.bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation
        )


class ConvTranspose2d(ConvTranspose1d):
    """Every entry spread over a window: the transpose of Conv2d."""

    function = staticmethod(functional.conv_transpose2d)
    axes = 2


class _Pool(Module):
    function: Callable[..., Any]

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0, **options: Any):
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, kernel_size if stride is None else stride, padding
        self.options = options

    def forward(self, x: Any) -> Any:
        return type(self).function(x, self.kernel_size, self.stride, self.padding, **self.options)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxPool1d(_Pool):
    """The largest entry of each window along the last axis."""

    function = staticmethod(functional.max_pool1d)

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
    ):
        super().__init__(kernel_size, stride, padding, dilation=dilation, ceil_mode=ceil_mode)


class MaxPool2d(MaxPool1d):
    """The largest entry of each window over the last two axes."""

    function = staticmethod(functional.max_pool2d)


class AvgPool1d(_Pool):
    """The mean of each window along the last axis."""

    function = staticmethod(functional.avg_pool1d)

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ):  # fmt: skip
        super().__init__(kernel_size, stride, padding, ceil_mode=ceil_mode, count_include_pad=count_include_pad)


class AvgPool2d(AvgPool1d):
    """The mean of each window over the last two axes."""

    function = staticmethod(functional.avg_pool2d)


class _Adaptive(Module):
    function: Callable[..., Any]

    def __init__(self, output_size: Any):
        super().__init__()
        self.output_size = output_size

    def forward(self, x: Any) -> Any:
        return type(self).function(x, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_Adaptive):
    """Means of as many windows as asked for along the last axis."""

    function = staticmethod(functional.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_Adaptive):
    """Means of as many windows as asked for over the last two axes."""

    function = staticmethod(functional.adaptive_avg_pool2d)


class AdaptiveMaxPool1d(_Adaptive):
    """Largest entries of as many windows as asked for along the last axis."""

    function = staticmethod(functional.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_Adaptive):
    """Largest entries of as many windows as asked for over the last two axes."""

    function = staticmethod(functional.adaptive_max_pool2d)
