"""Windows that slide over an array, and what is built on them: convolution and pooling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from openbook.errors import ShapeError
from openbook.ops.op import Op, apply
from openbook.ops.vocabulary import fold, gather_entries, matmul, pad, permute, reshape, swap, total, windows

Sizes = tuple[int, ...]


def window_counts(sizes: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Sizes:
    """How many places a window has along each axis."""
    return tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(sizes, kernel, stride, dilation, strict=True))


class Windows(Op):
    """The windows of a (padded) array: (…, *sizes) to (…, *places, *kernel), without copying an entry."""

    formula = "x[place*stride + offset*dilation]"
    aliases = True

    @staticmethod
    def forward(x, *, kernel, stride, dilation):
        n = len(kernel)
        places = window_counts(x.shape[-n:], kernel, stride, dilation)
        if min(places) < 1:
            raise ShapeError(
                f"a window of {tuple(kernel)} (dilation {tuple(dilation)}) does not fit into {tuple(x.shape[-n:])}",
                do="pad the input, or take a smaller window",
            )
        steps = x.strides[-n:]
        strides = (
            *x.strides[:-n],
            *(b * s for b, s in zip(steps, stride, strict=True)),
            *(b * d for b, d in zip(steps, dilation, strict=True)),
        )
        apart = all(s > d * (k - 1) for s, d, k in zip(stride, dilation, kernel, strict=True))
        return as_strided(x, (*x.shape[:-n], *places, *kernel), strides, writeable=apart and x.flags.writeable)

    @staticmethod
    def gradient(g, y, x, *, kernel, stride, dilation):
        return fold(g, sizes=tuple(x.shape[-len(kernel) :]), kernel=kernel, stride=stride, dilation=dilation)

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        return apply(cls, *inputs, **parameters)


class Fold(Op):
    """Windows added back into an array of the given sizes: what overlaps is added up."""

    formula = "sum(windows)"

    @staticmethod
    def forward(x, *, sizes, kernel, stride, dilation):
        n = len(kernel)
        places = x.shape[x.ndim - 2 * n : x.ndim - n]
        out = _zeros_as_laid_out(x, x.shape[: x.ndim - 2 * n], sizes)
        for offset in np.ndindex(*kernel):
            spans: Any = tuple(
                slice(o * d, o * d + s * (p - 1) + 1, s)
                for o, d, s, p in zip(offset, dilation, stride, places, strict=True)
            )
            out[(..., *spans)] += x[(..., *offset)]
        return out

    @staticmethod
    def gradient(g, y, x, *, sizes, kernel, stride, dilation):
        return windows(g, kernel=kernel, stride=stride, dilation=dilation)

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        return apply(cls, *inputs, **parameters)


def _zeros_as_laid_out(x: np.ndarray, lead: Sizes, sizes: Sizes) -> np.ndarray:
    """Zeros (*lead, *sizes), with the last leading axis closest together in memory where that of x is."""
    if not lead or x.strides[len(lead) - 1] != x.itemsize:
        return np.zeros((*lead, *sizes), x.dtype)
    return np.moveaxis(np.zeros((*lead[:-1], *sizes, lead[-1]), x.dtype), -1, len(lead) - 1)


class MaxPool(Op):
    """The largest entry of every window over the last axes of a (padded) array; of equals the first gets the gradient."""

    name = "max_pool"
    formula = "max(window(x))"
    constant = True  # which entry is the largest does not move with the inputs

    @staticmethod
    def keeping(x, *, kernel, stride, dilation):
        """The largest entries, and the number of each within its window."""
        seen = Windows.forward(x, kernel=kernel, stride=stride, dilation=dilation)
        n, count = len(kernel), math.prod(kernel)
        order = (*range(x.ndim, x.ndim + n), *range(x.ndim))
        entries = seen.transpose(order).reshape(
            count, *seen.shape[: x.ndim]
        )  # a copy: whole arrays one after the other
        largest = np.maximum.reduce(entries, axis=0)
        place = np.full(largest.shape, count - 1)
        for number in range(count - 2, -1, -1):
            np.copyto(place, number, where=entries[number] == largest)
        return largest, place

    @staticmethod
    def forward(x, *, kernel, stride, dilation):
        return MaxPool.keeping(x, kernel=kernel, stride=stride, dilation=dilation)[0]

    @staticmethod
    def gradient(g, y, x, *, kernel, stride, dilation, kept=None):
        options = {"kernel": kernel, "stride": stride, "dilation": dilation}
        place = MaxPool.keeping(x, **options)[1] if kept is None else kept
        n, axes = len(kernel), place.ndim
        numbers = np.arange(math.prod(kernel)).reshape(*kernel, *(1,) * axes)
        spread = permute(g * (place == numbers).astype(g.dtype), axes=(*range(n, n + axes), *range(n)))
        return fold(spread, sizes=tuple(x.shape[-n:]), **options)

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        return apply(cls, *inputs, **parameters)


class Convolution(Op):
    """A window sliding over x (N, channels, *sizes), each place's entries weighted by W (out, channels/groups, *kernel).

    Any number of axes; `stride`, `padding` and `dilation` hold a number for each. As in PyTorch, the kernel is not turned
    round (cross-correlation).
    """

    formula = "sum(W * window(x)) + b"
    multilinear = True

    @staticmethod
    def forward(x, W, b=None, *, stride, padding, dilation, groups=1):
        _require_channels(x, W, groups)
        places = _places(x, W, stride, padding, dilation)
        columns = _columns(x, W, stride, padding, dilation, groups)
        y = np.matmul(W.reshape(groups, W.shape[0] // groups, -1), columns).reshape(W.shape[0], *places, len(x))
        if b is not None:
            y += b.reshape(-1, *(1,) * (y.ndim - 1))
        return np.ascontiguousarray(y.transpose(y.ndim - 1, *range(y.ndim - 1)))

    @staticmethod
    def gradient(g, y, x, W, b=None, *, stride, padding, dilation, groups=1):
        spatial, places, n = tuple(W.shape[2:]), tuple(g.shape[2:]), x.ndim - 2
        turned = permute(g, axes=(*range(1, 2 + n), 0))  # the channels first and the rows last, as in the columns
        cotangents = reshape(turned, shape=(groups, W.shape[0] // groups, math.prod(places) * x.shape[0]))

        def of_x():
            rows = reshape(W, shape=(groups, W.shape[0] // groups, -1))
            spread = reshape(matmul(swap(rows), cotangents), shape=(x.shape[1], *spatial, *places, x.shape[0]))
            order = (0, 1 + 2 * n, *range(1 + n, 1 + 2 * n), *range(1, 1 + n))
            sizes = tuple(m + 2 * p for m, p in zip(x.shape[2:], padding, strict=True))
            padded = fold(permute(spread, axes=order), sizes=sizes, kernel=spatial, stride=stride, dilation=dilation)
            inside = tuple(slice(p, p + m) for m, p in zip(x.shape[2:], padding, strict=True))
            padded = gather_entries(padded, index=(slice(None), slice(None), *inside)) if any(padding) else padded
            result = permute(padded, axes=(1, 0, *range(2, 2 + n)))
            return np.ascontiguousarray(result) if type(result) is np.ndarray else result

        def of_W():
            columns = _columns(x, W, stride, padding, dilation, groups)
            return reshape(matmul(cotangents, swap(columns)), shape=tuple(W.shape))

        of_b = None if b is None else lambda: total(g, axis=(0, *range(2, g.ndim)))
        return of_x, of_W, of_b

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        if any(stacked[1:]):
            return super().batched(size, inputs, stacked, parameters)
        x = inputs[0]
        y = apply(cls, reshape(x, shape=(size * x.shape[1], *x.shape[2:])), *inputs[1:], **parameters)
        return reshape(y, shape=(size, x.shape[1], *y.shape[1:]))


def _columns(x: Any, W: Any, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int) -> Any:
    """Every place's window as a column: (groups, channels/groups·kernel, places·N), for one product of matrices each.

    The rows come last, in memory too: images are small and batches large, and long runs are copied faster than short ones.
    """
    n = x.ndim - 2
    turned = permute(x, axes=(*range(1, 2 + n), 0))
    if any(padding):
        turned = pad(turned, widths=((0, 0), *((p, p) for p in padding), (0, 0)), value=0.0)
    images = permute(turned, axes=(0, 1 + n, *range(1, 1 + n)))
    seen = windows(images, kernel=tuple(W.shape[2:]), stride=stride, dilation=dilation)
    moved = permute(seen, axes=(0, *range(2 + n, 2 + 2 * n), *range(2, 2 + n), 1))
    places = math.prod(seen.shape[2 : 2 + n])
    return reshape(moved, shape=(groups, x.shape[1] // groups * math.prod(W.shape[2:]), places * x.shape[0]))


def _places(x: Any, W: Any, stride: Sizes, padding: Sizes, dilation: Sizes) -> Sizes:
    padded = tuple(m + 2 * p for m, p in zip(x.shape[2:], padding, strict=True))
    return window_counts(padded, W.shape[2:], stride, dilation)


def _require_channels(x: Any, W: Any, groups: int) -> None:
    if x.ndim != W.ndim or x.shape[1] != W.shape[1] * groups or W.shape[0] % groups:
        raise ShapeError(
            f"a convolution of weights {tuple(W.shape)} in {groups} group(s) takes inputs (rows, {W.shape[1] * groups} "
            f"channels, {W.ndim - 2} more axes), not {tuple(x.shape)}",
            do="put the channels on the second axis",
        )
