"""Dropout as modules: noise in training, nothing in use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbook.nn import functional
from openbook.nn.functional.dropouts import share
from openbook.nn.in_place import over
from openbook.nn.module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class Dropout(Module):
    """In training, drop each entry with probability p and scale the rest by 1/(1 − p); in use, do nothing."""

    function: Callable[..., Any] = staticmethod(functional.dropout)

    def __init__(self, p: float = 0.5, inplace: bool = False):
        super().__init__()
        self.p, self.inplace = share(p, type(self).__name__), inplace

    def forward(self, input: Any) -> Any:
        if self.inplace and self.training:
            return over(input, self._dropped)
        return self.function(input, self.p, self.training)

    def _dropped(self, x: Any) -> Any:
        return self.function(x, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout1d(Dropout):
    """In training, drop whole channels of (N, C, L)."""

    function = staticmethod(functional.dropout1d)


class Dropout2d(Dropout):
    """In training, drop whole channels of (N, C, H, W)."""

    function = staticmethod(functional.dropout2d)


class Dropout3d(Dropout):
    """In training, drop whole channels of (N, C, D, H, W)."""

    function = staticmethod(functional.dropout3d)


class AlphaDropout(Dropout):
    """Dropout for networks of SELUs: keeps mean 0 and variance 1."""

    function = staticmethod(functional.alpha_dropout)


class FeatureAlphaDropout(Dropout):
    """Alpha dropout of whole channels of (N, C, …)."""

    function = staticmethod(functional.feature_alpha_dropout)
