"""Whether one formula equals another: proved by SymPy, held against random points, or refused with a counterexample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from openbook.errors import CheckError, FormulaError
from openbook.expr import Arithmetic, Expr, as_expr, evaluate, precise, text, to_sympy
from openbook.record import Brief, Explains, Witness

__all__ = ["POINTS", "Difference", "LineCheck", "at_random_points", "check_line", "provable", "witnesses"]

POINTS = 20
_TRIES = 200
_DIGITS = (50, 200, 800)  # a difference counts only if more digits do not make it go away
_LARGEST = 1e300
_RANGES = (
    (-3.0, 3.0),
    (0.05, 2.0),
    (-1.0, 1.0),
    (1.0, 4.0),
)  # logarithms, arcsines and arcosh live on parts of the line
_TOO_LONG = 3000  # operations: beyond, SymPy is not asked at all
_MOST_OPERATIONS = 150  # what SymPy's simplify is asked to look at: beyond, it can take minutes


@dataclass(frozen=True)
class Difference:
    """A point at which two formulas have different values: a counterexample."""

    at: Mapping[str, float]
    before: float
    after: float

    def __str__(self) -> str:
        where = ", ".join(f"{name} = {value:.4g}" for name, value in self.at.items())
        digits = next((d for d in range(5, 17) if f"{self.before:.{d}g}" != f"{self.after:.{d}g}"), 17)
        values = f"the first is {self.before:.{digits}g}, the second {self.after:.{digits}g}"
        return f"at {where} {values}" if where else values


@dataclass(frozen=True, repr=False)
class LineCheck(Brief, Explains):
    """The verdict on one line: `holds` is True (proved), False (there is a counterexample) or None (undecided).

    `points` random points agreed to forty digits; `proof` says who proved it; `note` what else must be said. Only what is
    proved is true: agreement at random points alone is not claimed to be more than that.
    """

    before: Expr
    after: Expr
    holds: bool | None
    points: int = 0
    proof: str = ""
    counterexample: Difference | None = None
    note: str = ""

    @property
    def agrees(self) -> bool:
        """Proved, or at least equal wherever it was looked at."""
        return self.holds is True or (self.holds is None and self.points >= POINTS)

    @property
    def how(self) -> str:
        """In words: how this was decided, or why it was not."""
        if self.counterexample is not None:
            return f"does not follow: {self.counterexample}"
        agreed = f"equal at {self.points} random points to forty digits" if self.points else ""
        verdict = self.proof or ("undecided" if self.holds is None else "")
        return "; ".join(part for part in (verdict, agreed, self.note) if part)

    def require(self) -> LineCheck:
        """Return this, or raise CheckError with the counterexample; what is undecided is refused too."""
        if self.holds:
            return self
        raise CheckError(
            f"{text(self.after)} is not shown to equal {text(self.before)}: {self.how}",
            do="the second line does not follow from the first"
            if self.holds is False
            else "take a smaller step, or install sympy, which may be able to prove it",
        )

    def __bool__(self) -> bool:
        return self.holds is True

    def __str__(self) -> str:
        sign = {True: "=", False: "≠", None: "=?"}[self.holds]
        return f"{text(self.before)} {sign} {text(self.after)}\n    {self.how}"


def check_line(before: Expr | str, after: Expr | str) -> LineCheck:
    """Decide whether the second line follows from the first: `check_line("diff(z**2, z)", "2*z")`.

    A false line is refused with a counterexample: a point and both values there. A line counts as true only when SymPy
    proves it and random points agree in fifty digits; what nobody could prove is undecided (`holds` is None), however
    many points agree. Equal means: wherever both have a value. `diff(f, z)` stands for a derivative.
    """
    left, right = as_expr(before), as_expr(after)
    agreed, difference, note = at_random_points(left, right)
    if difference is not None:
        return LineCheck(left, right, False, agreed, counterexample=difference)
    if not agreed:
        return LineCheck(left, right, None, 0, note="no point was found where both have a value")
    if not _installed():
        return LineCheck(left, right, None, agreed, note="SymPy, which could prove it, is not installed")
    proved = provable(left, right)
    if proved and agreed >= POINTS:
        return LineCheck(left, right, True, agreed, "proved by SymPy", note=note)
    unproved = f"only {agreed} points were found to look at" if proved else "SymPy could not prove it"
    return LineCheck(left, right, None, agreed, note="; ".join(filter(None, (unproved, note))))


def witnesses(verdict: LineCheck) -> tuple[Witness, ...]:
    """The verdict on a line as what stands beside it in a working; none where nothing could be said."""
    if verdict.holds is None and not verdict.agrees:
        return ()
    answer = verdict.how if verdict.holds is False else verdict.after
    method = "a counterexample" if verdict.holds is False else verdict.how
    return (Witness(method, lambda: answer),)


@cache
def _installed() -> bool:
    return find_spec("sympy") is not None


# --- at random points ------------------------------------------------------------------------------------------


def at_random_points(before: Expr, after: Expr) -> tuple[int, Difference | None, str]:
    """How many points agreed, the first that did not, and whether one side has no value where the other has one."""
    names = [n for n in dict.fromkeys((*before.names(), *after.names())) if n not in ("pi", "inf")]
    agreed, note = 0, ""
    for values in _points(names):
        left, right = (_value(side, values, _DIGITS[0]) for side in (before, after))
        if left is None or right is None:
            if (left is None) != (right is None) and not note:
                here = ", ".join(f"{n} = {v:.4g}" for n, v in values.items())
                note = f"at {here} only the {'second' if left is None else 'first'} has a value"
            continue
        if not _same(left, right) and (difference := _confirmed(before, after, values)) is not None:
            return agreed, difference, ""
        agreed += 1
        if agreed == POINTS or not names:
            break
    return (POINTS if agreed and not names else agreed), None, note


def _points(names: Sequence[str]) -> Iterator[dict[str, float]]:
    """Points with many digits, from several parts of the line; the same every time."""
    random = np.random.default_rng(0)
    for attempt in range(_TRIES):
        low, high = _RANGES[attempt % len(_RANGES)]
        yield {name: float(random.uniform(low, high)) for name in names}


def _value(expr: Expr, values: Mapping[str, Any], digits: int) -> Any:
    """The value in many digits; None where there is none, or none of a size that can be written down."""
    try:
        value = evaluate(expr, values, _guarded(digits))
    except (FormulaError, OverflowError, ArithmeticError, ValueError, TypeError):
        return None
    return value if hasattr(value, "_mpf_") and abs(value) < float("inf") else None


def _guarded(digits: int) -> Arithmetic:
    def within(value: Any) -> Any:
        if not hasattr(value, "_mpf_"):
            raise OverflowError("a root of a negative number is no real number")
        if abs(value) > _LARGEST:
            raise OverflowError("exp of this would fill the memory with digits")
        return value

    return replace(precise(digits), rounded=within)


def _same(left: Any, right: Any) -> bool:
    return bool(abs(left - right) <= 1e-40 * max(1e-20, abs(left)))


def _confirmed(before: Expr, after: Expr, values: Mapping[str, float]) -> Difference | None:
    """The difference, if it is still there with more digits: cancellation can eat fifty of them."""
    for digits in _DIGITS[1:]:
        left, right = (_value(side, values, digits) for side in (before, after))
        if left is None or right is None or _same(left, right):
            return None
    return Difference(dict(values), float(left), float(right))


# --- by symbols ------------------------------------------------------------------------------------------------


def provable(before: Expr, after: Expr) -> bool:
    """Whether SymPy finds the difference to be zero; False says only that it did not."""
    try:
        return _is_zero(to_sympy(before) - to_sympy(after))
    except FormulaError:
        return False
    except (ArithmeticError, AttributeError, NotImplementedError, RecursionError, TypeError, ValueError):
        return False  # SymPy's own troubles: nothing is proved


def _is_zero(difference: Any) -> bool:
    """Zero as it stands, over one denominator, in exponentials, or, where that is quick, by all that SymPy can do."""
    import sympy

    if difference == 0:
        return True
    if difference.count_ops() > _TOO_LONG:
        return False
    hyperbolic = difference.has(sympy.tanh, sympy.sinh, sympy.cosh)
    rational = difference.rewrite(sympy.exp) if hyperbolic else difference
    if difference.has(sympy.tan):
        rational = rational.rewrite(sympy.tan, sympy.sin).rewrite(sympy.cos)
    if not rational.has(sympy.Piecewise, sympy.Max, sympy.Min, sympy.Abs, sympy.sign):
        above = sympy.fraction(sympy.together(sympy.powsimp(sympy.expand_power_exp(rational))))[0]
        if sympy.expand(above) == 0:
            return True
    small = difference.count_ops() <= _MOST_OPERATIONS
    return bool(small and sympy.simplify(difference) == 0)
