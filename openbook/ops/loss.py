"""How far predictions are from targets, number by number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.ops.activation import Softplus
from openbook.ops.op import Op, aligned, apply
from openbook.ops.reduce import sum_of_all
from openbook.ops.vocabulary import clamp, exp, greater, log, reshape, sigmoid, sign, softplus, where

REDUCTIONS = ("mean", "sum", "none")


def require_reduction(name: str, reduction: str) -> None:
    """One of the three that PyTorch has."""
    if reduction not in REDUCTIONS:
        raise InputError(f"{name} has no reduction {reduction!r}", do=f"choose one of {', '.join(REDUCTIONS)}")


def reduced(entries: Any, reduction: str) -> Any:
    """The entries' mean or sum, or all of them."""
    if reduction == "none":
        return entries
    total = sum_of_all(entries)
    if reduction == "sum":
        return total
    return total / entries.size if entries.size else np.mean(entries)


class Loss(Op):
    """The family of losses that compare entry with entry: inputs of one shape, and `weight`s that fit it."""

    @classmethod
    def require(cls, x: Any, y: Any, reduction: str) -> None:
        if reduction not in REDUCTIONS:
            require_reduction(cls.name, reduction)
        if x.shape != y.shape:
            raise ShapeError(
                f"{cls.name} compares predictions of shape {np.shape(x)} with targets of shape {np.shape(y)}; "
                "broadcasting would compare every prediction with every target",
                do="give both the same shape, for instance with targets.reshape(predictions.shape)",
            )

    @classmethod
    def batched(cls, size: int, inputs: tuple[Any, ...], stacked: tuple[bool, ...], parameters: dict[str, Any]) -> Any:
        if len(inputs) > 2 or not all(stacked) or parameters.get("reduction") == "batchmean":
            return super().batched(size, inputs, stacked, parameters)
        entries = apply(cls, *aligned(inputs, stacked), **{**parameters, "reduction": "none"})
        reduction = parameters.get("reduction", "mean")
        if reduction == "none" or entries.ndim == 1:
            return entries
        rows = reshape(entries, shape=(size, math.prod(entries.shape[1:])))
        return rows.mean(1) if reduction == "mean" else rows.sum(1)


def scaled(g: Any, x: Any, reduction: str) -> Any:
    """The cotangent of every entry, from that of the reduced loss."""
    return g / math.prod(x.shape) if reduction == "mean" else g


class MseLoss(Loss):
    """The mean of the squared differences."""

    name = "mse_loss"
    formula = "mean((x - y)**2)"

    @staticmethod
    def forward(x, y, *, reduction="mean"):
        MseLoss.require(x, y, reduction)
        d = x - y
        return reduced(d * d, reduction)

    @staticmethod
    def gradient(g, out, x, y, *, reduction="mean"):
        of_x = (x - y) * scaled(g + g, x, reduction)
        return of_x, lambda: -of_x


class L1Loss(Loss):
    """The mean of the distances."""

    name = "l1_loss"
    formula = "mean(abs(x - y))"

    @staticmethod
    def forward(x, y, *, reduction="mean"):
        L1Loss.require(x, y, reduction)
        return reduced(np.abs(x - y), reduction)

    @staticmethod
    def gradient(g, out, x, y, *, reduction="mean"):
        of_x = sign(x - y) * scaled(g, x, reduction)
        return of_x, lambda: -of_x


class HuberLoss(Loss):
    """Half the square near 0, straight lines of slope `delta` farther out (Huber 1964)."""

    name = "huber_loss"
    formula = "mean(where(abs(x - y) < delta, (x - y)**2 / 2, delta*(abs(x - y) - delta/2)))"

    @staticmethod
    def forward(x, y, *, reduction="mean", delta=1.0):
        HuberLoss.require(x, y, reduction)
        if not delta > 0:
            raise InputError(f"delta={delta} leaves no square part", where="huber_loss", do="give a positive delta")
        d = x - y
        a = np.abs(d)
        t = x.dtype.type(delta)
        return reduced(np.where(a < t, d * d * x.dtype.type(0.5), t * (a - t / 2)), reduction)

    @staticmethod
    def gradient(g, out, x, y, *, reduction="mean", delta=1.0):
        of_x = clamp(x - y, min=-delta, max=delta) * scaled(g, x, reduction)
        return of_x, lambda: -of_x


