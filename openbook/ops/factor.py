"""Triangular factors by exchanging rows, and the exponential of a matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.ops.decompose import OfMatrices, lapack, nan_where, require_square
from openbook.ops.vocabulary import cat, gather_entries, matmul, matrix_exp, solve_triangular, swap, tril, triu


def _getrf(x: Any) -> tuple[np.ndarray, np.ndarray]:
    """LAPACK's LU of every matrix of a stack: both triangles in one matrix, and the rows exchanged (from 0)."""
    from scipy.linalg import get_lapack_funcs

    (getrf,) = get_lapack_funcs(("getrf",), (x,))
    rows, columns = x.shape[-2:]
    k = min(rows, columns)
    packed, pivots = np.empty(x.shape, x.dtype), np.empty((*x.shape[:-2], k), np.int32)
    for place in np.ndindex(x.shape[:-2]):
        if k:
            packed[place], pivots[place], fault = getrf(x[place])
            if fault < 0:
                raise InputError("LAPACK refuses the matrix", where="linalg.lu_factor", do="look for NaN in it")
    return packed, pivots


class LuPivots(OfMatrices):
    """The rows that LU decomposition exchanges, one after the other, counted from 1."""

    name = "lu_pivots"
    formula = "P"
    differentiable = False

    @staticmethod
    def forward(x):
        return _getrf(x)[1] + np.int32(1)


class LuPacked(OfMatrices):
    """The triangles of x = P L U of square matrices in one: U, and below its diagonal L, which has ones on its own."""

    name = "lu_packed"
    formula = "x == P @ L @ U"

    @staticmethod
    def forward(x):
        require_square("lu_factor", x)
        return nan_where(_getrf(x)[0], x)

    @staticmethod
    def gradient(g, y, x):
        """P·L⁻ᵀ·(tril(LᵀL̄, −1) + triu(ŪUᵀ))·U⁻ᵀ (de Hoog et al. 2011)."""
        upper = triu(y)
        lower = tril(y, diagonal=-1) + np.eye(x.shape[-1], dtype=x.dtype)
        inner = tril(matmul(swap(lower), tril(g, diagonal=-1)), diagonal=-1) + triu(matmul(triu(g), swap(upper)))
        right = swap(solve_triangular(y, swap(inner), upper=True))
        return matmul(_exchanges(np.asarray(x)), solve_triangular(swap(y), right, upper=True, unitriangular=True))


def _exchanges(x: np.ndarray) -> np.ndarray:
    """The permutations P of x = P L U."""
    P = np.zeros(x.shape, x.dtype)
    pivots = _getrf(x)[1]
    for place in np.ndindex(x.shape[:-2]):
        order = np.arange(x.shape[-1])
        for i, j in enumerate(pivots[place]):
            order[[i, j]] = order[[j, i]]
        P[place][order, np.arange(x.shape[-1])] = 1
    return P


class Pinv(OfMatrices):
    """The pseudo-inverse (Moore & Penrose): singular values up to max(absolute, relative · the largest) count as 0."""

    formula = "x @ y @ x == x"

    @staticmethod
    def forward(x, *, relative=None, absolute=None):
        if not x.size:
            return np.zeros((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)
        U, s, Vh = lapack("pinv", lambda a: np.linalg.svd(a, full_matrices=False), x)
        if relative is None:
            relative = max(x.shape[-2:]) * np.finfo(x.dtype).eps if absolute is None else 0.0
        cut = s[..., :1] * np.asarray(relative)[..., None]
        kept = s > (cut if absolute is None else np.maximum(cut, np.asarray(absolute)[..., None]))
        inverse = np.where(kept, 1 / np.where(kept, s, 1), 0).astype(x.dtype)
        return np.matmul(np.swapaxes(Vh, -1, -2) * inverse[..., None, :], np.swapaxes(U, -1, -2))

    @staticmethod
    def gradient(g, y, x, *, relative=None, absolute=None):
        """−yᵀḡyᵀ + (1 − xy)ḡᵀyyᵀ + yᵀyḡᵀ(1 − yx) (Golub & Pereyra 1973)."""
        back, turned = swap(y), swap(g)
        found = -matmul(matmul(back, g), back)
        right, left = matmul(turned, matmul(y, back)), matmul(matmul(back, y), turned)
        return found + (right - matmul(x, matmul(y, right))) + (left - matmul(matmul(left, y), x))


class MatrixExp(OfMatrices):
    """The exponential of square matrices, Σ xᵏ/k!."""

    name = "matrix_exp"
    formula = "sum(x**k / factorial(k))"

    @staticmethod
    def forward(x):
        """By its series where the norm is at most 1, and squared back (SciPy's expm loses two more digits)."""
        require_square("matrix_exp", x)
        v = x.astype(np.float64)
        norm = np.abs(v).sum(axis=-1).max(axis=-1, initial=0.0)
        with np.errstate(all="ignore"):
            halvings = np.maximum(0, np.ceil(np.log2(np.where(np.isfinite(norm) & (norm > 0), norm, 1.0))))
            small, unit = v * np.exp2(-halvings)[..., None, None], np.eye(v.shape[-1])
            out = np.broadcast_to(unit, v.shape)
            for k in range(19, 0, -1):
                out = unit + small @ out / k
            for k in range(int(halvings.max(initial=0.0))):
                out = np.where((halvings > k)[..., None, None], out @ out, out)
        return out.astype(x.dtype)

    @staticmethod
    def gradient(g, y, x):
        """The upper right of the exponential of [[xᵀ, ḡ], [0, xᵀ]] (Van Loan 1978)."""
        n = x.shape[-1]
        top = cat(swap(x), g, axis=-1)
        low = cat(g * 0, swap(x), axis=-1)
        return gather_entries(matrix_exp(cat(top, low, axis=-2)), index=(..., slice(0, n), slice(n, 2 * n)))
