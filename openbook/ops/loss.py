"""Distributions over classes, and how far predictions are from targets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.ops.activation import Softplus
from openbook.ops.op import Op
from openbook.ops.reduce import LogSumExp
from openbook.ops.vocabulary import exp, reshape, sigmoid, softmax, total

_REDUCTIONS = ("mean", "sum", "none")


def _reduced(entries: Any, reduction: str) -> Any:
    if reduction == "mean":
        return np.mean(entries)
    return np.sum(entries) if reduction == "sum" else entries


def _scale(g: Any, count: int, reduction: str) -> Any:
    """The cotangent of every entry, from that of the reduced loss."""
    return g / count if reduction == "mean" else g


def _require(name: str, x: Any, y: Any, reduction: str) -> None:
    if reduction not in _REDUCTIONS:
        raise InputError(f"{name} has no reduction {reduction!r}", do=f"choose one of {', '.join(_REDUCTIONS)}")
    if np.shape(x) != np.shape(y):
        raise ShapeError(
            f"{name} compares predictions of shape {np.shape(x)} with targets of shape {np.shape(y)}; broadcasting "
            "would compare every prediction with every target",
            do="give both the same shape, for instance with targets.reshape(predictions.shape)",
        )


class Softmax(Op):
    """Logits to probabilities: exponentials, each divided by their sum."""

    formula = "exp(x) / sum(exp(x))"

    @staticmethod
    def forward(x, *, axis=-1):
        e = np.exp(x - np.max(x, axis=axis, keepdims=True))
        return e / np.sum(e, axis=axis, keepdims=True)

    @staticmethod
    def gradient(g, y, x, *, axis=-1):
        return y * (g - total(g * y, axis=axis, keepdims=True))


class LogSoftmax(Op):
    """The logarithms of the softmax, without ever forming the small probabilities."""

    name = "log_softmax"
    formula = "x - log(sum(exp(x)))"

    @staticmethod
    def forward(x, *, axis=-1):
        return x - LogSumExp.forward(x, axis=axis, keepdims=True)

    @staticmethod
    def gradient(g, y, x, *, axis=-1):
        return g - exp(y) * total(g, axis=axis, keepdims=True)


class MseLoss(Op):
    """The mean of the squared differences."""

    name = "mse_loss"
    formula = "mean((x - y)**2)"

    @staticmethod
    def forward(x, y, *, reduction="mean"):
        _require("mse_loss", x, y, reduction)
        d = x - y
        return _reduced(d * d, reduction)

    @staticmethod
    def gradient(g, out, x, y, *, reduction="mean"):
        of_x = (x - y) * _scale(2 * g, math.prod(x.shape), reduction)
        return of_x, lambda: -of_x


class BceWithLogits(Op):
    """How surprised a predicted log-odds is by a 0 or 1 (or a probability): binary cross-entropy."""

    name = "bce_with_logits"
    formula = "mean(log(1 + exp(x)) - x*y)"

    @staticmethod
    def forward(x, y, *, reduction="mean"):
        _require("binary_cross_entropy_with_logits", x, y, reduction)
        return _reduced(Softplus.forward(x) - x * y, reduction)

    @staticmethod
    def gradient(g, out, x, y, *, reduction="mean"):
        g = _scale(g, math.prod(x.shape), reduction)
        return lambda: (sigmoid(x) - y) * g, lambda: -x * g


class CrossEntropy(Op):
    """How surprised predicted logits (rows, classes) are by the true classes (rows,)."""

    name = "cross_entropy"
    formula = "mean(log(sum(exp(x))) - x[y])"

    @staticmethod
    def forward(x, y, *, reduction="mean"):
        y = _classes(x, y, reduction)
        rows = LogSumExp.forward(x, axis=-1) - x[np.arange(len(x)), y]
        return _reduced(rows, reduction)

    @staticmethod
    def gradient(g, out, x, y, *, reduction="mean"):
        rows = reshape(_scale(g, len(x), reduction), shape=(-1, 1))
        one_hot = np.equal(np.asarray(y)[:, None], np.arange(x.shape[-1])).astype(x.dtype)
        return (softmax(x, axis=-1) - one_hot) * rows, None


def _classes(x: Any, y: Any, reduction: str) -> Any:
    if reduction not in _REDUCTIONS:
        raise InputError(f"cross_entropy has no reduction {reduction!r}", do=f"choose one of {', '.join(_REDUCTIONS)}")
    y = np.asarray(y)
    if np.ndim(x) != 2 or y.shape != np.shape(x)[:1]:
        raise ShapeError(
            f"cross_entropy takes logits (rows, classes) and a class for each row, not {np.shape(x)} and {y.shape}",
            do="flatten all leading axes into rows",
        )
    if y.dtype.kind not in "iu":
        raise InputError(f"classes are whole numbers, not {y.dtype}", where="cross_entropy", do="cast them to int64")
    if y.size and (y.min() < 0 or y.max() >= x.shape[1]):
        raise InputError(
            f"class {y.min() if y.min() < 0 else y.max()} is not one of the {x.shape[1]} columns of logits",
            where="cross_entropy",
            do="number the classes from 0, and give the last layer one output for each",
        )
    return y
