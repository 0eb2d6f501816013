"""Circles and hyperbolas."""

from __future__ import annotations

import numpy as np

from openbook.ops.domain import INF, NAN, POSITIVE, reals
from openbook.ops.op import Elementwise
from openbook.ops.vocabulary import asin_slope, atanh_slope, cos, cosh, hypot, rsqrt, sin, sinh, tanh, tanh_slope


class Sin(Elementwise):
    """The sine of an angle in radians."""

    formula = "sin(x)"
    domain = reals(-7, 7)

    @staticmethod
    def forward(x):
        return np.sin(x)

    @staticmethod
    def gradient(g, y, x):
        return g * cos(x)


class Cos(Elementwise):
    """The cosine of an angle in radians."""

    formula = "cos(x)"
    domain = reals(-7, 7)

    @staticmethod
    def forward(x):
        return np.cos(x)

    @staticmethod
    def gradient(g, y, x):
        return -g * sin(x)


class Tanh(Elementwise):
    """Squash any number into (−1, 1)."""

    formula = "tanh(x)"
    domain = reals(-20, 20)
    edges = {INF: 1.0, -INF: -1.0, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.tanh(x)

    @staticmethod
    def gradient(g, y, x):
        return g * tanh_slope(x)


class TanhSlope(Elementwise):
    """The slope of tanh: 1 − tanh², with all its digits where that is small."""

    name = "tanh_slope"
    formula = "1 / cosh(x)**2"
    domain = reals(-20, 20)
    edges = {INF: 0.0, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        e = np.abs(x)
        e *= -2
        e = np.exp(e)
        once = e + 1
        once *= once
        e *= 4
        e /= once
        return e

    @staticmethod
    def gradient(g, y, x):
        return g * (-2 * y * tanh(x))


class Tan(Elementwise):
    """The tangent."""

    formula = "tan(x)"
    domain = reals(-1.5, 1.5)
    edges = {NAN: NAN}

    @staticmethod
    def forward(x):
        return np.tan(x)

    @staticmethod
    def gradient(g, y, x):
        return g * (1 + y * y)


class Asin(Elementwise):
    """The angle whose sine this is."""

    formula = "asin(x)"
    domain = reals(-0.999, 0.999)
    edges = {NAN: NAN}

    @staticmethod
    def forward(x):
        return np.arcsin(x)

    @staticmethod
    def gradient(g, y, x):
        return g * asin_slope(x)


class Acos(Elementwise):
    """The angle whose cosine this is."""

    formula = "acos(x)"
    domain = reals(-0.999, 0.999)
    edges = {NAN: NAN}

    @staticmethod
    def forward(x):
        return np.arccos(x)

    @staticmethod
    def gradient(g, y, x):
        return -(g * asin_slope(x))


class Atan(Elementwise):
    """The angle whose tangent this is."""

    formula = "atan(x)"
    domain = reals(-50, 50)
    edges = {INF: np.pi / 2, -INF: -np.pi / 2, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.arctan(x)

    @staticmethod
    def gradient(g, y, x):
        return g / (1 + x * x)


class Sinh(Elementwise):
    """The hyperbolic sine."""

    formula = "(exp(x) - exp(-x)) / 2"
    domain = reals(-20, 20)
    edges = {INF: INF, -INF: -INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.sinh(x)

    @staticmethod
    def gradient(g, y, x):
        return g * cosh(x)


class Cosh(Elementwise):
    """The hyperbolic cosine."""

    formula = "(exp(x) + exp(-x)) / 2"
    domain = reals(-20, 20)
    edges = {INF: INF, -INF: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.cosh(x)

    @staticmethod
    def gradient(g, y, x):
        return g * sinh(x)


class Asinh(Elementwise):
    """The inverse of the hyperbolic sine."""

    formula = "asinh(x)"
    domain = reals(-50, 50)
    edges = {INF: INF, -INF: -INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.arcsinh(x)

    @staticmethod
    def gradient(g, y, x):
        return g / hypot(x, 1.0)  # x² would overflow where the slope has not vanished


class Acosh(Elementwise):
    """The inverse of the hyperbolic cosine, from 1 on."""

    formula = "acosh(x)"
    domain = reals(1.001, 50)
    edges = {INF: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.arccosh(x)

    @staticmethod
    def gradient(g, y, x):
        return g * (rsqrt(x - 1) * rsqrt(x + 1))  # apart: x² would overflow where the slope has not vanished


class Atanh(Elementwise):
    """The inverse of the hyperbolic tangent."""

    formula = "atanh(x)"
    domain = reals(-0.999, 0.999)
    edges = {NAN: NAN}

    @staticmethod
    def forward(x):
        return np.arctanh(x)

    @staticmethod
    def gradient(g, y, x):
        return g * atanh_slope(x)


class Atan2(Elementwise):
    """The angle of the point (y, x), from −π to π."""

    formula = "atan2(x, y)"
    domain = (reals(), POSITIVE)

    @staticmethod
    def forward(x, y):
        return np.arctan2(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        square = x * x + y * y
        return lambda: g * (y / square), lambda: -(g * (x / square))


class AsinSlope(Elementwise):
    """The slope of asin: 1/√(1 − x²), with all its digits near ±1, and so that its own slope has all of them near 0."""

    name = "asin_slope"
    formula = "1 / sqrt(1 - x**2)"
    domain = reals(-0.999, 0.999)

    @staticmethod
    def forward(x):
        return 1 / np.sqrt(np.where(np.abs(x) < 0.5, 1 - x * x, (1 - x) * (1 + x)))

    @staticmethod
    def gradient(g, y, x):
        return g * (x * (y * y * y))


class AtanhSlope(Elementwise):
    """The slope of atanh: 1/(1 − x²), likewise."""

    name = "atanh_slope"
    formula = "1 / (1 - x**2)"
    domain = reals(-0.999, 0.999)

    @staticmethod
    def forward(x):
        return 1 / ((1 - x) * (1 + x))

    @staticmethod
    def gradient(g, y, x):
        return g * (2 * x * (y * y))
