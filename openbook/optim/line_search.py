"""How far to go along a direction: a step length that meets the strong Wolfe conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["Trial", "strong_wolfe"]

ARMIJO, CURVATURE = 1e-4, 0.9  # c1 and c2 of Nocedal and Wright


class Trial(NamedTuple):
    """A step length, the loss and the gradient there, and the slope along the direction."""

    t: float
    loss: float
    gradient: np.ndarray
    slope: float


def strong_wolfe(
    evaluate: Callable[[float], Trial], start: Trial, t: float, reach: float, tolerance: float, most: int
) -> Trial:
    """A trial whose loss has fallen enough and whose slope has flattened enough.

    Begins at length `t`; first brackets such a length, then narrows the bracket with cubic interpolation (Nocedal and
    Wright 2006, algorithms 3.5 and 3.6, in the arrangement of PyTorch). Gives up after `most` trials beyond the first, or
    when the bracket times `reach` (the largest entry of the direction) is below `tolerance`; the best trial is returned then.
    """
    bracket, trials = _bracket(evaluate, start, t, most)
    if len(bracket) == 1:
        return bracket[0]
    return _zoom(evaluate, start, bracket, reach, tolerance, most - trials)


def _too_high(trial: Trial, start: Trial) -> bool:
    return trial.loss > start.loss + ARMIJO * trial.t * start.slope


def _flat(trial: Trial, start: Trial) -> bool:
    return abs(trial.slope) <= -CURVATURE * start.slope


def _bracket(evaluate: Callable[[float], Trial], start: Trial, t: float, most: int) -> tuple[list[Trial], int]:
    """Go further until a good length lies between two trials, or is found (then it stands alone); and how many it took."""
    before, trial = start, evaluate(t)
    for trials in range(most):
        if _too_high(trial, start) or (trials > 1 and trial.loss >= before.loss):
            return [before, trial], trials
        if _flat(trial, start):
            return [trial], trials
        if trial.slope >= 0:
            return [before, trial], trials
        further = _cubic_minimum(before, trial, trial.t + 0.01 * (trial.t - before.t), trial.t * 10)
        before, trial = trial, evaluate(further)
    return [start, trial], most


def _zoom(
    evaluate: Callable[[float], Trial],
    start: Trial,
    bracket: list[Trial],
    reach: float,
    tolerance: float,
    most: int,
) -> Trial:
    """Narrow a bracket round a good length."""
    low = _lower(bracket)
    stuck = False
    for _ in range(most):
        if abs(bracket[1].t - bracket[0].t) * reach < tolerance:
            break
        t, stuck = _inside(bracket, stuck)
        trial = evaluate(t)
        high = 1 - low
        if _too_high(trial, start) or trial.loss >= bracket[low].loss:
            bracket[high] = trial
            low = _lower(bracket)
            continue
        if _flat(trial, start):
            return trial
        if trial.slope * (bracket[high].t - bracket[low].t) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = trial
    return bracket[low]


def _lower(bracket: list[Trial]) -> int:
    return 0 if bracket[0].loss <= bracket[1].loss else 1


def _inside(bracket: list[Trial], stuck: bool) -> tuple[float, bool]:
    """The next length to try; kept away from the ends of the bracket if it came close to them twice in a row."""
    first, second = bracket
    left, right = min(first.t, second.t), max(first.t, second.t)
    t = _cubic_minimum(first, second, left, right)
    margin = 0.1 * (right - left)
    if not min(right - t, t - left) < margin:
        return t, False
    if not (stuck or t >= right or t <= left):
        return t, True
    return (right - margin if abs(t - right) < abs(t - left) else left + margin), False


def _cubic_minimum(a: Trial, b: Trial, low: float, high: float) -> float:
    """Where the cubic through both losses and slopes is least, within [low, high]; the middle where it has no minimum."""
    if a.t > b.t:
        a, b = b, a
    with np.errstate(
        divide="ignore", invalid="ignore"
    ):  # two trials in one place give no cubic, and the middle is taken
        bend = a.slope + b.slope - 3 * np.float64(a.loss - b.loss) / np.float64(a.t - b.t)
        square = bend**2 - a.slope * b.slope
        if not square >= 0:
            return (low + high) / 2
        root = np.sqrt(square)
        least = b.t - (b.t - a.t) * np.float64(b.slope + root - bend) / np.float64(b.slope - a.slope + 2 * root)
    return float(min(max(least, low), high))
