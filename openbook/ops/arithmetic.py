"""Arithmetic, entry by entry."""

from __future__ import annotations

import numpy as np

from openbook.ops.domain import INF, NAN, POSITIVE, reals
from openbook.ops.op import Elementwise
from openbook.ops.vocabulary import greater, hypot, hypot_slope, isfinite, log, sign, where


class Add(Elementwise):
    """The sum of two numbers."""

    formula = "x + y"

    @staticmethod
    def forward(x, y):
        return x + y

    @staticmethod
    def gradient(g, out, x, y):
        return g, g


class Sub(Elementwise):
    """The difference of two numbers."""

    formula = "x - y"

    @staticmethod
    def forward(x, y):
        return x - y

    @staticmethod
    def gradient(g, out, x, y):
        return g, lambda: -g


class Mul(Elementwise):
    """The product of two numbers."""

    formula = "x * y"
    multilinear = True

    @staticmethod
    def forward(x, y):
        return x * y

    @staticmethod
    def gradient(g, out, x, y):
        return lambda: g * y, lambda: g * x


class Div(Elementwise):
    """One number divided by another."""

    formula = "x / y"
    domain = (reals(), POSITIVE)
    reads = (frozenset({2}), frozenset({0, 2}))
    recovers = True

    @staticmethod
    def forward(x, y):
        return np.true_divide(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        return lambda: g / y, lambda: -g * (out / y)


class Pow(Elementwise):
    """One number to the power of another."""

    formula = "x ** y"
    domain = (POSITIVE, reals(-3, 3))
    reads = (frozenset({1, 2}), frozenset({0, 1}))
    recovers = True

    @staticmethod
    def forward(x, y):
        return np.power(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        def of_exponent():
            positive = greater(x, 0)
            return g * where(positive, out * log(where(positive, x, 1.0)), out * 0.0)

        return lambda: g * (y * x ** (y - 1)), of_exponent


class Neg(Elementwise):
    """The number with its sign turned."""

    formula = "-x"

    @staticmethod
    def forward(x):
        return -x

    @staticmethod
    def gradient(g, y, x):
        return -g


class Abs(Elementwise):
    """The distance from zero; its slope at zero is taken as 0, as PyTorch does."""

    formula = "abs(x)"
    domain = reals(-10, 10, kinks=(0.0,))
    edges = {INF: INF, -INF: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.abs(x)

    @staticmethod
    def gradient(g, y, x):
        return g * sign(x)


class Sign(Elementwise):
    """−1, 0 or 1; flat everywhere it has a slope."""

    formula = "sign(x)"
    domain = reals(-10, 10, kinks=(0.0,))

    @staticmethod
    def forward(x):
        return np.sign(x) if x.dtype != bool else x

    @staticmethod
    def gradient(g, y, x):
        return g * 0.0


class Square(Elementwise):
    """A number times itself."""

    formula = "x**2"
    edges = {INF: INF, -INF: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return x * x

    @staticmethod
    def gradient(g, y, x):
        return g * (2 * x)


class Reciprocal(Elementwise):
    """One divided by a number."""

    formula = "1 / x"
    domain = POSITIVE
    edges = {INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        return 1 / x

    @staticmethod
    def gradient(g, y, x):
        return -(g * y * y)


class Hypot(Elementwise):
    """The longest side of a right triangle."""

    formula = "sqrt(x**2 + y**2)"

    @staticmethod
    def forward(x, y):
        return np.hypot(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        return lambda: g * hypot_slope(x, y), lambda: g * hypot_slope(y, x)


class HypotSlope(Elementwise):
    """The slope of hypot by its first argument, x/√(x² + y²), which as it stands loses digits in its own slope."""

    name = "hypot_slope"
    formula = "x / sqrt(x**2 + y**2)"

    @staticmethod
    def forward(x, y):
        return x / np.hypot(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        r = hypot(x, y)
        return lambda: g * ((y / r) * (y / r) / r), lambda: -(g * ((x / r) * (y / r) / r))


class Copysign(Elementwise):
    """The size of one number with the sign of another."""

    formula = "abs(x)*sign(y)"
    domain = (reals(-10, 10, kinks=(0.0,)), reals(-10, 10, kinks=(0.0,)))

    @staticmethod
    def forward(x, y):
        return np.copysign(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        return lambda: g * (sign(x) * sign(out)), lambda: g * 0


class Lerp(Elementwise):
    """A point on the way from one number to another, `weight` of the way along."""

    formula = "x + weight*(y - x)"
    domain = (reals(), reals(), reals(0, 1))

    @staticmethod
    def forward(x, y, weight):
        return np.where(np.abs(weight) < 0.5, x + weight * (y - x), y - (y - x) * (1 - np.asarray(weight, x.dtype)))

    @staticmethod
    def gradient(g, out, x, y, weight):
        return lambda: g * (1 - weight), lambda: g * weight, lambda: g * (y - x)


class Deg2rad(Elementwise):
    """Degrees as radians."""

    formula = "x*pi/180"

    @staticmethod
    def forward(x):
        return x * (np.pi / 180)

    @staticmethod
    def gradient(g, y, x):
        return g * (np.pi / 180)


class Rad2deg(Elementwise):
    """Radians as degrees."""

    formula = "x*180/pi"

    @staticmethod
    def forward(x):
        return x * (180 / np.pi)

    @staticmethod
    def gradient(g, y, x):
        return g * (180 / np.pi)


class NanToNum(Elementwise):
    """NaN replaced by a number, infinities by the largest there are (or by numbers given)."""

    name = "nan_to_num"
    formula = "x"

    @staticmethod
    def forward(x, *, nan=0.0, posinf=None, neginf=None):
        return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)

    @staticmethod
    def gradient(g, y, x, *, nan=0.0, posinf=None, neginf=None):
        return where(isfinite(x), g, 0.0)


class Heaviside(Elementwise):
    """0 below 0, 1 above, and at 0 the value given; flat everywhere it has a slope."""

    formula = "where(x > 0, 1, where(x < 0, 0, y))"
    domain = (reals(-10, 10, kinks=(0.0,)), reals())
    differentiable = False

    @staticmethod
    def forward(x, y):
        step = np.where(x > 0, np.ones_like(x), np.where(x < 0, np.zeros_like(x), y))
        return np.where(np.isnan(x), x, step) if step.dtype.kind == "f" else step
