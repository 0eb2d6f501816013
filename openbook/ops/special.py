"""The error function and its complement."""

from __future__ import annotations

import math

import numpy as np

from openbook.ops.domain import INF, NAN, reals
from openbook.ops.op import Elementwise, scalar
from openbook.ops.vocabulary import absolute, cos, exp, less, sinc, where


class Erf(Elementwise):
    """The share of a normal distribution within x·√2 standard deviations of its mean, with the sign of x."""

    formula = "erf(x)"
    domain = reals(-5.5, 5.5)
    edges = {INF: 1.0, -INF: -1.0, NAN: NAN}

    @staticmethod
    def forward(x):
        from scipy.special import erf

        return erf(x)

    @staticmethod
    def gradient(g, y, x):
        return g * (2 / math.sqrt(math.pi) * exp(-(x * x)))


class Erfc(Elementwise):
    """One minus the error function, far out in the tail too."""

    formula = "1 - erf(x)"
    domain = reals(-5.5, 20)
    edges = {INF: 0.0, -INF: 2.0, NAN: NAN}

    @staticmethod
    def forward(x):
        if x.dtype == np.float32:
            return _erfc_of_singles(x)
        from scipy.special import erfc

        return erfc(x)

    @staticmethod
    def gradient(g, y, x):
        return -(g * (2 / math.sqrt(math.pi) * exp(-(x * x))))


# exp(z²)·erfc(z)/t as a polynomial in t = 1/(1 + 0.3z), for z from 0 to 11: relative error 2·10⁻⁸ (fitted, and tested)
_SINGLE = (
    0.16918741315150224, 0.17072382097400085, 0.14828617891026288, 0.21510759799547652, -0.09502922962573357,
    0.5482126227727953, -0.5126694886865193, 0.48573708048887687, -0.12955601560757893,
)  # fmt: skip


def _erfc_of_singles(x):
    """erfc of float32, twice as fast as SciPy's entry by entry: computed in float64, where seven digits come easily.

    A few thousand entries at a time: numbers that stay in the cache cost less than fresh memory for every step.
    """
    out = np.empty(np.shape(x), np.float32)
    flat, given = out.reshape(-1), np.ravel(x)
    work = np.empty((3, min(_BLOCK, flat.size)))
    for start in range(0, flat.size, _BLOCK):
        part = given[start : start + _BLOCK]
        z, t, y = work[:, : part.size]
        np.absolute(part, out=z)
        np.multiply(z, 0.3, out=t)
        t += 1
        np.reciprocal(t, out=t)
        np.multiply(t, _SINGLE[-1], out=y)
        for c in _SINGLE[-2:0:-1]:
            y += c
            y *= t
        y += _SINGLE[0]
        y *= t
        z *= z
        np.negative(z, out=z)
        y *= np.exp(z, out=z)
        flat[start : start + _BLOCK] = np.where(part < 0, 2 - y, y)
    return out


_BLOCK = 8192

# the log-odds of the share of a standard normal below x, divided by x, as a polynomial in x², for |x| up to 3 (fitted, and
# tested: a few units in the last place of float32, as the condition number has it)
_LOG_ODDS = (
    1.595769609696896, 0.07266851256001856, -6.963119456482374e-05, -0.00010744366667155891, 6.89110721107153e-06,
    -9.688864153421572e-08, -9.425826248497004e-09, 3.812267965573366e-10,
)  # fmt: skip


def share_below(x):
    """The share of a standard normal below x, with all its digits in the left tail too."""
    if x.dtype != np.float32:
        return scalar(0.5, x) * Erfc.forward(x * scalar(-math.sqrt(0.5), x))  # 1 + erf has no digits left there
    out = np.empty(np.shape(x), np.float32)
    flat, given = out.reshape(-1), np.ravel(x)
    work = np.empty((2, min(2 * _BLOCK, flat.size)), np.float32)
    for start in range(0, flat.size, 2 * _BLOCK):
        part, below = given[start : start + 2 * _BLOCK], flat[start : start + 2 * _BLOCK]
        near, square = work[:, : part.size]
        np.clip(part, -3, 3, out=near)
        np.multiply(near, near, out=square)
        np.multiply(square, _LOG_ODDS[-1], out=below)
        for c in _LOG_ODDS[-2:0:-1]:
            below += c
            below *= square
        below += _LOG_ODDS[0]
        below *= near
        np.negative(below, out=below)
        np.exp(below, out=below)
        below += 1
        np.reciprocal(below, out=below)
    far = np.flatnonzero(np.abs(given) > 3)
    flat[far] = 0.5 * _erfc_of_singles(given[far] * np.float32(-math.sqrt(0.5)))
    return out


class Erfinv(Elementwise):
    """The number whose error function this is."""

    formula = "erfinv(x)"
    domain = reals(-0.999, 0.999)
    edges = {1.0: INF, -1.0: -INF, NAN: NAN}

    @staticmethod
    def forward(x):
        from scipy.special import erfinv

        return np.where(x == 0, x, erfinv(x))  # SciPy's loses the sign of −0

    @staticmethod
    def gradient(g, y, x):
        return g * (math.sqrt(math.pi) / 2 * exp(y * y))


class Sinc(Elementwise):
    """sin(πx)/(πx), and 1 at 0."""

    formula = "where(x == 0, 1, sin(pi*x) / (pi*x))"
    domain = reals(-3, 3)
    edges = {0.0: 1.0, NAN: NAN}

    @staticmethod
    def forward(x):
        u = np.abs(x)
        fold = np.remainder(u, 2)  # sin(πx) from a quarter turn: π·x rounds, x − 1 does not
        quarter = np.where(fold > 1.5, fold - 2, np.where(fold > 0.5, 1 - fold, fold))
        safe = np.where(u == 0, 1, u)
        return np.where(u == 0, scalar(1.0, u), np.sin(np.pi * quarter).astype(u.dtype) / (scalar(np.pi, u) * safe))

    @staticmethod
    def gradient(g, y, x):
        near = less(absolute(x), 0.75)  # the two terms of the slope are nearly the same there: a series in (πx)²
        safe = where(near, 1.0, x)
        q = where(near, x * math.pi, 0.0)
        q = q * q
        series = _SINC_SLOPE[-1]
        for c in _SINC_SLOPE[-2::-1]:
            series = series * q + c
        return g * where(near, x * (math.pi**2 * series), (cos(safe * math.pi) - sinc(safe)) / safe)


# Σ (−1)ᵏ 2k uᵏ⁻¹/(2k + 1)!: the slope of sin u/u is u times this in u²
_SINC_SLOPE = [(-1) ** k * 2 * k / math.factorial(2 * k + 1) for k in range(1, 17)]
