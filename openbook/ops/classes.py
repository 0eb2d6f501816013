"""Losses of classifiers: how surprised predicted scores are by the true classes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.ops.loss import REDUCTIONS, require_reduction
from openbook.ops.normalize import LogSoftmax
from openbook.ops.op import Op, apply
from openbook.ops.reduce import sum_along_rows, sum_of_all
from openbook.ops.vocabulary import log_softmax, reshape, softmax, total


class CrossEntropy(Op):
    """How surprised predicted logits (rows, classes, …) are by the true classes (rows, …).

    Targets are whole numbers, or probabilities in the shape of the logits. `weight` counts classes differently;
    `label_smoothing` mixes the targets with the uniform distribution; rows of class `ignore_index` do not count.
    """

    name = "cross_entropy"
    formula = "mean(log(sum(exp(x))) - x[y])"

    @staticmethod
    def keeping(x, y, weight=None, *, reduction="mean", ignore_index=-100, label_smoothing=0.0):
        """The loss and, where rows of logits meet whole classes and nothing else is asked, the probabilities."""
        if weight is not None or label_smoothing or x.ndim != 2 or not _are_classes(x, y, ignore_index):
            options = {"reduction": reduction, "ignore_index": ignore_index, "label_smoothing": label_smoothing}
            return CrossEntropy.forward(x, y, weight, **options), None
        if reduction not in REDUCTIONS:
            require_reduction("cross_entropy", reduction)
        # LogSoftmax's way, with the exponentials used twice; entries are picked by their place in the flat array
        start = np.arange(0, x.size, x.shape[1])
        top = x.argmax(axis=1)
        top += start
        d = x - x.ravel()[top][:, None]
        e = np.exp(d, order="C")
        flat = e.ravel()  # a view
        flat[top] -= 1  # to 0; but NaN, where the largest is infinite, stays NaN
        rest = sum_along_rows(e)
        losses = np.log1p(rest)
        losses -= d.ravel()[start + y]
        flat[top] = 1
        rest += 1
        e /= rest[:, None]
        return _reduced(losses, x.dtype.type(len(x)), reduction), e

    @staticmethod
    def forward(x, y, weight=None, *, reduction="mean", ignore_index=-100, label_smoothing=0.0):
        target, count = _target(x, y, weight, reduction, ignore_index, label_smoothing)
        logs = LogSoftmax.forward(x, axis=_class_axis(x))
        with np.errstate(invalid="ignore"):  # log 0 for a class that no target has: 0·(−∞) counts as nothing
            entries = np.where(target == 0, 0, target * logs)
        return _reduced(-np.sum(entries, axis=_class_axis(x)), count, reduction)

    @staticmethod
    def gradient(g, out, x, y, weight=None, *, reduction="mean", ignore_index=-100, label_smoothing=0.0, kept=None):
        if kept is not None:
            rows = g / len(x) if reduction == "mean" else g
            of_x = kept * (rows if rows.ndim == 0 else rows[:, None])
            of_x.ravel()[np.arange(0, x.size, x.shape[1]) + y] -= rows
            return of_x, None, None
        axis = _class_axis(x)
        target, count = _target(x, y, weight, reduction, ignore_index, label_smoothing)
        if y.dtype.kind == "f":  # probabilities may be differentiated by, too
            column = 1 if weight is None else _by_class(np.asarray(weight), x)
            target = (y * (1 - label_smoothing) + label_smoothing / x.shape[axis]) * column
        rows = g / count if reduction == "mean" else g
        if reduction == "none":
            rows = reshape(rows, shape=(*x.shape[:axis], 1, *x.shape[axis + 1 :]))
        held = total(target, axis=axis, keepdims=True)

        def of_y():
            share = (1 - label_smoothing) * (1 if weight is None else _by_class(np.asarray(weight), x))
            return -(log_softmax(x, axis=axis) * share) * rows

        return lambda: (softmax(x, axis=axis) * held - target) * rows, of_y, None

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        x, y = inputs[:2]
        reduction = parameters.get("reduction", "mean")
        simple = (
            all(stacked) and len(inputs) == 2 and x.ndim == 3 and y.ndim == 2 and not parameters.get("label_smoothing")
        )
        if not simple or np.any(np.asarray(y) == parameters.get("ignore_index", -100)):
            return super().batched(size, inputs, stacked, parameters)
        rows = apply(
            cls, reshape(x, shape=(-1, x.shape[-1])), reshape(y, shape=(-1,)), **{**parameters, "reduction": "none"}
        )
        rows = reshape(rows, shape=(size, -1))
        return rows if reduction == "none" else rows.mean(1) if reduction == "mean" else rows.sum(1)


class NllLoss(Op):
    """Minus the log-probabilities (rows, classes, …) of the true classes (rows, …), each times its class's weight."""

    name = "nll_loss"
    formula = "mean(-x[y])"

    @staticmethod
    def forward(x, y, weight=None, *, reduction="mean", ignore_index=-100):
        target, count = _target(x, y, weight, reduction, ignore_index, 0.0)
        return _reduced(-np.sum(np.where(target == 0, 0, target * x), axis=_class_axis(x)), count, reduction)

    @staticmethod
    def gradient(g, out, x, y, weight=None, *, reduction="mean", ignore_index=-100):
        axis = _class_axis(x)
        target, count = _target(x, y, weight, reduction, ignore_index, 0.0)
        rows = g / count if reduction == "mean" else g
        if reduction == "none":
            rows = reshape(rows, shape=(*x.shape[:axis], 1, *x.shape[axis + 1 :]))
        return -(rows * target), None, None


