"""Exponentials, logarithms and roots."""

from __future__ import annotations

import math

import numpy as np

from openbook.ops.domain import INF, NAN, POSITIVE, reals
from openbook.ops.op import Elementwise, scalar
from openbook.ops.vocabulary import (
    eq,
    exp,
    greater,
    less,
    less_equal,
    log,
    logical_and,
    logical_or,
    sigmoid,
    where,
)


class Exp(Elementwise):
    """e to the power of x."""

    formula = "exp(x)"
    domain = reals(-40, 40)
    edges = {INF: INF, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.exp(x)

    @staticmethod
    def gradient(g, y, x):
        return g * y


class Log(Elementwise):
    """The natural logarithm."""

    formula = "log(x)"
    domain = POSITIVE
    edges = {INF: INF, 0.0: -INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.log(x)

    @staticmethod
    def gradient(g, y, x):
        return g / x


class Log1p(Elementwise):
    """ln(1 + x), right also for tiny x."""

    formula = "log(1 + x)"
    domain = reals(-0.9, 50)
    edges = {INF: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.log1p(x)

    @staticmethod
    def gradient(g, y, x):
        return g / (1 + x)


class Sqrt(Elementwise):
    """The square root."""

    formula = "sqrt(x)"
    domain = POSITIVE
    edges = {INF: INF, 0.0: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.sqrt(x)

    @staticmethod
    def gradient(g, y, x):
        return g / (2 * y)


class Expm1(Elementwise):
    """eˣ − 1, with all its digits near 0."""

    formula = "exp(x) - 1"
    domain = reals(-40, 40)
    edges = {INF: INF, -INF: -1.0, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.expm1(x)

    @staticmethod
    def gradient(g, y, x):
        return g * exp(x)  # y + 1 has lost the small ones


class Log2(Elementwise):
    """How often 2 is multiplied with itself to make a number."""

    formula = "log(x) / log(2)"
    domain = POSITIVE
    edges = {INF: INF, 0.0: -INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.log2(x)

    @staticmethod
    def gradient(g, y, x):
        return g / (x * math.log(2))


class Log10(Elementwise):
    """How often 10 is multiplied with itself to make a number."""

    formula = "log(x) / log(10)"
    domain = POSITIVE
    edges = {INF: INF, 0.0: -INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.log10(x)

    @staticmethod
    def gradient(g, y, x):
        return g / (x * math.log(10))


class Rsqrt(Elementwise):
    """One divided by the square root."""

    formula = "1 / sqrt(x)"
    domain = POSITIVE
    edges = {INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        return 1 / np.sqrt(x)

    @staticmethod
    def gradient(g, y, x):
        return g * (-0.5 * y / x)


class Exp2(Elementwise):
    """2 to the power of x."""

    formula = "2**x"
    domain = reals(-60, 60)
    edges = {INF: INF, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.exp2(x)

    @staticmethod
    def gradient(g, y, x):
        return g * (y * math.log(2))


class Logaddexp(Elementwise):
    """The logarithm of the sum of two exponentials, without overflow."""

    formula = "log(exp(x) + exp(y))"

    @staticmethod
    def forward(x, y):
        return np.logaddexp(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        return lambda: g * _share(x, y), lambda: g * _share(y, x)


class Logaddexp2(Elementwise):
    """The base-2 logarithm of the sum of two powers of 2."""

    formula = "log2(2**x + 2**y)"

    @staticmethod
    def forward(x, y):
        return np.logaddexp2(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        return lambda: g * _share(x, y, math.log(2)), lambda: g * _share(y, x, math.log(2))


def _share(x, y, scale=1.0):
    """Of two exponentials' sum, the share of the first; infinities that meet share alike."""
    same = eq(x, y)
    return sigmoid(where(same, 0.0, x - y) * scale)


class Logit(Elementwise):
    """The logarithm of the odds of a probability; `eps` keeps it away from 0 and 1."""

    formula = "log(x / (1 - x))"
    domain = reals(1e-3, 0.999)
    edges = {NAN: NAN, 0.0: -INF, 1.0: INF}

    @staticmethod
    def forward(x, *, eps=None):
        if eps is not None:
            x = np.clip(x, scalar(eps, x), scalar(1 - eps, x))
        d = 2 * x - 1  # near ½ the odds are near 1: ln((1 + d)/(1 − d)) = 2 artanh d
        return np.where(np.abs(d) < 0.5, 2 * np.arctanh(np.clip(d, -0.6, 0.6)), np.log(x) - np.log1p(-x))

    @staticmethod
    def gradient(g, y, x, *, eps=None):
        slope = g / (x * (1 - x))
        if eps is None:  # no value outside of [0, 1], and no slope either
            return where(logical_or(less(x, 0), greater(x, 1)), float("nan"), slope)
        return where(logical_or(less(x, eps), greater(x, 1 - eps)), 0.0, slope)


class Xlogy(Elementwise):
    """x·ln y, and 0 where x is 0."""

    formula = "x*log(y)"
    domain = (reals(), POSITIVE)

    @staticmethod
    def forward(x, y):
        nothing = np.logical_and(np.equal(x, 0), np.logical_not(np.isnan(y)))
        return np.where(nothing, 0 * np.asarray(x), x * np.log(np.where(nothing, 1, y)))

    @staticmethod
    def gradient(g, out, x, y):
        nothing = logical_and(eq(x, 0), less_equal(y, 0))
        return lambda: where(nothing, 0.0, g * log(where(nothing, 1.0, y))), lambda: g * (x / y)
