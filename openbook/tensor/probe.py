"""A function of several tensors as one number, and what can be read off its values alone: slopes, noise, kinks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import comb, factorial
from typing import Any

import numpy as np

from openbook.errors import DTypeError, InputError
from openbook.tensor.autograd import no_grad
from openbook.tensor.differences import EPS, StepSweep
from openbook.tensor.tensor import Tensor
from openbook.tensor.transforms import grad

__all__ = ["Fit", "Probe", "several"]

TINY = float(np.finfo(np.float64).tiny)
_ORDER = 6  # of the differences that show noise: what is smooth leaves nothing in them
_SPACINGS = tuple(1e-5 / 4**k for k in range(7))
_WINDOWS = (20, -30, 50)  # kinks at the point itself, and few others, are thus passed by
_REACHES = (0.3, 0.1, 0.03, 0.01)
_PAIRS = 24  # of values, one on each side

Direction = list[np.ndarray]


def several(inputs: tuple[Any, ...]) -> list[Any]:
    """The inputs one by one: given one after the other, or as PyTorch does in one tuple or list."""
    if len(inputs) == 1 and isinstance(inputs[0], (tuple, list)):
        parts = inputs[0]
        if not parts or any(isinstance(x, (Tensor, np.ndarray)) for x in parts):
            return list(parts)
    return list(inputs)


class Probe:
    """f with its outputs weighted at random into one number, in float64; counts its evaluations.

    `points` are the inputs to differentiate by, `places` where they stand among f's arguments. Where a tensor among the
    inputs requires gradients, only such are differentiated by, as in PyTorch; whole numbers and anything else are handed on.
    """

    def __init__(self, f: Callable[..., Any], inputs: Sequence[Any], seed: int, where: str = "gradcheck"):
        self.f, self.evaluations, self.name = f, 0, where
        self.random = np.random.default_rng(seed)
        self.arguments = [_as_float64(x) for x in inputs]
        asked = [isinstance(x, Tensor) and x.requires_grad for x in inputs]
        real = [isinstance(x, Tensor) and x.data.dtype.kind == "f" for x in self.arguments]
        self.places = [k for k, wanted in enumerate(asked if any(asked) else real) if wanted]
        self.points: Direction = [self.arguments[k].data for k in self.places]
        self._require_points(inputs)
        self.weights: list[Tensor] | None = None
        with np.errstate(all="ignore"):  # what is not finite is said below, once
            self.here = self.value(self.points)
        if not np.isfinite(self.here):
            raise InputError("f is not finite at these inputs", where=where, do="choose a point where it is")
        again = self.value(self.points)
        self.spread = abs(again - self.here)  # of f at one and the same point

    def _require_points(self, inputs: Sequence[Any]) -> None:
        if not inputs:
            raise InputError("there is nothing to differentiate by", where=self.name, do="pass the inputs of f")
        if not self.points:
            kinds = ", ".join(str(x.dtype) if hasattr(x, "dtype") else type(x).__name__ for x in inputs)
            raise DTypeError(
                f"there is nothing to differentiate by: only floating-point inputs have gradients, not {kinds}",
                where=self.name,
                do="pass a floating-point tensor, such as tensor([1., 2.])",
            )
        if not sum(p.size for p in self.points):
            shapes = ", ".join(str(p.shape) for p in self.points)
            raise InputError(f"there is nothing to differentiate by: the inputs have no entries (shape {shapes})",
                             where=self.name, do="pass inputs with entries")  # fmt: skip
        for k, point in zip(self.places, self.points, strict=True):
            if not np.isfinite(point).all():
                raise InputError(f"input {k} is not finite", where=self.name, do="choose a point where it is")

    # --- values ------------------------------------------------------------------------------------------------

    def weighted(self, points: Sequence[Any]) -> Any:
        """The outputs at these points, each entry times a random weight of its own, so that no error hides in a sum."""
        arguments = list(self.arguments)
        for k, point in zip(self.places, points, strict=True):
            arguments[k] = point
        outputs = self._outputs(self.f(*arguments))
        if self.weights is None:
            alone = len(outputs) == 1 and not outputs[0].shape
            draws = (np.ones(()) if alone else self.random.standard_normal(y.shape) for y in outputs)
            self.weights = [Tensor(d) for d in draws]
        if [y.shape for y in outputs] != [w.shape for w in self.weights]:
            shapes = f"{[w.shape for w in self.weights]} and {[y.shape for y in outputs]}"
            raise InputError(f"f gives other shapes at other points: {shapes}", where=self.name)
        total = (outputs[0] * self.weights[0]).sum()
        for y, w in zip(outputs[1:], self.weights[1:], strict=True):
            total = total + (y * w).sum()
        return total

    def _outputs(self, result: Any) -> list[Any]:
        found = list(_tensors(result))
        outputs = [y for y in found if isinstance(y, Tensor) and y.data.dtype.kind == "f"]
        if not outputs:
            kind = ", ".join(f"a tensor of {y.dtype}" if isinstance(y, Tensor) else type(y).__name__ for y in found)
            raise DTypeError(
                f"f gave {kind or 'nothing'}, and only floating-point tensors have gradients",
                where=self.name,
                do="give back what was computed from the inputs, not float(…), .item() or .numpy() of it",
            )
        return outputs

    def value(self, points: Direction) -> float:
        """The weighted f there; f may not change what it is given."""
        self.evaluations += 1
        given = [Tensor(p.copy()) for p in points]
        with no_grad():
            value = float(self.weighted(given))
        for k, x, p in zip(self.places, given, points, strict=True):
            if not np.array_equal(x.data, p):
                raise InputError(f"f changes its input {k} in place", where=self.name, do="start f with x = x.clone()")
        return value

    def slopes(self) -> tuple[Direction, list[bool]]:
        """Autograd's gradient for each input, and whether any gradient came back to it at all."""
        reached = [False] * len(self.points)

        def watched(*points: Any) -> Any:
            seen = [x * 1 for x in points]
            for i, x in enumerate(seen):
                x.register_hook(lambda g, i=i: reached.__setitem__(i, True))
            return self.weighted(seen)

        places = tuple(range(len(self.points)))
        found = grad(watched, places)(*(p.copy() for p in self.points))
        return [np.array(g.data, dtype=np.float64) for g in found], reached

    # --- along a line ------------------------------------------------------------------------------------------

    def along(self, direction: Direction, t: float) -> float:
        return self.value([p + t * v for p, v in zip(self.points, direction, strict=True)])

    def unit(self, k: int, index: tuple[int, ...]) -> Direction:
        """The direction of one entry."""
        direction = [np.zeros_like(p) for p in self.points]
        direction[k][index] = 1.0
        return direction

    def noise(self) -> float:
        """How far f's values jump about: the typical size of what no smooth function has (Moré and Wild 2011).

        Sixth differences of a smooth f vanish at small spacings; those of independent errors are √(12!/(6!)²) as large.
        """
        direction = [self.random.standard_normal(p.shape) * np.maximum(1.0, np.abs(p)) for p in self.points]
        length = np.sqrt(sum(float(np.sum(v * v)) for v in direction))
        direction = [v / length for v in direction]
        found = float(np.median(self._roughness(direction, _SPACINGS[0])))
        for spacing in _SPACINGS[1:]:
            closer = float(np.median(self._roughness(direction, spacing)))
            if found <= 50 * closer:
                break
            found = closer  # it fell as fast as the differences of something smooth do: no noise yet
        return max(self.spread, found)

    def _roughness(self, direction: Direction, spacing: float) -> list[float]:
        """The size of f's sixth differences in each window, as the size of independent errors that give them."""
        scale = factorial(_ORDER) / np.sqrt(float(factorial(2 * _ORDER)))
        binomials = [(-1) ** i * comb(_ORDER, i) for i in range(_ORDER + 1)]
        found = []
        for start in _WINDOWS:
            values = [self.along(direction, spacing * (start + i)) for i in range(_ORDER + 3)]
            found.append(scale * float(np.sqrt(np.mean(np.convolve(values, binomials, "valid") ** 2))))
        return found

    def sweep(self, direction: Direction, autograd: float, reach: float, noise: float) -> StepSweep:
        """Differences along a direction at many steps, beside autograd's slope; f‴ is measured, not derived."""
        steps = reach * np.logspace(-1, -13, 37)
        differences = [(self.along(direction, h) - self.along(direction, -h)) / (2 * h) for h in steps]
        third = self._third(direction, reach, noise)
        count = sum(p.size for p in self.points)
        return StepSweep(steps, np.asarray(differences), autograd, self.here, third, count, 2 * len(steps) + 1, noise)

    def _third(self, direction: Direction, reach: float, noise: float) -> float:
        """The third derivative by differences; 0 where it is less than its own uncertainty."""
        floor = max(noise, EPS * abs(self.here), TINY)
        h = reach * min(0.1, 3e-3 * max(1.0, (floor / max(EPS * abs(self.here), EPS * floor)) ** 0.2))
        for size in (h, h / 30, h / 900):  # smaller where f waves at a scale smaller than 1
            narrow, wide = (self._third_at(direction, s) for s in (size, 2 * size))
            if abs(narrow - wide) < 0.2 * abs(narrow) and abs(narrow) > 10 * floor / size**3:
                return narrow
        return 0.0

    def _third_at(self, direction: Direction, h: float) -> float:
        far, near = (self.along(direction, t) - self.along(direction, -t) for t in (2 * h, h))
        return (far - 2 * near) / (2 * h**3)

    def fits(self, direction: Direction, reach: float) -> list[Fit]:
        """Polynomials through many values along a line, over wide and narrow stretches: noise is averaged away."""
        return [fit for width in _REACHES if (fit := self._fit(direction, reach * width)) is not None]

    def _fit(self, direction: Direction, width: float) -> Fit | None:
        t = width * (np.arange(_PAIRS) + self.random.uniform(size=_PAIRS)) / _PAIRS
        with np.errstate(all="ignore"):
            odd = np.array([(self.along(direction, s) - self.along(direction, -s)) / 2 for s in t])
        if not np.isfinite(odd).all():
            return None
        found = [_odd_polynomial(t / width, odd, terms) for terms in (2, 3, 5)]
        least = found[-1][2]
        slope, error, residual = next(fit for fit in found if fit[2] <= 1.2 * least)  # more terms follow noise, not f
        return Fit(slope / width, error / width, residual, width, least > 0.2 * found[1][2])


