"""Layers that learn the number of their inputs from the first call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from openbook.errors import InputError
from openbook.nn import convolution, normalization
from openbook.nn.linear import Linear
from openbook.nn.module import Module, Parameter
from openbook.tensor.promotion import default_float

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d", "LazyConv3d",
    "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d",
    "LazyInstanceNorm3d", "LazyLinear", "UninitializedParameter",
]  # fmt: skip


class UninitializedParameter(Parameter):
    """A parameter whose shape is not known yet; it stays the same object when it gets one, so an optimiser may hold it."""

    __slots__ = ()

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None):
        super().__init__(np.empty(0, default_float() if dtype is None else dtype), requires_grad)

    def materialize(self, data: np.ndarray) -> None:
        """Get a shape and values."""
        self.data = data.astype(self.dtype)
        self.__class__ = Parameter  # type: ignore[assignment]
        self.changed_in_place()


class _Lazy(Module):
    """What lazy layers share: built with the least possible size, and built again at the first call.

    From then on the layer is one of the class `full`.
    """

    full: ClassVar[type[Module]]
    size: ClassVar[str]  # the argument that the first input says
    _arguments: tuple[tuple[Any, ...], dict[str, Any]]

    def _begin(self, least: int, *arguments: Any, **options: Any) -> None:
        super().__init__(least, *arguments, **options)  # type: ignore[call-arg]  # of the full class, next in line
        self._arguments = arguments, options
        setattr(self, self.size, 0)
        for name, parameter in list(self._parameters.items()):
            if parameter is not None:
                setattr(self, name, UninitializedParameter(parameter.requires_grad, dtype=parameter.dtype))

    def has_uninitialized_params(self) -> bool:
        """Whether the first call has still to come."""
        return any(isinstance(parameter, UninitializedParameter) for parameter in self._parameters.values())

    def _channels(self, shape: tuple[int, ...]) -> int:
        """The size that an input of this shape says."""
        axes = getattr(self.full, "axes", None)  # of convolutions, whose batch may be left out
        place = -1 if self.size == "in_features" else 1 if axes is None else len(shape) - axes - 1
        if (len(shape) < 2 and place >= 0) or place < -1 or not shape:
            raise InputError(
                f"{type(self).__name__} cannot learn its size from shape {shape}", do="call it with a batch"
            )
        return shape[place]

    def forward(self, input: Any) -> Any:
        self._become(self._channels(input.shape))
        return self.forward(input)

    def _become(self, size: int) -> None:
        own = self.__dict__
        arguments, options = own.pop("_arguments")
        made = self.full(size, *arguments, **options)  # type: ignore[call-arg]
        object.__setattr__(self, "__class__", self.full)
        for name, value in made.__dict__.items():
            if name == "training" or name.startswith("_"):
                continue
            held = own.get(name)
            if isinstance(held, UninitializedParameter):
                held.materialize(value.data)
            elif name in own["_buffers"] and value is not None:
                own["_buffers"][name].data = value.data.astype(held.dtype)  # type: ignore[union-attr]
            elif name not in own["_parameters"]:
                own[name] = value


class LazyLinear(_Lazy, Linear):
    """A Linear whose number of inputs is that of the first call."""

    full, size = Linear, "in_features"

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None):
        self._begin(1, out_features, bias, device, dtype)


class _LazyConv(_Lazy):
    """A convolution whose number of input channels is that of the first call."""

    size = "in_channels"

    def __init__(
        self, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1,
        bias: bool = True, padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        self._begin(
            groups, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype
        )


class LazyConv1d(_LazyConv, convolution.Conv1d):
    __doc__ = _LazyConv.__doc__
    full = convolution.Conv1d


class LazyConv2d(_LazyConv, convolution.Conv2d):
    __doc__ = _LazyConv.__doc__
    full = convolution.Conv2d


class LazyConv3d(_LazyConv, convolution.Conv3d):
    __doc__ = _LazyConv.__doc__
    full = convolution.Conv3d


class _LazyConvTranspose(_Lazy):
    """A transposed convolution whose number of input channels is that of the first call."""

    size = "in_channels"

    def __init__(
        self, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
        groups: int = 1, bias: bool = True, dilation: Any = 1, padding_mode: str = "zeros", device: Any = None,
        dtype: Any = None,
    ):  # fmt: skip
        self._begin(groups, out_channels, kernel_size, stride, padding, output_padding, groups, bias, dilation,
                    padding_mode, device, dtype)  # fmt: skip

    def forward(self, input: Any, output_size: Sequence[int] | None = None) -> Any:
        self._become(self._channels(input.shape))
        return self.forward(input, output_size)


class LazyConvTranspose1d(_LazyConvTranspose, convolution.ConvTranspose1d):
    __doc__ = _LazyConvTranspose.__doc__
    full = convolution.ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, convolution.ConvTranspose2d):
    __doc__ = _LazyConvTranspose.__doc__
    full = convolution.ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, convolution.ConvTranspose3d):
    __doc__ = _LazyConvTranspose.__doc__
    full = convolution.ConvTranspose3d


class _LazyBatchNorm(_Lazy):
    """A batch norm whose number of channels is that of the first call."""

    size = "num_features"

    def __init__(
        self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True, track_running_stats: bool = True,
        device: Any = None, dtype: Any = None, *, bias: bool = True,
    ):  # fmt: skip
        self._begin(1, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)


class LazyBatchNorm1d(_LazyBatchNorm, normalization.BatchNorm1d):
    __doc__ = _LazyBatchNorm.__doc__
    full = normalization.BatchNorm1d


class LazyBatchNorm2d(_LazyBatchNorm, normalization.BatchNorm2d):
    __doc__ = _LazyBatchNorm.__doc__
    full = normalization.BatchNorm2d


class LazyBatchNorm3d(_LazyBatchNorm, normalization.BatchNorm3d):
    __doc__ = _LazyBatchNorm.__doc__
    full = normalization.BatchNorm3d


class _LazyInstanceNorm(_LazyBatchNorm):
    """An instance norm whose number of channels is that of the first call."""

    def __init__(
        self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True, track_running_stats: bool = True,
        device: Any = None, dtype: Any = None, *, bias: bool = True,
    ):  # fmt: skip
        super().__init__(eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _channels(self, shape: tuple[int, ...]) -> int:
        (batched,) = self.full.ndims  # type: ignore[attr-defined]
        return super()._channels(shape if len(shape) == batched else (1, *shape))


class LazyInstanceNorm1d(_LazyInstanceNorm, normalization.InstanceNorm1d):
    __doc__ = _LazyInstanceNorm.__doc__
    full = normalization.InstanceNorm1d


class LazyInstanceNorm2d(_LazyInstanceNorm, normalization.InstanceNorm2d):
    __doc__ = _LazyInstanceNorm.__doc__
    full = normalization.InstanceNorm2d


class LazyInstanceNorm3d(_LazyInstanceNorm, normalization.InstanceNorm3d):
    __doc__ = _LazyInstanceNorm.__doc__
    full = normalization.InstanceNorm3d
