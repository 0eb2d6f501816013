"""Pooling layers: windows of entries made into one each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbook.nn import functional
from openbook.nn.functional.arguments import per_axis
from openbook.nn.module import Module

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d",
]  # fmt: skip


class _MaxPool(Module):
    """The largest entry of every window of (N, C, *spatial); `stride` is the window's size unless given.

    With `return_indices` also where each stands, counted through the spatial axes in a row, for `MaxUnpool`.
    """

    function: Callable[..., Any]

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input: Any) -> Any:
        options = (self.ceil_mode, self.return_indices)
        return self.function(input, self.kernel_size, self.stride, self.padding, self.dilation, *options)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    __doc__ = _MaxPool.__doc__
    function = staticmethod(functional.max_pool1d)


class MaxPool2d(_MaxPool):
    __doc__ = _MaxPool.__doc__
    function = staticmethod(functional.max_pool2d)


class MaxPool3d(_MaxPool):
    __doc__ = _MaxPool.__doc__
    function = staticmethod(functional.max_pool3d)


class _AvgPool(Module):
    """The mean of every window of (N, C, *spatial); `stride` is the window's size unless given.

    Padding counts as zeros, unless `count_include_pad=False`.
    """

    function: Callable[..., Any]

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Any) -> Any:
        options = (self.ceil_mode, self.count_include_pad, self.divisor_override)
        return self.function(input, self.kernel_size, self.stride, self.padding, *options)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPool):
    __doc__ = _AvgPool.__doc__
    function = staticmethod(functional.avg_pool1d)

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ):
        kernel = per_axis(kernel_size, 1, "kernel_size", least=1)
        step = kernel if stride is None else per_axis(stride, 1, "stride", least=1)
        sides = per_axis(padding, 1, "padding", least=0)
        super().__init__(kernel, step, sides, ceil_mode, count_include_pad)


class AvgPool2d(_AvgPool):
    __doc__ = _AvgPool.__doc__
    function = staticmethod(functional.avg_pool2d)


class AvgPool3d(_AvgPool):
    __doc__ = _AvgPool.__doc__
    function = staticmethod(functional.avg_pool3d)


class _Adaptive(Module):
    """As many windows as asked for along each spatial axis, as equal in size as can be; None keeps an axis."""

    function: Callable[..., Any]

    def __init__(self, output_size: Any):
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Any) -> Any:
        return self.function(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_Adaptive):
    __doc__ = _Adaptive.__doc__
    function = staticmethod(functional.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_Adaptive):
    __doc__ = _Adaptive.__doc__
    function = staticmethod(functional.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_Adaptive):
    __doc__ = _Adaptive.__doc__
    function = staticmethod(functional.adaptive_avg_pool3d)


class _AdaptiveMax(_Adaptive):
    """The largest entry of as many windows as asked for along each spatial axis; None keeps an axis.

    With `return_indices` also where each stands, counted through the spatial axes in a row, for `MaxUnpool`.
    """

    def __init__(self, output_size: Any, return_indices: bool = False):
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, input: Any) -> Any:
        return self.function(input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMax):
    __doc__ = _AdaptiveMax.__doc__
    function = staticmethod(functional.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMax):
    __doc__ = _AdaptiveMax.__doc__
    function = staticmethod(functional.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMax):
    __doc__ = _AdaptiveMax.__doc__
    function = staticmethod(functional.adaptive_max_pool3d)