class SmoothL1Loss(Loss):
    """Half the square over `beta` near 0, the distance less beta/2 farther out (Girshick 2015)."""

    name = "smooth_l1_loss"
    formula = "mean(where(abs(x - y) < beta, (x - y)**2 / (2*beta), abs(x - y) - beta/2))"

    @staticmethod
    def forward(x, y, *, reduction="mean", beta=1.0):
        SmoothL1Loss.require(x, y, reduction)
        if beta < 0:
            raise InputError(f"beta={beta} is negative", where="smooth_l1_loss", do="give 0 or more")
        d = x - y
        a = np.abs(d)
        t = x.dtype.type(beta)
        return reduced(a if beta == 0 else np.where(a < t, d * d / (2 * t), a - t / 2), reduction)

    @staticmethod
    def gradient(g, out, x, y, *, reduction="mean", beta=1.0):
        d = x - y
        slope = sign(d) if beta == 0 else clamp(d / beta, min=-1.0, max=1.0)
        of_x = slope * scaled(g, x, reduction)
        return of_x, lambda: -of_x


class Bce(Loss):
    """How surprised a predicted probability is by a 0 or 1; logarithms end at −100, as PyTorch's do."""

    formula = "mean(-y*log(x) - (1 - y)*log(1 - x))"

    @staticmethod
    def forward(x, y, weight=None, *, reduction="mean"):
        Bce.require(x, y, reduction)
        if x.size and not (x.min() >= 0 and x.max() <= 1):
            raise InputError(
                "binary cross-entropy takes probabilities in [0, 1]", do="use BCEWithLogitsLoss for log-odds"
            )
        with np.errstate(divide="ignore"):
            yes, no = np.maximum(np.log(x), -100), np.maximum(np.log1p(-x), -100)
        entries = (y - 1) * no - y * yes
        return reduced(entries if weight is None else entries * weight, reduction)

    @staticmethod
    def gradient(g, out, x, y, weight=None, *, reduction="mean"):
        g = scaled(g, x, reduction)
        g = g if weight is None else g * weight

        def of_y():
            inside = clamp(x, min=1e-44, max=1 - 1e-16)
            return g * (log(1 - inside) - log(inside))

        return g * ((x - y) / clamp(x * (1 - x), min=1e-12, max=None)), of_y, None


class BceWithLogits(Loss):
    """How surprised a predicted log-odds is by a 0 or 1 (or a probability): binary cross-entropy."""

    name = "bce_with_logits"
    formula = "mean(log(1 + exp(x)) - x*y)"

    @staticmethod
    def forward(x, y, weight=None, pos_weight=None, *, reduction="mean"):
        BceWithLogits.require(x, y, reduction)
        if pos_weight is None:
            entries = Softplus.forward(x) - x * y
        else:  # (1 − y)·x + (1 + (w − 1)·y)·log(1 + e⁻ˣ)
            entries = (1 - y) * x + (1 + (pos_weight - 1) * y) * Softplus.forward(-x)
        return reduced(entries if weight is None else entries * weight, reduction)

    @staticmethod
    def gradient(g, out, x, y, weight=None, pos_weight=None, *, reduction="mean"):
        g = scaled(g, x, reduction)
        g = g if weight is None else g * weight
        if pos_weight is None:
            return lambda: (sigmoid(x) - y) * g, lambda: -x * g, None, None
        of_x = lambda: (1 - y - (1 + (pos_weight - 1) * y) * sigmoid(-x)) * g  # noqa: E731
        of_y = lambda: ((pos_weight - 1) * softplus(-x) - x) * g  # noqa: E731
        return of_x, of_y, None, None


class KlDiv(Loss):
    """How much is lost by predicting with log-probabilities x what is distributed as y (Kullback & Leibler 1951)."""

    name = "kl_div"
    formula = "mean(y*(log(y) - x))"

    @staticmethod
    def forward(x, y, *, reduction="mean", log_target=False):
        KlDiv.require(x, y, "mean" if reduction == "batchmean" else reduction)
        if log_target:
            entries = np.exp(y) * (y - x)
        else:
            entries = np.where(y > 0, y * np.log(np.where(y > 0, y, 1)), 0 * y) - y * x  # 0·log 0 = 0
        if reduction == "batchmean":
            return np.sum(entries) / x.dtype.type(len(x))
        return reduced(entries, reduction)

    @staticmethod
    def gradient(g, out, x, y, *, reduction="mean", log_target=False):
        g = g / x.shape[0] if reduction == "batchmean" else scaled(g, x, reduction)
        if log_target:
            return lambda: -exp(y) * g, lambda: exp(y) * (y - x + 1) * g
        positive = greater(y, 0)
        return lambda: -y * g, lambda: (where(positive, log(where(positive, y, 1.0)) + 1, 0.0) - x) * g
