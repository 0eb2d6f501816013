"""What is to be learnt: which column, as classes or as a number, and which class is the positive one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openbook.data.columns import is_missing
from openbook.data.guess import Guess
from openbook.data.table import Table
from openbook.errors import InputError, TargetError

__all__ = ["Target", "find_target"]

_MOST_CLASSES = 20
TASKS = ("classes", "regression")


@dataclass(frozen=True, eq=False)
class Target:
    """The column to learn. Classes are numbered in `labels`; with two, the positive one is last. `y` is float64 for a
    regression, int64 for classes."""

    name: str
    task: str
    y: np.ndarray
    labels: tuple[str, ...] = ()

    @property
    def classes(self) -> int:
        return len(self.labels)

    @property
    def positive(self) -> str:
        """The class that probabilities and thresholds are about."""
        return self.labels[-1]

    def encode(self, table: Table) -> np.ndarray:
        """The target of another table, in the same numbers; a TargetError for classes that were never seen."""
        column = _complete(table, self.name)
        if self.task == "regression":
            return _numbers(column, self.name, table)
        labels = _labels(column)
        unknown = sorted(set(labels) - set(self.labels))
        if unknown:
            raise TargetError(f"{self.name} has a class that training never saw: {', '.join(unknown)}",
                              where=table.source, do="leave those rows out, or train on rows of that class")  # fmt: skip
        numbers = {label: i for i, label in enumerate(self.labels)}
        return np.array([numbers[label] for label in labels], np.int64)


def find_target(
    table: Table, name: str | None = None, task: str | None = None, positive: str | None = None
) -> tuple[Target, list[Guess]]:
    """Choose and encode the target, and say what was guessed.

    By default the last column; text, or at most 20 different whole numbers, are classes; the rarer of two is positive.
    Raises TargetError for a target with missing values or without variety, ColumnError for an unknown name.
    """
    guesses = []
    if name is None:
        name = table.names[-1]
        guesses.append(Guess(f"the target is {name}, the last column", "--target"))
    column = _complete(table, name)
    if task is not None and task not in TASKS:
        raise InputError(f"there is no task {task!r}", do=f"choose one of {', '.join(TASKS)}")
    if task is None:
        task, why = _task(column)
        guesses.append(Guess(f"{name} is learnt as {'classes' if task == 'classes' else 'a number'}: {why}", "--task"))
    if task == "regression":
        y = _numbers(column, name, table)
        _require_variety(len(np.unique(y)), name, table)
        if positive is not None:
            raise InputError(
                "a number has no positive class", where="--positive", do="leave it out, or use --task classes"
            )
        return Target(name, task, y), guesses
    return _classes(table, name, column, positive, guesses)


def _classes(
    table: Table, name: str, column: np.ndarray, positive: str | None, guesses: list[Guess]
) -> tuple[Target, list[Guess]]:
    labels = _labels(column)
    different = sorted(set(labels), key=_natural)
    _require_variety(len(different), name, table)
    counts = {label: labels.count(label) for label in different}
    if positive is not None and positive not in counts:
        raise InputError(
            f"{name} has no class {positive!r}", where="--positive", do=f"choose one of {', '.join(different)}"
        )
    if len(different) == 2:
        if positive is None:
            positive = min(reversed(different), key=lambda label: counts[label])
            tie = len(set(counts.values())) == 1
            why = "both are equally frequent, and it sorts last" if tie else "it is the rarer class"
            guesses.append(Guess(f"{positive} is the positive class: {why}", "--positive"))
        different = [label for label in different if label != positive] + [positive]
    elif positive is not None:
        raise InputError(f"{name} has {len(different)} classes, so none is the positive one", where="--positive",
                         do="leave it out")  # fmt: skip
    single = [label for label in different if counts[label] < 5]
    if single:
        few = ", ".join(f"{label} ({counts[label]} rows)" for label in single)
        guesses.append(Guess(f"hardly anything can be learnt about {few}"))
    numbers = {label: i for i, label in enumerate(different)}
    return Target(name, "classes", np.array([numbers[v] for v in labels], np.int64), tuple(different)), guesses


def _complete(table: Table, name: str) -> np.ndarray:
    column = table.column(name)
    missing = is_missing(column)
    if missing.any():
        count = int(missing.sum())
        lines = ", ".join(str(i + 2) for i in np.flatnonzero(missing)[:5]) + (", …" if count > 5 else "")
        told = f"1 row (line {lines})" if count == 1 else f"{count} rows (lines {lines})"
        raise TargetError(f"the target {name} is missing in {told}",
                          where=table.source, do="leave those rows out: nothing can be learnt or checked on them")  # fmt: skip
    return column


def _task(column: np.ndarray) -> tuple[str, str]:
    if column.dtype.kind != "f":
        return "classes", "it is text"
    different = np.unique(column)
    if np.all(different == np.round(different)) and len(different) <= _MOST_CLASSES:
        return "classes", f"it has {len(different)} different whole numbers"
    return "regression", f"it has {len(different)} different values"


def _numbers(column: np.ndarray, name: str, table: Table) -> np.ndarray:
    if column.dtype.kind != "f":
        raise TargetError(f"{name} is text, and a regression learns numbers", where=table.source,
                          do="use --task classes, or another --target")  # fmt: skip
    if np.isinf(column).any():
        raise TargetError(f"{name} is infinite in some rows", where=table.source, do="leave those rows out")
    return column


def _labels(column: np.ndarray) -> list[str]:
    if column.dtype.kind == "f":
        return [str(int(v)) if v == int(v) else repr(float(v)) for v in column]
    return [str(v) for v in column]


def _natural(label: str) -> tuple[int, float, str]:
    try:
        return 0, float(label), label
    except ValueError:
        return 1, 0.0, label


def _require_variety(different: int, name: str, table: Table) -> None:
    if different < 2:
        raise TargetError(f"the target {name} has the same value in every row", where=table.source,
                          do="choose another with --target: there is nothing to learn")  # fmt: skip
