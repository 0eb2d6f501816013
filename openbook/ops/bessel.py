"""Bessel functions, and what the modified ones leave when their exponential growth is taken out."""

from __future__ import annotations

import math

import numpy as np

from openbook.ops.domain import INF, NAN, reals
from openbook.ops.op import Elementwise
from openbook.ops.vocabulary import bessel_i, bessel_j, i0e_slope, i1, i1e_slope


class I0(Elementwise):
    """The modified Bessel function of the first kind, of order 0."""

    formula = "i0(x)"
    domain = reals(-20, 20)
    edges = {INF: INF, -INF: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return _modified(x, 0)

    @staticmethod
    def gradient(g, y, x):
        return g * i1(x)


class I1(Elementwise):
    """The modified Bessel function of the first kind, of order 1."""

    formula = "i1(x)"
    domain = reals(-20, 20)
    edges = {INF: INF, -INF: -INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return _modified(x, 1)

    @staticmethod
    def gradient(g, y, x):
        return g * ((bessel_i(x, n=0) + bessel_i(x, n=2)) * 0.5)


class BesselI(Elementwise):
    """The modified Bessel function of the first kind, of order n; the slope of each is the mean of its neighbours."""

    name = "bessel_i"
    formula = "i0(x) - 2*i1(x)/x"
    domain = reals(-20, 20)

    @staticmethod
    def forward(x, *, n=2):
        return _modified(x, abs(n))

    @staticmethod
    def gradient(g, y, x, *, n=2):
        return g * ((bessel_i(x, n=n - 1) + bessel_i(x, n=n + 1)) * 0.5)


def _modified(x, n):
    from scipy.special import iv, ive

    v = np.asarray(x, np.float64)
    huge = np.abs(v) > 700
    half = np.exp(np.where(huge, np.abs(v), 0.0) / 2)  # eˣ overflows before Iₙ does
    with np.errstate(invalid="ignore"):
        far = np.where(huge, ive(n, v) * half * half, iv(n, v))
    beyond = np.inf if n % 2 == 0 else np.copysign(np.inf, v)
    return _or_series(x, np.where(np.abs(v) > 720, beyond, far), n, 1)


def _or_series(x, far, n, sign):
    """Near 0, in place of SciPy's values, (x/2)ⁿ/n! · Σ (±x²/4)ᵏ/(k!(n + 1)…(n + k)): + of Iₙ, − of Jₙ."""
    v = np.asarray(x, np.float64)
    near = np.abs(v) < (8 if sign > 0 else 1)
    if near.any():
        half = np.where(near, v, 0.0) / 2
        z, series = half * half * sign, 1.0
        for k in range(30, 0, -1):
            series = 1 + z / (k * (n + k)) * series
        far = np.where(near, half**n / math.factorial(n) * series, far)
    return np.asarray(far).astype(np.result_type(x, np.float16), copy=False)


class BesselJ0(Elementwise):
    """The Bessel function of the first kind, of order 0."""

    name = "bessel_j0"
    formula = "bessel_j0(x)"
    domain = reals(-20, 20)
    edges = {INF: 0.0, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        from scipy.special import j0

        return _or_series(x, np.where(np.isinf(x), 0.0, j0(x)), 0, -1)

    @staticmethod
    def gradient(g, y, x):
        return -(g * bessel_j(x, n=1))


class BesselJ1(Elementwise):
    """The Bessel function of the first kind, of order 1."""

    name = "bessel_j1"
    formula = "bessel_j1(x)"
    domain = reals(-20, 20)
    edges = {INF: 0.0, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        from scipy.special import j1

        return _or_series(x, np.where(np.isinf(x), 0.0, j1(x)), 1, -1)

    @staticmethod
    def gradient(g, y, x):
        return g * ((bessel_j(x, n=0) - bessel_j(x, n=2)) * 0.5)


class BesselJ(Elementwise):
    """The Bessel function of the first kind, of order n; the slope of each is half the difference of its neighbours."""

    name = "bessel_j"
    formula = "2*bessel_j1(x)/x - bessel_j0(x)"
    domain = reals(-20, 20)

    @staticmethod
    def forward(x, *, n=2):
        from scipy.special import jv

        if abs(n) < 2:
            return (BesselJ1 if n else BesselJ0).forward(x) * (-1 if n < 0 else 1)
        v = np.asarray(x, np.float64)
        return _or_series(x, np.where(np.isinf(v), 0.0, jv(n, v)), n, -1)

    @staticmethod
    def gradient(g, y, x, *, n=2):
        return g * ((bessel_j(x, n=n - 1) - bessel_j(x, n=n + 1)) * 0.5)


# --- the growth taken out ------------------------------------------------------------------------------------------


class I0e(Elementwise):
    """`i0` with its exponential growth taken out."""

    formula = "exp(-abs(x))*i0(x)"
    domain = reals(-10, 10, kinks=(0.0,))
    edges = {INF: 0.0, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        from scipy.special import i0e

        return np.where(np.isinf(x), np.zeros_like(x), i0e(x))

    @staticmethod
    def gradient(g, y, x):
        return g * i0e_slope(x, n=1)


class I1e(Elementwise):
    """`i1` with its exponential growth taken out."""

    formula = "exp(-abs(x))*i1(x)"
    domain = reals(-10, 10, kinks=(0.0,))
    edges = {INF: 0.0, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        size = np.abs(np.asarray(x, np.float64))
        near = np.minimum(size, FAR) * _integral(size, lambda v: v * (2 - v))  # x/π ∫ sin²θ exp(−xv) dθ
        y = np.where(size > FAR, _series(size, 0) - _series(size, 1), near)
        return np.copysign(y, x).astype(np.result_type(x, np.float16), copy=False)

    @staticmethod
    def gradient(g, y, x):
        return g * i1e_slope(x, n=1)


class I0eSlope(Elementwise):
    """The n-th derivative of i0e, whose terms nearly cancel for large x: an integral of one sign instead."""

    name = "i0e_slope"
    formula = "exp(-abs(x))*(i1(x) - sign(x)*i0(x))"
    domain = reals(-10, 10, kinks=(0.0,))
    edges = {INF: 0.0, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x, *, n=1):
        size = np.abs(np.asarray(x, np.float64))
        y = np.where(size > FAR, _series(size, n), _integral(size, lambda v: v**n))
        return np.where(x == 0, _at_zero(n), (-np.sign(x)) ** n * y).astype(np.result_type(x, np.float16), copy=False)

    @staticmethod
    def gradient(g, y, x, *, n=1):
        return g * i0e_slope(x, n=n + 1)


class I1eSlope(Elementwise):
    """The n-th derivative of i1e: beyond 0, i1e is i0e and its slope."""

    name = "i1e_slope"
    formula = "exp(-abs(x))*(i0(x) - i1(x)/x - sign(x)*i1(x))"
    domain = reals(-10, 10, kinks=(0.0,))
    edges = {INF: 0.0, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x, *, n=1):
        size = np.abs(np.asarray(x, np.float64))
        near = _integral(size, lambda v: v**n * (1 - v))
        y = np.where(size > FAR, _series(size, n) - _series(size, n + 1), near)
        y = np.sign(x) * (-np.sign(x)) ** n * y
        return np.where(x == 0, _at_zero(n + 1), y).astype(np.result_type(x, np.float16), copy=False)

    @staticmethod
    def gradient(g, y, x, *, n=1):
        return g * i1e_slope(x, n=n + 1)


FAR, NODES = 40.0, 48


def _at_zero(n):
    """The n-th derivative of I0 at 0: there sign(x) counts as 0, as PyTorch has it."""
    return 0.0 if n % 2 else math.comb(n, n // 2) / 2.0**n


def _integral(size, weight):
    """1/π ∫₀^π weight(v) exp(−|x|v) dθ, v = 1 − cos θ, for |x| ≤ FAR: the trapezoid rule, of which a periodic function
    has all digits soon. With vⁿ it is the n-th derivative of i0e but for its sign, and nothing cancels."""
    near, total, lost = np.minimum(size, FAR), np.zeros_like(size), 0.0
    for k in range(NODES, -1, -1):
        v = 2 * math.sin(math.pi * k / (2 * NODES)) ** 2
        term = np.exp(-near * v) * (weight(v) * (0.5 if k in (0, NODES) else 1.0))
        now = total + term
        lost = lost + (total - (now - (now - total)) + (term - (now - total)))
        total = now
    return (total + lost) / NODES


def _series(size, n):
    """The same with vⁿ for |x| > FAR: the asymptotic series (DLMF 10.40.1, differentiated)."""
    far = np.maximum(size, FAR)
    term = far ** -(n + 0.5) * (math.gamma(n + 0.5) / (math.pi * math.sqrt(2.0)))
    series = term
    for k in range(30):
        term = term * ((n + k + 0.5) * (k + 0.5) / ((k + 1) * 2)) / far
        series = series + term
    return series
