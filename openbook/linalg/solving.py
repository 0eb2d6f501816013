"""Systems of linear equations, and inverses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.linalg.decompositions import permutation
from openbook.ops import vocabulary as word
from openbook.tensor.tensor import Tensor

__all__ = [
    "cholesky_inverse", "cholesky_solve", "inv", "lstsq", "lu_solve", "pinv", "solve", "solve_triangular", "tensorinv",
    "tensorsolve",
]  # fmt: skip


class LeastSquares(NamedTuple):
    """The solution, the sums of squares that are left, and what the driver found out about the matrix."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any


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


def pinv(A: Any, rcond: Any = None, *, rtol: Any = None, atol: Any = None, hermitian: bool = False) -> Any:
    """The pseudo-inverse (Moore & Penrose): singular values up to max(atol, rtol times the largest) count as 0."""
    bounds = {"relative": rtol if rtol is not None else rcond, "absolute": atol}
    return word.pinv(A, **{k: np.asarray(getattr(v, "data", v)) for k, v in bounds.items() if v is not None})


def lstsq(A: Any, B: Any, rcond: float | None = None, *, driver: str | None = None) -> LeastSquares:
    """The shortest X for which A X comes closest to B; singular values up to `rcond` times the largest count as 0.

    As in PyTorch, `residuals` are there for tall A of full rank unless `driver` is "gelsy" (the default), `rank` unless it
    is "gels", and the singular values for "gelsd" and "gelss"; all are computed the same way here.
    """
    driver = driver or "gelsy"
    if driver not in ("gels", "gelsy", "gelsd", "gelss"):
        raise InputError(f"lstsq knows no driver {driver!r}", do="choose gels, gelsy, gelsd or gelss")
    cut = max(A.shape[-2:]) * float(np.finfo(A.dtype).eps) if rcond is None else rcond
    vectors = B.ndim == 1 or (A.ndim - 1 == B.ndim and tuple(B.shape) == tuple(A.shape[:-1]))
    columns = B.unsqueeze(-1) if vectors else B
    solution = pinv(A, rtol=cut) @ columns
    s = word.singular_values(A.detach())
    rank = (s > s.amax(-1, True) * cut).sum(-1) if A.numel() else s.sum(-1).to(np.int64)
    full = not A.numel() or bool(np.all(np.asarray(rank.data) == A.shape[-1]))
    known = A.shape[-2] > A.shape[-1] and full and driver != "gelsy"
    left = word.total(word.square(A @ solution - columns), axis=-2) if known else A.reshape(-1)[:0]
    return LeastSquares(
        solution.squeeze(-1) if vectors else solution,
        left,
        _none(rank) if driver == "gels" else rank,
        s if driver in ("gelsd", "gelss") else _none(A),
    )


def _none(like: Any) -> Tensor:
    return Tensor(np.zeros(0, like.dtype))


def lu_solve(LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False) -> Any:
    """The X with A X = B (X A = B if not `left`; Aᵀ for A if `adjoint`), from `lu_factor(A)`."""
    if not left:
        return lu_solve(LU, pivots, B.mT, adjoint=not adjoint).mT
    P = permutation(np.asarray(pivots.data), LU.shape[-1]).astype(LU.dtype)
    if adjoint:
        half = word.solve_triangular(LU.mT, B, upper=False)
        return word.matmul(Tensor(P), word.solve_triangular(LU.mT, half, upper=True, unitriangular=True))
    half = word.solve_triangular(LU, word.matmul(Tensor(np.swapaxes(P, -1, -2)), B), upper=False, unitriangular=True)
    return word.solve_triangular(LU, half, upper=True)


def cholesky_solve(B: Any, L: Any, upper: bool = False) -> Any:
    """The X with A X = B, from A's Cholesky factor."""
    lower = L.mT if upper else L
    return word.solve_triangular(lower.mT, word.solve_triangular(lower, B, upper=False), upper=True)


def cholesky_inverse(L: Any, upper: bool = False) -> Any:
    """The inverse of A, from its Cholesky factor."""
    return cholesky_solve(Tensor(np.broadcast_to(np.eye(L.shape[-1], dtype=L.dtype), tuple(L.shape))), L, upper)


def tensorinv(A: Any, ind: int = 2) -> Any:
    """The inverse of a map between arrays: the first `ind` axes of A are those of its results."""
    out, into = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    if ind < 1 or math.prod(out) != math.prod(into):
        raise ShapeError(f"shape {tuple(A.shape)} parted after axis {ind} is no square map", where="linalg.tensorinv")
    return inv(A.reshape(math.prod(out), math.prod(into))).reshape(*into, *out)


def tensorsolve(A: Any, B: Any, dims: Sequence[int] | None = None) -> Any:
    """The X with tensordot(A, X, X.ndim) = B; `dims` of A are moved to its end first."""
    if dims is not None:
        moved = [d % A.ndim for d in dims]
        A = A.permute(*(d for d in range(A.ndim) if d not in moved), *moved)
    shape = tuple(A.shape[B.ndim :])
    if math.prod(shape) != B.numel():
        raise ShapeError(
            f"a map of shape {tuple(A.shape)} does not lead to {tuple(B.shape)}", where="linalg.tensorsolve"
        )
    return solve(A.reshape(B.numel(), math.prod(shape)), B.reshape(-1)).reshape(*shape)
