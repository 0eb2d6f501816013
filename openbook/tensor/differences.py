"""Derivatives without the chain rule: by evaluating the function a little to both sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.record.hook import Explains
from openbook.tensor.autograd import no_grad
from openbook.tensor.create import as_tensor
from openbook.tensor.tensor import Tensor
from openbook.tensor.transforms import grad

__all__ = ["StepSweep", "central_differences", "step_sweep"]

EPS = float(np.finfo(np.float64).eps)
UNIT_STEP = (3 * EPS) ** (1 / 3)  # the best step where f and f‴ are of one size: about 9e-6


def _value(f: Callable[[Tensor], Any], x: np.ndarray) -> float:
    with no_grad():
        return float(f(Tensor(x)))


def central_differences(f: Callable[[Tensor], Any], x: Any, step: float = UNIT_STEP) -> np.ndarray:
    """Every entry of f's gradient at x as (f(x + h) − f(x − h)) / 2h, in float64.

    Costs two evaluations an entry. The step is relative for entries larger than one.
    """
    point = np.array(as_tensor(x).data, dtype=np.float64)
    if not step > 0:
        raise InputError(f"the step must be positive, not {step}", where="central_differences")
    slopes = np.empty_like(point)
    for index in np.ndindex(point.shape):
        here = float(point[index])
        h = step * max(1.0, abs(here))
        point[index] = here + h
        above, high = _value(f, point), point[index]
        point[index] = here - h
        below, low = _value(f, point), point[index]
        point[index] = here
        slopes[index] = (above - below) / (high - low)  # the step the floats really took
    return slopes


@dataclass(frozen=True, eq=False, repr=False)
class StepSweep(Explains):
    """The slope of f along a direction, by autograd and by differences at many step sizes.

    `truncation` and `roundoff` are the two sources of error predicted at each step: h²·|f‴|/6 and ε·|f|/h; `best` is
    the step at which their sum is least, (3ε·|f/f‴|)^⅓ (None where f‴ is zero: nothing is truncated).
    `evaluations` counts the calls of f. Where f jumps about by more than rounding, `noise` says how far, and stands in the
    place of ε·|f|.
    """

    steps: np.ndarray
    differences: np.ndarray
    autograd: float
    value: float
    third: float
    entries: int
    evaluations: int
    noise: float = 0.0

    def __repr__(self) -> str:
        best = "no truncation" if self.best is None else f"best step {self.best:.1e}"
        return f"<StepSweep: {len(self.steps)} steps, least error {float(np.min(self.errors)):.1e}, {best}>"

    @property
    def errors(self) -> np.ndarray:
        """Distance of each difference from autograd."""
        return np.abs(self.differences - self.autograd)

    @property
    def truncation(self) -> np.ndarray:
        return self.steps**2 * abs(self.third) / 6

    @property
    def floor(self) -> float:
        """How far apart two values of f may lie at what is nearly the same point."""
        return max(self.noise, EPS * max(abs(self.value), float(np.finfo(np.float64).tiny)))

    @property
    def noisy(self) -> bool:
        """Whether f jumps about by much more than the rounding of its value."""
        return self.noise > 100 * EPS * abs(self.value)

    @property
    def roundoff(self) -> np.ndarray:
        return self.floor / self.steps

    @property
    def truncates(self) -> bool:
        """Whether there is a truncation branch at all: on a quadratic, or a straight piece, there is none."""
        largest = float(np.max(self.truncation, initial=0.0))
        return largest > EPS * max(abs(self.autograd), abs(self.value), np.finfo(np.float64).tiny)

    @property
    def best(self) -> float | None:
        if not self.truncates or (self.value == 0 and not self.noise):
            return None
        return float((3 * self.floor / abs(self.third)) ** (1 / 3))

    @property
    def agreement(self) -> float:
        """The smallest relative error over all steps."""
        scale = max(abs(self.autograd), np.finfo(np.float64).tiny)
        return float(np.min(self.errors)) / scale


def step_sweep(
    f: Callable[[Tensor], Tensor],
    x: Any,
    direction: Any = None,
    steps: Sequence[float] | None = None,
    seed: int = 0,
) -> StepSweep:
    """Compare autograd with central differences over step sizes, along a direction (a random one by default).

    In float64. f takes a tensor like x and gives a single number.
    """
    point = np.array(as_tensor(x).data, dtype=np.float64)
    if direction is None:
        direction = np.random.default_rng(seed).standard_normal(point.shape)
        direction = direction / np.sqrt(np.sum(direction**2))
    along = np.asarray(direction, dtype=np.float64)
    sizes = np.logspace(-1, -13, 37) if steps is None else np.asarray(steps, dtype=np.float64)

    def line(t: Tensor) -> Tensor:
        return f(Tensor(point) + t * Tensor(along))

    start = Tensor(np.zeros(()))
    differences = [(_value(line, np.asarray(h)) - _value(line, np.asarray(-h))) / (2 * h) for h in sizes]
    return StepSweep(
        steps=sizes,
        differences=np.asarray(differences),
        autograd=float(grad(line)(start)),
        value=_value(line, np.zeros(())),
        third=float(grad(grad(grad(line)))(start)),
        entries=point.size,
        evaluations=2 * len(sizes) + 1,
    )
