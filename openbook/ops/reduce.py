"""Operations that make many entries into fewer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.ops.op import Op
from openbook.ops.vocabulary import broadcast_to, equal, exp, reshape, total

Axes = int | tuple[int, ...] | None


def kept_shape(shape: tuple[int, ...], axis: Axes) -> tuple[int, ...]:
    """The shape with 1 where entries are summed away."""
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    gone = {a % len(shape) for a in axes} if shape else set()
    return tuple(1 if i in gone else n for i, n in enumerate(shape))


def _spread(g: Any, x: Any, axis: Axes) -> Any:
    """A cotangent of the reduced shape, given to every entry it came from."""
    return broadcast_to(reshape(g, shape=kept_shape(x.shape, axis)), shape=tuple(x.shape))


class Sum(Op):
    """All entries together, along some axes or all."""

    formula = "sum(x)"

    @staticmethod
    def forward(x, *, axis=None, keepdims=False):
        return np.sum(x, axis=axis, keepdims=keepdims)

    @staticmethod
    def gradient(g, y, x, *, axis=None, keepdims=False):
        return _spread(g, x, axis)


class Mean(Op):
    """The average of the entries, along some axes or all."""

    formula = "mean(x)"

    @staticmethod
    def forward(x, *, axis=None, keepdims=False):
        return np.mean(x, axis=axis, keepdims=keepdims)

    @staticmethod
    def gradient(g, y, x, *, axis=None, keepdims=False):
        count = math.prod(x.shape) // max(1, math.prod(kept_shape(x.shape, axis)))
        return _spread(g / count, x, axis)


class _Extreme(Op):
    """The family of max and min: entries that tie share the slope equally, as PyTorch's amax and amin do."""

    @staticmethod
    def gradient(g, y, x, *, axis=None, keepdims=False):
        chosen = equal(x, _spread(y, x, axis))
        share = total(chosen, axis=axis, keepdims=True)
        return _spread(g, x, axis) * (chosen / share)


class Max(_Extreme):
    """The largest entry, along some axes or all."""

    name = "amax"
    formula = "max(x)"

    @staticmethod
    def forward(x, *, axis=None, keepdims=False):
        return np.max(x, axis=axis, keepdims=keepdims)


class Min(_Extreme):
    """The smallest entry, along some axes or all."""

    name = "amin"
    formula = "min(x)"

    @staticmethod
    def forward(x, *, axis=None, keepdims=False):
        return np.min(x, axis=axis, keepdims=keepdims)


class LogSumExp(Op):
    """The logarithm of the sum of the exponentials, without overflow."""

    formula = "log(sum(exp(x)))"

    @staticmethod
    def forward(x, *, axis=-1, keepdims=False):
        top = np.max(x, axis=axis, keepdims=True)
        top = np.where(np.isfinite(top), top, np.zeros_like(top))
        with np.errstate(divide="ignore"):  # every entry −inf: the log of an empty sum
            y = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
        return y if keepdims else np.squeeze(y, axis=axis)

    @staticmethod
    def gradient(g, y, x, *, axis=-1, keepdims=False):
        return _spread(g, x, axis) * exp(x - _spread(y, x, axis))
