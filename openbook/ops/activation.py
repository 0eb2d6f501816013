"""Activations: what bends a network."""

from __future__ import annotations

import math

import numpy as np

from openbook.ops.domain import INF, NAN, reals
from openbook.ops.op import Elementwise, scalar
from openbook.ops.special import Erfc
from openbook.ops.vocabulary import (
    erfc,
    exp,
    gelu_tanh_slope,
    greater,
    greater_equal,
    mish_slope,
    sigmoid,
    sigmoid_slope,
    silu_slope,
    tanh,
    where,
)


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
        return np.where(np.signbit(x), e, scalar(1.0, e)) / (1 + e)

    @staticmethod
    def gradient(g, y, x):
        return g * sigmoid_slope(x)


class SigmoidSlope(Elementwise):
    """The slope of the sigmoid: σ(x)·(1 − σ(x)), which as it stands loses all digits where σ is close to 1."""

    name = "sigmoid_slope"
    formula = "exp(-x) / (1 + exp(-x))**2"
    domain = reals(-40, 40)
    edges = {INF: 0.0, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        e = np.exp(-np.abs(x))
        once = 1 + e
        return e / (once * once)

    @staticmethod
    def gradient(g, y, x):
        return -(g * y * tanh(x * 0.5))


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

    formula = "log(1 + exp(beta*x)) / beta"
    domain = reals(-40, 40)
    edges = {INF: INF, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x, *, beta=1.0, threshold=20.0):
        # beyond PyTorch's threshold its softplus is x itself; this one needs none, and is right there too
        z = x if beta == 1 else x * scalar(beta, x)
        y = np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
        return y if beta == 1 else y / scalar(beta, x)

    @staticmethod
    def gradient(g, y, x, *, beta=1.0, threshold=20.0):
        return g * sigmoid(x if beta == 1 else x * beta)


class Relu(Elementwise):
    """Let the positive through; at zero the slope is taken as 0, as PyTorch does."""

    formula = "max(x, 0)"
    latex = r"\operatorname{{ReLU}}\left({0}\right)"
    domain = reals(-10, 10, kinks=(0.0,))
    edges = {INF: INF, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        if x.dtype.char not in _ZEROS or not x.flags.c_contiguous:
            return np.maximum(x, scalar(0.0, x))
        zeros = _ZEROS[x.dtype.char]  # against as many zeros NumPy is three times as fast as against a single one
        if x.size <= BLOCK:
            return np.maximum(x, zeros[: x.size].reshape(x.shape))
        y = np.empty_like(x)
        flat, out = x.reshape(-1), y.reshape(-1)
        for start in range(0, x.size, BLOCK):
            part = flat[start : start + BLOCK]
            np.maximum(part, zeros[: part.size], out=out[start : start + BLOCK])
        return y

    @staticmethod
    def gradient(g, y, x):
        return g * greater(x, 0)


BLOCK = 32_768
_ZEROS = {kind: np.zeros(BLOCK, kind) for kind in "fd"}


class LeakyRelu(Elementwise):
    """A ReLU that leaks a little of the negative."""

    name = "leaky_relu"
    formula = "where(x > 0, x, negative_slope * x)"
    domain = reals(-10, 10, kinks=(0.0,))
    edges = {INF: INF, -INF: -INF, NAN: NAN}

    @staticmethod
    def forward(x, *, negative_slope=0.01):
        return np.where(x > 0, x, x * scalar(negative_slope, x))

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
        return g * silu_slope(x)


class Elu(Elementwise):
    """The positive as it is, the negative bent towards −α (Clevert et al. 2016)."""

    formula = "where(x > 0, x, alpha * (exp(x) - 1))"
    domain = reals(-30, 10, kinks=(0.0,))
    edges = {INF: INF, -INF: -1.0, NAN: NAN}

    @staticmethod
    def forward(x, *, alpha=1.0):
        return np.where(x > 0, x, scalar(alpha, x) * np.expm1(np.minimum(x, 0)))

    @staticmethod
    def gradient(g, y, x, *, alpha=1.0):
        return where(greater(x, 0), g, g * (alpha * exp(where(greater_equal(x, 0), 0.0, x))))


class Selu(Elementwise):
    """An ELU scaled so that activations keep mean 0 and variance 1 (Klambauer et al. 2017)."""

    formula = "1.0507009873554805*where(x > 0, x, 1.6732632423543772*(exp(x) - 1))"
    domain = reals(-30, 10, kinks=(0.0,))
    edges = {INF: INF, -INF: -1.0507009873554805 * 1.6732632423543772, NAN: NAN}
    scale, alpha = 1.0507009873554805, 1.6732632423543772

    @staticmethod
    def forward(x):
        return scalar(Selu.scale, x) * np.where(x > 0, x, scalar(Selu.alpha, x) * np.expm1(np.minimum(x, 0)))

    @staticmethod
    def gradient(g, y, x):
        return g * where(greater(x, 0), Selu.scale, Selu.scale * Selu.alpha * exp(where(greater_equal(x, 0), 0.0, x)))


class Gelu(Elementwise):
    """x weighted by the share of a standard normal below it (Hendrycks and Gimpel 2016)."""

    formula = "x/2 * (1 + erf(x/sqrt(2)))"
    domain = reals(-12, 10)
    edges = {INF: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return 0.5 * x * Erfc.forward(-x * scalar(math.sqrt(0.5), x))  # 1 + erf has no digits left in the tail

    @staticmethod
    def gradient(g, y, x):
        below = 0.5 * erfc(x * -math.sqrt(0.5))
        return g * (below + x * (math.sqrt(0.5 / math.pi) * exp(-0.5 * (x * x))))


class GeluTanh(Elementwise):
    """The GELU of early transformers: the normal's share approximated with a tanh."""

    name = "gelu_tanh"
    formula = "0.5*x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))"
    domain = reals(-8, 8)
    edges = {INF: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return x * Sigmoid.forward(GeluTanh.steepness * x * (1 + GeluTanh.cubic * x * x))  # (1 + tanh u)/2 = σ(2u)

    @staticmethod
    def gradient(g, y, x):
        return g * gelu_tanh_slope(x)

    steepness, cubic = 2 * math.sqrt(2 / math.pi), 0.044715


class Mish(Elementwise):
    """x weighted by the tanh of its softplus (Misra 2019)."""

    formula = "x * tanh(log(1 + exp(x)))"
    domain = reals(-30, 20)
    edges = {INF: INF, NAN: NAN}

    @staticmethod
    def forward(x):
        return x * np.tanh(Softplus.forward(x))

    @staticmethod
    def gradient(g, y, x):
        return g * mish_slope(x)


class Hardsigmoid(Elementwise):
    """A sigmoid of three straight pieces."""

    formula = "min(max(x/6 + 1/2, 0), 1)"
    domain = reals(-6, 6, kinks=(-3.0, 3.0))
    edges = {INF: 1.0, -INF: 0.0, NAN: NAN}

    @staticmethod
    def forward(x):
        return np.clip(x / scalar(6.0, x) + scalar(0.5, x), scalar(0.0, x), scalar(1.0, x))

    @staticmethod
    def gradient(g, y, x):
        return g * (greater(x, -3) * greater(3, x)) / 6


class Hardtanh(Elementwise):
    """Straight inside an interval, flat outside; at its ends the slope is taken as 0 (clamp's is 1), as PyTorch does."""

    formula = "min(max(x, min_val), max_val)"
    domain = reals(-3, 3, kinks=(-1.0, 1.0))
    edges = {INF: 1.0, -INF: -1.0, NAN: NAN}

    @staticmethod
    def forward(x, *, min_val=-1.0, max_val=1.0):
        return np.clip(x, scalar(min_val, x), scalar(max_val, x))

    @staticmethod
    def gradient(g, y, x, *, min_val=-1.0, max_val=1.0):
        return g * (greater(x, min_val) * greater(max_val, x))
