"""Activations made of pieces, most of them straight, and their kin."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np

from openbook.ops.domain import INF, NAN, reals
from openbook.ops.op import Elementwise, scalar
from openbook.ops.vocabulary import absolute, exp, greater, greater_equal, less_equal, logical_and, tanh, where


class Relu6(Elementwise):
    """A ReLU that ends at 6."""

    formula = "min(max(x, 0), 6)"
    domain = reals(-10, 10, kinks=(0.0, 6.0))
    edges = {INF: 6.0, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.clip(x, scalar(0.0, x), scalar(6.0, x))

    @staticmethod
    def gradient(g, y, x):
        return g * logical_and(greater(x, 0), greater(6, x))


class Hardswish(Elementwise):
    """x weighted by a sigmoid of straight pieces (Howard et al. 2019)."""

    formula = "x*min(max(x + 3, 0), 6)/6"
    domain = reals(-10, 10, kinks=(-3.0, 3.0))
    edges = {INF: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        with np.errstate(invalid="ignore"):
            inside = x * (np.clip(x + scalar(3.0, x), scalar(0.0, x), scalar(6.0, x)) / scalar(6.0, x))
        return np.where(x <= -3, scalar(0.0, x), inside)

    @staticmethod
    def gradient(g, y, x):
        middle = g * ((2 * x + 3) / 6)
        return where(greater_equal(x, 3), g, where(less_equal(x, -3), 0.0, middle))


class Softshrink(Elementwise):
    """Moved towards 0 by λ; 0 within λ of it."""

    formula = "where(x > lambd, x - lambd, where(x < -lambd, x + lambd, 0))"
    domain = reals(-5, 5, kinks=(-0.5, 0.5))
    edges = {INF: INF, -INF: -INF, NAN: NAN}

    @staticmethod
    def forward(x, *, lambd=0.5):
        t = scalar(lambd, x)
        return np.where(x > t, x - t, np.where(x < -t, x + t, x * 0))

    @staticmethod
    def gradient(g, y, x, *, lambd=0.5):
        return where(less_equal(absolute(x), lambd), 0.0, g)


class Hardshrink(Elementwise):
    """0 within λ of it, unchanged elsewhere."""

    formula = "where(abs(x) > lambd, x, 0)"
    domain = reals(-5, 5, kinks=(-0.5, 0.5))
    edges = {INF: INF, -INF: -INF, NAN: NAN}

    @staticmethod
    def forward(x, *, lambd=0.5):
        return np.where(np.abs(x) <= scalar(lambd, x), scalar(0.0, x), x)

    @staticmethod
    def gradient(g, y, x, *, lambd=0.5):
        return where(less_equal(absolute(x), lambd), 0.0, g)


class Tanhshrink(Elementwise):
    """What tanh takes away."""

    formula = "x - tanh(x)"
    domain = reals(-20, 20)
    edges = {INF: INF, -INF: -INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return _less_its_tanh(np.asarray(x))

    @staticmethod
    def gradient(g, y, x):
        t = tanh(x)
        return g * (t * t)


def _less_its_tanh(x):
    """x − tanh x; near 0, where the two are nearly the same, by its series x³/3 − 2x⁵/15 + …"""
    small = np.abs(x) < 0.4
    s = np.where(small, x, 0).astype(np.float64)
    q = s * s
    series = np.zeros_like(q)
    for c in _tanh_series()[::-1]:
        series = series * q + c
    return np.where(small, (s * q * series).astype(x.dtype), x - np.tanh(x))


@cache
def _tanh_series():
    """The coefficients of x³, x⁵, … in x − tanh x, exactly, from tanh′ = 1 − tanh²."""
    tanh_ = [Fraction(0), Fraction(1)]
    for k in range(1, 45):
        square = sum((tanh_[i] * tanh_[k - i] for i in range(k + 1)), Fraction(0))
        tanh_.append(-square / (k + 1))
    return [float(-c) for c in tanh_[3::2]]


class Softsign(Elementwise):
    """x over 1 + |x|."""

    formula = "x / (1 + abs(x))"
    domain = reals(-50, 50)
    edges = {NAN: NAN}

    @staticmethod
    def forward(x):
        return x / (1 + np.abs(x))

    @staticmethod
    def gradient(g, y, x):
        once = 1 + absolute(x)
        return g / (once * once)


class Celu(Elementwise):
    """An ELU that is smooth for every α (Barron 2017)."""

    formula = "where(x > 0, x, alpha*(exp(x/alpha) - 1))"
    domain = reals(-30, 10, kinks=(0.0,))
    edges = {INF: INF, -INF: -1.0, NAN: NAN}

    @staticmethod
    def forward(x, *, alpha=1.0):
        a = scalar(alpha, x)
        return np.where(x > 0, x, a * np.expm1(np.minimum(x, 0) / a))

    @staticmethod
    def gradient(g, y, x, *, alpha=1.0):
        return where(greater(x, 0), g, g * exp(where(greater_equal(x, 0), 0.0, x) / alpha))


class Threshold(Elementwise):
    """The number where it passes the threshold, another value elsewhere."""

    formula = "where(x > threshold, x, value)"
    domain = reals(-5, 5, kinks=(0.0,))

    @staticmethod
    def forward(x, *, threshold=0.0, value=0.0):
        return np.where(x <= scalar(threshold, x), scalar(value, x), x)

    @staticmethod
    def gradient(g, y, x, *, threshold=0.0, value=0.0):
        return where(less_equal(x, threshold), 0.0, g)
