"""The impurity of a tree's root in the criterion's own units: what all splits together can take away at most."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import xlogy

__all__ = ["class_impurity", "number_impurity"]


def class_impurity(criterion: str, weights: np.ndarray) -> float:
    """Of one output, from the weight of each class: gini, or entropy in bits."""
    p = weights / weights.sum()
    return float(1 - np.sum(p**2) if criterion == "gini" else -np.sum(xlogy(p, p)) / np.log(2))


def number_impurity(criterion: str, y: np.ndarray, value: float, weight: Any) -> float:
    """Of one output, around the root's value: squared or absolute error, or half Poisson's deviance."""
    if criterion == "squared_error":
        errors = (y - value) ** 2
    elif criterion == "absolute_error":
        errors = np.abs(y - value)
    else:
        errors = xlogy(y, y / value)
    return float(np.average(errors, weights=weight))
