"""Arithmetic, entry by entry."""

from __future__ import annotations

import numpy as np

from openbook.ops.domain import INF, NAN, POSITIVE, reals
from openbook.ops.op import Elementwise
from openbook.ops.vocabulary import greater, log, sign, where


class Add(Elementwise):
    """The sum of two numbers."""

    formula = "x + y"

    @staticmethod
    def forward(x, y):
        return x + y

    @staticmethod
    def gradient(g, out, x, y):
        return g, g


class Sub(Elementwise):
    """The difference of two numbers."""

    formula = "x - y"

    @staticmethod
    def forward(x, y):
        return x - y

    @staticmethod
    def gradient(g, out, x, y):
        return g, lambda: -g


class Mul(Elementwise):
    """The product of two numbers."""

    formula = "x * y"

    @staticmethod
    def forward(x, y):
        return x * y

    @staticmethod
    def gradient(g, out, x, y):
        return lambda: g * y, lambda: g * x


class Div(Elementwise):
    """One number divided by another."""

    formula = "x / y"
    domain = (reals(), POSITIVE)

    @staticmethod
    def forward(x, y):
        return np.true_divide(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        return lambda: g / y, lambda: -g * (out / y)


class Pow(Elementwise):
    """One number to the power of another."""

    formula = "x ** y"
    domain = (POSITIVE, reals(-3, 3))

    @staticmethod
    def forward(x, y):
        return np.power(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        def of_exponent():
            positive = greater(x, 0)
            return g * where(positive, out * log(where(positive, x, 1.0)), out * 0.0)

        return lambda: g * (y * x ** (y - 1)), of_exponent


class Neg(Elementwise):
    """The number with its sign turned."""

    formula = "-x"

    @staticmethod
    def forward(x):
        return -x

    @staticmethod
    def gradient(g, y, x):
        return -g


class Abs(Elementwise):
    """The distance from zero; its slope at zero is taken as 0, as PyTorch does."""

    formula = "abs(x)"
    domain = reals(-10, 10, kinks=(0.0,))
    edges = {INF: INF, -INF: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.abs(x)

    @staticmethod
    def gradient(g, y, x):
        return g * sign(x)


class Sign(Elementwise):
    """−1, 0 or 1; flat everywhere it has a slope."""

    formula = "sign(x)"
    domain = reals(-10, 10, kinks=(0.0,))

    @staticmethod
    def forward(x):
        return np.sign(x)

    @staticmethod
    def gradient(g, y, x):
        return g * 0.0


class Square(Elementwise):
    """A number times itself."""

    formula = "x**2"
    edges = {INF: INF, -INF: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return x * x

    @staticmethod
    def gradient(g, y, x):
        return g * (2 * x)


class Reciprocal(Elementwise):
    """One divided by a number."""

    formula = "1 / x"
    domain = POSITIVE
    edges = {INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        return 1 / x

    @staticmethod
    def gradient(g, y, x):
        return -(g * y * y)


class Floor(Elementwise):
    """The largest whole number that is not larger; flat between them, and its slope is taken as 0 everywhere."""

    formula = "floor(x)"
    domain = reals(-10, 10, kinks=tuple(map(float, range(-10, 11))))
    edges = {INF: INF, -INF: -INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.floor(x)

    @staticmethod
    def gradient(g, y, x):
        return g * 0


class Ceil(Elementwise):
    """The smallest whole number that is not smaller; its slope is taken as 0 everywhere."""

    formula = "ceil(x)"
    domain = reals(-10, 10, kinks=tuple(map(float, range(-10, 11))))
    edges = {INF: INF, -INF: -INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.ceil(x)

    @staticmethod
    def gradient(g, y, x):
        return g * 0
