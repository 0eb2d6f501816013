"""Attention: each row of the output a mean of values, weighted by how well their keys fit the query."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn.functional.dropouts import dropout
from openbook.ops import vocabulary as word

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """softmax(q kᵀ · scale + mask) v over the last two axes (Vaswani et al. 2017); `scale` is 1/√features unless given.

    `attn_mask` broadcasts to (…, queries, keys): true where a key may be looked at, or numbers to add. Under `is_causal`
    no query looks at later keys. `dropout_p` drops weights, always: pass 0 outside training. With `enable_gqa` several
    heads (axis −3) of queries share one of keys.
    """
    if is_causal and attn_mask is not None:
        raise InputError("attention takes a mask or is_causal, not both", do="leave one out")
    if enable_gqa and query.shape[-3] != key.shape[-3]:
        if query.shape[-3] % key.shape[-3]:
            raise ShapeError(f"{query.shape[-3]} heads of queries do not share {key.shape[-3]} of keys equally")
        times = query.shape[-3] // key.shape[-3]
        key, value = key.repeat_interleave(times, -3), value.repeat_interleave(times, -3)
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ShapeError(
            f"attention of queries {tuple(query.shape)}, keys {tuple(key.shape)} and values {tuple(value.shape)}",
            do="give queries and keys the same last axis, keys and values the same length",
        )
    mask = causal_mask(query.shape[-2], key.shape[-2]) if is_causal else attn_mask
    weights = attention_weights(query, key, mask, scale)
    return (dropout(weights, dropout_p) if dropout_p else weights) @ value


def causal_mask(queries: int, keys: int) -> np.ndarray:
    """True where a key is not later than the query."""
    return np.tri(queries, keys, dtype=np.bool_)


def attention_weights(query: Any, key: Any, mask: Any = None, scale: float | None = None) -> Any:
    """softmax(q kᵀ · scale + mask): how much each query looks at each key."""
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = (query * factor) @ word.swap(key)
    if mask is not None:
        boolean = getattr(mask, "dtype", None) == np.bool_
        scores = word.where(mask, scores, -math.inf) if boolean else scores + mask
    return word.softmax(scores, axis=-1)
