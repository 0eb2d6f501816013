"""Losses that ask for a margin: between classes, or between distances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbook.errors import InputError
from openbook.nn import functional
from openbook.nn.losses import Loss, PairwiseDistance
from openbook.tensor.create import as_tensor
from openbook.tensor.tensor import Tensor

__all__ = ["MultiLabelMarginLoss", "MultiMarginLoss", "TripletMarginWithDistanceLoss"]


class MultiMarginLoss(Loss):
    """How far each other class is from being `margin` below the true one, to the power `p` (1 or 2), over the classes.

    `weight` counts the true classes differently.
    """

    function = staticmethod(functional.multi_margin_loss)
    options = ("p", "margin", "weight")
    weight: Tensor | None

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        if p not in (1, 2):
            raise InputError(f"the power of a margin is 1 or 2, not {p}", where="MultiMarginLoss")
        self.p, self.margin = p, margin
        self.register_buffer("weight", None if weight is None else as_tensor(weight))

    def forward(self, input: Any, target: Any) -> Any:
        return self._compared(input, target)


class MultiLabelMarginLoss(Loss):
    """How far each class that does not hold is from being 1 below each that does; targets name classes, up to a −1."""

    function = staticmethod(functional.multilabel_margin_loss)

    def forward(self, input: Any, target: Any) -> Any:
        return self._compared(input, target)


class TripletMarginWithDistanceLoss(Loss):
    """A triplet loss under a distance of your own (a function of two tensors); Euclidean unless given."""

    function = staticmethod(functional.triplet_margin_with_distance_loss)
    options = ("distance_function", "margin", "swap")

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Any] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ):
        super().__init__(reduction=reduction)
        if margin <= 0:
            raise InputError(f"margin={margin} is not positive", where="TripletMarginWithDistanceLoss")
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.margin, self.swap = margin, swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        return self._compared(anchor, positive, negative)