def _are_classes(x: Any, y: Any, ignore_index: int) -> bool:
    """Whether every target is the number of a class, and none is to be ignored: the common case, found out cheaply."""
    if y.dtype.kind not in "iu" or y.shape != x.shape[:1] or not y.size:
        return False
    if y.dtype == np.int64 and ignore_index < 0:
        return y.view(np.uint64).max() < x.shape[1]  # negative numbers are very large ones, so read
    low, high = y.min(), y.max()
    return low >= 0 and high < x.shape[1] and not (low <= ignore_index <= high and (y == ignore_index).any())


def _class_axis(x: Any) -> int:
    return 1 if x.ndim > 1 else 0


def _reduced(losses: Any, count: Any, reduction: str) -> Any:
    if reduction == "none":
        return losses
    total = sum_of_all(losses)
    if reduction == "sum":
        return total
    if count:
        return total / count
    with np.errstate(invalid="ignore"):  # no row counts: 0/0, as PyTorch says
        return total / count


def _target(
    x: Any, y: Any, weight: Any, reduction: str, ignore_index: int, smoothing: float
) -> tuple[np.ndarray, np.ndarray]:
    """What every log-probability counts, and by what the sum is divided for a mean."""
    y = np.asarray(y)
    axis, dtype = _class_axis(x), x.dtype
    require_reduction("cross_entropy", reduction)
    if not 0 <= smoothing <= 1:
        raise InputError(f"label_smoothing={smoothing} is no share", where="cross_entropy", do="give one from 0 to 1")
    classes = x.shape[axis]
    of_class = np.ones(classes, dtype) if weight is None else np.asarray(weight, dtype)
    if of_class.shape != (classes,):
        raise ShapeError(f"weight has shape {of_class.shape}, and there are {classes} classes", where="cross_entropy")
    column = _by_class(of_class, x)
    if y.dtype.kind == "f":
        if y.shape != tuple(x.shape):
            raise ShapeError(f"target probabilities of shape {y.shape} do not fit logits of {tuple(x.shape)}")
        target = (y * (1 - smoothing) + smoothing / classes) * column
        return target.astype(dtype), dtype.type(math.prod(x.shape) // max(1, classes))
    _require_classes(x, y, reduction, ignore_index)
    kept = y != ignore_index
    named = np.expand_dims(np.where(kept, y, 0), axis)
    hot = np.zeros(x.shape, dtype)
    np.put_along_axis(hot, named, 1, axis)
    target = (hot * (1 - smoothing) + dtype.type(smoothing / classes)) * column * np.expand_dims(kept, axis)
    count = np.sum(of_class[np.where(kept, y, 0)] * kept) if weight is not None else np.sum(kept)
    return target.astype(dtype), dtype.type(count)


def _by_class(of_class: np.ndarray, x: Any) -> np.ndarray:
    return of_class.reshape(-1, *(1,) * (x.ndim - _class_axis(x) - 1))


def _require_classes(x: Any, y: np.ndarray, reduction: str, ignore_index: int) -> None:
    require_reduction("cross_entropy", reduction)
    axis = _class_axis(x)
    if y.shape != (*x.shape[:axis], *x.shape[axis + 1 :]):
        raise ShapeError(
            f"cross_entropy takes logits (rows, classes, …) and a class for each row, not {tuple(x.shape)} and {y.shape}",
            do="flatten all leading axes into rows, or put the classes on axis 1",
        )
    if y.dtype.kind not in "iu":
        raise InputError(f"classes are whole numbers, not {y.dtype}", where="cross_entropy", do="cast them to int64")
    if not y.size:
        return
    low, high = int(y.min()), int(y.max())
    if low < 0 or high >= x.shape[axis]:
        wrong = y[(y != ignore_index) & ((y < 0) | (y >= x.shape[axis]))]
        if wrong.size:
            raise InputError(
                f"class {wrong[0]} is not one of the {x.shape[axis]} columns of logits",
                where="cross_entropy",
                do="number the classes from 0, and give the last layer one output for each",
            )
