"""Entries brought to a common scale."""

from __future__ import annotations

import numpy as np

from openbook.ops.along import Along, count_of
from openbook.ops.vocabulary import exp, mean, rsqrt, total


class Standardize(Along):
    """Less their mean, divided by their standard deviation (of n, not n − 1): what layer and batch norms share."""

    formula = "(x - mean(x)) / sqrt(mean((x - mean(x))**2) + eps)"

    @staticmethod
    def keeping(x, *, axis, eps=1e-5):
        d = x - np.add.reduce(x, axis=axis, keepdims=True) / x.dtype.type(count_of(x.shape, axis))
        variance = np.add.reduce(d * d, axis=axis, keepdims=True) / x.dtype.type(count_of(x.shape, axis))
        scale = 1 / np.sqrt(variance + x.dtype.type(eps))
        return d * scale, scale

    @staticmethod
    def forward(x, *, axis, eps=1e-5):
        return Standardize.keeping(x, axis=axis, eps=eps)[0]

    @staticmethod
    def gradient(g, y, x, *, axis, eps=1e-5, kept=None):
        scale = kept
        if scale is None:
            d = x - mean(x, axis=axis, keepdims=True)
            scale = rsqrt(mean(d * d, axis=axis, keepdims=True) + eps)
        along = y * mean(g * y, axis=axis, keepdims=True)
        return (g - mean(g, axis=axis, keepdims=True) - along) * scale


class RmsStandardize(Along):
    """Divided by the root of their mean square (Zhang & Sennrich 2019)."""

    name = "rms_standardize"
    formula = "x / sqrt(mean(x**2) + eps)"

    @staticmethod
    def forward(x, *, axis, eps=1e-5):
        return x / np.sqrt(np.mean(x * x, axis=axis, keepdims=True) + x.dtype.type(eps))

    @staticmethod
    def gradient(g, y, x, *, axis, eps=1e-5):
        scale = rsqrt(mean(x * x, axis=axis, keepdims=True) + eps)
        return (g - y * mean(g * y, axis=axis, keepdims=True)) * scale


class Softmax(Along):
    """Logits to probabilities: exponentials, each divided by their sum."""

    formula = "exp(x) / sum(exp(x))"

    @staticmethod
    def forward(x, *, axis=-1):
        e = np.exp(x - np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)) if x.size else np.exp(x)
        return e / np.add.reduce(e, axis=axis, keepdims=True)

    @staticmethod
    def gradient(g, y, x, *, axis=-1):
        return y * (g - total(g * y, axis=axis, keepdims=True))


class LogSoftmax(Along):
    """The logarithms of the softmax, without ever forming the small probabilities."""

    name = "log_softmax"
    formula = "x - log(sum(exp(x)))"

    @staticmethod
    def forward(x, *, axis=-1):
        if x.ndim == 0 or not x.size:
            return np.zeros_like(x)
        top = np.argmax(x, axis=axis, keepdims=True)
        d = x - np.take_along_axis(x, top, axis)
        e = np.exp(d)
        # the largest one is the 1 in log1p: near certainty the others are all digits (NaN, of an infinite one, stays NaN)
        np.put_along_axis(e, top, np.take_along_axis(e, top, axis) - 1, axis)
        return d - np.log1p(np.add.reduce(e, axis=axis, keepdims=True))

    @staticmethod
    def gradient(g, y, x, *, axis=-1):
        return g - exp(y) * total(g, axis=axis, keepdims=True)
