"""Is this gradient right? Differences at two steps say how far they themselves can be trusted, and so how far to look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.record.hook import Explains
from openbook.tensor.autograd import no_grad
from openbook.tensor.create import as_tensor
from openbook.tensor.differences import EPS, UNIT_STEP, StepSweep, step_sweep
from openbook.tensor.tensor import Tensor
from openbook.tensor.transforms import grad

__all__ = ["EntryCheck", "Gradcheck", "gradcheck"]

ENTRIES = 300  # of all inputs together: more are drawn from at random
SAFETY = 10.0  # uncertainties: two steps underestimate the worst case
NOISY = 1e-2  # of the gradient's size: differences less certain than this decide nothing


@dataclass(frozen=True)
class EntryCheck:
    """One entry: its slope by autograd and by differences, and how far the differences can be trusted.

    `kinked`: f bends sharply within the step, so that its differences are the mean of two slopes and say nothing.
    """

    input: int
    index: tuple[int, ...]
    autograd: float
    differences: float
    uncertainty: float
    kinked: bool

    @property
    def gap(self) -> float:
        return abs(self.autograd - self.differences)

    @property
    def allowed(self) -> float:
        """As far apart as two right answers may lie."""
        return SAFETY * self.uncertainty + 1e-11 * abs(self.autograd) + float(np.finfo(np.float64).tiny)

    @property
    def excess(self) -> float:
        """The gap in units of what is allowed; above 1 it needs another explanation than rounding."""
        return 0.0 if self.kinked else self.gap / self.allowed


@dataclass(frozen=True, eq=False)
class Gradcheck(Explains):
    """The verdict ("right", "wrong", "cannot tell"), the worst entry, and the step sizes around it.

    `order` is how the remainder of f's straight line shrinks with the step: 2 where the gradient is right, 1 where it
    is wrong (None where f is straight). `entries` were checked of `of`; `evaluations` counts the calls of f.
    """

    verdict: str
    worst: EntryCheck
    checks: tuple[EntryCheck, ...]
    sweep: StepSweep
    order: float | None
    entries: int
    of: int
    evaluations: int

    def __bool__(self) -> bool:
        return self.verdict == "right"

    def plot(self, ax: Any = None) -> Any:
        """Error against step size at the worst entry: a V where the gradient is right, a floor where it is wrong."""
        return self.explain().displays[0].plot(ax)


def gradcheck(f: Callable[..., Tensor], *inputs: Any, seed: int = 0) -> Gradcheck:
    """Check f's gradient at these inputs, in float64, by central differences that judge their own precision.

    f takes tensors and gives a tensor of any shape; its outputs are weighted at random, so that no error hides in a sum.
    Each of (at most 300) entries takes four evaluations. Raises InputError where f is not finite.
    """
    points = [np.array(as_tensor(x).data, dtype=np.float64) for x in inputs]
    if not points:
        raise InputError("there is nothing to differentiate by", where="gradcheck", do="pass the inputs of f")
    scalar = _Weighted(f, points, seed)
    slopes = [np.asarray(scalar.slope(k).data) for k in range(len(points))]
    checks = [_entry(scalar, slopes, k, index) for k, index in _drawn(points, seed)]
    worst = max(checks, key=lambda c: (c.excess, c.uncertainty))
    sweep = scalar.sweep(worst)
    verdict = _verdict(checks, worst, sweep)
    order = scalar.taylor_order(slopes)
    return Gradcheck(
        verdict,
        worst,
        tuple(checks),
        sweep,
        order,
        len(checks),
        sum(p.size for p in points),
        scalar.evaluations + sweep.evaluations,
    )


def _verdict(checks: list[EntryCheck], worst: EntryCheck, sweep: StepSweep) -> str:
    """Wrong only if the differences settle, and settle elsewhere; right only if they are certain enough to say so."""
    judged = [c for c in checks if not c.kinked]
    if not judged:
        return "cannot tell"
    size = max(abs(c.autograd) for c in judged)
    if worst.excess <= 1:
        return "right" if max(c.uncertainty for c in judged) <= NOISY * max(size, EPS) else "cannot tell"
    best, uncertainty = _most_certain(sweep)
    if sweep.errors[best] > SAFETY * uncertainty:
        return "wrong"
    return "right" if uncertainty <= NOISY * max(size, EPS) else "cannot tell"


def _most_certain(sweep: StepSweep) -> tuple[int, float]:
    """The step whose difference is most certain, and how certain: f's own noise is read off the small steps."""
    changes = np.abs(np.diff(sweep.differences))
    small = sweep.steps[:-1] <= 1e-5
    noise = float(np.max(changes[small] * sweep.steps[:-1][small]))
    uncertainty = changes + noise / sweep.steps[:-1]
    best = int(np.argmin(uncertainty))
    return best, float(uncertainty[best])


