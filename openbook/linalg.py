"""Linear algebra under PyTorch's names (`torch.linalg`); the last two axes are the matrix, those in front a stack of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor.functions import cross
from openbook.tensor.methods.matrices import Eigh, LogDet, Qr, Svd

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm", "matrix_power", "multi_dot",
    "norm", "pinv", "qr", "slogdet", "solve", "solve_triangular", "svd", "svdvals", "vecdot", "vector_norm",
]  # fmt: skip


def cholesky(A: Any, *, upper: bool = False) -> Any:
    """The triangular factor of symmetric positive definite matrices: A = L Lᵀ."""
    return A.cholesky(upper)


def det(A: Any) -> Any:
    """The determinant."""
    return word.det(A)


def slogdet(A: Any) -> LogDet:
    """The determinant's sign, and the logarithm of its size."""
    return A.slogdet()


def inv(A: Any) -> Any:
    """The inverse matrix."""
    return word.inv(A)


def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """The X with A X = B (X A = B if not `left`); B may hold vectors."""
    if not left:
        return solve(A.mT, B.mT).mT
    vectors = B.ndim == 1 or (A.ndim - 1 == B.ndim and tuple(B.shape) == tuple(A.shape[:-1]))
    return word.solve(A, B.unsqueeze(-1)).squeeze(-1) if vectors else word.solve(A, B)


def solve_triangular(A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    """The X with A X = B for triangular A, of which one half is read."""
    if not left:
        return solve_triangular(A.mT, B.mT, upper=not upper, unitriangular=unitriangular).mT
    return word.solve_triangular(A, B, upper=upper, unitriangular=unitriangular)


def eigh(A: Any, UPLO: str = "L") -> Eigh:
    """Eigenvalues (smallest first) and eigenvectors (columns) of symmetric matrices."""
    half = _half(A, UPLO)
    return Eigh(word.eigenvalues(half), word.eigenvectors(half))


def eigvalsh(A: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of symmetric matrices, smallest first."""
    return word.eigenvalues(_half(A, UPLO))


def _half(A: Any, UPLO: str) -> Any:
    if UPLO not in ("L", "U"):
        raise InputError(f"UPLO={UPLO!r} names no half of a matrix", where="linalg.eigh", do='choose "L" or "U"')
    return A if UPLO == "L" else A.mT


def svd(A: Any, full_matrices: bool = True) -> Svd:
    """A = U·diag(S)·Vh, as many singular values as the shorter side is long."""
    if full_matrices and A.shape[-1] != A.shape[-2]:
        raise InputError("svd gives the reduced form", where="linalg.svd", do="pass full_matrices=False")
    return Svd(word.left_singular(A), word.singular_values(A), word.right_singular(A))


def svdvals(A: Any) -> Any:
    """The singular values, largest first."""
    return word.singular_values(A)


def qr(A: Any, mode: str = "reduced") -> Qr:
    """A = Q R with orthonormal columns and an upper triangle."""
    if mode != "reduced":
        raise InputError(f"qr gives the reduced form, not mode={mode!r}", where="linalg.qr", do='use mode="reduced"')
    return A.qr()


def pinv(A: Any, rcond: Any = None, *, rtol: Any = None, atol: Any = None, hermitian: bool = False) -> Any:
    """The pseudo-inverse (Moore & Penrose): singular values up to max(atol, rtol times the largest) count as 0."""
    if not A.numel():
        return A.mT.clone()
    U, S, Vh = svd(A, full_matrices=False)
    relative = rtol if rtol is not None else rcond
    if relative is None:
        relative = max(A.shape[-2:]) * float(np.finfo(A.dtype).eps) if atol is None else 0.0
    cut = S.amax(-1, keepdim=True) * _column_of(relative)
    if atol is not None:
        cut = word.maximum(cut, _column_of(atol))
    kept = cut < S
    inverse = word.where(kept, 1.0 / word.where(kept, S, 1.0), 0.0)
    return (Vh.mT * inverse.unsqueeze(-2)) @ U.mT


def _column_of(value: Any) -> Any:
    return value.unsqueeze(-1) if getattr(value, "ndim", 0) else value


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


def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """Inner products along an axis."""
    return (x * y).sum(dim)


def diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The entries on a diagonal, on a last axis of their own."""
    return A.diagonal(offset, dim1, dim2)
