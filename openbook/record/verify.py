"""Derive every step of a working once more, another way, and say how many digits both ways agree on.

Formulas are computed again in fifty digits from the stored inputs (each step by itself), and, for workings of moderate
size, from the given values alone (end to end). Witnesses (central differences, another library, a closed form) are
called. How far apart two honest answers may lie is itself computed: the formula is run a few times with every result
shaken by the spacing of the floats in use (Vignes 1974), and the spread is the allowance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import CheckError, FormulaError
from openbook.expr import Arithmetic, Expr, evaluate, precise

if TYPE_CHECKING:
    from openbook.record.step import Step
    from openbook.record.working import Working

__all__ = [
    "Check",
    "Verification",
    "as_floats",
    "check_step",
    "is_number",
    "largest_gap",
    "magnitude",
    "spread",
    "verify",
]

_PRECISION = 50
_SHAKES = 3
_ALLOWANCE = 16.0  # spreads: three runs underestimate the worst case
_LARGEST_EXACT = 20_000  # entries in one formula computed in fifty digits
_LARGEST_CHAIN = 10_000  # operations checked end to end
_NAMED = 5  # steps that nothing re-derives, in the verdict


@dataclass(frozen=True)
class Check:
    """One step held against its second derivation. `digits` is the number of significant digits both share."""

    name: str
    method: str
    digits: float
    passed: bool
    value: Any = None
    expected: Any = None
    step: Step | None = field(default=None, repr=False, compare=False)  # names may repeat: tanh′(z) = … = …


@dataclass(frozen=True)
class Verification:
    """All checks of a working; `given` are the starting values, `unchecked` the names of steps nothing re-derives."""

    checks: tuple[Check, ...]
    given: int
    unchecked: tuple[str, ...]
    end_to_end: Check | None = None

    @property
    def passed(self) -> bool:
        return not self.failures

    @property
    def failures(self) -> tuple[Check, ...]:
        every = self.checks + ((self.end_to_end,) if self.end_to_end else ())
        return tuple(c for c in every if not c.passed)

    def summary(self) -> str:
        """One line: how many steps were derived again, how, and on how many digits they agree."""
        if not self.checks:
            return "unchecked: nothing here is derived a second way" + self._rest()
        if self.failures:
            names = ", ".join(dict.fromkeys(c.name for c in self.failures))
            if all(isinstance(c.value, Expr) for c in self.failures):
                return f"WRONG: {names} does not follow from the line before"
            return f"WRONG: a second derivation disagrees on {names}"
        lines = [c for c in self.checks if isinstance(c.value, Expr)]
        values = [c for c in self.checks if not isinstance(c.value, Expr)]
        told = []
        if lines:
            told.append(
                f"{_many(len({id(c.step) for c in lines}), 'line')}, each against the one before ({_methods(lines)})"
            )
        if values:
            count, digits = len({id(c.step) for c in values}), min(c.digits for c in values)
            again = f"{_many(count, 'value')} derived again ({_methods(values)}), agreeing to {_count(digits)}"
            told.append(again)
        line = "checked: " + "; ".join(told)
        if self.end_to_end:
            line += f"; end to end to {_count(self.end_to_end.digits)}"
        return line + self._rest()

    def _rest(self) -> str:
        if not self.unchecked:
            return ""
        more = f" and {len(self.unchecked) - _NAMED} more" if len(self.unchecked) > _NAMED else ""
        return f"; not checked: {', '.join(self.unchecked[:_NAMED])}{more}"

    def require(self) -> Verification:
        """Return this, or raise CheckError naming the first step that does not hold."""
        for failure in self.failures:
            raise CheckError(
                f"{failure.name} is {failure.value}, but {failure.method} gives {failure.expected}",
                where="a working",
                do="the step's formula, inputs or value is wrong; nothing printed below it can be trusted",
            )
        return self


def _methods(checks: list[Check]) -> str:
    return ", ".join(dict.fromkeys(c.method for c in checks))


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _count(digits: float) -> str:
    return "all digits" if digits >= 15 else _many(int(digits), "digit")


def verify(working: Working) -> Verification:
    """Check every step of a working, each from its own inputs, and the result end to end."""
    checks: list[Check] = []
    unchecked: list[str] = []
    starting = 0
    for step in working.steps:
        found = check_step(step)
        checks += found
        if not found:
            if step.is_given:
                starting += 1
            else:
                unchecked.append(step.name)
    return Verification(tuple(checks), starting, tuple(dict.fromkeys(unchecked)), _end_to_end(working))


def check_step(step: Step) -> list[Check]:
    """The second derivations of one step: its formula in fifty digits, its witnesses."""
    checks = _by_formula(step)
    for witness in step.witnesses:
        other = witness.compute()
        allowed = 0.0 if isinstance(other, (str, Expr)) else witness.atol + witness.rtol * magnitude(other)
        checks.append(_compare(step, witness.method, other, allowed))
    return [replace(check, step=step) for check in checks]


def _by_formula(step: Step) -> list[Check]:
    """The formula in fifty digits; where it has no value for these inputs, that is what is wrong."""
    if step.formula is None or _size(step) > _LARGEST_EXACT:
        return []
    method = f"{_PRECISION}-digit arithmetic"
    try:
        exact = _exact(step.formula, {s.name: s.value for s in step.inputs})
        return [] if exact is None else [_compare(step, method, exact, spread(step))]
    except FormulaError as problem:
        return [Check(step.name, method, 0.0, False, step.value, f"no value: {problem}")]


def _exact(formula: Expr, values: dict[str, Any], arithmetic: Arithmetic | None = None) -> Any:
    if not all(is_number(v) for v in values.values()):
        return None
    return evaluate(formula, values, arithmetic or precise(_PRECISION))


def is_number(value: Any) -> bool:
    """Whether a step's value is a number or an array of them."""
    return not isinstance(value, (str, bytes, Expr)) and np.asarray(value).dtype.kind in "biufO"


