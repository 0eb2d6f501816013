"""Losses. Predictions and targets have the same shape, or an error says so: nothing is broadcast."""

from __future__ import annotations

import math
from typing import Any

from openbook.errors import InputError
from openbook.nn.functional.activations import cosine_similarity, pairwise_distance
from openbook.ops import vocabulary as word
from openbook.ops.loss import require_reduction

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss", "cross_entropy",
    "gaussian_nll_loss", "hinge_embedding_loss", "huber_loss", "kl_div", "l1_loss", "margin_ranking_loss", "mse_loss",
    "nll_loss", "poisson_nll_loss", "smooth_l1_loss", "soft_margin_loss", "triplet_margin_loss",
]  # fmt: skip


def _given(*inputs: Any) -> tuple[Any, ...]:
    """Inputs without the optional ones that were left out at the end."""
    while inputs and inputs[-1] is None:
        inputs = inputs[:-1]
    return inputs


def _reduced(entries: Any, reduction: str) -> Any:
    require_reduction("this loss", reduction)
    return entries.mean() if reduction == "mean" else entries.sum() if reduction == "sum" else entries


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The mean (or sum) of squared differences."""
    return word.mse_loss(input, target, reduction=reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The mean (or sum) of distances."""
    return word.l1_loss(input, target, reduction=reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Half the square up to `delta`, straight lines beyond."""
    return word.huber_loss(input, target, reduction=reduction, delta=delta)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    """Half the square over `beta` up to it, the distance less beta/2 beyond."""
    return word.smooth_l1_loss(input, target, reduction=reduction, beta=beta)


def cross_entropy(
    input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    """Minus the log-probability of the true class: logits (rows, classes, …); classes (rows, …) as int64, or probabilities."""
    options: dict[str, Any] = {"reduction": reduction}
    if ignore_index != -100:
        options["ignore_index"] = ignore_index
    if label_smoothing:
        options["label_smoothing"] = label_smoothing
    return word.cross_entropy(*_given(input, target, weight), **options)


def nll_loss(input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """Minus the given log-probability of the true class."""
    return word.nll_loss(*_given(input, target, weight), reduction=reduction, ignore_index=ignore_index)


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """Minus the log-probability of a 0/1 target, from probabilities."""
    return word.bce(*_given(input, target, weight), reduction=reduction)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """Minus the log-probability of a 0/1 target, from log-odds."""
    if weight is None and pos_weight is not None:
        weight = input.detach() * 0 + 1
    return word.bce_with_logits(*_given(input, target, weight, pos_weight), reduction=reduction)


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """The divergence of log-probabilities from a distribution; "batchmean" is the one that mathematics means."""
    return word.kl_div(input, target, reduction=reduction, log_target=log_target)


def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean"
) -> Any:
    """Minus the log-probability of counts; `full` adds Stirling's approximation of log n!."""
    entries = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        many = target > 1
        t = word.where(many, target, 1.0)
        entries = entries + word.where(many, t * t.log() - t + 0.5 * (2 * math.pi * t).log(), 0.0)
    return _reduced(entries, reduction)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """Minus the log-density of a normal with mean `input` and variance `var` (at least eps)."""
    spread: Any = input * 0 + var if isinstance(var, float) else _at_least(var, eps)
    if spread.ndim == input.ndim - 1:
        spread = spread.unsqueeze(-1)
    entries = 0.5 * (spread.log() + (input - target) ** 2 / spread)
    return _reduced(entries + 0.5 * math.log(2 * math.pi) if full else entries, reduction)


def _at_least(var: Any, eps: float) -> Any:
    """The variance, at least eps, with its gradient passed on as if it were not clamped (as PyTorch does)."""
    return var + (var.detach().clamp(min=eps) - var.detach())


def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, reduction: str = "mean") -> Any:
    """Distances of alike pairs (1), and what unlike ones (−1) lack to the margin."""
    alike = word.where(target == 1, input, 0.0)
    unlike = word.where(target == -1, (margin - input).clamp(min=0), 0.0)
    neither = word.where(word.logical_or(target == 1, target == -1), 0.0, (margin - input).clamp(min=0) + input)
    return _reduced(alike + unlike + neither, reduction)


def soft_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """log(1 + exp(−y·x)) for y = ±1."""
    return _reduced(word.softplus(-target * input), reduction)


def margin_ranking_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Any:
    """What the difference of two scores lacks to the margin, in the order that the target (±1) asks for."""
    return _reduced((-target * (input1 - input2) + margin).clamp(min=0), reduction)


def cosine_embedding_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Any:
    """1 − cosine for alike pairs (1), what the cosine passes the margin by for unlike ones (−1)."""
    cosine = cosine_similarity(input1, input2, dim=-1)
    alike = word.where(target == 1, 1 - cosine, 0.0)
    return _reduced(alike + word.where(target == -1, (cosine - margin).clamp(min=0), 0.0), reduction)


def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """What the distance to a negative lacks to pass that to a positive by the margin."""
    if margin <= 0:
        raise InputError(f"margin={margin} asks for nothing", where="triplet_margin_loss", do="give a positive margin")
    near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = word.minimum(far, pairwise_distance(positive, negative, p, eps))
    return _reduced((near - far + margin).clamp(min=0), reduction)
