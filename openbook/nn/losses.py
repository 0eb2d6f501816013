"""Losses as modules; `reduction` is "mean", "sum" or "none"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbook.nn import functional
from openbook.nn.module import Module
from openbook.ops.loss import require_reduction
from openbook.tensor.create import as_tensor
from openbook.tensor.tensor import Tensor

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CosineEmbeddingLoss", "CosineSimilarity", "CrossEntropyLoss", "GaussianNLLLoss",
    "HingeEmbeddingLoss", "HuberLoss", "KLDivLoss", "L1Loss", "MSELoss", "MarginRankingLoss",
    "MultiLabelSoftMarginLoss", "NLLLoss", "PairwiseDistance", "PoissonNLLLoss", "SmoothL1Loss", "SoftMarginLoss",
    "TripletMarginLoss",
]  # fmt: skip


class Loss(Module):
    """A module that compares predictions with targets; `reduction` is "mean", "sum" or "none".

    `size_average` and `reduce` are PyTorch's older way to say the same: where one of them is given, it decides.
    """

    function: Callable[..., Any]
    options: tuple[str, ...] = ()  # the attributes that its function takes beside `reduction`
    reductions: tuple[str, ...] = ()  # beside the three

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"):
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        if reduction not in self.reductions:
            require_reduction(type(self).__name__, reduction)
        self.reduction = reduction

    def _compared(self, *tensors: Any) -> Any:
        options = {"reduction": self.reduction}
        for name in self.options:
            options[name] = getattr(self, name)
        return type(self).function(*tensors, **options)


class _Comparison(Loss):
    """A loss of predictions and targets alone."""

    def forward(self, input: Any, target: Any) -> Any:
        return self._compared(input, target)


class _WeightedLoss(Loss):
    """A loss with weights: buffers, so that they belong to the state and change dtype with the module."""

    weight: Tensor | None

    def __init__(
        self, weight: Any = None, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ):
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", None if weight is None else as_tensor(weight))

    def forward(self, input: Any, target: Any) -> Any:
        return self._compared(input, target, self.weight)


class MSELoss(_Comparison):
    """The mean of squared differences."""

    function = staticmethod(functional.mse_loss)


class L1Loss(_Comparison):
    """The mean size of the differences."""

    function = staticmethod(functional.l1_loss)


class HuberLoss(_Comparison):
    """Half the squared difference up to `delta`, from there on a line of that slope."""

    function = staticmethod(functional.huber_loss)
    options = ("delta",)

    def __init__(
        self,
        reduction: str = "mean",
        delta: float = 1.0,
    ):
        super().__init__(reduction=reduction)
        self.delta = delta


class SmoothL1Loss(_Comparison):
    """The size of the difference, rounded off within `beta` of zero."""

    function = staticmethod(functional.smooth_l1_loss)
    options = ("beta",)

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ):
        super().__init__(size_average, reduce, reduction)
        self.beta = beta


class CrossEntropyLoss(_WeightedLoss):
    """Minus the log-probability of the true class, from logits; see `functional.cross_entropy`."""

    function = staticmethod(functional.cross_entropy)
    options = (
        "ignore_index",
        "label_smoothing",
    )

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ):
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing


class NLLLoss(_WeightedLoss):
    """Minus the entry of the true class, from log-probabilities."""

    function = staticmethod(functional.nll_loss)
    options = ("ignore_index",)

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index


class BCELoss(_WeightedLoss):
    """Minus the log-probability of a 0/1 target, from probabilities."""

    function = staticmethod(functional.binary_cross_entropy)


class BCEWithLogitsLoss(_WeightedLoss):
    """Minus the log-probability of a 0/1 target, from log-odds; `pos_weight` counts the ones differently."""

    function = staticmethod(functional.binary_cross_entropy_with_logits)
    options = ("pos_weight",)
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Any = None,
    ):
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", None if pos_weight is None else as_tensor(pos_weight))


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """The mean over classes of the binary cross-entropy of each."""

    function = staticmethod(functional.multilabel_soft_margin_loss)


class KLDivLoss(_Comparison):
    """The divergence of predicted log-probabilities from a target distribution; use reduction="batchmean" for its value."""

    function = staticmethod(functional.kl_div)
    options = ("log_target",)
    reductions = ("batchmean",)

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ):
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target


class PoissonNLLLoss(Loss):
    """Minus the log-probability of counts, from the logarithms of rates."""

    function = staticmethod(functional.poisson_nll_loss)
    options = (
        "log_input",
        "full",
        "eps",
    )

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Any, target: Any) -> Any:
        return self._compared(log_input, target)


class GaussianNLLLoss(Loss):
    """Minus the log-density of targets, from means and variances."""

    function = staticmethod(functional.gaussian_nll_loss)
    options = (
        "full",
        "eps",
    )

    def __init__(
        self,
        *,
        full: bool = False,
        eps: float = 1e-6,
        reduction: str = "mean",
    ):
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Any, target: Any, var: Any) -> Any:
        return self._compared(input, target, var)


class SoftMarginLoss(_Comparison):
    """log(1 + exp(−target · input)), for targets of −1 and 1."""

    function = staticmethod(functional.soft_margin_loss)


class MarginRankingLoss(Loss):
    """How far the first falls short of ranking above (or below) the second by `margin`."""

    function = staticmethod(functional.margin_ranking_loss)
    options = ("margin",)

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        return self._compared(input1, input2, target)


class HingeEmbeddingLoss(_Comparison):
    """The distance of what belongs together; how far it is below `margin` of what does not."""

    function = staticmethod(functional.hinge_embedding_loss)
    options = ("margin",)

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class CosineEmbeddingLoss(Loss):
    """1 − cosine of what belongs together; how far the cosine is above `margin` of what does not."""

    function = staticmethod(functional.cosine_embedding_loss)
    options = ("margin",)

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        return self._compared(input1, input2, target)


class TripletMarginLoss(Loss):
    """How far the negative is from being `margin` further off the anchor than the positive."""

    function = staticmethod(functional.triplet_margin_loss)
    options = (
        "margin",
        "p",
        "eps",
        "swap",
    )

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        return self._compared(anchor, positive, negative)


class CTCLoss(Loss):
    """Minus the log-probability of all ways to spell each target in time, with blanks between (Graves et al. 2006).

    Called with log-probabilities (T, N, C), targets (N, S) or all in a row, and the lengths of both. With `zero_infinity`
    a target too long for its input costs 0 instead of ∞.
    """

    function = staticmethod(functional.ctc_loss)
    options = ("blank", "zero_infinity")

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False):
        super().__init__(reduction=reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Any:
        return self._compared(log_probs, targets, input_lengths, target_lengths)


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
