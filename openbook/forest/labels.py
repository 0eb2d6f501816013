"""The classes of one output, or of several: what holds for one is then a list with an entry for each, as in scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Classes", "by_output", "counted", "each_classes", "parts_of", "widths_of", "winners"]

Classes = np.ndarray | list[np.ndarray]


def each_classes(classes: Classes) -> list[np.ndarray]:
    """The classes of every output."""
    return classes if isinstance(classes, list) else [classes]


def widths_of(classes: Classes) -> tuple[int, ...]:
    """How many classes each output has."""
    return tuple(len(of_one) for of_one in each_classes(classes))


def counted(classes: Classes) -> int | list[int]:
    """How many classes there are, as `n_classes_` says it."""
    return [len(of_one) for of_one in classes] if isinstance(classes, list) else len(classes)


def parts_of(table: np.ndarray, widths: tuple[int, ...]) -> list[np.ndarray]:
    """The columns that belong to each output, of so many each; none where there are no widths."""
    return np.split(table, np.cumsum(widths)[:-1], axis=1) if widths else []


def by_output(table: np.ndarray, classes: Classes) -> Any:
    """A table of all outputs' classes (rows, all classes), as one or as a list of (rows, classes)."""
    return parts_of(table, widths_of(classes)) if isinstance(classes, list) else table


def winners(found: Any, classes: Classes) -> np.ndarray:
    """The class with the largest entry; of equal ones, the first. (rows,), or (rows, outputs)."""
    if not isinstance(classes, list):
        return classes[np.argmax(found, axis=1)]
    return np.stack([of_one[np.argmax(p, axis=1)] for of_one, p in zip(classes, found, strict=True)], axis=1)
