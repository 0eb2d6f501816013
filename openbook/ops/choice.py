"""Choices between numbers."""

from __future__ import annotations

import numpy as np

from openbook.ops.domain import INF, NAN, reals
from openbook.ops.op import Elementwise, scalar
from openbook.ops.vocabulary import eq, greater_equal, isnan, less, less_equal, logical_or, where


class Maximum(Elementwise):
    """The larger of two; where they tie, each takes half the slope; beside NaN both take all, as PyTorch does."""

    formula = "max(x, y)"

    @staticmethod
    def forward(x, y):
        return np.maximum(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        tie = eq(x, y) * 0.5
        return lambda: g * (1 - (less(x, y) + tie)), lambda: g * (1 - (less(y, x) + tie))


class Minimum(Elementwise):
    """The smaller of two; where they tie, each takes half the slope; beside NaN both take all, as PyTorch does."""

    formula = "min(x, y)"

    @staticmethod
    def forward(x, y):
        return np.minimum(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        tie = eq(x, y) * 0.5
        return lambda: g * (1 - (less(y, x) + tie)), lambda: g * (1 - (less(x, y) + tie))


class Fmax(Elementwise):
    """The larger of two, or the one that is a number; where they tie, the first takes the slope, as PyTorch does."""

    formula = "max(x, y)"

    @staticmethod
    def forward(x, y):
        return np.fmax(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        first = logical_or(greater_equal(x, y), isnan(y))
        return lambda: where(first, g, 0.0), lambda: where(first, 0.0, g)


class Fmin(Elementwise):
    """The smaller of two, or the one that is a number; where they tie, the first takes the slope, as PyTorch does."""

    formula = "min(x, y)"

    @staticmethod
    def forward(x, y):
        return np.fmin(x, y)

    @staticmethod
    def gradient(g, out, x, y):
        first = logical_or(less_equal(x, y), isnan(y))
        return lambda: where(first, g, 0.0), lambda: where(first, 0.0, g)


class Where(Elementwise):
    """One of two values, by a condition."""

    formula = "where(condition, x, y)"

    @staticmethod
    def forward(condition, x, y):
        return np.where(condition, x, y)

    @staticmethod
    def gradient(g, out, condition, x, y):
        return None, lambda: where(condition, g, 0.0), lambda: where(condition, 0.0, g)


class Clamp(Elementwise):
    """Into an interval: what lies outside moves to its nearer end. At the ends themselves the gradient passes."""

    formula = "min(max(x, min), max)"
    domain = reals(-3, 3, kinks=(-1.0, 1.0))
    edges = {INF: 1.0, -INF: -1.0, NAN: NAN}

    @staticmethod
    def forward(x, *, min=-1.0, max=1.0):
        low = None if min is None else scalar(min, x)
        return np.clip(x, low, None if max is None else scalar(max, x))

    @staticmethod
    def gradient(g, y, x, *, min=-1.0, max=1.0):
        if min is not None:
            g = where(greater_equal(x, min), g, 0.0)
        return g if max is None else where(less_equal(x, max), g, 0.0)
