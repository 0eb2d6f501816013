"""Dropout: noise that a network must not rely on, in training only."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.tensor.create import generator

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]

_ALPHA = 1.6732632423543772 * 1.0507009873554805  # what SELU tends to far below zero, its sign turned


def share(p: float, name: str) -> float:
    """The share of entries to drop, if it is one."""
    if not 0 <= p <= 1:
        raise InputError(f"the share of entries to drop lies in [0, 1], not {p}", where=name)
    return p


def _drop(x: Any, p: float, shape: tuple[int, ...]) -> Any:
    """Times a mask that broadcasts over x: 0 with probability p, else 1/(1 − p)."""
    kept = generator().random(shape) >= p
    return x * (kept / (1 - p) if p < 1 else kept).astype(x.dtype)


def dropout(input: Any, p: float = 0.5, training: bool = True) -> Any:
    """In training, drop each entry with probability p and scale the rest by 1/(1 − p) (Srivastava et al. 2014)."""
    if not training or share(p, "dropout") == 0:
        return input
    return _drop(input, p, input.shape)


def _channels(axes: int, input: Any, p: float, training: bool) -> Any:
    if input.ndim not in (axes + 1, axes + 2):
        raise ShapeError(f"dropout{axes}d takes (batch, channels, {axes} spatial axes), not shape {input.shape}")
    if not training or share(p, f"dropout{axes}d") == 0:
        return input
    return _drop(input, p, (*input.shape[: input.ndim - axes], *(1,) * axes))


def dropout1d(input: Any, p: float = 0.5, training: bool = True) -> Any:
    """In training, drop whole channels of (N, C, L) with probability p."""
    return _channels(1, input, p, training)


def dropout2d(input: Any, p: float = 0.5, training: bool = True) -> Any:
    """In training, drop whole channels of (N, C, H, W) with probability p."""
    return _channels(2, input, p, training)


def dropout3d(input: Any, p: float = 0.5, training: bool = True) -> Any:
    """In training, drop whole channels of (N, C, D, H, W) with probability p."""
    return _channels(3, input, p, training)


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False) -> Any:
    """In training, set entries to SELU's floor so that mean 0 and variance 1 are kept (Klambauer et al. 2017)."""
    if not training or share(p, "alpha_dropout") == 0:
        return input
    return _to_floor(input, p, tuple(input.shape))


def feature_alpha_dropout(input: Any, p: float = 0.5, training: bool = False) -> Any:
    """`alpha_dropout` of whole channels (axis 1)."""
    if not training or share(p, "feature_alpha_dropout") == 0:
        return input
    return _to_floor(input, p, (*input.shape[:2], *(1,) * (input.ndim - 2)))


def _to_floor(input: Any, p: float, shape: tuple[int, ...]) -> Any:
    kept = (generator().random(shape) >= p).astype(input.dtype)
    scale = 0.0 if p == 1 else 1 / np.sqrt((1 - p) * (1 + p * _ALPHA * _ALPHA))
    shift = scale * _ALPHA * p
    fixed = (scale * _ALPHA * (kept - 1) + shift).astype(input.dtype)
    return input * (kept * scale).astype(input.dtype) + fixed
