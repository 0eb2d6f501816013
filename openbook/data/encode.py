"""From columns to matrices, learnt on training rows only: one for lines and networks, one for trees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np

from openbook.data.columns import Kind, is_missing
from openbook.data.guess import Guess
from openbook.data.table import Table

__all__ = ["DesignMatrix", "TreeMatrix"]

_RARE = 20  # rows: levels with fewer in training share one column
_NONE = "(missing)"
_OTHER = "(other)"


@dataclass(frozen=True, eq=False)
class DesignMatrix:
    """Numbers standardised (missing ones at the mean, with a column that says so), categories one column a level.

    `names` are the columns of the matrix as people read them: `age`, `education=Masters`, `age (missing)`.
    """

    numbers: Mapping[str, tuple[float, float, bool]]  # mean, scale, whether a missing column is needed
    levels: Mapping[str, tuple[str, ...]]
    names: tuple[str, ...]

    @classmethod
    def learn(cls, table: Table, kinds: Mapping[str, Kind], rows: np.ndarray) -> DesignMatrix:
        """Learn means, scales and levels from some rows of a table."""
        numbers: dict[str, tuple[float, float, bool]] = {}
        levels: dict[str, tuple[str, ...]] = {}
        names: list[str] = []
        for name, kind in kinds.items():
            column = table.columns[name][rows]
            if kind is Kind.NUMBER:
                mean, scale = _centre(column)
                gaps = bool(np.isnan(column).any())
                numbers[name] = (mean, scale, gaps)
                names += [name, f"{name} (missing)"] if gaps else [name]
            else:
                levels[name] = _levels(column)
                names += [f"{name}={level}" for level in levels[name]]
        return cls(numbers, levels, tuple(names))

    def matrix(self, table: Table) -> np.ndarray:
        """The rows of a table as float64 (rows, columns)."""
        blocks = []
        for name in dict.fromkeys((*self.numbers, *self.levels)):
            column = table.columns[name]
            blocks.append(self._number(name, column) if name in self.numbers else self._category(name, column))
        order = {n: i for i, n in enumerate(self._block_names())}
        whole = np.concatenate(blocks, axis=1)
        return np.ascontiguousarray(whole[:, [order[n] for n in self.names]])

    def _block_names(self) -> list[str]:
        numbers = [[n, f"{n} (missing)"] if gaps else [n] for n, (_, _, gaps) in self.numbers.items()]
        return [*chain(*numbers), *(f"{n}={level}" for n, levels in self.levels.items() for level in levels)]

    def _number(self, name: str, column: np.ndarray) -> np.ndarray:
        mean, scale, gaps = self.numbers[name]
        missing = np.isnan(column)
        standard = np.where(missing, 0.0, (column - mean) / scale)
        return np.stack([standard, missing.astype(np.float64)], axis=1) if gaps else standard[:, None]

    def _category(self, name: str, column: np.ndarray) -> np.ndarray:
        levels = self.levels[name]
        place = {level: i for i, level in enumerate(levels)}
        other = place.get(_OTHER, -1)
        found = np.array([place.get(_level(v), other) for v in column])
        return (found[:, None] == np.arange(len(levels))).astype(np.float64)


def _centre(column: np.ndarray) -> tuple[float, float]:
    known = column[~np.isnan(column)]
    if not len(known):
        return 0.0, 1.0
    return float(known.mean()), float(known.std()) or 1.0


def _level(value: object) -> str:
    return _NONE if value is None else str(value)


def _levels(column: np.ndarray) -> tuple[str, ...]:
    different, counts = np.unique([_level(v) for v in column], return_counts=True)
    rare = counts < min(_RARE, max(2, len(column) // 50))
    kept = [str(level) for level in different[~rare]]
    return (*kept, _OTHER) if rare.any() else tuple(kept)


@dataclass(frozen=True, eq=False)
class TreeMatrix:
    """Numbers as they are (NaN where missing), categories as their place in an order that a threshold can cut.

    Two classes and regressions: levels by the mean of the target in the training rows. Many classes: by frequency.
    Levels that training never saw, and missing ones, are NaN; a split learns where those go.
    """

    names: tuple[str, ...]
    order: Mapping[str, tuple[str, ...]]

    @classmethod
    def learn(
        cls, table: Table, kinds: Mapping[str, Kind], rows: np.ndarray, y: np.ndarray, classes: int
    ) -> TreeMatrix:
        """Learn the order of the levels from some rows of a table and their targets."""
        order = {
            name: _ordered(table.columns[name][rows], y[rows], classes)
            for name, kind in kinds.items()
            if kind is Kind.CATEGORY
        }
        return cls(tuple(kinds), order)

    def matrix(self, table: Table) -> np.ndarray:
        """The rows of a table as float64 (rows, features)."""
        columns = []
        for name in self.names:
            column = table.columns[name]
            if name in self.order:
                place = {level: float(i) for i, level in enumerate(self.order[name])}
                column = np.array([place.get(v, np.nan) for v in column])
            columns.append(column)
        return np.stack(columns, axis=1)

    def unseen(self, table: Table) -> list[Guess]:
        """What is said about levels that training never saw."""
        said = []
        for name, levels in self.order.items():
            column = table.columns[name]
            new = sorted({str(v) for v in column[~is_missing(column)]} - set(levels))
            if new:
                some = ", ".join(new[:3]) + (", …" if len(new) > 3 else "")
                said.append(
                    Guess(f"{name} has {len(new)} levels that training never saw ({some}); they are treated as missing")
                )
        return said

    def condition(self, feature: int, threshold: float, left: bool) -> str:
        """A decision in words: `age <= 30.5`, `marital_status in {Divorced, Widowed}`."""
        name = self.names[feature]
        if name not in self.order:
            return f"{name} {'≤' if left else '>'} {threshold:.6g}"
        below = [level for i, level in enumerate(self.order[name]) if (i <= threshold) == left]
        shown = ", ".join(below[:3]) + (f", … {len(below) - 3} more" if len(below) > 3 else "")
        return f"{name} in {{{shown}}}"


def _ordered(column: np.ndarray, y: np.ndarray, classes: int) -> tuple[str, ...]:
    known = ~is_missing(column)
    levels, place, counts = np.unique(column[known].astype(str), return_inverse=True, return_counts=True)
    key = -counts if classes > 2 else np.bincount(place, y[known].astype(np.float64)) / counts
    return tuple(str(level) for level in levels[np.lexsort((levels, key))])
