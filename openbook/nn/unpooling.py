"""What undoes max pooling, and pooling by power means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbook.nn import functional
from openbook.nn.functional.arguments import per_axis
from openbook.nn.module import Module

__all__ = ["LPPool1d", "LPPool2d", "LPPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"]


class _MaxUnpool(Module):
    """The largest entries put back where max pooling with `return_indices=True` found them, zeros elsewhere.

    Where the stride leaves the size of the output open, `output_size` in the call says it.
    """

    axes: int
    function: Callable[..., Any]

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0):
        super().__init__()
        self.kernel_size = per_axis(kernel_size, self.axes, "kernel_size", least=1)
        self.stride = self.kernel_size if stride is None else per_axis(stride, self.axes, "stride", least=1)
        self.padding = per_axis(padding, self.axes, "padding", least=0)

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Any:
        return self.function(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    __doc__ = _MaxUnpool.__doc__
    axes = 1
    function = staticmethod(functional.max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    __doc__ = _MaxUnpool.__doc__
    axes = 2
    function = staticmethod(functional.max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    __doc__ = _MaxUnpool.__doc__
    axes = 3
    function = staticmethod(functional.max_unpool3d)


class _LPPool(Module):
    """The root of the summed powers `norm_type` of every window; `stride` is the window's size unless given."""

    function: Callable[..., Any]

    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False):
        super().__init__()
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode

    def forward(self, input: Any) -> Any:
        return self.function(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPool):
    __doc__ = _LPPool.__doc__
    function = staticmethod(functional.lp_pool1d)


class LPPool2d(_LPPool):
    __doc__ = _LPPool.__doc__
    function = staticmethod(functional.lp_pool2d)


class LPPool3d(_LPPool):
    __doc__ = _LPPool.__doc__
    function = staticmethod(functional.lp_pool3d)
