"""The error function and its complement."""

from __future__ import annotations

import math

from openbook.ops.domain import INF, NAN, reals
from openbook.ops.op import Elementwise
from openbook.ops.vocabulary import exp


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
        from scipy.special import erfc

        return erfc(x)

    @staticmethod
    def gradient(g, y, x):
        return -(g * (2 / math.sqrt(math.pi) * exp(-(x * x))))
