"""Which rows a model learns from, which it is steered by, and which it is judged on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openbook.errors import TableError

__all__ = ["Split", "split_rows"]


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers: `train` to fit, `validation` to stop, calibrate and choose the threshold, `test` to judge."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split_rows(y: np.ndarray, classes: int, seed: int, validation: float = 0.15, test: float = 0.25) -> Split:
    """Deal the rows out at random, each class in the same shares; rows of tiny classes go to training first.

    `test=0` where a table of its own is held out. Raises TableError when there are too few rows to deal.
    """
    random = np.random.default_rng(seed)
    parts: list[list[np.ndarray]] = [[], [], []]
    groups = [np.flatnonzero(y == c) for c in range(classes)] if classes else [np.arange(len(y))]
    for rows in groups:
        shuffled = random.permutation(rows)
        held = round(len(rows) * test)
        steering = round(len(rows) * validation)
        for part, chosen in zip(
            parts, (shuffled[held + steering :], shuffled[held : held + steering], shuffled[:held]), strict=True
        ):
            part.append(chosen)
    train, steer, judge = (np.sort(np.concatenate(p)) for p in parts)
    small = [name for name, rows, needed in (("validation", steer, True), ("test", judge, test > 0))
             if needed and (len(rows) == 0 or (classes and len(np.unique(y[rows])) < 2))]  # fmt: skip
    if small:
        raise TableError(
            f"{len(y)} rows are too few: the {' and the '.join(small)} rows would not hold two different classes"
            if classes else f"{len(y)} rows are too few to hold some out",
            do="give a table with more rows (a few dozen at least)",
        )  # fmt: skip
    return Split(train, steer, judge)
