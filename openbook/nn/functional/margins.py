"""Losses that ask for a margin between classes, or between distances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn.functional.losses import positive_part, reduced
from openbook.nn.functional.maps import pairwise_distance
from openbook.ops import vocabulary as word

__all__ = ["multi_margin_loss", "multilabel_margin_loss", "triplet_margin_with_distance_loss"]


def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean"
) -> Any:
    """How far each other class is from being `margin` below the true one, to the power p (1 or 2), over the classes.

    From scores (N, C) or (C) and classes (N) or one; `weight` (C) counts the true classes differently.
    """
    if p not in (1, 2):
        raise InputError(f"multi_margin_loss takes powers 1 and 2, not {p}")
    rows = input if input.ndim == 2 else word.reshape(input, shape=(1, -1))
    classes = word.reshape(target, shape=(rows.shape[0], 1))
    beyond = positive_part(rows - word.gather(rows, classes, axis=1) + margin)
    if p == 2:
        beyond = beyond * beyond
    if weight is not None:
        beyond = beyond * word.gather_entries(weight, index=np.asarray(classes.data))
    others = np.asarray(classes.data) != np.arange(rows.shape[1])
    losses = word.total(word.where(others, beyond, 0.0), axis=1) / rows.shape[1]
    return reduced("multi_margin_loss", losses if input.ndim == 2 else word.reshape(losses, shape=()), reduction)


def multilabel_margin_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """How far each class that does not hold is from being 1 below each that does, over the classes.

    From scores (N, C) or (C); `target`, of the same shape, names the classes that hold, up to the first −1.
    """
    if tuple(input.shape) != tuple(target.shape):
        raise ShapeError(
            f"multilabel_margin_loss takes equal shapes, not {tuple(input.shape)} and {tuple(target.shape)}"
        )
    size = input.shape[-1] if input.ndim else 1
    rows = word.reshape(input, shape=(-1, size))
    named = np.asarray(target.data).reshape(-1, size)
    counted = np.cumprod(named >= 0, axis=1).astype(bool)
    holds = np.zeros(rows.shape, bool)
    row, place = np.nonzero(counted)
    holds[row, named[row, place]] = True
    own = word.gather(rows, np.where(counted, named, 0), axis=1)
    beyond = positive_part(1 - (word.reshape(own, shape=(-1, size, 1)) - word.reshape(rows, shape=(-1, 1, size))))
    pairs = counted[:, :, None] & ~holds[:, None, :]
    losses = word.total(word.where(pairs, beyond, 0.0), axis=(1, 2)) / size
    return reduced("multilabel_margin_loss", losses if input.ndim == 2 else word.reshape(losses, shape=()), reduction)


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """`triplet_margin_loss` with distances of one's own (Euclidean unless given)."""
    if margin <= 0:
        raise InputError(f"a margin is above 0, not {margin}", where="triplet_margin_with_distance_loss")
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = word.minimum(far, distance(positive, negative))
    return reduced("triplet_margin_with_distance_loss", positive_part(margin + near - far), reduction)