class _Weighted:
    """f with its outputs weighted into one number, as a function of one input at a time; counts its evaluations."""

    def __init__(self, f: Callable[..., Tensor], points: list[np.ndarray], seed: int):
        self.f, self.points, self.evaluations = f, points, 0
        self.random = np.random.default_rng(seed)
        with no_grad(), np.errstate(all="ignore"):  # what is not finite is said below, once
            shape = as_tensor(f(*map(Tensor, points))).shape
            self.weights = Tensor(self.random.standard_normal(shape)) if shape else Tensor(np.ones(()))
            self.here = self.value(points)
        if not np.isfinite(self.here):
            raise InputError("f is not finite at these inputs", where="gradcheck", do="choose a point where it is")

    def at(self, k: int, x: Tensor) -> Tensor:
        arguments = [x if i == k else Tensor(p) for i, p in enumerate(self.points)]
        return (self.f(*arguments) * self.weights).sum()

    def value(self, points: list[np.ndarray]) -> float:
        self.evaluations += 1
        with no_grad():
            return float((self.f(*map(Tensor, points)) * self.weights).sum())

    def slope(self, k: int) -> Tensor:
        return grad(lambda x: self.at(k, x))(self.points[k])

    def beside(self, k: int, index: tuple[int, ...], h: float) -> tuple[float, float, float]:
        """f a step above and a step below, and the distance the floats really went."""
        values, places = [], []
        for side in (h, -h):
            moved = [p.copy() if i == k else p for i, p in enumerate(self.points)]
            moved[k][index] += side
            values.append(self.value(moved))
            places.append(float(moved[k][index]))
        return values[0], values[1], places[0] - places[1]

    def sweep(self, entry: EntryCheck) -> StepSweep:
        direction = np.zeros_like(self.points[entry.input])
        direction[entry.index] = 1.0
        return step_sweep(lambda x: self.at(entry.input, x), self.points[entry.input], direction)

    def taylor_order(self, slopes: list[np.ndarray]) -> float | None:
        """The slope of log |f(x + hv) − f(x) − h·∇f·v| against log h, along a random direction."""
        along = [self.random.standard_normal(p.shape) for p in self.points]
        length = np.sqrt(sum(np.sum(v * v) for v in along))
        rise = sum(float(np.sum(g * v)) for g, v in zip(slopes, along, strict=True)) / length
        left = []
        for h in (1e-2, 1e-3, 1e-4):
            moved = [p + h / length * v for p, v in zip(self.points, along, strict=True)]
            left.append((h, abs(self.value(moved) - self.here - h * rise)))
        seen = [(h, r) for h, r in left if r > 1e3 * EPS * max(abs(self.here), 1.0)]
        if len(seen) < 2:
            return None
        steps, remainders = (np.log([pair[side] for pair in seen]) for side in (0, 1))
        return float(np.polyfit(steps, remainders, 1)[0])


def _entry(scalar: _Weighted, slopes: list[np.ndarray], k: int, index: tuple[int, ...]) -> EntryCheck:
    """Differences at a step and at twice the step: what they differ by is truncation; rounding is known beforehand."""
    h = 8 * UNIT_STEP * max(1.0, abs(float(scalar.points[k][index])))
    (above, below, near), (higher, lower, far) = scalar.beside(k, index, h), scalar.beside(k, index, 2 * h)
    fine, coarse = (above - below) / near, (higher - lower) / far
    rounding = EPS * max(abs(scalar.here), float(np.finfo(np.float64).tiny))
    # Where f is smooth, its second difference grows fourfold with twice the step; across a kink, only twofold.
    bend, wider = above - 2 * scalar.here + below, higher - 2 * scalar.here + lower
    kinked = abs(wider) > 1e4 * rounding and abs(wider) < 3 * abs(bend)
    return EntryCheck(k, index, float(slopes[k][index]), fine, abs(coarse - fine) + 4 * rounding / h, kinked)


def _drawn(points: list[np.ndarray], seed: int) -> list[tuple[int, tuple[int, ...]]]:
    """All entries of all inputs, or some drawn at random where there are many."""
    every = [(k, index) for k, p in enumerate(points) for index in np.ndindex(p.shape)]
    if len(every) <= ENTRIES:
        return every
    chosen = np.random.default_rng(seed).choice(len(every), ENTRIES, replace=False)
    return [every[i] for i in sorted(chosen)]
