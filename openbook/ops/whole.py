"""Bits, divisors and neighbours: operations on the numbers as they are stored. None has a slope."""

from __future__ import annotations

import numpy as np

from openbook.errors import DTypeError
from openbook.ops.comparison import Question


class Signbit(Question):
    """Whether the sign is a minus; that of −0 too."""

    @staticmethod
    def forward(x):
        return np.signbit(x) if x.dtype.kind == "f" else np.less(x, 0)


class Nextafter(Question):
    """The next number that can be stored, on the way from one to another."""

    @staticmethod
    def forward(x, y):
        return np.nextafter(x, y)


class Gcd(Question):
    """The largest whole number that divides both."""

    @staticmethod
    def forward(x, y):
        return np.gcd(x, y)


class Lcm(Question):
    """The smallest whole number that both divide."""

    @staticmethod
    def forward(x, y):
        return np.lcm(x, y)


class BitwiseLeftShift(Question):
    """The bits moved up by some places: times a power of 2."""

    name = "bitwise_left_shift"

    @staticmethod
    def forward(x, y):
        _require_whole("bitwise_left_shift", x, y)
        return np.left_shift(x, y)


class BitwiseRightShift(Question):
    """The bits moved down by some places: divided by a power of 2, rounded down."""

    name = "bitwise_right_shift"

    @staticmethod
    def forward(x, y):
        _require_whole("bitwise_right_shift", x, y)
        return np.right_shift(x, y)


def _require_whole(name, *values):
    wrong = [np.asarray(v).dtype for v in values if np.asarray(v).dtype.kind not in "iu"]
    if wrong:
        raise DTypeError(f"{name} moves the bits of whole numbers, not of {wrong[0]}", do="cast to int64 first")
