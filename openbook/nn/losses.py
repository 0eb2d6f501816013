"""Losses as modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbook.nn import functional
from openbook.nn.module import Module

__all__ = ["BCEWithLogitsLoss", "CrossEntropyLoss", "MSELoss"]


class Loss(Module):
    """A module that compares predictions with targets; `reduction` is "mean", "sum" or "none"."""

    function: Callable[..., Any]

    def __init__(self, reduction: str = "mean"):
        super().__init__()
        self.reduction = reduction

    def forward(self, input: Any, target: Any) -> Any:
        return type(self).function(input, target, reduction=self.reduction)


class MSELoss(Loss):
    """The mean of squared differences."""

    function = staticmethod(functional.mse_loss)


class CrossEntropyLoss(Loss):
    """Minus the log-probability of the true class, from logits."""

    function = staticmethod(functional.cross_entropy)


class BCEWithLogitsLoss(Loss):
    """Minus the log-probability of a 0/1 target, from log-odds."""

    function = staticmethod(functional.binary_cross_entropy_with_logits)
