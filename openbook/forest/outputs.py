"""Several targets of the same rows (or one), and the criteria that need more than two sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from openbook.forest.fixed import CRITERIA, FixedPoint, Target, squared

__all__ = ["Output", "Outputs"]

_SQUARED, _POISSON = CRITERIA["squared_error"], CRITERIA["poisson"]


@dataclass(frozen=True, eq=False)
class Output:
    """One target in fixed point; `factor` brings its scores to the units that all outputs share."""

    target: Target
    fixed: FixedPoint
    factor: float

    @property
    def width(self) -> int:
        """How many whole numbers say what the rows of a node are: their weight by class, or their weighted target."""
        return max(self.target.classes, 1)

    @property
    def numbers(self) -> np.ndarray:
        """The different targets, in the order of their codes."""
        return np.unique(self.target.y)

    @property
    def levels(self) -> np.ndarray:
        """The same in units of `fixed.target_step` from `fixed.middle`, as weighted targets are counted."""
        return (self.numbers - self.fixed.middle) / self.fixed.target_step


@dataclass(frozen=True, eq=False)
class Outputs:
    """All outputs of a tree; a split is worth what it is worth to each, added up."""

    each: tuple[Output, ...]
    criterion: int

    @classmethod
    def of(cls, targets: Sequence[Target], criterion: int) -> Outputs:
        # Poisson's score takes logarithms of means, so targets are counted from 0.
        fixed = [FixedPoint.of(t, 0.0 if criterion == _POISSON else None) for t in targets]
        varied = [f.target_step for f in fixed if f.weighted.any()]
        largest, power = max(varied, default=1.0), 2 if criterion == _SQUARED else 1
        factors = [1.0 if t.classes or not f.weighted.any() else (f.target_step / largest) ** power
                   for t, f in zip(targets, fixed, strict=True)]  # fmt: skip
        return cls(tuple(map(Output, targets, fixed, factors)), criterion)

    def weighing(self, weight: np.ndarray) -> Outputs:
        """The same outputs with other weights of the rows."""
        return Outputs.of([replace(o.target, weight=weight) for o in self.each], self.criterion)

    @property
    def classes(self) -> bool:
        return self.each[0].target.classes > 0

    @property
    def weight(self) -> np.ndarray:
        """Each row's weight, a whole number; the same for all outputs."""
        return self.each[0].fixed.weight

    @property
    def weight_step(self) -> float:
        return self.each[0].fixed.weight_step

    @property
    def per_step(self) -> float:
        """How many units of the kernel's impurity make one of the criterion's own, which is the mean over the outputs."""
        if self.classes:
            return len(self.each) * self.each[0].fixed.per_step(self.each[0].target, self.criterion)
        largest = max((o.fixed.target_step for o in self.each if o.fixed.weighted.any()), default=1.0)
        return len(self.each) / (squared(largest) if self.criterion == _SQUARED else largest)

    def weight_of(self, sums: np.ndarray) -> np.ndarray:
        """The weight of nodes (nodes,), from their sums: of each class of each output, or the weight and each target."""
        counted = sums[:, : self.each[0].width].sum(axis=1) if self.classes else sums[:, 0]
        return counted * self.weight_step

    def values_of(self, sums: np.ndarray, medians: np.ndarray, bounds: np.ndarray | None) -> np.ndarray:
        """The values of nodes (nodes, all widths): class weights, means or (`absolute_error`) `medians`.

        `bounds` (nodes, 2) hold a single output's mean where constraints ask for it, or the share of the second of two
        classes; the values are then shares, because a weight times a share would not keep their order to the last bit.
        """
        if self.classes:
            value = sums * self.weight_step
            if bounds is not None and value.shape[1] == 2:
                share = np.clip(sums[:, 1] / sums.sum(axis=1), bounds[:, 0], bounds[:, 1])
                return np.stack([1.0 - share, share], axis=1)
            return value
        if self.criterion == CRITERIA["absolute_error"]:
            return medians if bounds is None else np.clip(medians, bounds[:, :1], bounds[:, 1:])
        means = sums[:, 1:] / sums[:, :1]
        if bounds is not None:
            means = np.clip(means, bounds[:, :1], bounds[:, 1:])
        steps = np.array([o.fixed.target_step for o in self.each])
        middles = np.array([o.fixed.middle for o in self.each])
        return middles + means * steps
