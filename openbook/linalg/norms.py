"""Sizes of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.linalg.solving import inv
from openbook.ops import vocabulary as word

__all__ = ["cond", "matrix_norm", "matrix_rank", "norm", "vector_norm"]


def vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False) -> Any:
    """The length in the sense of `ord`, along axes or of all entries."""
    return x.norm(ord, dim, keepdim)


def matrix_norm(A: Any, ord: Any = "fro", dim: tuple[int, int] = (-2, -1), keepdim: bool = False) -> Any:
    """The size of matrices: "fro", "nuc", ±1, ±2, ±∞."""
    rows, columns = (d % A.ndim for d in dim)
    if ord == "fro":
        return A.norm(2, (rows, columns), keepdim)
    if ord in ("nuc", 2, -2):
        s = word.singular_values(A.movedim((rows, columns), (-2, -1)))
        found = s.sum(-1) if ord == "nuc" else s.amax(-1) if ord > 0 else s.amin(-1)
        return found.reshape([1 if i in (rows, columns) else n for i, n in enumerate(A.shape)]) if keepdim else found
    if ord not in (1, -1, np.inf, -np.inf):
        raise InputError(
            f"matrix_norm knows no ord={ord!r}", where="linalg.matrix_norm", do="choose fro, nuc, ±1, ±2 or ±inf"
        )
    first, second = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = A.abs().sum(first, keepdim=True)
    found = sums.amax(second, keepdim=True) if ord > 0 else sums.amin(second, keepdim=True)
    return found if keepdim else found.squeeze((rows, columns))


def norm(A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False) -> Any:
    """The size of a vector or matrix, by `ord` and the number of axes."""
    if ord is None:
        return A.norm(2, dim, keepdim)
    axes = tuple(range(A.ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if len(axes) == 2:
        return matrix_norm(A, ord, axes, keepdim)
    if isinstance(ord, str):
        raise ShapeError(f"ord={ord!r} is of matrices, and {len(axes)} axes were given", where="linalg.norm")
    return A.norm(ord, axes, keepdim)


def cond(A: Any, p: Any = None) -> Any:
    """How much errors may grow in solving with A: its norm times that of its inverse; by singular values unless told."""
    if p in (None, 2, -2):
        s = word.singular_values(A)
        large, small = (s.amax(-1), s.amin(-1)) if s.shape[-1] else (s.sum(-1), s.sum(-1))
        return small / large if p == -2 else large / small
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        raise ShapeError(f"cond by ord={p!r} is of square matrices, not of shape {tuple(A.shape)}", where="linalg.cond")
    return matrix_norm(A, p) * matrix_norm(inv(A), p)


def matrix_rank(A: Any, *, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:
    """How many singular values lie above max(atol, rtol times the largest)."""
    s = word.absolute(word.eigenvalues(A.detach())) if hermitian else word.singular_values(A.detach())
    if not s.shape[-1]:
        return s.sum(-1).to(np.int64)
    if rtol is None:
        rtol = max(A.shape[-2:]) * float(np.finfo(A.dtype).eps) if atol is None else 0.0
    cut = s.amax(-1, True) * _column(rtol)
    if atol is not None:
        cut = word.maximum(cut, _column(atol))
    return (s > cut).sum(-1)


def _column(value: Any) -> Any:
    return value.unsqueeze(-1) if getattr(value, "ndim", 0) else value
