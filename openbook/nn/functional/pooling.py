"""Pooling: windows of entries made into one each."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn.functional.arguments import per_axis, require_axes
from openbook.ops import vocabulary as word
from openbook.tensor.tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "max_pool1d", "max_pool2d", "max_pool3d",
]  # fmt: skip


def _max_pool(
    axes: int, input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest entry of every window; `stride` is the window's size unless given. Of equals the first gets the gradient.

    With `return_indices` also where each stands, counted through the spatial axes in a row: what `max_unpool` takes.
    """
    windows = _Windows(f"max_pool{axes}d", axes, input, kernel_size, stride, padding, dilation, ceil_mode)
    low = -math.inf if input.dtype.kind == "f" else np.iinfo(input.dtype).min
    if not return_indices:
        return windows.largest(input, low)
    seen = windows.of(input, low)
    chosen = word.argmax(seen, axis=-1, keepdims=True)
    return word.gather(seen, chosen, axis=-1).squeeze(-1), windows.places(chosen)


def _avg_pool(
    axes: int, input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """The mean of every window; `stride` is the window's size unless given.

    Padding counts as zeros, unless `count_include_pad=False`; what `ceil_mode` adds never counts. `divisor_override`
    divides all sums by one number.
    """
    if divisor_override == 0:
        raise InputError("a mean is not divided by 0", where="avg_pool", do="leave divisor_override out")
    windows = _Windows(f"avg_pool{axes}d", axes, input, kernel_size, stride, padding, 1, ceil_mode)
    seen = windows.of(input, 0.0)
    if divisor_override is not None:
        return _divided(word.total(seen, axis=-1), divisor_override)
    if input.dtype.kind != "f":
        return _divided(word.total(seen, axis=-1), windows.counts(input, count_include_pad))
    if not any(windows.beyond) and (count_include_pad or not any(windows.padding)):
        return word.mean(seen, axis=-1)
    return word.total(seen, axis=-1) / windows.counts(input, count_include_pad)


def _divided(total: Any, count: Any) -> Any:
    """A mean; of whole numbers the whole part, as PyTorch does."""
    return total / count if total.dtype.kind == "f" else total.div(count, rounding_mode="trunc")


class _Windows:
    """Where the windows of a pooling lie: their size, how far apart, and how much is padded."""

    def __init__(
        self, name: str, axes: int, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
    ):
        require_axes(name, x, axes)
        self.sizes = tuple(x.shape[x.ndim - axes :])
        self.kernel = per_axis(kernel_size, axes, "kernel_size", least=1)
        self.stride = self.kernel if stride in (None, (), []) else per_axis(stride, axes, "stride", least=1)
        self.padding = per_axis(padding, axes, "padding", least=0)
        self.dilation = per_axis(dilation, axes, "dilation", least=1)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel, strict=True)):
            raise ShapeError(f"padding {self.padding} is more than half of the window {self.kernel}", where=name)
        self.beyond = tuple(map(self._beyond, range(axes))) if ceil_mode else (0,) * axes

    def _beyond(self, axis: int) -> int:
        """What ceil_mode adds behind an axis for a last window; that must begin inside the input or before it."""
        size, step, side = self.sizes[axis], self.stride[axis], self.padding[axis]
        room = size + 2 * side - self.dilation[axis] * (self.kernel[axis] - 1) - 1
        places = -(-room // step) + 1
        places -= (places - 1) * step >= size + side
        return max(0, (places - 1) * step - room)

    def padded(self, x: Any, fill: float) -> Any:
        """The input with what is padded."""
        widths = tuple((p, p + more) for p, more in zip(self.padding, self.beyond, strict=True))
        if not any(map(any, widths)):
            return x
        return word.pad(x, widths=((0, 0),) * (x.ndim - len(widths)) + widths, value=fill)

    def largest(self, x: Any, fill: float) -> Any:
        """The largest entry of every window of the padded input."""
        x = self.padded(x, fill)
        return word.max_pool(x, kernel=self.kernel, stride=self.stride, dilation=self.dilation)

    def of(self, x: Any, fill: float) -> Any:
        """All windows of the padded input, the entries of each on a last axis."""
        seen = word.windows(self.padded(x, fill), kernel=self.kernel, stride=self.stride, dilation=self.dilation)
        return word.reshape(seen, shape=(*seen.shape[: seen.ndim - len(self.kernel)], math.prod(self.kernel)))

    def places(self, chosen: Any) -> Any:
        """Where in the input the chosen entries of the windows stand; where padding was chosen, the window's first entry."""
        numbers = self.of(np.arange(math.prod(self.sizes)).reshape(1, *self.sizes), -1)
        wide = word.broadcast_to(numbers, shape=(*chosen.shape[:-1], numbers.shape[-1]))
        found = word.gather(wide, np.asarray(chosen.data), axis=-1)
        first = np.take_along_axis(wide, np.argmax(wide >= 0, axis=-1)[..., None], -1)
        return Tensor(np.where(found < 0, first, found)[..., 0])

    def counts(self, x: Any, with_padding: bool) -> np.ndarray:
        """How many entries each mean is of: those of the input, and of its padding if asked for."""
        outer = self.padding if with_padding else (0,) * len(self.sizes)
        sides = tuple(
            (p - o, p - o + more) for p, o, more in zip(self.padding, outer, self.beyond, strict=True)
        )  # fmt: skip
        ones = np.pad(np.ones([n + 2 * o for n, o in zip(self.sizes, outer, strict=True)], x.dtype), sides)
        seen = word.windows(ones, kernel=self.kernel, stride=self.stride, dilation=self.dilation)
        return seen.sum(axis=tuple(range(-len(self.kernel), 0)))


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
    return adaptive_average(input, wanted)


def adaptive_average(x: Any, sizes: tuple[int, ...]) -> Any:
    """Means of windows along the last axes, `sizes` of them: a mean over a box is one mean after the other."""
    for axis, size in enumerate(sizes, x.ndim - len(sizes)):
        weights = np.zeros((size, x.shape[axis]), x.dtype)
        for i, (start, end) in enumerate(_bounds(x.shape[axis], size)):
            weights[i, start:end] = 1 / (end - start)
        last = (*(a for a in range(x.ndim) if a != axis), axis)
        back = tuple(int(a) for a in np.argsort(last))
        x = word.permute(word.linear(word.permute(x, axes=last), weights), axes=back)
    return x


def _adaptive_max_pool(axes: int, input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest entry of as many windows as asked for, as equal in size as can be."""
    wanted = _adaptive(axes, input, output_size, "adaptive_max_pool")
    first = input.ndim - axes
    if all(n % size == 0 for n, size in zip(input.shape[first:], wanted, strict=True)):
        kernel = tuple(n // size for n, size in zip(input.shape[first:], wanted, strict=True))
        return _max_pool(axes, input, kernel, return_indices=return_indices)
    seen = _uneven_windows(input, wanted)
    chosen = word.argmax(seen, axis=-1, keepdims=True)
    values = word.gather(seen, chosen, axis=-1).squeeze(-1)
    if not return_indices:
        return values
    spatial = input.shape[first:]
    numbers = _uneven_windows(np.arange(math.prod(spatial)).reshape(spatial), wanted)
    wide = np.broadcast_to(numbers, (*chosen.shape[:-1], numbers.shape[-1]))
    return values, Tensor(np.take_along_axis(wide, np.asarray(chosen.data), -1)[..., 0])


def _uneven_windows(x: Any, sizes: tuple[int, ...]) -> Any:
    """Windows of nearly equal size along the last axes, on one more axis; shorter ones repeat their last entry."""
    axes = len(sizes)
    first = x.ndim - axes
    index: tuple[Any, ...] = (slice(None),) * first
    for i, size in enumerate(sizes):
        bounds = np.array(_bounds(x.shape[first + i], size))
        longest = int((bounds[:, 1] - bounds[:, 0]).max())
        places = np.minimum(bounds[:, :1] + np.arange(longest), bounds[:, 1:] - 1)
        shape = [1] * (2 * axes)
        shape[2 * i : 2 * i + 2] = places.shape
        index = (*index, places.reshape(shape))
    seen = word.gather_entries(x, index=index)
    order = (*range(first), *range(first, first + 2 * axes, 2), *range(first + 1, first + 2 * axes, 2))
    seen = word.permute(seen, axes=order)
    return word.reshape(seen, shape=(*seen.shape[: first + axes], math.prod(seen.shape[first + axes :])))


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
