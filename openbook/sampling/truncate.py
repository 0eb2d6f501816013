"""Leaving out the unlikely: top-k, top-p, min-p."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.sampling.temperature import checked_logits, softmax

__all__ = ["truncate"]


def truncate(
    logits: Any,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
) -> np.ndarray:
    """The logits with −∞ where a token may not be drawn.

    `top_k`: the k largest stay (ties with the k-th stay too). `top_p`: the fewest whose probabilities reach p (Holtzman
    et al. 2020; ties with the last stay too). `min_p`: those at least p times as likely as the likeliest. Together they
    are applied in this order, each to what the one before left.
    """
    z = checked_logits(logits).copy()
    if top_k is not None:
        if top_k < 1:
            raise InputError(f"top_k={top_k} leaves no token", where="top_k", do="keep one at least")
        kth = -np.sort(-z, axis=-1)[..., min(top_k, z.shape[-1]) - 1, None]
        z = np.where(z >= kth, z, -np.inf)
    for name, value in (("top_p", top_p), ("min_p", min_p)):
        if value is not None and not 0 < value <= 1:
            raise InputError(f"{name}={value} is no share", where=name, do="choose a number in (0, 1]")
    if top_p is not None:
        p = softmax(z, temperature)
        falling = -np.sort(-p, axis=-1)
        reached = np.argmax(np.cumsum(falling, axis=-1) >= min(top_p, 1 - 1e-15), axis=-1)
        least = np.take_along_axis(falling, reached[..., None], axis=-1)
        z = np.where(p >= least, z, -np.inf)
    if min_p is not None:
        p = softmax(z, temperature)
        z = np.where(p >= min_p * p.max(axis=-1, keepdims=True), z, -np.inf)
    return z
