"""What the update rules have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["decayed", "directed"]


def directed(p: np.ndarray, g: np.ndarray, group: dict[str, Any], out: np.ndarray) -> np.ndarray:
    """The gradient to go by: turned round where something is maximised, with weight decay as part of it.

    `g` itself where neither is asked for, `out` otherwise.
    """
    decay = group["weight_decay"]
    if decay:
        np.multiply(p, decay, out=out)
        return np.subtract(out, g, out=out) if group["maximize"] else np.add(out, g, out=out)
    return np.negative(g, out=out) if group["maximize"] else g


def decayed(p: np.ndarray, g: np.ndarray, shrink: np.ndarray, group: dict[str, Any], out: np.ndarray) -> np.ndarray:
    """The gradient to go by; where the decay is decoupled, `p` itself shrinks, and the gradient does not know of it."""
    if not (group["decoupled_weight_decay"] and group["weight_decay"]):
        return directed(p, g, group, out)
    p *= shrink
    return np.negative(g, out=out) if group["maximize"] else g
