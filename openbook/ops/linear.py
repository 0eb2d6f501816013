"""Products of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import ShapeError
from openbook.ops.along import all_stacked
from openbook.ops.op import Op, aligned, apply
from openbook.ops.reduce import sum_of_rows
from openbook.ops.vocabulary import einsum, matmul, product, reshape, swap, total


class MatMul(Op):
    """The matrix product, over stacks of matrices too; vectors as NumPy and PyTorch take them."""

    formula = "x @ y"
    multilinear = True

    @staticmethod
    def forward(x, y):
        try:
            return x.dot(y) if x.ndim == 2 and y.ndim <= 2 else np.matmul(x, y)
        except ValueError as problem:
            raise _mismatch("matmul", np.shape(x), np.shape(y)) from problem

    @staticmethod
    def gradient(g, out, x, y):
        a = reshape(x, shape=(1, *x.shape)) if x.ndim == 1 else x
        b = reshape(y, shape=(*y.shape, 1)) if y.ndim == 1 else y
        g = reshape(g, shape=_with_matrix_axes(g.shape, x.ndim == 1, y.ndim == 1))
        return lambda: _like(g @ swap(b), x), lambda: _like(swap(a) @ g, y)

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        x, y = inputs
        row, column = x.ndim - stacked[0] == 1, y.ndim - stacked[1] == 1
        if row:
            x = reshape(x, shape=(*x.shape[:-1], 1, x.shape[-1]))
        if column:
            y = reshape(y, shape=(*y.shape, 1))
        out = matmul(*aligned((x, y), stacked))
        shape = tuple(out.shape)
        shape = shape[:-2] + shape[-1:] if row else shape
        shape = shape[:-1] if column else shape
        return reshape(out, shape=shape) if row or column else out


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
    multilinear = True

    @staticmethod
    def forward(x, W, b=None):
        try:
            if x.ndim == 2:
                y = x.dot(W.T)
            else:
                y = _of_stacked_rows(x, W)
        except ValueError as problem:
            raise _mismatch("linear", x.shape, W.shape[::-1]) from problem
        if b is None:
            return y
        return np.add(y, b, out=y) if y.dtype == b.dtype else y + b

    @staticmethod
    def gradient(g, y, x, W, b=None):
        rows = g if g.ndim == 2 else reshape(g, shape=(-1, W.shape[0]))
        flat = x if x.ndim == 2 else reshape(x, shape=(-1, W.shape[1]))
        return (
            lambda: product(g, W) if g.ndim == 2 else reshape(product(rows, W), shape=tuple(x.shape)),
            lambda: product(rows.T, flat),
            None if b is None else lambda: sum_of_rows(rows),
        )

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        x, W = inputs[:2]
        b = inputs[2] if len(inputs) > 2 else None
        if not any(stacked[1:]):
            return apply(cls, *inputs)
        x, W = all_stacked(size, (x, W), stacked[:2])
        rows = reshape(x, shape=(size, -1, x.shape[-1]))
        y = rows @ swap(W)
        if b is not None:
            y = y + (reshape(b, shape=(size, 1, b.shape[-1])) if stacked[2] else b)
        return reshape(y, shape=(*x.shape[:-1], W.shape[-2]))


def _of_stacked_rows(x: np.ndarray, W: np.ndarray) -> np.ndarray:
    """One product for all rows, however they are stacked."""
    if x.shape[-1:] != W.shape[1:]:
        raise ValueError("rows and columns differ in length")
    return x.reshape(-1, W.shape[1]).dot(W.T).reshape(*x.shape[:-1], W.shape[0])


class Einsum(Op):
    """Einstein's sum: products of entries, summed over the letters that the result does not name."""

    formula = "sum(product)"
    multilinear = True

    @staticmethod
    def forward(*arrays, subscripts):
        try:
            return np.einsum(subscripts, *arrays, optimize=len(arrays) > 1)
        except ValueError as problem:
            shapes = ", ".join(str(a.shape) for a in arrays)
            raise ShapeError(
                f"einsum {subscripts!r} does not fit shapes {shapes}: {problem}", where="einsum"
            ) from problem

    @staticmethod
    def gradient(g, y, *arrays, subscripts):
        terms, result = subscripts.split("->")
        letters = terms.split(",")
        return tuple(_einsum_gradient(g, arrays, letters, result, k) for k in range(len(arrays)))

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        terms, result = parameters["subscripts"].split("->")
        extra = next(c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBA" if c not in terms)
        named = ",".join((extra if s else "") + t for t, s in zip(terms.split(","), stacked, strict=True))
        return apply(cls, *inputs, subscripts=f"{named}->{extra}{result}")


def _einsum_gradient(g: Any, arrays: tuple[Any, ...], letters: list[str], result: str, k: int) -> Any:
    """∂/∂(one factor): Einstein's sum of the cotangent and the other factors; sums and diagonals in it are undone."""

    def cotangent() -> Any:
        mine, others = letters[k], [(a, t) for i, (a, t) in enumerate(zip(arrays, letters, strict=True)) if i != k]
        sizes = {c: n for a, t in zip(arrays, letters, strict=True) for c, n in zip(t, a.shape, strict=True)}
        distinct = "".join(dict.fromkeys(mine))
        known = set(result).union(*(t for _, t in others))
        reached = "".join(c for c in distinct if c in known)
        part = einsum(
            g, *(a for a, _ in others), subscripts=",".join([result, *(t for _, t in others)]) + "->" + reached
        )
        shape = tuple(sizes[c] if c in known else 1 for c in distinct)
        part = reshape(part, shape=shape) * np.ones(tuple(sizes[c] for c in distinct), g.dtype)
        for place, letter in enumerate(mine):  # x[i, i]: only the diagonal was used
            if mine.index(letter) != place:
                part = _on_diagonal(part, mine[:place].index(letter), place, sizes[letter])
        return part

    return cotangent


def _on_diagonal(x: Any, first: int, place: int, size: int) -> Any:
    """A new axis at `place`, equal to zero off the diagonal with axis `first`."""
    shape = [1] * (x.ndim + 1)
    shape[first] = shape[place] = size
    return reshape(x, shape=(*x.shape[:place], 1, *x.shape[place:])) * np.eye(size, dtype=x.dtype).reshape(shape)


def _mismatch(name: str, left: tuple[int, ...], right: tuple[int, ...]) -> ShapeError:
    inner = f"{left[-1:]} against {right[-2:-1] or right}"
    return ShapeError(
        f"{name} cannot join shapes {tuple(left)} and {tuple(right)}: the inner sizes differ ({inner})",
        do="make the last axis of the first as long as the first matrix axis of the second",
    )
