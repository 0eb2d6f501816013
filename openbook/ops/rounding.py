"""Whole numbers near a number, and what is left over. Flat, or straight, wherever they have a slope."""

from __future__ import annotations

import numpy as np

from openbook.ops.domain import INF, NAN, reals
from openbook.ops.op import Elementwise
from openbook.ops.vocabulary import floor, trunc

_WHOLE = tuple(map(float, range(-10, 11)))
_HALVES = tuple(n + 0.5 for n in range(-11, 11))


class _Flat(Elementwise):
    """The family of roundings: their slope is taken as 0 everywhere, as PyTorch does."""

    edges = {INF: INF, -INF: -INF, NAN: NAN}

    @staticmethod
    def gradient(g, y, x, **parameters):
        return g * 0


class Floor(_Flat):
    """The largest whole number that is not larger."""

    refuses = "b"
    formula = "floor(x)"
    domain = reals(-10, 10, kinks=_WHOLE)

    @staticmethod
    def forward(x):
        return np.floor(x)


class Ceil(_Flat):
    """The smallest whole number that is not smaller."""

    refuses = "b"
    formula = "ceil(x)"
    domain = reals(-10, 10, kinks=_WHOLE)

    @staticmethod
    def forward(x):
        return np.ceil(x)


class Round(_Flat):
    """The nearest whole number (or multiple of 10⁻ᵈ for `decimals` d); from the middle, the even one."""

    refuses = "b"
    formula = "round(x)"
    domain = reals(-10, 10, kinks=_HALVES)

    @staticmethod
    def forward(x, *, decimals=0):
        return np.round(x, decimals) if x.dtype.kind == "f" or decimals < 0 else x


class Trunc(_Flat):
    """The number without its digits after the point."""

    refuses = "b"
    formula = "trunc(x)"
    domain = reals(-10, 10, kinks=_WHOLE)

    @staticmethod
    def forward(x):
        return np.trunc(x)


class Frac(Elementwise):
    """The digits after the point, with the number's sign."""

    formula = "x - trunc(x)"
    domain = reals(-10, 10, kinks=_WHOLE)

    @staticmethod
    def forward(x):
        return x - np.trunc(x)

    @staticmethod
    def gradient(g, y, x):
        return g


class FloorDivide(Elementwise):
    """How many whole times the one contains the other, rounded down."""

    name = "floor_divide"
    refuses = "b"
    formula = "floor(x / y)"
    domain = (reals(0.1, 0.9), reals(1.0, 3.0))

    @staticmethod
    def forward(x, y):
        return np.floor_divide(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        return g * 0, lambda: g * 0


class Remainder(Elementwise):
    """What is left when the other is taken away whole times, with the sign of the other."""

    refuses = "b"
    formula = "x - floor(x / y)*y"
    domain = (reals(0.1, 0.9), reals(1.0, 3.0))

    @staticmethod
    def forward(x, y):
        return np.remainder(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        return g, lambda: -(g * floor(x / y))


class Fmod(Elementwise):
    """What is left when the other is taken away whole times, with the sign of the one."""

    refuses = "b"
    formula = "x - trunc(x / y)*y"
    domain = (reals(0.1, 0.9), reals(1.0, 3.0))

    @staticmethod
    def forward(x, y):
        return np.fmod(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        return g, lambda: -(g * trunc(x / y))
