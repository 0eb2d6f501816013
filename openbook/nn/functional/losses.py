"""Losses: how far predictions are from targets. `reduction` is "mean", "sum" or "none"."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn.functional.arguments import given
from openbook.nn.functional.maps import at_least, pairwise_distance
from openbook.ops import vocabulary as word
from openbook.ops.loss import require_reduction
from openbook.tensor.create import as_tensor

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss", "cross_entropy",
    "gaussian_nll_loss", "hinge_embedding_loss", "huber_loss", "kl_div", "l1_loss", "margin_ranking_loss", "mse_loss",
    "multilabel_soft_margin_loss", "nll_loss", "poisson_nll_loss", "smooth_l1_loss",
    "soft_margin_loss", "triplet_margin_loss",
]  # fmt: skip


def reduced(name: str, entries: Any, reduction: str) -> Any:
    """The mean or sum of the losses of all entries, or these themselves."""
    require_reduction(name, reduction)
    if reduction == "none":
        return entries
    return word.mean(entries) if reduction == "mean" else word.total(entries)


def _same_shape(name: str, *values: Any) -> None:
    """Nothing is broadcast in silence: every prediction would meet every target."""
    shapes = [np.shape(getattr(v, "data", v)) for v in values]
    if len(set(shapes)) > 1:
        raise ShapeError(
            f"{name} compares shapes {' and '.join(map(str, shapes))}; broadcasting would compare every entry with every "
            "other",
            do="give them the same shape, for instance with targets.reshape(predictions.shape)",
        )


# --- classes ---------------------------------------------------------------------------------------------------------


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Minus the log-probability of the true class, from logits (N, C) or (N, C, …) and classes (N) or (N, …) as int64.

    The target may hold probabilities of the logits' shape. `weight` (C) counts classes differently; rows of class
    `ignore_index` do not count.
    """
    options = _but_defaults(ignore_index=(ignore_index, -100), label_smoothing=(label_smoothing, 0.0))
    return word.cross_entropy(input, target, *given(weight), reduction=reduction, **options)


def nll_loss(input: Any, target: Any, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """Minus the entry of the true class, from log-probabilities (N, C) or (N, C, …)."""
    options = _but_defaults(ignore_index=(ignore_index, -100))
    return word.nll_loss(input, target, *given(weight), reduction=reduction, **options)


def _but_defaults(**options: tuple[Any, Any]) -> dict[str, Any]:
    """The options that say something: a recorded operation is read by people."""
    return {name: value for name, (value, default) in options.items() if value != default}


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, *, reduction: str = "mean") -> Any:
    """Minus the log-probability of a 0/1 target, from probabilities; shapes must be equal."""
    return word.bce(input, target, *given(weight), reduction=reduction)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """Minus the log-probability of a 0/1 target, from log-odds; shapes must be equal.

    `weight` counts entries, `pos_weight` the ones among the targets, differently.
    """
    return word.bce_with_logits(input, target, *given(weight, pos_weight), reduction=reduction)


def multilabel_soft_margin_loss(input: Any, target: Any, weight: Any = None, *, reduction: str = "mean") -> Any:
    """The mean over classes (the last axis) of the binary cross-entropy of each."""
    _same_shape("multilabel_soft_margin_loss", input, target)
    entries = word.softplus(input) - input * target
    rows = word.mean(entries if weight is None else entries * weight, axis=-1)
    return reduced("multilabel_soft_margin_loss", rows, reduction)


def kl_div(input: Any, target: Any, *, reduction: str = "mean", log_target: bool = False) -> Any:
    """target · (log target − input), input being log-probabilities; "batchmean", the divergence, divides by rows."""
    return word.kl_div(input, target, reduction=reduction, log_target=log_target)


# --- numbers ---------------------------------------------------------------------------------------------------------


def mse_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The squared differences; shapes must be equal, nothing is broadcast."""
    return word.mse_loss(input, target, reduction=reduction)


def l1_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """The sizes of the differences; shapes must be equal."""
    return word.l1_loss(input, target, reduction=reduction)


def huber_loss(input: Any, target: Any, *, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Half the squared difference up to δ, from there on a line of slope δ (Huber 1964)."""
    return word.huber_loss(input, target, reduction=reduction, delta=delta)


def smooth_l1_loss(input: Any, target: Any, *, reduction: str = "mean", beta: float = 1.0) -> Any:
    """The size of the difference, rounded off within β of zero: Huber's loss divided by β."""
    return word.smooth_l1_loss(input, target, reduction=reduction, beta=beta)


