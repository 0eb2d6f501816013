"""Numbers in twice the digits of float64, as sums of two floats (Dekker 1971; Shewchuk 1997).

For the few rules whose terms nearly cancel: what is computed so has some 31 digits, of which a sum may lose half.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Twice", "exact_product"]

_SPLITTER = 2.0**27 + 1


class Twice:
    """`high + low`, where `low` is at most half a unit in the last place of `high`."""

    __slots__ = ("high", "low")
    __array_ufunc__ = None  # NumPy leaves `array + twice` to us

    def __init__(self, high: Any, low: Any = 0.0):
        self.high, self.low = high, low

    def __add__(self, other: Any) -> Twice:
        high, low = _of(other)
        total, error = _sum(self.high, high)
        return Twice(*_renormalized(total, error + (self.low + low)))

    def __neg__(self) -> Twice:
        return Twice(-self.high, -self.low)

    def __sub__(self, other: Any) -> Twice:
        high, low = _of(other)
        return self + Twice(-high, -low)

    def __mul__(self, other: Any) -> Twice:
        high, low = _of(other)
        product, error = exact_product(self.high, high)
        return Twice(*_renormalized(product, error + (self.high * low + self.low * high)))

    def __truediv__(self, other: Any) -> Twice:
        high, low = _of(other)
        first = self.high / high
        rest = self - Twice(high, low) * first
        return Twice(*_renormalized(first, rest.high / high))

    __radd__, __rmul__ = __add__, __mul__


def _of(x: Any) -> tuple[Any, Any]:
    return (x.high, x.low) if isinstance(x, Twice) else (x, 0.0)


def _sum(a: Any, b: Any) -> tuple[Any, Any]:
    """The sum, and exactly what rounding took from it."""
    total = a + b
    shadow = total - a
    return total, (a - (total - shadow)) + (b - shadow)


def exact_product(a: Any, b: Any) -> tuple[Any, Any]:
    """The product, and exactly what rounding took from it."""
    product = a * b
    a1, a2 = _halves(a)
    b1, b2 = _halves(b)
    return product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2


def _halves(a: Any) -> tuple[Any, Any]:
    wide = _SPLITTER * a
    high = wide - (wide - a)
    return high, a - high


def _renormalized(high: Any, low: Any) -> tuple[Any, Any]:
    total = high + low
    return total, low - (total - high)
