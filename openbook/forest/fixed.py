"""Weights and targets as whole numbers, so that sums do not depend on the order of adding."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from openbook.errors import InputError

__all__ = ["CRITERIA", "FixedPoint", "Target", "squared"]

CRITERIA = {"gini": 0, "entropy": 1, "log_loss": 1, "squared_error": 2, "poisson": 3, "absolute_error": 4}
EXACT_SQUARES = 2**26  # weight: squares of sums, and sums of these, are then exact in doubles
_WEIGHT_BITS = 28  # of the largest weight, where weights are not whole numbers
_SUM_BITS = 51  # of any sum, so that doubles hold it
_TERM_BITS = 60  # of w ln w for the weight of all
_MOST_CLASSES = 2**16
_LEAST = math.ulp(0.0)  # the smallest number above 0
_SQUARES = 2.0**-1020, 2.0**900  # of a step: sums of squared targets are then numbers, with all their digits
_NEAR_ONE = "multiply y by a power of two that brings it near 1, and divide predictions by it"


@dataclass(frozen=True, eq=False)
class Target:
    """What is learnt, and each row's weight: classes as 0 … K−1, or numbers (`classes` = 0)."""

    y: np.ndarray
    weight: np.ndarray
    classes: int


@dataclass(frozen=True, eq=False)
class FixedPoint:
    """`weight` in units of `weight_step`; for numbers `weighted` is weight · (y − middle) in units of `target_step`.

    `code` is the class of a row, or the rank of its target. `heaviest` bounds the weight of any sample of as many rows.
    """

    code: np.ndarray
    weight: np.ndarray
    weighted: np.ndarray
    weight_step: float
    target_step: float
    middle: float
    heaviest: int

    @classmethod
    def of(cls, target: Target, middle: float | None = None) -> FixedPoint:
        """Numbers are counted from `middle` (None: their mean, which leaves most room for digits)."""
        if target.classes > _MOST_CLASSES:
            raise InputError(f"{target.classes} classes are more than {_MOST_CLASSES}", do="merge rare classes")
        n, largest = len(target.weight), float(target.weight.max(initial=0))
        room = _SUM_BITS - n.bit_length()
        whole = largest < 2.0 ** min(20, room) and bool(np.all(target.weight == np.round(target.weight)))
        step = 1.0 if whole or not largest else _power_of_two(largest / 2.0 ** min(_WEIGHT_BITS, room))
        weight = np.round(target.weight / step).astype(np.int64)
        heaviest = int(weight.max(initial=0)) * n
        if target.classes:
            code = target.y.astype(np.int32, copy=False)
            return cls(code, weight, np.empty(0, np.int64), step, 1.0, 0.0, heaviest)
        code = np.unique(target.y, return_inverse=True)[1].astype(np.int32)
        with np.errstate(over="ignore", invalid="ignore"):
            if middle is None:
                middle = float(np.average(target.y, weights=weight)) if weight.any() else 0.0
                middle = _on_grid(middle, float(np.abs(target.y - middle).max(initial=0)))
            centred = weight * (target.y - middle)
            furthest = float(np.abs(centred).max(initial=0))
        if not math.isfinite(furthest * n):
            raise InputError("the targets are so large that their sum is no number", where="y", do=_NEAR_ONE)
        target_step = _power_of_two(furthest / 2.0**room) if furthest > 0 else 1.0
        weighted = np.round(centred / target_step).astype(np.int64)
        return cls(code, weight, weighted, step, target_step, middle, heaviest)

    @property
    def exact(self) -> bool:
        """Whether squares of sums of weights are exact in doubles."""
        return self.heaviest < EXACT_SQUARES

    @property
    def term_scale(self) -> float:
        """How fine w ln w is counted: a power of two, as large as there is room for."""
        return 2.0 ** (_TERM_BITS - math.frexp(self.heaviest * math.log(max(self.heaviest, 2)))[1])

    def term(self, w: int) -> int:
        """w ln w in units of 1 / `term_scale`."""
        return round(float(w) * math.log(w) * self.term_scale) if w > 0 else 0

    def per_step(self, target: Target, criterion: int) -> float:
        """How many units of the kernel's impurity make one of the criterion's own (bits, squared targets)."""
        if criterion == CRITERIA["entropy"]:
            return math.log(2.0) * self.term_scale
        return 1.0 if target.classes else 1.0 / squared(self.target_step)

    def values_of(self, sums: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
        """From the sums of nodes: class weights, or means; and the total weight."""
        if classes > 2:
            return sums * self.weight_step, sums.sum(axis=1) * self.weight_step
        weight = sums[:, 0] * self.weight_step
        if classes:
            value = np.empty((len(sums), classes))
            value[:, 0], value[:, 1:] = weight - sums[:, 1] * self.weight_step, sums[:, 1:classes] * self.weight_step
            return value, weight
        mean = self.middle + (sums[:, 1] / sums[:, 0]) * self.target_step
        return mean[:, None], weight


def squared(step: float) -> float:
    """The unit of squared targets; InputError where sums of them would be beyond what floats hold."""
    square = step * step
    if not _SQUARES[0] <= square <= _SQUARES[1]:
        raise InputError(
            f"targets that lie {'so far apart' if step > 1 else 'so close together'} have squared errors beyond what floats"
            " hold", where="y", do=_NEAR_ONE,
        )  # fmt: skip
    return square


def _power_of_two(least: float) -> float:
    """The first that is no smaller: whole numbers, halves, quarters … and their means then come out as they are."""
    return 2.0 ** math.ceil(math.log2(max(least, _LEAST)))


def _on_grid(middle: float, spread: float) -> float:
    """The number nearest to the mean that has few binary digits, seen from where the targets spread."""
    if not 0 < spread < math.inf:
        return middle
    unit = max(2.0 ** (math.frexp(spread)[1] - 8), _LEAST)
    return round(middle / unit) * unit
