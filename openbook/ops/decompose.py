"""Matrices taken apart and solved with, in stacks: LAPACK computes, the rules are Giles (2008) and Townsend (2016)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.ops.along import all_stacked
from openbook.ops.op import Op, aligned, apply
from openbook.ops.reduce import product_of_the_others
from openbook.ops.vocabulary import (
    det,
    diagonal_part,
    eigenvalues,
    eigenvectors,
    inv,
    left_singular,
    matmul,
    qr_basis,
    qr_factor,
    reshape,
    right_singular,
    singular_values,
    solve,
    solve_triangular,
    swap,
    tril,
    triu,
    where,
)


class OfMatrices(Op):
    """The family of operations on the last two axes: a stack of cases is one more axis in front."""

    @classmethod
    def batched(cls, size: int, inputs: tuple[Any, ...], stacked: tuple[bool, ...], parameters: dict[str, Any]) -> Any:
        inputs = all_stacked(size, inputs, stacked)
        return apply(cls, *aligned(inputs, (True,) * len(inputs)), **parameters)


def _square(name: str, x: Any) -> None:
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{name} wants square matrices, not shape {tuple(x.shape)}", where=f"linalg.{name}")


def _lapack(name: str, compute: Any, *arrays: Any) -> Any:
    try:
        return compute(*arrays)
    except np.linalg.LinAlgError as problem:
        raise InputError(
            f"{name} failed: {problem}", where=f"linalg.{name}", do="look at the matrix's singular values"
        ) from problem


def _nan_where(result: Any, x: Any) -> Any:
    """NaN in every matrix of the result that comes of a matrix with a NaN: LAPACK passes over products with zeros."""
    spoilt = np.isnan(x).any(axis=(-2, -1))
    if spoilt.any():
        result = np.where(spoilt[..., None, None], result.dtype.type(np.nan), result)
    return result


def _row(d: Any) -> Any:
    return reshape(d, shape=(*d.shape[:-1], 1, d.shape[-1]))


def _column(d: Any) -> Any:
    return reshape(d, shape=(*d.shape, 1))


class DiagonalPart(OfMatrices):
    """A matrix with everything off its diagonal set to 0."""

    name = "diagonal_part"
    formula = "where(i == j, x, 0)"

    @staticmethod
    def forward(x):
        return x * np.eye(*x.shape[-2:], dtype=x.dtype)

    @staticmethod
    def gradient(g, y, x):
        return diagonal_part(g)


class Cholesky(OfMatrices):
    """The lower triangular L with L Lᵀ = x, for symmetric positive definite x (its lower half is read)."""

    formula = "L @ transpose(L) == x"

    @staticmethod
    def forward(x):
        _square("cholesky", x)
        return _lapack("cholesky", np.linalg.cholesky, x)

    @staticmethod
    def gradient(g, L, x):
        inner = matmul(swap(L), g)
        phi = tril(inner) - diagonal_part(inner) * 0.5
        half = solve_triangular(swap(L), phi, upper=True)
        s = swap(solve_triangular(swap(L), swap(half), upper=True))
        return (s + swap(s)) * 0.5


class Inv(OfMatrices):
    """The inverse matrix."""

    formula = "x ** -1"

    @staticmethod
    def forward(x):
        _square("inv", x)
        return _nan_where(_lapack("inv", np.linalg.inv, x), x)

    @staticmethod
    def gradient(g, y, x):
        return -matmul(matmul(swap(y), g), swap(y))


class Det(OfMatrices):
    """The determinant; its slope is the matrix of cofactors, right for singular matrices too."""

    formula = "det(x)"

    @staticmethod
    def forward(x):
        _square("det", x)
        return np.asarray(np.linalg.det(x))

    @staticmethod
    def gradient(g, y, x):
        if math.prod(x.shape) and (np.any(np.asarray(y) == 0) or np.any(np.linalg.cond(np.asarray(x)) > 1e12)):
            return _column(_column(g)) * _cofactors(x)
        return _column(_column(g * y)) * swap(inv(x))


def _cofactors(x: Any) -> Any:
    """From the singular value decomposition: det(U)det(Vᵀ)·U·(products of the other singular values)·Vᵀ."""
    U, s, Vh = left_singular(x), singular_values(x), right_singular(x)
    others = product_of_the_others(s, (s.ndim - 1,))
    return _column(_column(det(U) * det(Vh))) * matmul(U * _row(others), Vh)


class LogAbsDet(OfMatrices):
    """The logarithm of the determinant's size."""

    name = "log_abs_det"
    formula = "log(abs(det(x)))"

    @staticmethod
    def forward(x):
        _square("slogdet", x)
        return np.asarray(np.linalg.slogdet(x)[1])

    @staticmethod
    def gradient(g, y, x):
        return _column(_column(g)) * swap(inv(x))


