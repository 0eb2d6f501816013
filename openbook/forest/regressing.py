"""Learning numbers: means of leaves."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin

from openbook.errors import InputError
from openbook.forest.base import TreeBased
from openbook.forest.prediction import leaf_values, means_at_once
from openbook.forest.training import Target

__all__ = ["Regresses"]


@dataclass(eq=False, repr=False, kw_only=True)
class Regresses(RegressorMixin, TreeBased):
    """Learning numbers."""

    criterion: str = "squared_error"

    def __post_init__(self) -> None:
        if isinstance(self.criterion, str) and self.criterion == "friedman_mse":
            warnings.warn(
                'Value `"friedman_mse"` for `criterion` is deprecated: it is "squared_error" under another name, and that'
                " is what is used.", FutureWarning, stacklevel=3,
            )  # fmt: skip
            self.criterion = "squared_error"

    def _criteria(self) -> tuple[str, ...]:
        return "squared_error", "absolute_error", "poisson"

    def _targets(self, y: np.ndarray, weight: np.ndarray) -> tuple[Target, ...]:
        y = np.asarray(y, dtype=np.float64)
        if self.criterion == "poisson" and (y < 0).any():
            raise InputError("Some value(s) of y are negative which is not allowed for Poisson regression")
        if self.criterion == "poisson" and y.sum() <= 0:
            raise InputError("Sum of y is not positive which is necessary for Poisson regression")
        return tuple(Target(np.ascontiguousarray(column), weight, 0) for column in np.atleast_2d(y.T))

    def predict(self, X: Any) -> np.ndarray:
        """The mean over the trees of the leaves' mean targets; medians for `absolute_error`. (rows,), or (rows, outputs)."""
        means = means_at_once(self, X)
        return self._predicted(self.encoded(X)) if means is None else self._by_output(means)

    def _predicted(self, X: Any) -> np.ndarray:
        return self._by_output(leaf_values(self._walk(), X, self._threads()))

    def _by_output(self, means: np.ndarray) -> np.ndarray:
        return means[:, 0] if means.shape[1] == 1 else means
