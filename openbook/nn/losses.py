"""Losses as modules; `reduction` is "mean", "sum" or "none"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbook.nn import functional
from openbook.nn.module import Module

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CosineEmbeddingLoss", "CrossEntropyLoss", "GaussianNLLLoss", "HingeEmbeddingLoss",
    "HuberLoss", "KLDivLoss", "L1Loss", "MSELoss", "MarginRankingLoss", "NLLLoss", "PoissonNLLLoss", "SmoothL1Loss",
    "SoftMarginLoss", "TripletMarginLoss",
]  # fmt: skip


class Loss(Module):
    """A module that compares predictions with targets by one function of `openbook.nn.functional`."""

    function: Callable[..., Any]

    def __init__(self, reduction: str = "mean", **options: Any):
        super().__init__()
        self.reduction = reduction
        for name, value in options.items():
            if hasattr(value, "__openbook_apply__"):
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)
        self.options = tuple(options)

    def forward(self, *inputs: Any) -> Any:
        options = {name: getattr(self, name) for name in self.options}
        return type(self).function(*inputs, reduction=self.reduction, **options)


class MSELoss(Loss):
    """The mean of squared differences."""

    function = staticmethod(functional.mse_loss)


class L1Loss(Loss):
    """The mean of distances."""

    function = staticmethod(functional.l1_loss)


class HuberLoss(Loss):
    """Half the square up to `delta`, straight lines beyond."""

    function = staticmethod(functional.huber_loss)

    def __init__(self, reduction: str = "mean", delta: float = 1.0):
        super().__init__(reduction, delta=delta)


class SmoothL1Loss(Loss):
    """Half the square over `beta` up to it, the distance less beta/2 beyond."""

    function = staticmethod(functional.smooth_l1_loss)

    def __init__(self, reduction: str = "mean", beta: float = 1.0):
        super().__init__(reduction, beta=beta)


class CrossEntropyLoss(Loss):
    """Minus the log-probability of the true class, from logits."""

    function = staticmethod(functional.cross_entropy)

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ):
        super().__init__(reduction, weight=weight, ignore_index=ignore_index, label_smoothing=label_smoothing)


class NLLLoss(Loss):
    """Minus the given log-probability of the true class."""

    function = staticmethod(functional.nll_loss)

    def __init__(self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"):
        super().__init__(reduction, weight=weight, ignore_index=ignore_index)


class BCELoss(Loss):
    """Minus the log-probability of a 0/1 target, from probabilities."""

    function = staticmethod(functional.binary_cross_entropy)

    def __init__(self, weight: Any = None, reduction: str = "mean"):
        super().__init__(reduction, weight=weight)


class BCEWithLogitsLoss(Loss):
    """Minus the log-probability of a 0/1 target, from log-odds."""

    function = staticmethod(functional.binary_cross_entropy_with_logits)

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None):
        super().__init__(reduction, weight=weight, pos_weight=pos_weight)


class KLDivLoss(Loss):
    """The divergence of log-probabilities from a distribution."""

    function = staticmethod(functional.kl_div)

    def __init__(self, reduction: str = "mean", log_target: bool = False):
        super().__init__(reduction, log_target=log_target)


class PoissonNLLLoss(Loss):
    """Minus the log-probability of counts."""

    function = staticmethod(functional.poisson_nll_loss)

    def __init__(self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean"):
        super().__init__(reduction, log_input=log_input, full=full, eps=eps)


class GaussianNLLLoss(Loss):
    """Minus the log-density of a normal whose mean and variance were predicted."""

    function = staticmethod(functional.gaussian_nll_loss)

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean"):
        super().__init__(reduction, full=full, eps=eps)


class HingeEmbeddingLoss(Loss):
    """Distances of alike pairs, and what unlike ones lack to the margin."""

    function = staticmethod(functional.hinge_embedding_loss)

    def __init__(self, margin: float = 1.0, reduction: str = "mean"):
        super().__init__(reduction, margin=margin)


class SoftMarginLoss(Loss):
    """log(1 + exp(−y·x)) for y = ±1."""

    function = staticmethod(functional.soft_margin_loss)


class MarginRankingLoss(Loss):
    """What the difference of two scores lacks to the margin."""

    function = staticmethod(functional.margin_ranking_loss)

    def __init__(self, margin: float = 0.0, reduction: str = "mean"):
        super().__init__(reduction, margin=margin)


class CosineEmbeddingLoss(Loss):
    """1 − cosine for alike pairs, what the cosine passes the margin by for unlike ones."""

    function = staticmethod(functional.cosine_embedding_loss)

    def __init__(self, margin: float = 0.0, reduction: str = "mean"):
        super().__init__(reduction, margin=margin)


class TripletMarginLoss(Loss):
    """What the distance to a negative lacks to pass that to a positive by the margin."""

    function = staticmethod(functional.triplet_margin_loss)

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, reduction: str = "mean"
    ):
        super().__init__(reduction, margin=margin, p=p, eps=eps, swap=swap)
