"""One Newton step on least squares: it lands on the solution from anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.record import Brief, Explains
from openbook.threads import one_blas_thread

__all__ = ["NewtonStep", "gram", "newton_step", "solve_symmetric"]

_BLOCK = 8192  # rows: products are summed block by block, in one order
_WELL_POSED = 1e12  # condition above which Cholesky's answer is not trusted


@dataclass(frozen=True, eq=False, repr=False)
class NewtonStep(Brief, Explains):
    """J = ‖y − Xθ‖²/(2N) + λ‖θ‖²/2 at the start, its gradient and Hessian, and where one Newton step lands.

    `penalty` holds λ for every coefficient (0 for an intercept). `condition` is that of the Hessian; `method` says how
    the system was solved.
    """

    X: np.ndarray
    y: np.ndarray
    start: np.ndarray
    penalty: np.ndarray
    loss: float
    gradient: np.ndarray
    hessian: np.ndarray
    condition: float
    method: str
    theta: np.ndarray
    loss_after: float


def newton_step(X: Any, y: Any, theta: Any = None, penalty: Any = 0.0, weight: Any = None) -> NewtonStep:
    """Take one Newton step for least squares from `theta` (zeros by default).

    X (rows, features), y (rows,), both finite. Where the Hessian is (nearly) singular the shortest step is taken, by
    eigenvalues, with every column scaled to length one (units do not matter), and `method` says so.
    """
    X, y = np.asarray(X, np.float64), np.asarray(y, np.float64)
    if X.ndim != 2 or y.shape != X.shape[:1] or not len(X):
        raise ShapeError(
            f"X has shape {X.shape}, y {y.shape}", where="newton_step", do="give rows of features, a number each"
        )
    if not (np.isfinite(X).all() and np.isfinite(y).all()):
        raise InputError("X or y holds NaN or infinite numbers", where="newton_step", do="fill or leave out those rows")
    start = np.zeros(X.shape[1]) if theta is None else np.asarray(theta, np.float64)
    ridge = np.broadcast_to(np.asarray(penalty, np.float64), start.shape)
    w = np.ones(len(y)) if weight is None else np.asarray(weight, np.float64)
    n = w.sum()

    def loss(t: np.ndarray) -> float:
        return float(np.sum(w * (y - X @ t) ** 2) / (2 * n) + np.sum(ridge * t * t) / 2)

    with one_blas_thread():
        hessian = gram(X, w) / n + np.diag(ridge)
        gradient = -(X.T @ (w * (y - X @ start))) / n + ridge * start
        step, condition, method = solve_symmetric(hessian, gradient)
        landed = start - step
        # One round of refinement takes away what rounding left in the first solve.
        left = -(X.T @ (w * (y - X @ landed))) / n + ridge * landed
        landed = landed - solve_symmetric(hessian, left)[0]
        return NewtonStep(X, y, start, ridge, loss(start), gradient, hessian, condition, method, landed, loss(landed))


def gram(X: np.ndarray, w: np.ndarray) -> np.ndarray:
    """XᵀWX, summed over fixed blocks of rows."""
    total = np.zeros((X.shape[1], X.shape[1]))
    for i in range(0, len(X), _BLOCK):
        rows = X[i : i + _BLOCK]
        total += rows.T @ (rows * w[i : i + _BLOCK, None])
    return total


def solve_symmetric(H: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, float, str]:
    """H⁻¹g for a positive definite H, its condition number, and how: by Cholesky, or the shortest solution where H is
    singular to within rounding."""
    import scipy.linalg

    scale = np.sqrt(np.where(np.diag(H) > 0, np.diag(H), 1.0))  # equilibrated: units of the columns do not matter
    even = H / np.outer(scale, scale)
    values, vectors = scipy.linalg.eigh(even)
    largest = max(float(values[-1]), np.finfo(np.float64).tiny)
    condition = largest / float(values[0]) if values[0] > 0 else np.inf
    if condition < _WELL_POSED:
        factor = scipy.linalg.cho_factor(even)
        return scipy.linalg.cho_solve(factor, g / scale) / scale, condition, "Cholesky"
    kept = values > largest / _WELL_POSED
    parts = vectors[:, kept]
    shortest = parts @ ((parts.T @ (g / scale)) / values[kept])
    return (
        shortest / scale,
        condition,
        f"eigenvalues: {int((~kept).sum())} directions the data say nothing about are left",
    )
