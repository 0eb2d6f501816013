"""Calls that cost least: what each call is expected to cost, by the probabilities of what may be true (Elkan 2001)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.record import Brief, Explains

__all__ = ["CostDecision", "least_cost"]


@dataclass(frozen=True, eq=False, repr=False)
class CostDecision(Brief, Explains):
    """For each row the call that is expected to cost least; of equal ones the first.

    `p` (rows, classes); `costs` (classes, calls), what a call costs where a class is true; `expected` (rows, calls);
    `chosen` (rows,) the index of the call; `y` (rows,) the index of the true class, where it is known.
    """

    p: np.ndarray
    costs: np.ndarray
    classes: tuple[str, ...]
    calls: tuple[str, ...]
    expected: np.ndarray
    chosen: np.ndarray
    y: np.ndarray | None

    @property
    def threshold(self) -> float | None:
        """Two classes, two calls: the second costs less where p exceeds this; None for anything else, or where one call always wins."""
        if self.costs.shape != (2, 2):
            return None
        (right_no, wrong_yes), (wrong_no, right_yes) = self.costs
        regret_yes, regret_no = wrong_yes - right_no, wrong_no - right_yes
        if regret_yes < 0 or regret_no < 0 or regret_yes + regret_no == 0:
            return None
        return float(regret_yes / (regret_yes + regret_no))

    @property
    def paid(self) -> float | None:
        """What the calls cost together, by what turned out to be true."""
        return None if self.y is None else float(self.costs[self.y, self.chosen].sum())

    @property
    def paid_by_likeliest(self) -> float | None:
        """What it would have cost to call the likeliest class; None where calls are not classes."""
        if self.y is None or self.calls != self.classes:
            return None
        return float(self.costs[self.y, self.p.argmax(axis=1)].sum())


def least_cost(
    p: Any, costs: Any, y: Any = None, classes: Sequence[Any] | None = None, calls: Sequence[Any] | None = None
) -> CostDecision:
    """Make for each row the call that is expected to cost least, Σ over classes of p · cost.

    `p` (rows, classes) probabilities, or (rows,) of the second of two classes; `costs[i][j]` what call j costs where class
    i is true, so that the diagonal is what right calls cost; gains are negative costs. `calls` names the columns where
    they are not the classes ("ask a doctor"). `y` are the true classes, as named in `classes` (0, 1, … by default).
    Raises InputError for what are no probabilities or unknown classes, ShapeError where sizes do not fit.
    """
    given = np.asarray(p, np.float64)
    given = np.column_stack([1 - given, given]) if given.ndim == 1 else given
    table = np.asarray(costs, np.float64)
    _require_probabilities(given)
    if table.ndim != 2 or len(table) != given.shape[1] or not table.shape[1]:
        raise ShapeError(f"costs have shape {table.shape} for {given.shape[1]} classes", where="least_cost",
                         do="give a row for each class that may be true and a column for each call")  # fmt: skip
    if not np.isfinite(table).all():
        raise InputError("costs must be finite numbers", where="least_cost")
    names = _names(classes, len(table), "class")
    columns = _names(calls, table.shape[1], "call") if calls is not None or table.shape[1] != len(table) else names
    expected = np.einsum("ij,jk->ik", given, table)  # not BLAS: the same bits on any number of threads
    truth = None if y is None else _positions(y, classes if classes is not None else range(len(table)), len(given))
    return CostDecision(given, table, names, columns, expected, expected.argmin(axis=1), truth)


def _require_probabilities(p: np.ndarray) -> None:
    if p.ndim != 2 or not p.size:
        raise ShapeError(f"probabilities have shape {p.shape}", where="least_cost", do="give (rows, classes)")
    if not ((p >= 0) & (p <= 1)).all():
        row = int(np.argmin(((p >= 0) & (p <= 1)).all(axis=1)))
        raise InputError(f"row {row} holds {p[row].tolist()}; probabilities lie between 0 and 1", where="least_cost")
    off = np.abs(p.sum(axis=1) - 1)
    if off.max() > 1e-6:
        row = int(off.argmax())
        raise InputError(f"the probabilities of row {row} add up to {p[row].sum():.6g}, not 1", where="least_cost")


def _names(given: Sequence[Any] | None, count: int, kind: str) -> tuple[str, ...]:
    names = tuple(map(str, range(count) if given is None else given))
    if len(names) != count or len(set(names)) != count:
        raise ShapeError(f"{len(names)} names for {count} ({kind}): {', '.join(names[:6])}", where="least_cost",
                         do="give each a name of its own")  # fmt: skip
    return names


def _positions(y: Any, classes: Sequence[Any], rows: int) -> np.ndarray:
    truth = np.asarray(y)
    if truth.shape != (rows,):
        raise ShapeError(f"labels have shape {truth.shape} for {rows} rows", where="least_cost")
    places = {c: i for i, c in enumerate(classes)}
    for row, label in enumerate(truth.tolist()):
        if label not in places:
            raise InputError(f"row {row} is of class {label!r}, which has no row of costs", where="least_cost",
                             do=f"the classes are {', '.join(map(repr, places))}")  # fmt: skip
    return np.array([places[label] for label in truth.tolist()])
