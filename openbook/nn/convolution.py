"""Convolution layers over one, two or three spatial axes, and their transposes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from openbook.errors import InputError, ShapeError
from openbook.nn import functional, init
from openbook.nn.functional.arguments import per_axis, require_axes
from openbook.nn.functional.convolutions import convolution, convolution_transpose
from openbook.nn.module import Module, Parameter
from openbook.nn.parameter import empty_parameter, float_dtype

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


class _Convolution(Module):
    """What convolutions and their transposes share: sizes, weights and how they start."""

    axes: int
    transposed = False
    bias: Parameter | None

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any, output_padding: Any,
        dilation: Any, groups: int, bias: bool, padding_mode: str, device: Any, dtype: Any,
    ):  # fmt: skip
        super().__init__()
        if min(in_channels, out_channels, groups) < 1 or in_channels % groups or out_channels % groups:
            raise InputError(
                f"{in_channels} channels in and {out_channels} out do not make {groups} groups",
                where=type(self).__name__,
                do="give positive numbers of channels that groups divides",
            )
        if padding_mode not in _MODES:
            raise InputError(f"there is no padding mode {padding_mode!r}", do=f"choose one of {', '.join(_MODES)}")
        kind = float_dtype(device, dtype)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = per_axis(kernel_size, self.axes, "kernel_size", least=1)
        self.stride = per_axis(stride, self.axes, "stride", least=1)
        self.padding = padding if isinstance(padding, str) else per_axis(padding, self.axes, "padding", least=0)
        self.dilation = per_axis(dilation, self.axes, "dilation", least=1)
        self.output_padding = per_axis(output_padding, self.axes, "output_padding", least=0)
        self.padding_mode = padding_mode
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = empty_parameter(first, second // groups, *self.kernel_size, dtype=kind)
        self.register_parameter("bias", empty_parameter(out_channels, dtype=kind) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial weights and bias: uniform in ±1/√fan_in."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(math.prod(self.weight.shape[1:]))
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        shown = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        zeros, ones = (0,) * self.axes, (1,) * self.axes
        said = (
            ("padding", self.padding, self.padding != zeros),
            ("dilation", self.dilation, self.dilation != ones),
            ("output_padding", self.output_padding, self.output_padding != zeros),
            ("groups", self.groups, self.groups != 1),
            ("bias", False, self.bias is None),
            ("padding_mode", self.padding_mode, self.padding_mode != "zeros"),
        )
        return shown + "".join(f", {name}={value}" for name, value, unusual in said if unusual)


class _Conv(_Convolution):
    """A kernel moved over an input (N, C, *spatial); `weight` has shape (out_channels, in_channels/groups, *kernel).

    `padding` is a number, one for each axis, "valid" or "same"; `padding_mode` what is put there: "zeros", "reflect",
    "replicate" or "circular".
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
        groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, 0, dilation, groups, bias, padding_mode,
                         device, dtype)  # fmt: skip
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise InputError(f"there is no padding {padding!r}", do='give numbers, "valid" or "same"')
        if padding == "same" and max(self.stride) > 1:
            raise InputError(f'padding="same" with stride {self.stride} has no meaning', do="use stride 1")

    def forward(self, input: Any) -> Any:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            require_axes(type(self).__name__, input, self.axes)
            input, padding = functional.pad(input, self._sides(), mode=_MODES[self.padding_mode]), 0
        return convolution(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _sides(self) -> list[int]:
        """How much to pad left and right of every axis, from the last axis on."""
        if self.padding == "same":
            total = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            return [side for t in reversed(total) for side in (t // 2, t - t // 2)]
        numbers = (0,) * self.axes if isinstance(self.padding, str) else self.padding
        return [side for p in reversed(numbers) for side in (p, p)]


class Conv1d(_Conv):
    __doc__ = _Conv.__doc__
    axes = 1


class Conv2d(_Conv):
    __doc__ = _Conv.__doc__
    axes = 2


class Conv3d(_Conv):
    __doc__ = _Conv.__doc__
    axes = 3


class _ConvTranspose(_Convolution):
    """The way back of a convolution as a layer of its own; `weight` has shape (in_channels, out_channels/groups, *kernel).

    Where a stride leaves the size of the output open, `output_padding` adds to it, or `output_size` in the call says it.
    """

    transposed = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, bias: bool = True, dilation: Any = 1, padding_mode: str = "zeros",
        device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        if padding_mode != "zeros":
            raise InputError(f"{type(self).__name__} pads with zeros only, not {padding_mode!r}")
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, output_padding, dilation, groups, bias,
                         padding_mode, device, dtype)  # fmt: skip

    def forward(self, input: Any, output_size: Sequence[int] | None = None) -> Any:
        extra = self.output_padding if output_size is None else self._extra(input, output_size)
        return convolution_transpose(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )

    def _extra(self, x: Any, output_size: Sequence[int]) -> tuple[int, ...]:
        """The output padding that gives the output this size."""
        wanted, own = tuple(output_size)[-self.axes :], x.shape[x.ndim - self.axes :]
        sizes: Any = zip(own, self.stride, self.padding, self.dilation, self.kernel_size, strict=True)
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in sizes]
        extra = tuple(w - m for w, m in zip(wanted, least, strict=True))
        if not all(0 <= e < max(s, d) for e, s, d in zip(extra, self.stride, self.dilation, strict=True)):
            most = [m + max(s, d) - 1 for m, s, d in zip(least, self.stride, self.dilation, strict=True)]
            raise ShapeError(f"an output of size {wanted} is not between {least} and {most}", where=type(self).__name__)
        return extra


class ConvTranspose1d(_ConvTranspose):
    __doc__ = _ConvTranspose.__doc__
    axes = 1


class ConvTranspose2d(_ConvTranspose):
    __doc__ = _ConvTranspose.__doc__
    axes = 2


class ConvTranspose3d(_ConvTranspose):
    __doc__ = _ConvTranspose.__doc__
    axes = 3
