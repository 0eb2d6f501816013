"""How a number is shown: four decimals, and never fewer than four digits that mean something."""

from __future__ import annotations

import math
from fractions import Fraction
from numbers import Integral
from typing import Any

__all__ = ["number_text"]

DIGITS = 4


def number_text(value: Any, digits: int = DIGITS) -> str:
    """Show a number to `digits` decimals, or to as many significant digits where decimals would hide it.

    Numbers that are exact within that many decimals are shown as they are, so `0.5` is a half and `0.5000` is near it;
    very large and very small ones get a power of ten.
    >>> [number_text(v) for v in (31.560846, 0.0284153, 0.5, 2.0, 1e-9, 8)]
    ['31.5608', '0.02842', '0.5', '2', '1.000e-9', '8']
    """
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return str(value)
    if isinstance(value, Integral):
        return str(int(value))
    number = float(value)
    if not math.isfinite(number):
        return {math.inf: "∞", -math.inf: "−∞"}.get(number, "nan")
    if number == int(number) and abs(number) < 10**9:
        return str(int(number))
    if round(number, digits) == number and abs(number) < 10**9:
        return repr(number)  # exact as it stands: 0.5, not 0.5000
    size = abs(number)
    if size < 10.0 ** -(digits + 1) or size >= 1e9:
        mantissa, exponent = f"{number:.{max(digits - 1, 0)}e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    leading = math.floor(math.log10(size)) + 1
    return f"{number:.{max(digits, digits - leading)}f}"
