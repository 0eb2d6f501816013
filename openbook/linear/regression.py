"""Linear regression in scikit-learn's clothes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from openbook.errors import InputError
from openbook.linear.newton import NewtonStep, newton_step
from openbook.record import Explains

__all__ = ["LinearRegression"]


class LinearRegression(Explains, RegressorMixin, BaseEstimator):
    """Least squares by one Newton step; `ridge` adds ridge·‖coefficients‖²/2 to the mean squared error's half.

    After `fit`: `coef_`, `intercept_`, and `newton_`, the step with its gradient, Hessian and condition (in the
    standardised columns it was taken in, intercept last; `center_` and `scale_` lead back).
    """

    newton_: NewtonStep

    def __init__(self, *, fit_intercept: bool = True, ridge: float = 0.0):
        self.fit_intercept = fit_intercept
        self.ridge = ridge

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearRegression:
        """Solve for the coefficients; raises InputError (a ValueError) for bad data."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        if not self.ridge >= 0:
            raise InputError(f"ridge={self.ridge} is negative", where="LinearRegression", do="use 0 or more")
        if not weight.any():
            raise InputError("every sample weight is zero", where="sample_weight")
        self.center_ = np.average(X, axis=0, weights=weight) if self.fit_intercept else np.zeros(X.shape[1])
        spread = np.sqrt(np.average((X - self.center_) ** 2, axis=0, weights=weight))
        self.scale_ = np.where(spread > 0, spread, 1.0)
        design = (X - self.center_) / self.scale_
        penalty = self.ridge / self.scale_**2  # the penalty is on the coefficients of the columns as they came
        if self.fit_intercept:
            design, penalty = np.column_stack([design, np.ones(len(X))]), np.append(penalty, 0.0)
        self.newton_ = newton_step(design, np.asarray(y, np.float64), penalty=penalty, weight=weight)
        theta = self.newton_.theta
        self.coef_ = theta[: X.shape[1]] / self.scale_
        self.intercept_ = float(theta[-1] - self.coef_ @ self.center_) if self.fit_intercept else 0.0
        return self

    def predict(self, X: Any) -> np.ndarray:
        """X @ coef_ + intercept_ (rows,)."""
        check_is_fitted(self)
        return validate_data(self, X, dtype=np.float64, reset=False) @ self.coef_ + self.intercept_