class SignDet(OfMatrices):
    """The determinant's sign."""

    name = "sign_det"
    formula = "sign(det(x))"

    @staticmethod
    def forward(x):
        _square("slogdet", x)
        return np.asarray(np.linalg.slogdet(x)[0])

    @staticmethod
    def gradient(g, y, x):
        return np.zeros(x.shape, g.dtype)  # flat wherever it has a slope


class Solve(OfMatrices):
    """The x with A x = B, for square A; B holds columns."""

    formula = "A ** -1 @ B"

    @staticmethod
    def forward(A, B):
        _square("solve", A)
        return _nan_where(_lapack("solve", np.linalg.solve, A, B), A)

    @staticmethod
    def gradient(g, X, A, B):
        of_B = solve(swap(A), g)
        return lambda: -matmul(of_B, swap(X)), of_B


class SolveTriangular(OfMatrices):
    """The x with A x = B, for triangular A, of which only one half is read."""

    name = "solve_triangular"
    formula = "A ** -1 @ B"

    @staticmethod
    def forward(A, B, *, upper, unitriangular=False):
        from scipy.linalg import solve_triangular as one

        _square("solve_triangular", A)
        lead = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
        stackA = np.broadcast_to(A, lead + A.shape[-2:]).reshape(math.prod(lead), *A.shape[-2:])
        stackB = np.broadcast_to(B, lead + B.shape[-2:]).reshape(math.prod(lead), *B.shape[-2:])
        out = np.empty(stackB.shape, np.result_type(A, B))
        for k in range(len(out)):
            out[k] = _lapack(
                "solve_triangular",
                lambda a, b: one(a, b, lower=not upper, unit_diagonal=unitriangular, check_finite=False),
                stackA[k],
                stackB[k],
            )
        return out.reshape(lead + B.shape[-2:])

    @staticmethod
    def gradient(g, X, A, B, *, upper, unitriangular=False):
        of_B = solve_triangular(swap(A), g, upper=not upper, unitriangular=unitriangular)

        def of_A():
            half = -matmul(of_B, swap(X))
            half = triu(half) if upper else tril(half)
            return half - diagonal_part(half) if unitriangular else half

        return of_A, of_B


class Eigenvalues(OfMatrices):
    """The eigenvalues of symmetric matrices, smallest first (the lower half is read)."""

    formula = "x @ v == eigenvalue * v"

    @staticmethod
    def forward(x):
        _square("eigh", x)
        values = _lapack("eigh", np.linalg.eigvalsh, x)
        return _nan_where(values[..., None], np.tril(x))[..., 0]  # of two by two, LAPACK answers as if nothing were

    @staticmethod
    def gradient(g, w, x):
        V = eigenvectors(x)
        return matmul(V * _row(g), swap(V))


class Eigenvectors(OfMatrices):
    """The eigenvectors of symmetric matrices, as columns; each up to its sign."""

    formula = "x @ v == eigenvalue * v"

    @staticmethod
    def forward(x):
        _square("eigh", x)
        return _lapack("eigh", lambda a: np.linalg.eigh(a)[1], x)

    @staticmethod
    def gradient(g, V, x):
        w = eigenvalues(x)
        inner = matmul(swap(V), g) * _one_over_gaps(w, w)
        s = matmul(matmul(V, inner), swap(V))
        return (s + swap(s)) * 0.5


