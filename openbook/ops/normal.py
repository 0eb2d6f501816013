"""The normal distribution's functions, and their kin with the exponential taken out."""

from __future__ import annotations

import math

import numpy as np

from openbook.ops.domain import INF, NAN, reals
from openbook.ops.op import Elementwise
from openbook.ops.vocabulary import erfcx, erfcx_slope, exp, less, ndtr, ndtri, ndtri_slope, where


class Erfcx(Elementwise):
    """erfc(x) with its exponential fall taken out: exp(x²)·erfc(x)."""

    formula = "exp(x**2)*erfc(x)"
    domain = reals(-5, 10)
    edges = {INF: 0.0, -INF: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        from scipy.special import erfc, erfcx

        v, y = np.asarray(x, np.float64), np.asarray(erfcx(x), np.float64)
        near, middle = (v > -0.7) & (v < 0.25), (v >= 0.25) & (v < 20)  # where SciPy's is off by three units and more
        if near.any():
            close = np.where(near, v, 0.0)
            y = np.where(near, np.exp(close * close) * erfc(close), y)
        if middle.any():
            y = np.where(middle, _by_trapezoids(np.where(middle, v, 1.0)), y)
        return y.astype(np.result_type(x, np.float16), copy=False)

    @staticmethod
    def gradient(g, y, x):
        return g * erfcx_slope(x, n=1)


def _by_trapezoids(v):
    """x/π ∫ exp(−t²)/(x² + t²) dt in steps of ½, and what its pole adds (Matta & Reichel 1971); for x ≥ ¼."""
    square, total = v * v, 0.0
    for n in range(13, 0, -1):
        total = total + math.exp(-n * n / 4) / (square + n * n / 4)
    near = np.minimum(v, 2 * math.pi)  # beyond, the pole lies outside of what the rule sees
    pole = np.where(v < near + 1e-9, 2 * np.exp(near * near - 4 * math.pi * near) / -np.expm1(-4 * math.pi * near), 0.0)
    return v * (0.5 / square + total) / math.pi - pole


class ErfcxSlope(Elementwise):
    """The n-th derivative of erfcx: (−2)ⁿ n! times the repeated integrals of erfc (Abramowitz & Stegun 7.2)."""

    name = "erfcx_slope"
    formula = "2*x*exp(x**2)*erfc(x) - 2/sqrt(pi)"
    domain = reals(-5, 10)

    @staticmethod
    def forward(x, *, n=1):
        v = np.asarray(x, np.float64)
        y = Erfcx.forward(v)
        right = v > 0.4
        rising = _by_recurrence(v, y, n)
        if not right.any():
            return rising.astype(np.result_type(x, np.float16), copy=False)
        falling = y * _ratios(np.where(right, v, np.inf), n)
        return np.where(right, falling, rising).astype(np.result_type(x, np.float16), copy=False)

    @staticmethod
    def gradient(g, y, x, *, n=1):
        return g * erfcx_slope(x, n=n + 1)


def _by_recurrence(v, y, n):
    """y⁽ᵏ⁾ = 2x·y⁽ᵏ⁻¹⁾ + 2(k − 1)·y⁽ᵏ⁻²⁾, whose terms have one sign left of 0."""
    with np.errstate(invalid="ignore", over="ignore"):
        before, now = y, 2 * v * y - 2 / math.sqrt(math.pi)
        for k in range(2, n + 1):
            before, now = now, 2 * v * now + 2 * (k - 1) * before
    return now


def _ratios(v, n):
    """y⁽ⁿ⁾/y for v > 0.4, where the recurrence's terms nearly cancel: its ratios y⁽ᵏ⁾/y⁽ᵏ⁻¹⁾ = −k/(x + t_{k+1}) from far ahead.

    t_k = (k/2)/(x + t_{k+1}) is Laplace's continued fraction; its end matters as exp(−2x·√(2k)).
    """
    product, tail = 1.0, np.zeros_like(v)
    for k in range(n + math.ceil(250 / v.min(initial=np.inf) ** 2) + 30, 1, -1):
        tail = (k / 2) / (v + tail)
        if k <= n + 1:
            product = product * ((1 - k) / (v + tail))
    return product


class Ndtr(Elementwise):
    """The share of a standard normal distribution below x."""

    formula = "erfc(-x/sqrt(2))/2"
    domain = reals(-10, 8)
    edges = {INF: 1.0, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        from scipy.special import ndtr

        return ndtr(x)

    @staticmethod
    def gradient(g, y, x):
        return g * (exp(x * x * -0.5) / math.sqrt(2 * math.pi))


class LogNdtr(Elementwise):
    """The logarithm of the share of a standard normal distribution below x."""

    name = "log_ndtr"
    formula = "log(erfc(-x/sqrt(2))/2)"
    domain = reals(-30, 5)
    edges = {INF: 0.0, -INF: -INF, NAN: NAN}

    @staticmethod
    def forward(x):
        from scipy.special import log_ndtr

        return log_ndtr(x)

    @staticmethod
    def gradient(g, y, x):
        left = less(x, 0.7)  # further right erfcx grows beyond all bounds
        below = math.sqrt(2 / math.pi) / erfcx(where(left, x, 0.0) * -math.sqrt(0.5))
        right = where(left, 0.0, x)
        return g * where(left, below, exp(right * right * -0.5) / (math.sqrt(2 * math.pi) * ndtr(right)))


class Ndtri(Elementwise):
    """The number below which a share x of a standard normal distribution lies."""

    formula = "sqrt(2)*erfinv(2*x - 1)"
    domain = reals(1e-3, 0.999)
    edges = {0.0: -INF, 1.0: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        from scipy.special import ndtri

        return np.asarray(ndtri(x)).astype(np.result_type(x, np.float16), copy=False)

    @staticmethod
    def gradient(g, y, x):
        return g * ndtri_slope(x)


_ROOT, _ROOT_REST = 2.5066282746310002, 2.6080341004547094e-16  # √(2π), and what is missing to it


class NdtriSlope(Elementwise):
    """The slope of ndtri, one over the normal density there: by erfcx, for exp(y²/2) makes y² errors of one in y."""

    name = "ndtri_slope"
    formula = "sqrt(2*pi)*exp(erfinv(2*x - 1)**2)"
    domain = reals(1e-3, 0.999)
    edges = {0.0: INF, 1.0: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        v = np.asarray(x, np.float64)
        end = (v == 0) | (v == 1)
        rest = np.where(end, 0.5, np.minimum(v, 1 - v))
        place = Ndtri.forward(rest)
        middle = np.maximum(place, -0.6)
        y = np.where(
            place > -0.6,
            _ROOT + (_ROOT_REST + _ROOT * np.expm1(middle * middle * 0.5)),
            math.sqrt(math.pi / 2) * Erfcx.forward(place * -math.sqrt(0.5)) / rest,
        )
        return np.where(end, np.inf, y).astype(np.result_type(x, np.float16), copy=False)

    @staticmethod
    def gradient(g, y, x):
        return g * (ndtri(x) * y * y)
