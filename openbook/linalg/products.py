"""Products of matrices and vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor.functions import cross

__all__ = ["cross", "diagonal", "matmul", "matrix_exp", "matrix_power", "multi_dot", "vander", "vecdot"]


def matrix_power(A: Any, n: int) -> Any:
    """The matrix times itself n times; of its inverse for negative n."""
    return A.matrix_power(n)


def matmul(A: Any, B: Any) -> Any:
    """The matrix product."""
    return word.matmul(A, B)


def multi_dot(tensors: Any) -> Any:
    """The product of several matrices, multiplied in the order that costs least."""
    parts = list(tensors)
    while len(parts) > 1:  # the pair whose product drops the longest axis first
        widths = [p.shape[0] if p.ndim else 1 for p in parts[1:]]
        k = int(np.argmax(widths))
        parts[k : k + 2] = [word.matmul(parts[k], parts[k + 1])]
    return parts[0]


def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """Inner products along an axis."""
    return (x * y).sum(dim)


def diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The entries on a diagonal, on a last axis of their own."""
    return A.diagonal(offset, dim1, dim2)


def matrix_exp(A: Any) -> Any:
    """The exponential of a matrix, Σ Aᵏ/k!."""
    return word.matrix_exp(A)


def vander(x: Any, N: int | None = None) -> Any:
    """The powers 0 … N − 1 of each entry (as many as there are entries unless told), on a new last axis."""
    x = x if x.ndim else x.reshape(1)
    count = x.shape[-1] if N is None else N
    if count < 0:
        raise ShapeError(f"there are no {count} powers", where="linalg.vander")
    x = x if x.dtype.kind in "fi" else x.to(np.int64)
    powers = word.broadcast_to(x.unsqueeze(-1), shape=(*x.shape, max(count - 1, 0)))
    ones = word.add(word.mul(x.unsqueeze(-1), 0), 1)
    return word.cat(ones, word.cumprod(powers, axis=-1), axis=-1)[..., :count]
