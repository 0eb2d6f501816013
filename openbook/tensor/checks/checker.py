"""The checker of gradients: autograd's slopes beside differences, entry by entry and along directions, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.record.hook import Explains
from openbook.tensor.checks.differences import EPS, UNIT_STEP, StepSweep
from openbook.tensor.checks.probe import TINY, Direction, Fit, Probe

__all__ = ["SAFETY", "Checker", "EntryCheck", "place_of"]

SAFETY = 10.0  # uncertainties: two steps underestimate the worst case
NOISY = 1e-2  # of the gradient's size: differences less certain than this decide nothing
_CERTAIN = 1e-3  # of it: two steps that are this certain need no others
_DISPUTED = 3  # entries that are looked at with more steps
_DIRECTIONS = 3  # random ones, in which all entries are checked together
_SHRINK = (1.0, 1e-2, 1e-4)  # of the step, where f bends too much for the one before


@dataclass(frozen=True)
class EntryCheck(Explains):
    """One entry: its slope by autograd and by differences, and how far the differences can be trusted.

    `bend` is "kink" where f has another slope on each side of the point (`left` and `right`), "jump" where it has another
    value; differences are then the mean of both sides, and say nothing.
    """

    input: int
    index: tuple[int, ...]
    autograd: float
    differences: float
    uncertainty: float
    bend: str = ""
    left: float = 0.0
    right: float = 0.0
    tolerance: float = 0.0

    @property
    def kinked(self) -> bool:
        return bool(self.bend)

    @property
    def gap(self) -> float:
        return abs(self.autograd - self.differences)

    @property
    def allowed(self) -> float:
        """As far apart as two right answers may lie."""
        return SAFETY * self.uncertainty + 1e-11 * abs(self.autograd) + TINY + self.tolerance

    @property
    def excess(self) -> float:
        """The gap in units of what is allowed; above 1 it needs another explanation than rounding.

        At a kink every slope between those of the two sides is right.
        """
        if self.bend == "jump":
            return 0.0
        if self.bend:
            low, high = sorted((self.left, self.right))
            return max(low - self.autograd, self.autograd - high, 0.0) / (0.01 * (high - low) + self.tolerance)
        return self.gap / self.allowed

    @property
    def name(self) -> str:
        place = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        return f"input {self.input}{place}"


class Checker:
    """Autograd's slopes beside differences of f, along entries and along directions."""

    def __init__(self, probe: Probe, slopes: Direction, noise: float, atol: float, rtol: float):
        self.probe, self.slopes, self.noise, self.atol, self.rtol = probe, slopes, noise, atol, rtol
        self.floor = max(noise, EPS * max(abs(probe.here), TINY))
        self.size = max(float(np.max(np.abs(s), initial=0.0)) for s in slopes)
        self.noisy = noise > 100 * EPS * abs(probe.here)

    def reach(self, k: int, index: tuple[int, ...]) -> float:
        """The unit of steps: they are relative for entries larger than one."""
        return max(1.0, abs(float(self.probe.points[k][index])))

    def step(self) -> float:
        """The best step for a function of unit scale with this noise, and somewhat to the safe side of it."""
        return min(0.1, max(8 * UNIT_STEP, (3 * self.noise / max(abs(self.probe.here), self.size, TINY)) ** (1 / 3)))

    def entry(self, k: int, index: tuple[int, ...]) -> EntryCheck:
        """An entry's check; with smaller steps too where f bends too much for the first."""
        direction, slope = self.probe.unit(k, index), float(self.slopes[k][index])
        return self._along(direction, self.reach(k, index), slope, k, index)

    def _along(self, direction: Direction, reach: float, slope: float, k: int = 0, index: Any = ()) -> EntryCheck:
        tries: list[EntryCheck] = []
        for shrink in _SHRINK:
            h = shrink * self.step() * reach
            if tries and tries[-1].kinked and 2 * h * abs(tries[-1].right - tries[-1].left) < 1e4 * self.floor:
                break  # a kink that is still there could no longer be seen
            tries.append(self._at(direction, h, slope, k, index))
            settled = tries[-1].uncertainty <= 1e-4 * max(abs(slope), 1e-3 * self.size, TINY)
            drowned = 40 * self.floor / h > tries[-1].uncertainty and self.noisy
            if drowned or (settled and not tries[-1].kinked):
                break
        smooth = [check for check in tries if not check.kinked]
        # A real kink is there at every step; what bends at large steps only is a wave.
        return tries[-1] if tries[-1].kinked or not smooth else min(smooth, key=lambda c: c.uncertainty)

    def _at(self, direction: Direction, h: float, slope: float, k: int, index: Any) -> EntryCheck:
        """Differences at a step and at twice the step: what they differ by is truncation; noise is known beforehand."""
        here = self.probe.here
        (above, below, near), (higher, lower, far) = (self._beside(direction, size) for size in (h, 2 * h))
        fine, coarse = (above - below) / near, (higher - lower) / far
        uncertainty = abs(coarse - fine) + 4 * self.floor / h + EPS * abs(fine)
        # Where f is smooth, its second difference grows fourfold with twice the step; across a kink, only twofold; across
        # a jump not at all.
        bend, wider = above - 2 * here + below, higher - 2 * here + lower
        kind = ""
        if abs(wider) > 1e4 * self.floor and abs(wider) < 3 * abs(bend):
            kind = "kink" if abs(wider) > 1.5 * abs(bend) else "jump"
        left, right = (here - below) / (near / 2), (above - here) / (near / 2)
        tolerance = self.atol + self.rtol * abs(fine)
        return EntryCheck(k, tuple(index), slope, fine, uncertainty, kind, left, right, tolerance)

    def _beside(self, direction: Direction, h: float) -> tuple[float, float, float]:
        """f a step above and a step below, and the distance the floats really went (along a single entry)."""
        points = self.probe.points
        sides = [[p + s * v for p, v in zip(points, direction, strict=True)] for s in (h, -h)]
        moved = np.concatenate([(a - b).reshape(-1) for a, b in zip(*sides, strict=True)])
        whole = np.concatenate([v.reshape(-1) for v in direction])
        gone = float(moved @ whole) / float(whole @ whole)
        return self.probe.value(sides[0]), self.probe.value(sides[1]), gone

    # --- all entries together ----------------------------------------------------------------------------------

    def found_by_halving(self, others: np.ndarray) -> list[EntryCheck]:
        """The entry among many that disagrees, if the slope along a random direction of them all does."""
        for _ in range(_DIRECTIONS):
            weights = self.probe.random.standard_normal(len(others))
            chosen = np.arange(len(others))
            if not self._disagrees(others[chosen], weights[chosen]):
                continue
            while len(chosen) > 1:
                half = chosen[: len(chosen) // 2]
                chosen = half if self._disagrees(others[half], weights[half]) else chosen[len(half) :]
            return [self.entry(*place_of(self.probe.points, int(others[chosen[0]])))]
        return []

    def _disagrees(self, flat: np.ndarray, weights: np.ndarray) -> bool:
        whole = np.zeros(sum(p.size for p in self.probe.points))
        whole[flat] = weights / np.sqrt(weights @ weights)
        direction = _parted(whole, self.probe.points)
        slope = sum(float(np.sum(g * v)) for g, v in zip(self.slopes, direction, strict=True))
        check = self._along(direction, self._typical(whole), slope)
        return not check.kinked and check.excess > 1

    def _typical(self, whole: np.ndarray) -> float:
        here = np.concatenate([p.reshape(-1) for p in self.probe.points])
        return max(1.0, float(np.sqrt(np.sum((here * whole) ** 2) / np.sum(whole**2))))

    # --- the verdict -------------------------------------------------------------------------------------------

    def verdict(self, checks: list[EntryCheck]) -> tuple[EntryCheck, str, str]:
        """Wrong only if the differences settle, and settle elsewhere; right only if they are certain enough to say so."""
        ranked = sorted(checks, key=lambda c: (c.excess, c.uncertainty), reverse=True)
        judged = [c for c in checks if not c.kinked]
        if not judged and ranked[0].excess <= 1:
            return ranked[0], "cannot tell", _AT_KINKS[ranked[0].bend]
        if self.probe.spread > NOISY * max(self.size, abs(self.probe.here)):
            return ranked[0], "cannot tell", _RANDOM.format(self.probe.spread)
        excused = 0.0
        for entry in ranked[:_DISPUTED]:
            if entry.bend == "kink" and entry.excess > 1:
                return entry, "wrong", _OUTSIDE
            if not entry.kinked and (entry.excess > 1 or self.noisy):
                wrong, roughness = self._judged_at_length(entry)
                if wrong:
                    return entry, "wrong", _ELSEWHERE
                excused = max(excused, roughness if entry.excess > 1 else 0.0)
        if self.noisy and self._wrong_downhill():
            return ranked[0], "wrong", _DOWNHILL
        loosest = max(excused, *(c.uncertainty for c in judged))
        rough = self.noisy or excused > 0
        if loosest > NOISY * max(self.size, 1e-4 * abs(self.probe.here), EPS):
            return ranked[0], "cannot tell", (_TOO_NOISY if rough else _BENDS).format(loosest)
        return ranked[0], "right", (_NOISY_BUT_RIGHT if rough else _AGREES).format(loosest)

    def _judged_at_length(self, entry: EntryCheck) -> tuple[bool, float]:
        """Whether the differences settle elsewhere; and if not, how far apart those of small and of large steps are.

        A solver that stops early, or arithmetic in few digits, is smooth in the small and rough in the large: then small
        steps settle, but not at what large steps say, and neither is a judge of the digits in which they differ.
        """
        if entry.excess <= 1 and entry.allowed <= _CERTAIN * self.size:
            return False, entry.uncertainty
        direction, reach = self.probe.unit(entry.input, entry.index), self.reach(entry.input, entry.index)
        if not self.noisy:
            sweep = self.probe.sweep(direction, entry.autograd, reach, self.noise)
            best, uncertainty = _most_certain(sweep)
            if sweep.errors[best] <= SAFETY * uncertainty + entry.tolerance:
                return False, uncertainty
        fits = self.probe.fits(direction, reach)
        for fit in fits:
            within = fit.uncertainty if self.noisy else fit.bias
            if fit.rough and within <= NOISY * self.size and abs(fit.slope - entry.autograd) <= 2 * within:
                return False, max(entry.gap, 2 * fit.uncertainty)
        return not self.noisy or self._far(fits, entry.autograd), entry.uncertainty

    def _wrong_downhill(self) -> bool:
        """Along the gradient itself: there an error of the whole stands out most from the noise."""
        length = float(np.sqrt(sum(float(np.sum(g * g)) for g in self.slopes)))
        if not length:
            return False
        whole = np.concatenate([g.reshape(-1) for g in self.slopes]) / length
        direction, reach = _parted(whole, self.probe.points), self._typical(whole)
        check = self._along(direction, reach, length)
        if check.kinked or (check.excess <= 1 and check.allowed <= _CERTAIN * length):
            return False
        return self._far(self.probe.fits(direction, reach), length)

    def _far(self, fits: list[Fit], slope: float) -> bool:
        """Whether the most certain of the fits, and every other that is certain enough, has another slope."""
        if not fits:
            return False
        best = min(fit.uncertainty for fit in fits)
        sure = [fit for fit in fits if fit.uncertainty <= 3 * best]
        slack = 1e-9 * abs(slope) + self.atol + self.rtol * abs(slope)
        return all(abs(slope - fit.slope) > 2 * fit.uncertainty + slack for fit in sure)

    def taylor_order(self) -> float | None:
        """The slope of log |f(x + hv) − f(x) − h·∇f·v| against log h, along a random direction."""
        along = [self.probe.random.standard_normal(p.shape) for p in self.probe.points]
        length = np.sqrt(sum(float(np.sum(v * v)) for v in along))
        rise = sum(float(np.sum(g * v)) for g, v in zip(self.slopes, along, strict=True)) / length
        steps = (1e-2, 1e-3, 1e-4)
        left = [(h, abs(self.probe.along(along, h / length) - self.probe.here - h * rise)) for h in steps]
        seen = [(h, r) for h, r in left if r > 1e3 * self.floor]
        if len(seen) < 2:
            return None
        logs = [np.log([pair[side] for pair in seen]) for side in (0, 1)]
        return float(np.polyfit(logs[0], logs[1], 1)[0])


_AGREES = "Every entry agrees with differences as far as differences can be trusted."
_NOISY_BUT_RIGHT = (
    "f's values jump about by more than rounding explains (a solver that stops early, or arithmetic in few digits), so "
    "differences are certain to {:.1e} only; as far as they go, every entry agrees."
)
_ELSEWHERE = "The differences settle at another value than autograd's: the gradient is wrong, whatever the step."
_OUTSIDE = "f has a kink here, and autograd's slope does not even lie between the slopes of its two sides."
_DOWNHILL = "Along the gradient itself f rises otherwise than the gradient says, by more than f's noise explains."
_TOO_NOISY = "The differences do not settle: f is noisy, and leaves them uncertain by {:.1e}, too much to decide here."
_BENDS = "The differences do not settle: f bends too sharply for them to decide here."
_RANDOM = (
    "f gives other values when it is called again at the same point, {:.1e} apart: fix its randomness (a seed inside f, or "
    "eval() for dropout), and check again."
)
_AT_KINKS = {
    "kink": "f has a kink at every entry that was checked: each side has its own slope, autograd's lies between them, and "
    "differences can say no more. Move the point a little.",
    "jump": "f jumps at every entry that was checked: it has no slope there. Move the point a little.",
}


def _most_certain(sweep: StepSweep) -> tuple[int, float]:
    """The step whose difference is most certain, and how certain: f's own noise is read off the small steps too."""
    changes = np.abs(np.diff(sweep.differences))
    small = sweep.steps[:-1] <= 1e-5 * sweep.steps[0] * 10
    noise = max(float(np.max(changes[small] * sweep.steps[:-1][small])), sweep.floor)
    uncertainty = changes + noise / sweep.steps[:-1]
    best = int(np.argmin(uncertainty))
    return best, float(uncertainty[best])


def place_of(points: Direction, number: int) -> tuple[int, tuple[int, ...]]:
    """The input and the index of an entry counted through all of them."""
    for k, p in enumerate(points):
        if number < p.size:
            return k, tuple(int(i) for i in np.unravel_index(number, p.shape))
        number -= p.size
    raise IndexError(number)


def _parted(whole: np.ndarray, points: Direction) -> Direction:
    """One long vector as a direction with the inputs' shapes."""
    ends = np.cumsum([p.size for p in points])[:-1]
    return [part.reshape(p.shape) for part, p in zip(np.split(whole, ends), points, strict=True)]
