"""Padding layers: entries added around the spatial axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openbook.errors import InputError, ShapeError
from openbook.nn import functional
from openbook.nn.module import Module

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Module):
    """Entries added around the last axes of (N, C, *spatial) or (C, *spatial).

    `padding` is one number for all sides, or (left, right) of the last axis, then of the one before, and so on.
    """

    axes: int
    mode: str

    def __init__(self, padding: int | Sequence[int]):
        super().__init__()
        sides = (padding,) * (2 * self.axes) if isinstance(padding, int) else tuple(padding)
        if len(sides) != 2 * self.axes:
            raise InputError(
                f"{type(self).__name__} takes one number or {2 * self.axes}, not {len(sides)}",
                do="give left and right of every spatial axis, from the last one on",
            )
        self.padding = sides

    def forward(self, input: Any) -> Any:
        if self.mode != "constant" and input.ndim not in (self.axes + 1, self.axes + 2):
            raise ShapeError(f"{type(self).__name__} takes (N, C, {self.axes} spatial axes), not shape {input.shape}")
        return functional.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    """One value added around the last axes; `padding` as one number, or (left, right) of the last axis, and so on."""

    mode = "constant"

    def __init__(self, padding: int | Sequence[int], value: float):
        super().__init__(padding)
        self.value = value

    def forward(self, input: Any) -> Any:
        return functional.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    __doc__ = _ConstantPad.__doc__
    axes = 1


class ConstantPad2d(_ConstantPad):
    __doc__ = _ConstantPad.__doc__
    axes = 2


class ConstantPad3d(_ConstantPad):
    __doc__ = _ConstantPad.__doc__
    axes = 3


class ZeroPad1d(_Pad):
    """Zeros added around the last axis."""

    axes, mode = 1, "constant"


class ZeroPad2d(_Pad):
    """Zeros added around the last two axes."""

    axes, mode = 2, "constant"


class ZeroPad3d(_Pad):
    """Zeros added around the last three axes."""

    axes, mode = 3, "constant"


class ReflectionPad1d(_Pad):
    """The last axis goes on mirrored in its end entries."""

    axes, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """The last two axes go on mirrored in their end entries."""

    axes, mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """The last three axes go on mirrored in their end entries."""

    axes, mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """The last axis goes on with its end entries."""

    axes, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """The last two axes go on with their end entries."""

    axes, mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """The last three axes go on with their end entries."""

    axes, mode = 3, "replicate"


class CircularPad1d(_Pad):
    """The last axis goes on from its other end."""

    axes, mode = 1, "circular"


class CircularPad2d(_Pad):
    """The last two axes go on from their other ends."""

    axes, mode = 2, "circular"


class CircularPad3d(_Pad):
    """The last three axes go on from their other ends."""

    axes, mode = 3, "circular"
