"""Operations on single numbers, entry by entry."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.ops.domain import reals
from openbook.ops.op import Elementwise
from openbook.ops.vocabulary import cos, equal, greater, log, sigmoid, sign, sin, where

INF, NAN = math.inf, math.nan
POSITIVE = reals(1e-3, 50.0)


def _scalar(value: float, like: Any) -> Any:
    """A constant in the dtype of an array, so that float32 stays float32."""
    return np.asarray(value, dtype=like.dtype) if isinstance(like, (np.ndarray, np.generic)) else value


# --- arithmetic ------------------------------------------------------------------------------------------------


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


# --- exponentials and logarithms -------------------------------------------------------------------------------


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


# --- circles and hyperbolas ------------------------------------------------------------------------------------


class Sin(Elementwise):
    """The sine of an angle in radians."""

    formula = "sin(x)"
    domain = reals(-7, 7)

    @staticmethod
    def forward(x):
        return np.sin(x)

    @staticmethod
    def gradient(g, y, x):
        return g * cos(x)


class Cos(Elementwise):
    """The cosine of an angle in radians."""

    formula = "cos(x)"
    domain = reals(-7, 7)

    @staticmethod
    def forward(x):
        return np.cos(x)

    @staticmethod
    def gradient(g, y, x):
        return -g * sin(x)


class Tanh(Elementwise):
    """Squash any number into (−1, 1)."""

    formula = "tanh(x)"
    domain = reals(-20, 20)
    edges = {INF: 1.0, -INF: -1.0, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.tanh(x)

    @staticmethod
    def gradient(g, y, x):
        # 1 - y*y loses every digit in the tail, where y is within rounding of 1; 4σ(2x)σ(−2x) keeps them.
        return g * (4 * sigmoid(2 * x) * sigmoid(-2 * x))


# --- activations -----------------------------------------------------------------------------------------------


class Sigmoid(Elementwise):
    """Squash any number into (0, 1)."""

    formula = "1 / (1 + exp(-x))"
    latex = r"\sigma\left({0}\right)"
    slope = "sigmoid(x)*(1 - sigmoid(x))"
    domain = reals(-40, 40)
    edges = {INF: 1.0, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        e = np.exp(-np.abs(x))
        return np.where(np.signbit(x), e, _scalar(1.0, e)) / (1 + e)

    @staticmethod
    def gradient(g, y, x):
        return g * y * sigmoid(-x)  # y*(1-y) loses all digits when y is close to 1


class LogSigmoid(Elementwise):
    """The logarithm of the sigmoid, right far out in the tail."""

    name = "logsigmoid"
    formula = "-log(1 + exp(-x))"
    domain = reals(-40, 40)
    edges = {INF: 0.0, -INF: -INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))

    @staticmethod
    def gradient(g, y, x):
        return g * sigmoid(-x)


class Softplus(Elementwise):
    """A smooth ReLU: the area under the sigmoid."""

    formula = "log(1 + exp(x))"
    domain = reals(-40, 40)
    edges = {INF: INF, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))

    @staticmethod
    def gradient(g, y, x):
        return g * sigmoid(x)


class Relu(Elementwise):
    """Let the positive through; at zero the slope is taken as 0, as PyTorch does."""

    formula = "max(x, 0)"
    latex = r"\operatorname{{ReLU}}\left({0}\right)"
    domain = reals(-10, 10, kinks=(0.0,))
    edges = {INF: INF, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.maximum(x, _scalar(0.0, x))

    @staticmethod
    def gradient(g, y, x):
        return g * greater(x, 0)


class LeakyRelu(Elementwise):
    """A ReLU that leaks a little of the negative."""

    name = "leaky_relu"
    formula = "where(x > 0, x, 0.01 * x)"
    domain = reals(-10, 10, kinks=(0.0,))
    edges = {INF: INF, -INF: -INF, NAN: NAN}

    @staticmethod
    def forward(x, *, negative_slope=0.01):
        return np.where(x > 0, x, x * _scalar(negative_slope, x))

    @staticmethod
    def gradient(g, y, x, *, negative_slope=0.01):
        return where(greater(x, 0), g, g * negative_slope)


class Silu(Elementwise):
    """x weighted by its own sigmoid (swish)."""

    formula = "x / (1 + exp(-x))"
    domain = reals(-30, 30)
    edges = {INF: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return x * Sigmoid.forward(x)

    @staticmethod
    def gradient(g, y, x):
        s = sigmoid(x)
        return g * (s * (1 + x * sigmoid(-x)))


# --- choices ---------------------------------------------------------------------------------------------------


class Maximum(Elementwise):
    """The larger of two; where they tie, each takes half the slope, as PyTorch does."""

    formula = "max(x, y)"

    @staticmethod
    def forward(x, y):
        return np.maximum(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        tie = equal(x, y) * 0.5
        return lambda: g * (greater(x, y) + tie), lambda: g * (greater(y, x) + tie)


class Minimum(Elementwise):
    """The smaller of two; where they tie, each takes half the slope, as PyTorch does."""

    formula = "min(x, y)"

    @staticmethod
    def forward(x, y):
        return np.minimum(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        tie = equal(x, y) * 0.5
        return lambda: g * (greater(y, x) + tie), lambda: g * (greater(x, y) + tie)


class Where(Elementwise):
    """One of two values, by a condition."""

    formula = "where(condition, x, y)"

    @staticmethod
    def forward(condition, x, y):
        return np.where(condition, x, y)

    @staticmethod
    def gradient(g, out, condition, x, y):
        return None, lambda: where(condition, g, 0.0), lambda: where(condition, 0.0, g)


class Greater(Elementwise):
    """Whether one number is larger than another."""

    formula = "x > y"
    differentiable = False

    @staticmethod
    def forward(x, y):
        return np.greater(x, y)


class Equal(Elementwise):
    """Whether two numbers are the same."""

    formula = "x == y"
    differentiable = False

    @staticmethod
    def forward(x, y):
        return np.equal(x, y)
