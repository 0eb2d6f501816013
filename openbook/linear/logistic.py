"""Logistic regression by Newton's method, for two classes and for many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logsumexp, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from openbook.errors import InputError
from openbook.linear.newton import gram, solve_symmetric
from openbook.record import Explains
from openbook.threads import one_blas_thread

__all__ = ["Iteration", "LogisticRegression"]

_SUFFICIENT = 1e-4  # share of the predicted decrease a step must bring (Armijo 1966)
_SHORTEST = 2.0**-30
_NO_DOUBT = 1e-6  # mean log loss; two rows of a million that contradict each other leave more


@dataclass(frozen=True)
class Iteration(Explains):
    """One Newton step: loss and largest gradient entry before it, the Hessian's condition, the share of it taken.

    `decrement` is ∇Jᵀ H⁻¹ ∇J: twice what a quadratic with this gradient and Hessian would fall by (Boyd 2004, § 9.5.1).
    """

    loss: float
    gradient: float
    condition: float
    taken: float
    decrement: float


class LogisticRegression(Explains, ClassifierMixin, BaseEstimator):
    """Log-odds as a weighted sum, fitted by Newton steps (also known as iteratively reweighted least squares).

    Minimises C·Σ log loss + ‖coef‖²/2, as scikit-learn's; `C=inf` leaves the penalty out. For more than two classes, one
    row of coefficients per class and the softmax of their sums. After `fit`: `coef_` (1 or classes, features),
    `intercept_`, `classes_`, `n_iter_`, and `newton_`, the list of iterations.
    """

    newton_: list[Iteration]

    def __init__(
        self,
        *,
        C: float = 1.0,
        fit_intercept: bool = True,
        class_weight: Any = None,
        tol: float = 1e-8,
        max_iter: int = 100,
    ):
        self.C = C
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LogisticRegression:
        """Iterate until no entry of the gradient of the mean loss exceeds `tol`.

        Raises InputError (a ValueError) for one class, bad data, or when Newton's steps do not settle (as on separable
        rows without a penalty).
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, code = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(f"the target holds one class only, {self.classes_[0]!r}", where="LogisticRegression",
                             do="give rows of two classes at least")  # fmt: skip
        if not self.C > 0:
            raise InputError(f"C={self.C} is not positive", where="LogisticRegression", do="choose C > 0, or inf")
        weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        if self.class_weight is not None:
            weight = weight * compute_class_weight(self.class_weight, classes=self.classes_, y=y)[code]
        problem = _Problem(X, code, weight, len(self.classes_), self.C, self.fit_intercept)
        with one_blas_thread():
            theta = self._iterate(problem)
        if np.isinf(self.C) and problem.loss(theta) < _NO_DOUBT:
            raise InputError("the classes can be told apart without error, so without a penalty the coefficients have no end",
                             where="LogisticRegression", do="choose a finite C")  # fmt: skip
        self.loss_ = problem.loss(theta)
        self.coef_, self.intercept_ = problem.unpack(theta)
        self.n_iter_ = len(self.newton_)
        return self

    def _iterate(self, problem: _Problem) -> np.ndarray:
        theta, self.newton_ = np.zeros(problem.size), []
        for _ in range(self.max_iter):
            loss, gradient, hessian = problem.derivatives(theta)
            largest = float(np.max(np.abs(gradient), initial=0.0))
            if largest <= self.tol:
                return theta
            step, condition, _ = solve_symmetric(hessian, gradient)
            decrement = float(gradient @ step)
            taken = self._take(problem, theta, step, loss, decrement)
            self.newton_.append(Iteration(loss, largest, condition, taken, decrement))
            if taken < _SHORTEST:
                break  # rounding: the loss cannot be brought down any further
            theta = theta - taken * step
        largest = float(np.max(np.abs(problem.derivatives(theta)[1]), initial=0.0))
        if largest > max(1e3 * self.tol, 1e-5):
            raise InputError(
                f"Newton's steps have not settled after {len(self.newton_)}: the gradient is still {largest:.1e}",
                where="LogisticRegression", do="lower C (on separable rows the best coefficients are infinite), or raise max_iter",
            )  # fmt: skip
        return theta

    @staticmethod
    def _take(problem: _Problem, theta: np.ndarray, step: np.ndarray, loss: float, slope: float) -> float:
        """The whole step, or half of it, or a quarter, … until the loss falls as it should."""
        taken = 1.0
        while taken >= _SHORTEST and not problem.loss(theta - taken * step) <= loss - _SUFFICIENT * taken * slope:
            taken /= 2
        return taken

    def decision_function(self, X: Any) -> np.ndarray:
        """Log-odds of the second class (rows,), or one sum per class (rows, classes)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        sums = X @ self.coef_.T + self.intercept_
        return sums[:, 0] if len(self.classes_) == 2 else sums

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class (rows, classes), in the order of `classes_`."""
        sums = self.decision_function(X)
        if sums.ndim == 1:
            sums = np.column_stack([np.zeros(len(sums)), sums])
        return softmax(sums, axis=1)

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest class; of equal ones, the first."""
        winners = np.argmax(self.predict_proba(X), axis=1)
        return self.classes_[winners]


class _Problem:
    """The loss of one fit, per unit of weight, with its gradient and Hessian; coefficients of each class in a row."""

    def __init__(self, X: np.ndarray, code: np.ndarray, weight: np.ndarray, classes: int, C: float, intercept: bool):
        self.X = np.column_stack([X, np.ones(len(X))]) if intercept else X
        self.features = X.shape[1]
        self.intercept = intercept
        self.two = classes == 2
        self.rows = 1 if self.two else classes
        self.total = float(weight.sum()) or 1.0
        self.w = weight / self.total
        self.hit = (code == 1).astype(np.float64)[:, None] if self.two else np.eye(classes)[code]
        ridge = np.full(self.X.shape[1], 1.0 / (C * self.total))
        if intercept:
            ridge[-1] = 0.0
        self.ridge = np.tile(ridge, self.rows)
        self.size = self.rows * self.X.shape[1]

    def _sums(self, theta: np.ndarray) -> np.ndarray:
        return self.X @ theta.reshape(self.rows, -1).T

    def loss(self, theta: np.ndarray) -> float:
        z = self._sums(theta)
        if self.two:
            surprise = np.logaddexp(0.0, z[:, 0]) - self.hit[:, 0] * z[:, 0]
        else:
            surprise = logsumexp(z, axis=1) - (self.hit * z).sum(axis=1)
        return float(self.w @ surprise + np.sum(self.ridge * theta * theta) / 2)

    def derivatives(self, theta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        z = self._sums(theta)
        p = expit(z) if self.two else softmax(z, axis=1)
        gradient = ((p - self.hit) * self.w[:, None]).T @ self.X
        return self.loss(theta), gradient.ravel() + self.ridge * theta, self._hessian(p) + np.diag(self.ridge)

    def _hessian(self, p: np.ndarray) -> np.ndarray:
        """Blocks XᵀDX for every pair of classes, D = p·([same class] − p) by row."""
        d = self.X.shape[1]
        H = np.empty((self.size, self.size))
        for a in range(self.rows):
            for b in range(a, self.rows):
                block = gram(self.X, self.w * p[:, a] * ((a == b) - p[:, b]))
                H[a * d : (a + 1) * d, b * d : (b + 1) * d] = block
                H[b * d : (b + 1) * d, a * d : (a + 1) * d] = block
        return H

    def unpack(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        table = theta.reshape(self.rows, -1)
        if not self.intercept:
            return table, np.zeros(self.rows)
        weights, shift = table[:, :-1], table[:, -1]
        # For many classes a constant may be added to all sums; the intercepts are those that add up to zero.
        return weights, shift - shift.mean() if not self.two else shift