def poisson_nll_loss(
    input: Any, target: Any, *, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean"
) -> Any:
    """Minus the log-probability of counts, from rates or (by default) their logarithms.

    Without the term that depends on the count alone, unless `full`: then by Stirling's formula, for counts above 1.
    """
    _same_shape("poisson_nll_loss", input, target)
    entries = word.exp(input) - target * input if log_input else input - target * word.log(input + eps)
    if full:
        counted = word.greater(target, 1)
        safe = word.where(counted, target, 1.0)
        stirling = safe * word.log(safe) - safe + 0.5 * word.log(2 * math.pi * safe)
        entries = entries + word.where(counted, stirling, 0.0)
    return reduced("poisson_nll_loss", entries, reduction)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """Minus the log-density of targets, from means and variances; `full` adds the constant log(2π)/2.

    `target` has the input's shape, or 1 in places, or is one number; so has `var`,
    which may also lack the last axis.
    Variances below `eps` count as `eps`, and pass their gradient all the same.
    """
    if isinstance(var, float | int):
        var = word.broadcast_to(np.asarray(var, input.dtype), shape=tuple(input.shape))
    if var.shape == input.shape[:-1] and var.shape != input.shape:
        var = word.reshape(var, shape=(*var.shape, 1))
    for name, value in (("target", target), ("var", var)):
        same = len(value.shape) == len(input.shape) and all(
            n in (1, m) for n, m in zip(value.shape, input.shape, strict=True)
        )
        if value.shape != () and not same:
            raise ShapeError(f"{name} of shape {value.shape} does not fit predictions of shape {input.shape}")
    if isinstance(getattr(var, "data", None), np.ndarray) and np.any(var.data < 0):
        raise InputError(
            "a variance is negative", where="gaussian_nll_loss", do="predict its logarithm, and pass exp of it"
        )
    var = at_least(as_tensor(var) if isinstance(var, np.ndarray) else var, eps)
    difference = input - target
    entries = 0.5 * (word.log(var) + difference * difference / var)
    return reduced("gaussian_nll_loss", entries + 0.5 * math.log(2 * math.pi) if full else entries, reduction)


# --- margins ---------------------------------------------------------------------------------------------------------


def soft_margin_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """log(1 + exp(−target · input)), for targets of −1 and 1."""
    _same_shape("soft_margin_loss", input, target)
    return reduced("soft_margin_loss", word.softplus(-(target * input)), reduction)


def margin_ranking_loss(input1: Any, input2: Any, target: Any, *, margin: float = 0.0, reduction: str = "mean") -> Any:
    """How far the first falls short of ranking above the second by `margin` (target 1), or below (target −1)."""
    _same_shape("margin_ranking_loss", input1, input2, target)
    return reduced("margin_ranking_loss", positive_part(margin - target * (input1 - input2)), reduction)


def hinge_embedding_loss(input: Any, target: Any, *, margin: float = 1.0, reduction: str = "mean") -> Any:
    """The distance of what belongs together (target 1); how far it is below `margin` of what does not (target −1)."""
    _same_shape("hinge_embedding_loss", input, target)
    apart = positive_part(margin - input)
    entries = _by_sign(target, input, apart, neither=input + apart)  # PyTorch's answer to other targets
    return reduced("hinge_embedding_loss", entries, reduction)


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, *, margin: float = 0.0, reduction: str = "mean"
) -> Any:
    """1 − cosine of what belongs together (target 1); how far the cosine is above `margin` of what does not (−1)."""
    _same_shape("cosine_embedding_loss", input1, input2)
    _same_shape("cosine_embedding_loss", input1[..., 0], target)
    tiny = 1e-12  # PyTorch's
    squares = [word.total(x * x, axis=-1) + tiny for x in (input1, input2)]
    cosine = word.total(input1 * input2, axis=-1) / word.sqrt(squares[0] * squares[1])
    entries = _by_sign(target, 1 - cosine, positive_part(cosine - margin))
    return reduced("cosine_embedding_loss", entries, reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """How far the negative is from being `margin` further off than the positive; `swap` also looks from the positive."""
    _same_shape("triplet_margin_loss", anchor, positive, negative)
    near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = word.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced("triplet_margin_loss", positive_part(margin + near - far), reduction)


def positive_part(x: Any) -> Any:
    """What is above 0."""
    return word.clamp(x, min=0.0, max=None)


def _by_sign(target: Any, together: Any, apart: Any, neither: Any = 0.0) -> Any:
    """One value where the target is 1, another where it is −1."""
    return word.where(target == 1, together, word.where(target == -1, apart, neither))
