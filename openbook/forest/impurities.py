"""What criteria measure, in their own units, once a tree is grown."""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy

from openbook.forest.labels import parts_of

__all__ = ["class_impurities", "class_impurity", "number_errors"]


def class_impurities(criterion: str, value: np.ndarray, widths: tuple[int, ...]) -> np.ndarray:
    """Of nodes (nodes,), on average over outputs of so many classes."""
    return np.mean([class_impurity(criterion, part) for part in parts_of(value, widths)], axis=0)


def class_impurity(criterion: str, weights: np.ndarray) -> np.ndarray:
    """Of nodes (nodes,), from the weight of each class in them (nodes, classes): gini, or entropy in bits."""
    p = weights / weights.sum(axis=1, keepdims=True)
    return 1 - np.sum(p**2, axis=1) if criterion == "gini" else -np.sum(xlogy(p, p), axis=1) / np.log(2)


def number_errors(criterion: str, y: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Of rows (rows,), around the values of their nodes: squared or absolute errors, or what half Poisson's deviance adds up."""
    if criterion == "squared_error":
        return (y - value) ** 2
    if criterion == "absolute_error":
        return np.abs(y - value)
    return xlogy(y, y / np.where(y > 0, value, 1.0))
