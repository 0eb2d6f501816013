"""The gamma function's logarithm and its derivatives."""

from __future__ import annotations

from functools import cache

import numpy as np

from openbook.ops.domain import INF, NAN, reals
from openbook.ops.op import Elementwise
from openbook.ops.vocabulary import digamma, polygamma

_GAMMA = 0.5772156649015329  # Euler and Mascheroni


@cache
def _series() -> np.ndarray:
    """(ζ(k) − 1)/k with alternating signs, k = 2…: ln Γ(2 + w) = (1 − γ)w + Σ c_k wᵏ (Abramowitz & Stegun 6.1.33)."""
    from scipy.special import zetac

    k = np.arange(2, 50)
    return zetac(k) / k * np.where(k % 2, -1.0, 1.0)


def _near_two(w):
    """ln Γ(2 + w) for |w| ≤ ½: a series that begins with w, so that the zero at 2 keeps all its digits."""
    total = np.zeros_like(w)
    for c in _series()[::-1]:
        total = (total + c) * w
    return w * ((1 - _GAMMA) + total)


class Lgamma(Elementwise):
    """The logarithm of the size of the gamma function: ln |(x − 1)!| for whole x."""

    formula = "lgamma(x)"
    domain = reals(1e-3, 50)
    edges = {INF: INF, -INF: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        from scipy.special import gammaln

        y = np.where(np.isneginf(x), np.inf, gammaln(x))
        with np.errstate(divide="ignore"):  # Γ(x) ≈ 1/x, where 1/x would overflow
            y = np.where(np.abs(x) < 1e-300, -np.log(np.abs(x)), y)
        v = np.asarray(x, np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            about_two, about_one = (v > 1.5) & (v < 2.5), (v > 0.5) & (v <= 1.5)
            if about_two.any():
                y = np.where(about_two, _near_two(np.where(about_two, v - 2, 0.0)), y)
            if about_one.any():  # Γ(x + 1) = xΓ(x)
                z = np.where(about_one, v - 1, 0.0)
                y = np.where(about_one, _near_two(z) - np.log1p(z), y)
        return y.astype(np.result_type(x, np.float16), copy=False)

    @staticmethod
    def gradient(g, y, x):
        return g * digamma(x)


class Digamma(Elementwise):
    """The slope of lgamma."""

    formula = "digamma(x)"
    domain = reals(1e-3, 50)
    edges = {INF: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        from scipy.special import digamma as of

        y = np.asarray(of(x))
        return np.where(x == 0, np.copysign(np.inf, -np.asarray(x)), y).astype(y.dtype)  # as PyTorch: ∓∞ at ±0

    @staticmethod
    def gradient(g, y, x):
        return g * polygamma(x, n=1)


class Polygamma(Elementwise):
    """The n-th derivative of digamma."""

    formula = "trigamma(x)"
    domain = reals(1e-3, 50)

    @staticmethod
    def forward(x, *, n=1):
        from scipy.special import polygamma as of

        if n == 0:
            return Digamma.forward(x)
        return np.asarray(of(n, x)).astype(np.result_type(x, np.float16), copy=False)

    @staticmethod
    def gradient(g, y, x, *, n=1):
        return g * polygamma(x, n=n + 1)
