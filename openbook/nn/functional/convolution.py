"""Convolutions and pooling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn.functional.activations import pad as pad_around
from openbook.ops import vocabulary as word

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool1d", "adaptive_max_pool2d", "avg_pool1d", "avg_pool2d",
    "avg_pool3d", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "fold",
    "interpolate", "max_pool1d", "max_pool2d", "max_pool3d", "unfold",
]  # fmt: skip


def each_axis(value: Any, n: int) -> tuple[int, ...]:
    """A number for each axis, from one for all or one for each."""
    sizes = (value,) * n if isinstance(value, int) else tuple(int(v) for v in value)
    sizes = sizes * n if len(sizes) == 1 else sizes
    if len(sizes) != n:
        raise InputError(f"{value} does not hold a number for each of {n} axes", where="a convolution or pooling")
    return sizes


def _with_rows(input: Any, n: int) -> tuple[Any, bool]:
    """The input with an axis of rows, and whether it was given without."""
    if input.ndim == n + 1:
        return input.unsqueeze(0), True
    if input.ndim != n + 2:
        raise ShapeError(
            f"an input of {n} dimensions has shape (rows, channels, {'sizes' if n > 1 else 'length'}), not "
            f"{tuple(input.shape)}",
            do="add the axes that are missing with unsqueeze",
        )
    return input, False


def _convolution(
    input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int, n: int
) -> Any:
    x, single = _with_rows(input, n)
    steps, gaps = each_axis(stride, n), each_axis(dilation, n)
    if isinstance(padding, str):
        x, margins = _same(x, padding, steps, gaps, weight.shape[2:], n)
    else:
        margins = each_axis(padding, n)
    parts = (x, weight) if bias is None else (x, weight, bias)
    y = word.convolution(*parts, stride=steps, padding=margins, dilation=gaps, groups=groups)
    return y.squeeze(0) if single else y


def _same(x: Any, padding: str, stride: Any, dilation: Any, kernel: Any, n: int) -> tuple[Any, tuple[int, ...]]:
    if padding == "valid":
        return x, (0,) * n
    if padding != "same" or any(s != 1 for s in stride):
        raise InputError(f"padding={padding!r} with stride {stride}", do='choose "valid", "same" (stride 1) or numbers')
    whole = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    flat = [side for t in reversed(whole) for side in (t // 2, t - t // 2)]
    return pad_around(x, flat), (0,) * n


def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """A window sliding over (rows, channels, length); weight (out, channels/groups, kernel)."""
    return _convolution(input, weight, bias, stride, padding, dilation, groups, 1)


def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """A window sliding over (rows, channels, height, width); weight (out, channels/groups, kernel, kernel)."""
    return _convolution(input, weight, bias, stride, padding, dilation, groups, 2)


def conv3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """A window sliding over (rows, channels, depth, height, width)."""
    return _convolution(input, weight, bias, stride, padding, dilation, groups, 3)


def _transposed(
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
    n: int,
) -> Any:
    """What carries a convolution's gradient back to its input: every entry spreads over a window."""
    x, single = _with_rows(input, n)
    steps, margins, gaps, more = (each_axis(v, n) for v in (stride, padding, dilation, output_padding))
    rows, channels, places = x.shape[0], x.shape[1], tuple(x.shape[2:])
    kernel = tuple(weight.shape[2:])
    if channels != weight.shape[0] or channels % groups:
        raise ShapeError(
            f"weights {tuple(weight.shape)} take {weight.shape[0]} channels, not {channels}", do="check the layers"
        )
    out = weight.shape[1] * groups
    sizes = tuple((p - 1) * s + g * (k - 1) + 1 for p, s, g, k in zip(places, steps, gaps, kernel, strict=True))
    columns = x.reshape(rows, groups, channels // groups, math.prod(places))
    spread = word.matmul(word.swap(weight.reshape(groups, channels // groups, -1)), columns)
    spread = spread.reshape(rows, out, *kernel, *places)
    order = (0, 1, *range(2 + n, 2 + 2 * n), *range(2, 2 + n))
    y = word.fold(word.permute(spread, axes=order), sizes=sizes, kernel=kernel, stride=steps, dilation=gaps)
    edges = [side for m, e in zip(reversed(margins), reversed(more), strict=True) for side in (-m, e - m)]
    y = pad_around(y, edges)
    if bias is not None:
        y = y + bias.reshape(-1, *(1,) * n)
    return y.squeeze(0) if single else y


def conv_transpose1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1,
    dilation: Any = 1,
) -> Any:  # fmt: skip
    """The transpose of `conv1d`: every entry spreads over a window; weight (channels, out/groups, kernel)."""
    return _transposed(input, weight, bias, stride, padding, output_padding, groups, dilation, 1)


def conv_transpose2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1,
    dilation: Any = 1,
) -> Any:  # fmt: skip
    """The transpose of `conv2d`."""
    return _transposed(input, weight, bias, stride, padding, output_padding, groups, dilation, 2)


def conv_transpose3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1,
    dilation: Any = 1,
) -> Any:  # fmt: skip
    """The transpose of `conv3d`."""
    return _transposed(input, weight, bias, stride, padding, output_padding, groups, dilation, 3)


# --- pooling -----------------------------------------------------------------------------------------------------


def _pooled_windows(
    input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, fill: float, n: int
) -> tuple[Any, tuple[tuple[int, int], ...]]:
    """All windows of the padded input, each on a last axis of its own; and how wide the padding is."""
    kernel = each_axis(kernel_size, n)
    steps = kernel if stride is None or (not isinstance(stride, int) and not len(stride)) else each_axis(stride, n)
    margins, gaps = each_axis(padding, n), each_axis(dilation, n)
    if any(2 * m > k for m, k in zip(margins, kernel, strict=True)):
        raise InputError(f"padding {margins} is more than half of the window {kernel}", where="pooling")
    sizes = input.shape[input.ndim - n :]
    more = []
    for size, k, s, m, g in zip(sizes, kernel, steps, margins, gaps, strict=True):
        room = size + 2 * m - g * (k - 1) - 1
        extra = 0
        if ceil_mode:
            places = -(-room // s) + 1
            places -= (places - 1) * s >= size + m  # the last window starts inside the input, or in its left padding
            extra = max(0, (places - 1) * s - room)
        more.append(extra)
    widths = ((0, 0),) * (input.ndim - n) + tuple((m, m + e) for m, e in zip(margins, more, strict=True))
    padded = word.pad(input, widths=widths, value=fill) if any(a or b for a, b in widths) else input
    seen = word.windows(padded, kernel=kernel, stride=steps, dilation=gaps)
    return seen.reshape(*seen.shape[: seen.ndim - n], math.prod(kernel)), widths


def _max_pool(
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
    n: int,
) -> Any:
    if return_indices:
        raise InputError("max pooling gives the entries, not their places", do="leave return_indices out")
    low = -np.inf if input.dtype.kind == "f" else np.iinfo(input.dtype).min
    seen, _ = _pooled_windows(input, kernel_size, stride, padding, dilation, ceil_mode, low, n)
    places = word.argmax(seen, axis=-1, keepdims=True)
    return word.gather(seen, places, axis=-1).squeeze(-1)


def max_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest entry of each window along the last axis."""
    return _max_pool(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices, 1)


def max_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest entry of each window over the last two axes."""
    return _max_pool(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices, 2)


def max_pool3d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest entry of each window over the last three axes."""
    return _max_pool(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices, 3)


def _avg_pool(
    input: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, count_padding: bool, divisor: Any, n: int
) -> Any:
    seen, widths = _pooled_windows(input, kernel_size, stride, padding, 1, ceil_mode, 0.0, n)
    if divisor is not None:
        if divisor == 0:
            raise InputError("a mean is not divided by 0", where="avg_pool", do="leave divisor_override out")
        return seen.sum(-1) / divisor
    if not ceil_mode and (count_padding or not any(each_axis(padding, n))):
        return seen.mean(-1)
    return seen.sum(-1) / _counts(input, widths, each_axis(padding, n), count_padding, kernel_size, stride, n)


def _counts(
    input: Any, widths: Any, margins: tuple[int, ...], count_padding: bool, kernel_size: Any, stride: Any, n: int
) -> Any:
    """How many entries each mean is of: those of the input, and its padding if asked for, but not what ceil_mode adds."""
    sizes = input.shape[input.ndim - n :]
    ones = np.zeros(tuple(s + a + b for s, (a, b) in zip(sizes, widths[-n:], strict=True)), input.dtype)
    outer = margins if count_padding else (0,) * n
    ones[tuple(slice(m - o, m + s + o) for m, o, s in zip(margins, outer, sizes, strict=True))] = 1
    seen, _ = _pooled_windows(ones, kernel_size, stride, 0, 1, False, 0.0, n)
    return seen.sum(-1)


def avg_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:  # fmt: skip
    """The mean of each window along the last axis."""
    return _avg_pool(input, kernel_size, stride, padding, ceil_mode, count_include_pad, None, 1)


def avg_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """The mean of each window over the last two axes."""
    return _avg_pool(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, 2)


def avg_pool3d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """The mean of each window over the last three axes."""
    return _avg_pool(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, 3)


def _adaptive(input: Any, output_size: Any, n: int, reduce: str) -> Any:
    """As many windows as asked for, which share the axis as evenly as whole numbers allow."""
    wanted: Any = (output_size,) * n if isinstance(output_size, int) or output_size is None else tuple(output_size)
    for k in range(n):
        axis = input.ndim - n + k
        size, places = input.shape[axis], wanted[k] if wanted[k] is not None else input.shape[axis]
        spans = [(i * size // places, -(-(i + 1) * size // places)) for i in range(places)]
        parts = (input.narrow(axis, a, b - a) for a, b in spans)
        input = word.stack(*(p.mean(axis) if reduce == "mean" else p.max(axis).values for p in parts), axis=axis)
    return input


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """Means of as many windows as asked for along the last axis."""
    return _adaptive(input, output_size, 1, "mean")


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """Means of as many windows as asked for over the last two axes."""
    return _adaptive(input, output_size, 2, "mean")


def adaptive_max_pool1d(input: Any, output_size: Any) -> Any:
    """Largest entries of as many windows as asked for along the last axis."""
    return _adaptive(input, output_size, 1, "max")


def adaptive_max_pool2d(input: Any, output_size: Any) -> Any:
    """Largest entries of as many windows as asked for over the last two axes."""
    return _adaptive(input, output_size, 2, "max")


# --- windows as columns, and sizes ---------------------------------------------------------------------------------


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Every place's window as a column: (rows, channels·kernel, places)."""
    x, single = _with_rows(input, 2)
    margins = each_axis(padding, 2)
    x = word.pad(x, widths=((0, 0), (0, 0), *((m, m) for m in margins)), value=0.0) if any(margins) else x
    kernel = each_axis(kernel_size, 2)
    seen = word.windows(x, kernel=kernel, stride=each_axis(stride, 2), dilation=each_axis(dilation, 2))
    places = math.prod(seen.shape[2:4])
    columns = seen.permute(0, 1, 4, 5, 2, 3).reshape(x.shape[0], x.shape[1] * math.prod(kernel), places)
    return columns.squeeze(0) if single else columns


def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Columns added back into an image: the transpose of `unfold`."""
    single = input.ndim == 2
    x = input.unsqueeze(0) if single else input
    kernel, steps, gaps, margins = (each_axis(v, 2) for v in (kernel_size, stride, dilation, padding))
    sizes = tuple(s + 2 * m for s, m in zip(each_axis(output_size, 2), margins, strict=True))
    places = tuple((s - g * (k - 1) - 1) // t + 1 for s, k, t, g in zip(sizes, kernel, steps, gaps, strict=True))
    seen = x.reshape(x.shape[0], -1, *kernel, *places).permute(0, 1, 4, 5, 2, 3)
    y = word.fold(seen, sizes=sizes, kernel=kernel, stride=steps, dilation=gaps)
    y = pad_around(y, [-m for m in reversed(margins) for _ in range(2)])
    return y.squeeze(0) if single else y


def interpolate(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Any:
    """Another size by repeating the nearest entries."""
    if mode != "nearest" or align_corners:
        raise InputError(f"interpolate repeats nearest entries; mode={mode!r} does not exist here", where="interpolate")
    n = input.ndim - 2
    factors = None
    if size is None:
        factors = (scale_factor,) * n if isinstance(scale_factor, (int, float)) else tuple(scale_factor)
        size = tuple(math.floor(s * f) for s, f in zip(input.shape[2:], factors, strict=True))
    for k, wanted in enumerate(each_axis(size, n)):
        n_k = input.shape[2 + k]
        places = np.arange(wanted) * n_k // wanted if factors is None else np.arange(wanted) / factors[k]
        places = np.minimum(places.astype(np.int64), n_k - 1)
        input = input[(slice(None),) * (2 + k) + (places,)]
    return input
