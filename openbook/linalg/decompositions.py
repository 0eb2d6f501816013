"""Matrices taken apart."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from openbook.errors import InputError
from openbook.ops import vocabulary as word
from openbook.tensor.methods.matrices import Eigh, LogDet, Qr, Svd, singular_decomposition
from openbook.tensor.tensor import Tensor

__all__ = ["cholesky", "det", "eigh", "eigvalsh", "lu", "lu_factor", "qr", "slogdet", "svd", "svdvals"]


class LuFactors(NamedTuple):
    """Both triangles in one matrix, and the rows exchanged one after the other."""

    LU: Any
    pivots: Any


class Lu(NamedTuple):
    """A = P L U: rows exchanged, a lower triangle with ones on its diagonal, an upper triangle."""

    P: Any
    L: Any
    U: Any


def cholesky(A: Any, *, upper: bool = False) -> Any:
    """The triangular factor of symmetric positive definite matrices: A = L Lᵀ."""
    return A.cholesky(upper)


def det(A: Any) -> Any:
    """The determinant."""
    return word.det(A)


def slogdet(A: Any) -> LogDet:
    """The determinant's sign, and the logarithm of its size."""
    return A.slogdet()


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


def svd(A: Any, full_matrices: bool = True, *, driver: str | None = None) -> Svd:
    """A = U·diag(S)·Vh; with `full_matrices` U and Vh are square, their last vectors any that complete a basis.

    `driver` names a routine of a GPU in PyTorch, and says nothing here.
    """
    return singular_decomposition(A, full_matrices)


def svdvals(A: Any) -> Any:
    """The singular values, largest first."""
    return word.singular_values(A)


def qr(A: Any, mode: str = "reduced") -> Qr:
    """A = Q R with orthonormal columns and an upper triangle; Q square for "complete", left out for "r"."""
    if mode == "r":
        return Qr(Tensor(np.zeros(0, A.dtype)), word.qr_factor(A.detach()))
    if mode not in ("reduced", "complete"):
        raise InputError(f"qr has no mode {mode!r}", where="linalg.qr", do='choose "reduced", "complete" or "r"')
    return A.qr(mode == "reduced")


def lu_factor(A: Any, *, pivot: bool = True) -> LuFactors:
    """A = P L U as one matrix (U, and L below its diagonal of ones) and the rows exchanged, counted from 1."""
    if not pivot:
        raise InputError("rows are exchanged, on the CPU always", where="linalg.lu_factor", do="leave pivot=False out")
    pivots = word.lu_pivots(A)
    rows, columns = A.shape[-2:]
    if rows == columns:
        return LuFactors(word.lu_packed(A), pivots)
    turn = Tensor(np.swapaxes(permutation(np.asarray(pivots.data), rows), -1, -2).astype(A.dtype))
    if rows < columns:
        square = word.lu_packed(A[..., :rows])
        right = word.solve_triangular(square, word.matmul(turn, A[..., rows:]), upper=False, unitriangular=True)
        return LuFactors(word.cat(square, right, axis=-1), pivots)
    turned = word.matmul(turn, A)
    square = word.lu_packed(turned[..., :columns, :])
    below = word.solve_triangular(word.swap(square), word.swap(turned[..., columns:, :]), upper=False)
    return LuFactors(word.cat(square, word.swap(below), axis=-2), pivots)


def lu(A: Any, *, pivot: bool = True) -> Lu:
    """A = P L U: rows exchanged, a lower triangle with ones on its diagonal, an upper triangle."""
    packed, pivots = lu_factor(A, pivot=pivot)
    rows, k = A.shape[-2], min(A.shape[-2:])
    P = permutation(np.asarray(pivots.data), rows).astype(A.dtype)
    lower = word.add(word.tril(packed[..., :k], diagonal=-1), np.eye(rows, k, dtype=A.dtype))
    return Lu(Tensor(P), lower, word.triu(packed[..., :k, :]))


def permutation(pivots: np.ndarray, rows: int) -> np.ndarray:
    """The matrices P of A = P L U, from LAPACK's rows exchanged one after the other (counted from 1)."""
    lead = pivots.shape[:-1]
    P = np.empty((math.prod(lead), rows, rows), bool)
    for k, swaps in enumerate(pivots.reshape(len(P), pivots.shape[-1])):
        order = np.arange(rows)
        for i, j in enumerate(swaps - 1):
            order[[i, j]] = order[[j, i]]
        P[k] = order == np.arange(rows)[:, None]
    return P.reshape(*lead, rows, rows)