def spread(step: Step) -> float:
    """How far rounding can move this formula's value, in the floats it was computed in."""
    assert step.formula is not None
    shaken = []
    for seed in range(_SHAKES):
        values = {s.name: _shaken(s.value, step.eps, seed) for s in step.inputs}
        shaken.append(as_floats(_exact(step.formula, values, precise(_PRECISION, step.eps, seed))))
    centre = as_floats(_exact(step.formula, {s.name: s.value for s in step.inputs}))
    finite = [np.max(np.abs(s - centre), initial=0.0) for s in shaken if np.all(np.isfinite(s))]
    return _ALLOWANCE * (max(finite, default=0.0) + step.eps * magnitude(centre))


def _shaken(value: Any, eps: float, seed: int) -> Any:
    """A computed input as it might have been rounded; whole numbers are what they are."""
    array = np.asarray(value)
    if array.dtype.kind != "f" or np.all(array == np.round(array)):
        return value
    moves = np.random.default_rng([seed, array.size]).uniform(-1, 1, array.shape)
    return array * (1 + eps * moves)


def as_floats(value: Any) -> np.ndarray:
    """Numbers of any precision as float64."""
    return np.asarray(value, dtype=object).astype(np.float64)


def magnitude(value: Any) -> float:
    """The largest finite number, by size."""
    array = np.abs(as_floats(value))
    array = array[np.isfinite(array)]
    return float(np.max(array, initial=0.0))


def _size(step: Step) -> int:
    return sum(np.size(s.value) for s in step.inputs if not isinstance(s.value, str)) + 1


def _compare(step: Step, method: str, expected: Any, allowed: float) -> Check:
    value, other = _plain(step.value), _plain(expected)
    if isinstance(value, (str, Expr)) or isinstance(other, (str, Expr)):
        return Check(step.name, method, math.inf if value == other else 0.0, value == other, value, other)
    ours, theirs = as_floats(value), as_floats(other)
    if ours.shape != theirs.shape and ours.size != theirs.size:
        return Check(step.name, method, 0.0, False, value, other)
    gap = largest_gap(ours.ravel(), theirs.ravel())
    passed = bool(gap <= allowed)
    return Check(
        step.name, method, _shared_digits(gap, magnitude(theirs), allowed if passed else 0.0), passed, value, other
    )


def _shared_digits(gap: float, size: float, allowed: float) -> float:
    """How many leading digits two numbers share that lie `gap` apart; a zero known to within rounding shares all."""
    if gap == 0 or size <= allowed:
        return math.inf
    return max(0.0, -math.log10(gap / size)) if math.isfinite(gap) else 0.0


def largest_gap(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest difference; equal infinities and NaN beside NaN are no difference."""
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(invalid="ignore"):
        difference = np.where(same, 0.0, np.abs(ours - theirs))
    return float(np.max(np.where(np.isnan(difference), np.inf, difference), initial=0.0))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _end_to_end(working: Working) -> Check | None:
    """The derived steps from the given values alone, every step between in fifty digits; the worst of them."""
    derived = [s for s in working.steps if s.formula is not None and is_number(s.value)]
    if not derived or sum(_size(s) for s in derived) > _LARGEST_CHAIN:
        return None
    exact: dict[int, Any] = {}
    for step in working.steps:
        for link in (*step.inputs, step):
            if id(link) not in exact:
                exact[id(link)] = _chained(link, exact)
    method = "all steps at once in fifty digits"
    outcomes = [_compare(step, method, exact[id(step)], _end_allowance(step)) for step in derived]
    return min(outcomes, key=lambda check: (check.passed, check.digits))


def _chained(step: Step, exact: dict[int, Any]) -> Any:
    if step.formula is None or not all(is_number(s.value) for s in step.inputs):
        return step.value
    try:
        return evaluate(step.formula, {s.name: exact.get(id(s), s.value) for s in step.inputs}, precise(_PRECISION))
    except FormulaError:  # divided by a difference that only rounding kept from zero: the step's own check can tell
        return step.value


def _end_allowance(step: Step) -> float:
    """Half the digits of the floats in use: enough to catch a slip, wide enough for honest cancellation."""
    sizes = [magnitude(s.value) for s in step.inputs if is_number(s.value)]
    return math.sqrt(step.eps) * max(magnitude(step.value), 1e-3 * max(sizes, default=0.0))
