"""Losses as modules; `reduction` is "mean", "sum" or "none"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbook.errors import DTypeError
from openbook.nn import functional
from openbook.nn.module import Module
from openbook.ops.loss import require_reduction
from openbook.tensor.create import as_tensor
from openbook.tensor.tensor import Tensor

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CosineEmbeddingLoss", "CosineSimilarity", "CrossEntropyLoss", "GaussianNLLLoss",
    "HingeEmbeddingLoss", "HuberLoss", "KLDivLoss", "L1Loss", "MSELoss", "MarginRankingLoss",
    "MultiLabelSoftMarginLoss", "NLLLoss", "PairwiseDistance", "PoissonNLLLoss", "SmoothL1Loss", "SoftMarginLoss",
    "TripletMarginLoss",
]  # fmt: skip


class Loss(Module):
    """A module that compares predictions with targets.

    `defaults` are the options of its function beside `reduction`, as they are when they are not given.
    """

    function: Callable[..., Any]
    defaults: dict[str, Any] = {}
    reductions: tuple[str, ...] = ()

    def __init__(self, *, reduction: str = "mean", **options: Any):
        super().__init__()
        unknown = options.keys() - self.defaults.keys()
        if unknown:
            known = ", ".join(("reduction", *self.defaults))
            raise DTypeError(
                f"{type(self).__name__} has no option {', '.join(sorted(unknown))}", do=f"choose from {known}"
            )
        if reduction not in self.reductions:
            require_reduction(type(self).__name__, reduction)
        self.reduction = reduction
        for name, default in self.defaults.items():
            setattr(self, name, options.get(name, default))

    def forward(self, *inputs: Any) -> Any:
        options = {name: getattr(self, name) for name in self.defaults}
        return type(self).function(*inputs, **options, reduction=self.reduction)


class _WeightedLoss(Loss):
    """A loss with weights: buffers, so that they belong to the state and change dtype with the module."""

    weight: Tensor | None

    def __init__(self, weight: Any = None, *, reduction: str = "mean", **options: Any):
        super().__init__(reduction=reduction, **options)
        self.register_buffer("weight", None if weight is None else as_tensor(weight))

    def forward(self, input: Any, target: Any) -> Any:
        options = {name: getattr(self, name) for name in self.defaults}
        return type(self).function(input, target, self.weight, **options, reduction=self.reduction)


class MSELoss(Loss):
    """The mean of squared differences."""

    function = staticmethod(functional.mse_loss)


class L1Loss(Loss):
    """The mean size of the differences."""

    function = staticmethod(functional.l1_loss)


class HuberLoss(Loss):
    """Half the squared difference up to `delta`, from there on a line of that slope."""

    function = staticmethod(functional.huber_loss)
    defaults = {"delta": 1.0}


class SmoothL1Loss(Loss):
    """The size of the difference, rounded off within `beta` of zero."""

    function = staticmethod(functional.smooth_l1_loss)
    defaults = {"beta": 1.0}


class CrossEntropyLoss(_WeightedLoss):
    """Minus the log-probability of the true class, from logits; see `functional.cross_entropy`."""

    function = staticmethod(functional.cross_entropy)
    defaults = {"ignore_index": -100, "label_smoothing": 0.0}


class NLLLoss(_WeightedLoss):
    """Minus the entry of the true class, from log-probabilities."""

    function = staticmethod(functional.nll_loss)
    defaults = {"ignore_index": -100}


class BCELoss(_WeightedLoss):
    """Minus the log-probability of a 0/1 target, from probabilities."""

    function = staticmethod(functional.binary_cross_entropy)


class BCEWithLogitsLoss(_WeightedLoss):
    """Minus the log-probability of a 0/1 target, from log-odds; `pos_weight` counts the ones differently."""

    function = staticmethod(functional.binary_cross_entropy_with_logits)
    pos_weight: Tensor | None

    def __init__(self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None):
        super().__init__(weight, reduction=reduction)
        self.register_buffer("pos_weight", None if pos_weight is None else as_tensor(pos_weight))

    def forward(self, input: Any, target: Any) -> Any:
        return functional.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """The mean over classes of the binary cross-entropy of each."""

    function = staticmethod(functional.multilabel_soft_margin_loss)


class KLDivLoss(Loss):
    """The divergence of predicted log-probabilities from a target distribution; use reduction="batchmean" for its value."""

    function = staticmethod(functional.kl_div)
    defaults = {"log_target": False}
    reductions = ("batchmean",)


class PoissonNLLLoss(Loss):
    """Minus the log-probability of counts, from the logarithms of rates."""

    function = staticmethod(functional.poisson_nll_loss)
    defaults = {"log_input": True, "full": False, "eps": 1e-8}


class GaussianNLLLoss(Loss):
    """Minus the log-density of targets, from means and variances."""

    function = staticmethod(functional.gaussian_nll_loss)
    defaults = {"full": False, "eps": 1e-6}


class SoftMarginLoss(Loss):
    """log(1 + exp(−target · input)), for targets of −1 and 1."""

    function = staticmethod(functional.soft_margin_loss)


class MarginRankingLoss(Loss):
    """How far the first falls short of ranking above (or below) the second by `margin`."""

    function = staticmethod(functional.margin_ranking_loss)
    defaults = {"margin": 0.0}


class HingeEmbeddingLoss(Loss):
    """The distance of what belongs together; how far it is below `margin` of what does not."""

    function = staticmethod(functional.hinge_embedding_loss)
    defaults = {"margin": 1.0}


class CosineEmbeddingLoss(Loss):
    """1 − cosine of what belongs together; how far the cosine is above `margin` of what does not."""

    function = staticmethod(functional.cosine_embedding_loss)
    defaults = {"margin": 0.0}


class TripletMarginLoss(Loss):
    """How far the negative is from being `margin` further off the anchor than the positive."""

    function = staticmethod(functional.triplet_margin_loss)
    defaults = {"margin": 1.0, "p": 2.0, "eps": 1e-6, "swap": False}


class CosineSimilarity(Module):
    """The cosine of the angle between vectors along an axis."""

    def __init__(self, dim: int = 1, eps: float = 1e-8):
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Any, x2: Any) -> Any:
        return functional.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The p-norm of the differences along the last axis."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False):
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Any, x2: Any) -> Any:
        return functional.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