def _one_over_gaps(a: Any, b: Any) -> Any:
    """1/(b_j − a_i) off the diagonal, 0 on it; eigenvectors of equal eigenvalues have no slope, and it comes out infinite."""
    gaps = _row(b) - _column(a)
    eye = np.eye(gaps.shape[-1], dtype=bool)
    return where(eye, 0.0, 1.0 / where(eye, 1.0, gaps))


class SingularValues(OfMatrices):
    """The singular values of matrices, largest first."""

    name = "singular_values"
    formula = "x == U @ diag(s) @ transpose(V)"

    @staticmethod
    def forward(x):
        return _lapack("svd", lambda a: np.linalg.svd(a, compute_uv=False), x)

    @staticmethod
    def gradient(g, s, x):
        return matmul(left_singular(x) * _row(g), right_singular(x))


class LeftSingular(OfMatrices):
    """The left singular vectors, as columns (as many as the shorter side is long)."""

    name = "left_singular"
    formula = "x == U @ diag(s) @ transpose(V)"

    @staticmethod
    def forward(x):
        return _lapack("svd", lambda a: np.linalg.svd(a, full_matrices=False)[0], x)

    @staticmethod
    def gradient(g, U, x):
        return _singular_gradient(g, U, singular_values(x), right_singular(x), x)


class RightSingular(OfMatrices):
    """The right singular vectors, as rows (as many as the shorter side is long)."""

    name = "right_singular"
    formula = "x == U @ diag(s) @ transpose(V)"

    @staticmethod
    def forward(x):
        return _lapack("svd", lambda a: np.linalg.svd(a, full_matrices=False)[2], x)

    @staticmethod
    def gradient(g, Vh, x):
        # the left vectors of xᵀ are the right ones of x, with the roles exchanged
        return swap(_singular_gradient(swap(g), swap(Vh), singular_values(x), swap(left_singular(x)), swap(x)))


def _singular_gradient(g: Any, U: Any, s: Any, Vh: Any, x: Any) -> Any:
    """Of the left singular vectors (Townsend 2016, eq. 12), and of what they leave out where x is tall."""
    m, k = U.shape[-2], U.shape[-1]
    F = _one_over_gaps(s * s, s * s)
    inner = matmul(swap(U), g) * F
    core = matmul(U, (inner + swap(inner)) * _row(s))
    if m > k:
        core = core + (g - matmul(U, matmul(swap(U), g))) / _row(s)
    return matmul(core, Vh)


class QrQ(OfMatrices):
    """The orthonormal columns Q of x = Q R, as LAPACK signs them."""

    name = "qr_basis"
    formula = "x == Q @ R"

    @staticmethod
    def forward(x):
        return _lapack("qr", lambda a: np.linalg.qr(a)[0], x)

    @staticmethod
    def gradient(g, Q, x):
        R = qr_factor(x)
        _tall("qr", x)
        M = -matmul(swap(g), Q)
        return _qr_gradient(g, M, Q, R)


class QrR(OfMatrices):
    """The upper triangular factor R of x = Q R."""

    name = "qr_factor"
    formula = "x == Q @ R"

    @staticmethod
    def forward(x):
        return _lapack("qr", lambda a: np.linalg.qr(a)[1], x)

    @staticmethod
    def gradient(g, R, x):
        _tall("qr", x)
        return _qr_gradient(None, matmul(R, swap(g)), qr_basis(x), R)


def _qr_gradient(of_Q: Any, M: Any, Q: Any, R: Any) -> Any:
    """x̄ = (Q̄ + Q·copyltu(M))·R⁻ᵀ, copyltu: the strict lower half mirrored up (Walter & Lehmann 2018)."""
    low = tril(M, diagonal=-1)
    symmetric = low + swap(low) + diagonal_part(M)
    inner = matmul(Q, symmetric)
    inner = inner if of_Q is None else of_Q + inner
    return swap(solve_triangular(R, swap(inner), upper=True))


def _tall(name: str, x: Any) -> None:
    if x.shape[-2] < x.shape[-1]:
        raise InputError(
            f"{name} has a gradient for matrices with at least as many rows as columns, not {tuple(x.shape)}",
            where=f"linalg.{name}",
        )
