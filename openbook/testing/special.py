"""What formulas say at the ends: at ±0, ±∞, NaN, the smallest and the largest numbers."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np

from openbook.errors import FormulaError
from openbook.expr import Expr
from openbook.testing.oracle import EPS, SAFETY, SMALLEST, condition, truth

__all__ = ["SPECIAL", "says"]

LARGEST = float(np.finfo(np.float64).max)
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, -5e-324, 1e-310, -1e-310, 1e-300, -1e-300, 1e-20, -1e-20, 1e20, -1e20,
           1e200, -1e200, 1e308, -1e308, 1.0, -1.0, 0.5, 40.0, -40.0, -745.0, 710.0]  # fmt: skip
_GAMMAS = {"lgamma", "digamma", "trigamma", "tetragamma", "pentagamma"}
_BEYOND = ("1e330", "1e337")  # where no float is


def says(expr: Expr, point: dict[str, float], found: float, most: int = 2000) -> bool | None:
    """Whether the formula has this value here, within its budget of error; None if it has none here.

    It is asked in at most `most` digits. At an infinity it has its limit: what it comes to far beyond the floats, if it
    comes to the same twice.
    """
    if any(math.isnan(x) for x in point.values()):
        return math.isnan(found)
    if _GAMMAS & set(expr.calls()) and any(abs(x) > 1e6 for x in point.values()):
        return None  # mpmath would count to the end of time
    try:
        if any(math.isinf(x) for x in point.values()):
            return _is_limit(expr, point, found, most)
        exact = truth(expr, point, most)
        if mpmath.isnan(exact) or mpmath.isinf(exact):
            return None
        return _near(found, exact) or _near(found, exact, condition(expr, point, exact) if exact else 1.0)
    except (FormulaError, AssertionError, ArithmeticError, ValueError, TypeError):
        return None


def _near(found: float, exact: Any, kappa: float = 1.0) -> bool:
    if abs(exact) > LARGEST:
        return math.isinf(found) and (found > 0) == (exact > 0)
    if math.isinf(found):
        return abs(exact) >= LARGEST * (1 - 4 * EPS) and (found > 0) == (exact > 0)
    unit = max(EPS * abs(exact), mpmath.mpf(SMALLEST))
    return bool(abs(mpmath.mpf(found) - exact) <= SAFETY * max(1.0, kappa) * unit)


def _is_limit(expr: Expr, point: dict[str, float], found: float, most: int) -> bool | None:
    values = []
    for beyond in _BEYOND:
        at = {n: mpmath.mpf(beyond) * (1 if x > 0 else -1) if math.isinf(x) else x for n, x in point.items()}
        values.append(truth(expr, at, most))
    a, b = values
    if mpmath.isnan(a) or mpmath.isnan(b):
        return None
    if abs(a) > LARGEST and abs(b) > LARGEST and (a > 0) == (b > 0):
        return found == math.copysign(math.inf, a)
    if abs(a - b) > 1e-30 * max(1, abs(a)):
        return None
    return _near(found, a)
