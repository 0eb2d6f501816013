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
        return as_strided(x, (*x.shape[:-n], *places, *kernel), strides, writeable=False)

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
        out = np.zeros((*x.shape[: x.ndim - 2 * n], *sizes), x.dtype)
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
        columns = _columns(x, W, stride, padding, dilation, groups)
        rows = W.reshape(groups, W.shape[0] // groups, -1)
        y = np.matmul(rows, columns).reshape(len(x), W.shape[0], *_places(x, W, stride, padding, dilation))
        return y if b is None else y + b.reshape(-1, *(1,) * (x.ndim - 2))

    @staticmethod
    def gradient(g, y, x, W, b=None, *, stride, padding, dilation, groups=1):
        cotangents = reshape(g, shape=(x.shape[0], groups, W.shape[0] // groups, math.prod(g.shape[2:])))
        rows = reshape(W, shape=(groups, W.shape[0] // groups, -1))
        spatial = tuple(W.shape[2:])
        places = tuple(g.shape[2:])

        def of_x():
            cols = reshape(matmul(swap(rows), cotangents), shape=(x.shape[0], x.shape[1], *spatial, *places))
            n = len(spatial)
            order = (0, 1, *range(2 + n, 2 + 2 * n), *range(2, 2 + n))
            sizes = tuple(m + 2 * p for m, p in zip(x.shape[2:], padding, strict=True))
            padded = fold(permute(cols, axes=order), sizes=sizes, kernel=spatial, stride=stride, dilation=dilation)
            inside = tuple(slice(p, p + m) for m, p in zip(x.shape[2:], padding, strict=True))
            return gather_entries(padded, index=(slice(None), slice(None), *inside)) if any(padding) else padded

        def of_W():
            columns = _columns(x, W, stride, padding, dilation, groups)
            return reshape(total(matmul(cotangents, swap(columns)), axis=0), shape=tuple(W.shape))

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
    """Every place's window as a column: (N, groups, channels/groups·kernel, places)."""
    n = x.ndim - 2
    if any(padding):
        x = pad(x, widths=((0, 0), (0, 0), *((p, p) for p in padding)), value=0.0)
    seen = windows(x, kernel=tuple(W.shape[2:]), stride=stride, dilation=dilation)
    moved = permute(seen, axes=(0, 1, *range(2 + n, 2 + 2 * n), *range(2, 2 + n)))
    places = math.prod(seen.shape[2 : 2 + n])
    return reshape(moved, shape=(x.shape[0], groups, x.shape[1] // groups * math.prod(W.shape[2:]), places))


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
