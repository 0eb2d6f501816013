"""Special functions in extended precision, each with what its value may be off by in units of the last place at 1.

They only say which points need no digits (`openbook/testing/enclose.py`); a test holds them against mpmath.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

__all__ = ["SPECIAL_CURVES"]

LONG: Any = np.longdouble
PI = LONG("3.14159265358979323846264338327950288")


def erf(x: Any) -> tuple[Any, Any]:
    """2x/√π · e^(−x²) · Σ (2x²)ᵏ/(2k + 1)!! near 0, whose terms have one sign; 1 − erfc(x) elsewhere."""
    near = abs(x) < 2
    y = np.where(near, x, 0)
    series, square = LONG(1), y * y
    for k in range(60, 0, -1):
        series = 1 + 2 * square / (2 * k + 1) * series
    value = np.where(
        near, 2 * y / np.sqrt(PI) * np.exp(-square) * series, np.sign(x) * (1 - _tail(np.maximum(abs(x), 1)))
    )
    return value, 16 * abs(value)


def _tail(x: Any) -> Any:
    """erfc(x) for x ≥ ½: x/π · e^(−x²) ∫ e^(−t²)/(x² + t²) dt in steps of 0.4, and what its pole adds."""
    h, square = LONG(2) / 5, x * x
    total = LONG(0)
    for n in range(20, 0, -1):
        total = total + np.exp(-((n * h) ** 2)) / (square + (n * h) ** 2)
    inside = x < PI / h
    pole = np.where(inside, 2 / np.expm1(2 * PI * np.where(inside, x, 1) / h), 0)
    return np.exp(-square) * (x * h / PI * (1 / square + 2 * total)) - pole


def erfc(x: Any) -> tuple[Any, Any]:
    right = x > 0.5
    value = np.where(right, _tail(np.where(right, x, 1)), 1 - erf(np.where(right, 0, x))[0])
    return value, (16 + 4 * np.where(right, x * x, 0)) * abs(value) + 4 * (abs(x) <= 0.5)


def erfinv(x: Any) -> tuple[Any, Any]:
    """SciPy's, and two steps of Newton's method: far out on what is missing to 1, which is known exactly."""
    from scipy.special import erfinv as start

    rest = 1 - abs(x)
    y = LONG(start(abs(x).astype(float)))
    for _ in range(2):
        wrong = np.where(abs(x) > 0.5, rest - erfc(y)[0], erf(y)[0] - abs(x))
        y = y - wrong * np.sqrt(PI) / 2 * np.exp(y * y)
    y = np.where(abs(x) < 1e-300, abs(x) * np.sqrt(PI) / 2, y)
    return np.sign(x) * y, 64 * y


def bessel_i(order: int) -> Callable[[Any], tuple[Any, Any]]:
    """(x/2)ⁿ · Σ (x²/4)ᵏ/(k!(n + 1)…(n + k)), for |x| ≤ 30."""

    def of(x: Any) -> tuple[Any, Any]:
        z, series = x * x / 4, LONG(1)
        for k in range(120, 0, -1):
            series = 1 + z / (k * (order + k)) * series
        value = np.where(abs(x) > 30, np.nan, (x / 2) ** order * series)
        return value, (16 + 2 * abs(x)) * abs(value)

    return of


def bessel_j(order: int) -> Callable[[Any], tuple[Any, Any]]:
    """1/π ∫ cos(nθ − x sin θ) dθ over half a turn, by the trapezoid rule, for |x| ≤ 30; near 0 by the series."""

    def of(x: Any) -> tuple[Any, Any]:
        count, total = 64, LONG(0)
        for k in range(2 * count):
            angle = PI * k / count
            total = total + np.cos(order * angle - x * np.sin(angle))
        z, series = x * x / 4, LONG(1)
        for k in range(20, 0, -1):
            series = 1 - z / (k * (order + k)) * series
        value = np.where(abs(x) < 1, (x / 2) ** order * series, np.where(abs(x) > 30, np.nan, total / (2 * count)))
        return value, np.where(abs(x) < 1, 16 * abs(value), 16 + 2 * abs(x))

    return of


@cache
def _bernoulli(count: int) -> list[Fraction]:
    """B₀, B₁, …, by their recurrence."""
    numbers = [Fraction(1)]
    for n in range(1, count):
        total, binomial = Fraction(0), 1
        for k in range(n):
            total += binomial * numbers[k]
            binomial = binomial * (n + 1 - k) // (k + 1)
        numbers.append(-total / (n + 1))
    return numbers


def _long(x: Fraction) -> Any:
    return LONG(x.numerator) / LONG(x.denominator)


SHIFT = 24


def polygamma(order: int) -> Callable[[Any], tuple[Any, Any]]:
    """The asymptotic series (Abramowitz & Stegun 6.3.18, 6.4.11) 24 places on, and what lies between; for x > 0."""

    def of(x: Any) -> tuple[Any, Any]:
        x = np.where(x > 0, x, np.nan)
        z, sign = x + SHIFT, (-1) ** (order + 1)
        factor = LONG(float(np.prod(np.arange(1, order + 1))))
        far = -np.log(z) + 1 / (2 * z) if order == 0 else factor / order / z**order + factor / 2 / z ** (order + 1)
        for k in range(1, 12):
            rising = Fraction(1, 2 * k)
            for j in range(1, order + 1):
                rising *= 2 * k + j - 1
            far = far + _long(_bernoulli(24)[2 * k] * rising) / z ** (2 * k + order)
        near = LONG(0)
        for k in range(SHIFT - 1, -1, -1):
            near = near + factor / (x + k) ** (order + 1)
        return sign * (far + near), 32 * (abs(far) + near)

    return of


SPECIAL_CURVES: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "erf": erf,
    "erfc": erfc,
    "erfinv": erfinv,
    "i0": bessel_i(0),
    "i1": bessel_i(1),
    "bessel_j0": bessel_j(0),
    "bessel_j1": bessel_j(1),
    "digamma": polygamma(0),
    "trigamma": polygamma(1),
    "tetragamma": polygamma(2),
    "pentagamma": polygamma(3),
}
