"""Is this gradient right? Differences at two steps say how far they themselves can be trusted, and so how far to look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from openbook.errors import CheckError
from openbook.record.hook import Explains
from openbook.tensor.checker import Checker, EntryCheck, place_of
from openbook.tensor.differences import StepSweep
from openbook.tensor.probe import Direction, Probe, several
from openbook.tensor.telling import told
from openbook.tensor.transforms import grad

__all__ = ["EntryCheck", "Gradcheck", "gradcheck", "gradgradcheck"]

ENTRIES = 300  # of all inputs together: of more, some are drawn, and the rest is checked together


@dataclass(frozen=True, eq=False, repr=False)
class Gradcheck(Explains):
    """The verdict ("right", "wrong", "cannot tell") with its reason, the worst entry, and the step sizes around it.

    `order` is how the remainder of f's straight line shrinks with the step: 2 where the gradient is right, 1 where it
    is wrong (None where f is straight). `entries` were checked of `of`; `evaluations` counts the calls of f; `noise` is how
    far f's values jump about. Printed, it tells all this; `.explain()` shows and checks it, `.plot()` draws it.
    """

    verdict: str
    reason: str
    worst: EntryCheck
    checks: tuple[EntryCheck, ...]
    sweep: StepSweep
    order: float | None
    entries: int
    of: int
    evaluations: int
    noise: float
    what: str = "gradient"

    def __bool__(self) -> bool:
        return self.verdict == "right"

    def __repr__(self) -> str:
        return f"<Gradcheck: {self.verdict}; {self.worst.name} agrees least, {self.worst.gap:.1e} apart>"

    def __str__(self) -> str:
        return told(self)

    def plot(self, ax: Any = None) -> Any:
        """Error against step size at the worst entry: a V where the gradient is right, a floor where it is wrong."""
        return self.explain().displays[0].plot(ax)


def gradcheck(
    f: Callable[..., Any],
    *inputs: Any,
    seed: int = 0,
    atol: float = 0.0,
    rtol: float = 0.0,
    raise_exception: bool = False,
) -> Gradcheck:
    """Check f's gradient at these inputs, in float64, by central differences that judge their own precision.

    `gradcheck(f, x, y)`, or as in PyTorch `gradcheck(f, (x, y))`. f takes tensors and gives a tensor of any shape, or
    several in a tuple or dict; its outputs are weighted at random, so that no error hides in a sum. If some inputs require
    gradients only these are differentiated by, else all floating-point ones.

    Each of (at most 300) entries takes four evaluations; where there are more, all of them are checked together along
    random directions, and an entry that is wrong is found by halving. Tolerances are computed; `atol` and `rtol` let larger
    gaps pass. With `raise_exception` a verdict other than "right" is a CheckError, as it is in PyTorch by default.

    Raises InputError where f or an input is not finite or empty, DTypeError where f gives no floating-point tensor.
    """
    return _checked(Probe(f, several(inputs), seed), seed, atol, rtol, raise_exception, "gradient")


def gradgradcheck(
    f: Callable[..., Any],
    *inputs: Any,
    seed: int = 0,
    atol: float = 0.0,
    rtol: float = 0.0,
    raise_exception: bool = False,
) -> Gradcheck:
    """Check f's second derivatives: `gradcheck` of f's gradient, which must then be right itself (check it first)."""
    first = Probe(f, several(inputs), seed, "gradgradcheck")
    places = tuple(range(len(first.points)))

    def slope(*points: Any) -> Any:
        return grad(lambda *xs: first.weighted(xs), places)(*points)

    probe = Probe(slope, [p.copy() for p in first.points], seed + 1, "gradgradcheck")
    return _checked(probe, seed, atol, rtol, raise_exception, "second derivative")


def _checked(probe: Probe, seed: int, atol: float, rtol: float, strict: bool, what: str) -> Gradcheck:
    slopes, reached = probe.slopes()
    noise = probe.noise()
    checker = Checker(probe, slopes, noise, atol, rtol)
    places, others = _drawn(probe.points, seed)
    checks = [checker.entry(k, index) for k, index in places]
    if len(others):
        checks += checker.found_by_halving(others)
    worst, verdict, reason = checker.verdict(checks)
    if verdict == "wrong" and not reached[worst.input]:
        reason += (
            f" No gradient came back to input {probe.places[worst.input]} at all: f detaches it, or leaves the graph."
        )
    direction = probe.unit(worst.input, worst.index)
    sweep = probe.sweep(direction, worst.autograd, checker.reach(worst.input, worst.index), noise)
    order = checker.taylor_order()
    named = [_named(c, probe) for c in checks]
    check = Gradcheck(
        verdict, reason, named[next(i for i, c in enumerate(checks) if c is worst)], tuple(named), sweep, order, len(places),
        sum(p.size for p in probe.points), probe.evaluations, noise, what,
    )  # fmt: skip
    if strict and not check:
        raise CheckError(str(check))
    return check


def _drawn(points: Direction, seed: int) -> tuple[list[tuple[int, tuple[int, ...]]], Any]:
    """All entries of all inputs; or some drawn at random where there are many, and the others by their number."""
    count = sum(p.size for p in points)
    if count <= ENTRIES:
        return [place_of(points, i) for i in range(count)], ()
    chosen = np.sort(np.random.default_rng(seed).choice(count, ENTRIES, replace=False))
    return [place_of(points, int(i)) for i in chosen], np.setdiff1d(np.arange(count), chosen)


def _named(check: EntryCheck, probe: Probe) -> EntryCheck:
    """With the input's place among f's arguments."""
    return replace(check, input=probe.places[check.input])
