"""Embeddings and attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn.functional.activations import dropout, linear
from openbook.ops import vocabulary as word

__all__ = ["embedding", "multi_head_attention", "scaled_dot_product_attention"]


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """Rows of a table by their numbers."""
    if padding_idx is not None and padding_idx < 0:
        padding_idx += weight.shape[0]
    return word.embedding(weight, input, padding_idx=padding_idx)


def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
    scale: float | None = None, enable_gqa: bool = False,
) -> Any:  # fmt: skip
    """softmax(q kᵀ/√d + mask) v (Vaswani et al. 2017): (…, length, d) each; a mask of truth values lets the true ones in.

    `is_causal` lets each place look at itself and what came before.
    """
    return attend(query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa)[0]


def attend(
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    dropout_p: float,
    is_causal: bool,
    scale: float | None,
    shared: bool = False,
) -> tuple[Any, Any]:
    """The attended values and the weights they were attended with."""
    if shared and query.shape[-3] != key.shape[-3]:  # several heads of queries share one of keys
        times = query.shape[-3] // key.shape[-3]
        key, value = key.repeat_interleave(times, -3), value.repeat_interleave(times, -3)
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ShapeError(
            f"attention of queries {tuple(query.shape)}, keys {tuple(key.shape)} and values {tuple(value.shape)}",
            do="give queries and keys the same last axis, keys and values the same length",
        )
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = word.matmul(query * factor, word.swap(key))
    if is_causal:
        if mask is not None:
            raise InputError("is_causal=True and attn_mask= say two things", where="attention", do="give one of them")
        mask = np.tril(np.ones(scores.shape[-2:], bool))
    if mask is not None:
        if mask.dtype == np.bool_:
            low = np.asarray(-np.inf, scores.dtype)
            scores = word.where(mask, scores, low)
        else:
            scores = scores + mask
    weights = word.softmax(scores, axis=-1)
    if dropout_p:
        weights = dropout(weights, dropout_p)
    return word.matmul(weights, value), weights


def multi_head_attention(
    query: Any, key: Any, value: Any, heads: int, in_weights: tuple[Any, Any, Any], in_biases: tuple[Any, Any, Any],
    out_weight: Any, out_bias: Any, mask: Any = None, dropout_p: float = 0.0,
) -> tuple[Any, Any]:  # fmt: skip
    """Attention in several heads: (rows, length, width) in and out, and the weights (rows, heads, length, keys)."""
    width = query.shape[-1]
    q, k, v = (
        linear(x, w, b).unflatten(-1, (heads, width // heads)).transpose(1, 2)
        for x, w, b in zip((query, key, value), in_weights, in_biases, strict=True)
    )
    y, weights = attend(q, k, v, mask, dropout_p, is_causal=False, scale=None)
    return linear(y.transpose(1, 2).flatten(2), out_weight, out_bias), weights
