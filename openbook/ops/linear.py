"""Operations on vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import ShapeError
from openbook.ops.op import Op
from openbook.ops.vocabulary import reshape, swap, total


class MatMul(Op):
    """The matrix product, over stacks of matrices too; vectors as NumPy and PyTorch take them."""

    formula = "x @ y"

    @staticmethod
    def forward(x, y):
        try:
            return np.matmul(x, y)
        except ValueError as problem:
            raise _mismatch("matmul", np.shape(x), np.shape(y)) from problem

    @staticmethod
    def gradient(g, out, x, y):
        a = reshape(x, shape=(1, *x.shape)) if x.ndim == 1 else x
        b = reshape(y, shape=(*y.shape, 1)) if y.ndim == 1 else y
        g = reshape(g, shape=_with_matrix_axes(g.shape, x.ndim == 1, y.ndim == 1))
        return lambda: _like(g @ swap(b), x), lambda: _like(swap(a) @ g, y)


def _with_matrix_axes(shape: tuple[int, ...], row_missing: bool, column_missing: bool) -> tuple[int, ...]:
    if row_missing and column_missing:
        return (*shape, 1, 1)
    if row_missing:
        return (*shape[:-1], 1, shape[-1])
    return (*shape, 1) if column_missing else tuple(shape)


def _like(g: Any, x: Any) -> Any:
    """A vector was given an axis for the product; its cotangent loses it again (stacks are summed by the caller)."""
    if x.ndim != 1:
        return g
    axis = tuple(range(g.ndim - 2))
    return reshape(total(g, axis=axis) if axis else g, shape=tuple(x.shape))


class Linear(Op):
    """The affine map of a layer: every row of x through weight and bias, `weight` of shape (out, in)."""

    formula = "x @ transpose(W) + b"

    @staticmethod
    def forward(x, W, b=None):
        if x.shape[-1:] != W.shape[-1:]:
            raise _mismatch("linear", x.shape, W.shape[::-1])
        y = x @ W.T
        if b is None:
            return y
        return np.add(y, b, out=y) if y.dtype == b.dtype else y + b

    @staticmethod
    def gradient(g, y, x, W, b=None):
        rows = (-1, W.shape[0])
        of_bias = None if b is None else lambda: total(reshape(g, shape=rows), axis=0)
        return (
            lambda: g @ W,
            lambda: swap(reshape(g, shape=rows)) @ reshape(x, shape=(-1, W.shape[1])),
            of_bias,
        )


def _mismatch(name: str, left: tuple[int, ...], right: tuple[int, ...]) -> ShapeError:
    inner = f"{left[-1:]} against {right[-2:-1] or right}"
    return ShapeError(
        f"{name} cannot join shapes {tuple(left)} and {tuple(right)}: the inner sizes differ ({inner})",
        do="make the last axis of the first as long as the first matrix axis of the second",
    )
