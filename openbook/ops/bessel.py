"""Bessel functions. Those that models differentiate have rules; the others are values alone, as in PyTorch."""

from __future__ import annotations

import numpy as np

from openbook.ops.comparison import Question
from openbook.ops.domain import INF, NAN, reals
from openbook.ops.op import Elementwise
from openbook.ops.vocabulary import absolute, bessel_i, exp, i0, i0e, i1, i1e, less, sign, where


class I0(Elementwise):
    """The modified Bessel function of the first kind, of order 0."""

    formula = "i0(x)"
    domain = reals(-20, 20)
    edges = {INF: INF, -INF: INF, NAN: NAN}
    slack = {0: 1.5, 1: 1.5, 2: 1.5}  # SciPy's own digits

    @staticmethod
    def forward(x):
        from scipy.special import i0

        return np.where(np.isinf(x), np.abs(x), i0(x)).astype(np.result_type(x, np.float16), copy=False)

    @staticmethod
    def gradient(g, y, x):
        return g * i1(x)


class I1(Elementwise):
    """The modified Bessel function of the first kind, of order 1."""

    formula = "i1(x)"
    domain = reals(-20, 20)
    edges = {INF: INF, -INF: -INF, NAN: NAN}
    slack = {0: 1.5, 1: 1.5, 2: 1.5}  # SciPy's own digits

    @staticmethod
    def forward(x):
        from scipy.special import i1

        return np.where(np.isinf(x), x, i1(x)).astype(np.result_type(x, np.float16), copy=False)

    @staticmethod
    def gradient(g, y, x):
        return g * ((i0(x) + bessel_i(x, n=2)) * 0.5)


class BesselI(Elementwise):
    """The modified Bessel function of the first kind, of order n; the slope of each is the mean of its neighbours."""

    name = "bessel_i"
    formula = "i0(x) - 2*i1(x)/x"
    domain = reals(-20, 20)
    slack = {0: 1.5, 1: 1.5, 2: 1.5}  # SciPy's own digits

    @staticmethod
    def forward(x, *, n=2):
        from scipy.special import iv

        return np.where(np.abs(x) < 1e-300, float(n == 0), iv(n, x)).astype(np.result_type(x, np.float16))

    @staticmethod
    def gradient(g, y, x, *, n=2):
        return g * ((bessel_i(x, n=n - 1) + bessel_i(x, n=n + 1)) * 0.5)


class I0e(Elementwise):
    """`i0` with its exponential growth taken out."""

    formula = "exp(-abs(x))*i0(x)"
    domain = reals(-10, 10, kinks=(0.0,))
    edges = {INF: 0.0, -INF: 0.0, NAN: NAN}
    slack = {0: 1.5, 1: 30, 2: 200}  # the growth, taken out of each slope again, takes digits with it

    @staticmethod
    def forward(x):
        from scipy.special import i0e

        return np.where(np.isinf(x), np.zeros_like(x), i0e(x))

    @staticmethod
    def gradient(g, y, x):
        return g * (i1e(x) - sign(x) * y)


class I1e(Elementwise):
    """`i1` with its exponential growth taken out."""

    formula = "exp(-abs(x))*i1(x)"
    domain = reals(-10, 10, kinks=(0.0,))
    edges = {INF: 0.0, -INF: 0.0, NAN: NAN}
    slack = {0: 3, 1: 45, 2: 300}  # the growth, taken out of each slope again, takes digits with it

    @staticmethod
    def forward(x):
        from scipy.special import i1e

        return np.where(np.isinf(x), np.zeros_like(x), i1e(x))

    @staticmethod
    def gradient(g, y, x):
        size = absolute(x)
        small = less(size, 700)  # where i2 itself can be stored
        second = where(
            small,
            bessel_i(where(small, x, 1.0), n=2) * exp(-where(small, size, 1.0)),
            i0e(x) - 2 * (y / where(small, 1.0, x)),
        )
        return g * ((i0e(x) + second) * 0.5 - sign(x) * y)


def _values(name: str, scipys: str, what: str) -> type:
    def forward(x):
        import scipy.special

        return getattr(scipy.special, scipys)(x)

    return type(
        name, (Question,), {"__doc__": what, "name": name, "forward": staticmethod(forward), "__module__": __name__}
    )


for _kind, _letter, _what in (
    ("bessel_j", "j", "The Bessel function of the first kind"),
    ("bessel_y", "y", "The Bessel function of the second kind"),
    ("modified_bessel_k", "k", "The modified Bessel function of the second kind"),
    ("scaled_modified_bessel_k", "k", "The modified Bessel function of the second kind times exp(x)"),
):
    for _order in (0, 1):
        _end = "e" if _kind.startswith("scaled") else ""
        _values(f"{_kind}{_order}", f"{_letter}{_order}{_end}", f"{_what}, of order {_order}.")


class SphericalBesselJ0(Question):
    """The spherical Bessel function of the first kind, of order 0: sin(x)/x."""

    name = "spherical_bessel_j0"

    @staticmethod
    def forward(x):
        from scipy.special import spherical_jn

        return spherical_jn(0, x).astype(np.result_type(x, np.float16))


class AiryAi(Question):
    """Airy's function Ai."""

    name = "airy_ai"

    @staticmethod
    def forward(x):
        from scipy.special import airy

        return airy(x)[0].astype(np.result_type(x, np.float16))


class Zeta(Question):
    """Hurwitz's zeta function, Σ (k + q)^−x."""

    @staticmethod
    def forward(x, q):
        from scipy.special import zeta

        return zeta(x, q)
