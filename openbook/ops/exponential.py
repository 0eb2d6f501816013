"""Exponentials, logarithms and roots."""

from __future__ import annotations

import math

import numpy as np

from openbook.ops.domain import INF, NAN, POSITIVE, reals
from openbook.ops.op import Elementwise
from openbook.ops.vocabulary import exp


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