@dataclass(frozen=True)
class Fit:
    """The slope of a polynomial through values on both sides, its standard error, and the size of what it leaves over.

    `rough`: more terms do not make that smaller, as they would if f were smooth over this stretch.
    """

    slope: float
    error: float
    residual: float
    width: float
    rough: bool

    @property
    def uncertainty(self) -> float:
        """As far off as the slope may well be where errors are independent: three standard errors."""
        return 3 * self.error

    @property
    def bias(self) -> float:
        """As far off as it may be where errors are not, as those of a solver that stops early."""
        return self.uncertainty + 3 * self.residual / self.width


def _odd_polynomial(t: np.ndarray, values: np.ndarray, terms: int) -> tuple[float, float, float]:
    """The coefficient of t in Σ aᵢ t²ⁱ⁺¹ by least squares, its standard error, and the size of what is left."""
    powers = np.stack([t ** (2 * i + 1) for i in range(terms)], axis=1)
    found, *_ = np.linalg.lstsq(powers, values, rcond=None)
    left = float(np.sqrt(np.sum((powers @ found - values) ** 2) / (len(t) - terms)))
    return float(found[0]), left * float(np.sqrt(np.linalg.inv(powers.T @ powers)[0, 0])), left


def _as_float64(x: Any) -> Any:
    """Floats as a tensor of float64 in memory of its own; whole numbers as a tensor; anything else as it is."""
    if isinstance(x, (bool, int, str)) or x is None:
        return x
    data = x.data if isinstance(x, Tensor) else np.asarray(x)
    if data.dtype.kind not in "fiub":
        return x
    return Tensor(np.array(data, dtype=np.float64)) if data.dtype.kind == "f" else Tensor(data)


def _tensors(result: Any) -> Iterator[Any]:
    """All leaves of what f gave back."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, (tuple, list)):
        for part in result:
            yield from _tensors(part)
    else:
        yield result
