"""Attention with several heads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn import functional, init
from openbook.nn.functional.attention import attention_weights
from openbook.nn.linear import Linear
from openbook.nn.module import Module, Parameter
from openbook.nn.parameter import empty_parameter, float_dtype
from openbook.ops import vocabulary as word

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Each query a mean of values, weighted by how well their keys fit, in `num_heads` ways at once (Vaswani et al. 2017).

    Inputs (time, batch, features), or (batch, time, features) with `batch_first`, or without batch. Parameters as
    PyTorch's: `in_proj_weight` (3·embed, embed) with the rows of query, key and value one below the other, or three
    weights where `kdim` or `vdim` differ. With `add_bias_kv` there are a learnt key and value more (`bias_k`, `bias_v`), with
    `add_zero_attn` a key and value of zeros.
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        if embed_dim < 1 or num_heads < 1 or embed_dim % num_heads:
            raise InputError(f"{embed_dim} features do not make {num_heads} heads of equal size", do="choose a divisor")
        kind = float_dtype(device, dtype)
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim, self.vdim = kdim or embed_dim, vdim or embed_dim
        self.dropout, self.batch_first = dropout, batch_first
        apart = (self.kdim, self.vdim) != (embed_dim, embed_dim)
        widths = {"q_proj_weight": embed_dim, "k_proj_weight": self.kdim, "v_proj_weight": self.vdim}
        for name, width in widths.items():
            self.register_parameter(name, empty_parameter(embed_dim, width, dtype=kind) if apart else None)
        together = None if apart else empty_parameter(3 * embed_dim, embed_dim, dtype=kind)
        self.register_parameter("in_proj_weight", together)
        self.register_parameter("in_proj_bias", empty_parameter(3 * embed_dim, dtype=kind) if bias else None)
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias, dtype=kind)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, empty_parameter(1, 1, embed_dim, dtype=kind) if add_bias_kv else None)
        self.add_zero_attn = add_zero_attn
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial weights (Glorot & Bengio 2010); biases start as zeros."""
        for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight", "in_proj_weight"):
            weight = self._parameters[name]
            if weight is not None:
                init.xavier_uniform_(weight)
        self.out_proj.reset_parameters()
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """The attended values, and the weights (batch, queries, keys), or (batch, heads, queries, keys) unless averaged.

        In masks true means "not to be looked at"; numbers are added to the scores. `key_padding_mask` is (batch, keys),
        `attn_mask` (queries, keys) or (batch·heads, queries, keys). `is_causal` says that `attn_mask` is the causal one.
        """
        if is_causal and attn_mask is None:
            raise InputError("is_causal says what attn_mask is, and there is none",
                             do="pass attn_mask=Transformer.generate_square_subsequent_mask(length)")  # fmt: skip
        batched = self._check(query, key, value)
        swapped = batched and not self.batch_first  # inside, the batch comes first
        q, k, v = (self._heads(x, batched, swapped) for x in self._projected(query, key, value))
        mask = self._mask(attn_mask, key_padding_mask, q, k)
        k, v, mask = self._with_extra_keys(k, v, mask)
        drop = self.dropout if self.training else 0.0
        if need_weights or drop:
            weights = functional.dropout(attention_weights(q, k, mask), drop)
            heads = weights @ v
        else:
            weights, heads = None, functional.scaled_dot_product_attention(q, k, v, mask)
        out = self.out_proj(self._together(heads, batched, swapped))
        if not need_weights or weights is None:
            return out, None
        if average_attn_weights:
            weights = word.mean(weights, axis=1)
        return out, weights if batched else word.reshape(weights, shape=weights.shape[1:])

    def _check(self, query: Any, key: Any, value: Any) -> bool:
        """Whether there is a batch axis."""
        wanted = (self.embed_dim, self.kdim, self.vdim)
        axes = {x.ndim for x in (query, key, value)}
        if axes not in ({2}, {3}) or tuple(x.shape[-1] for x in (query, key, value)) != wanted:
            raise ShapeError(
                f"attention takes query, key and value of {wanted} features with the same 2 or 3 axes, not shapes "
                f"{query.shape}, {key.shape} and {value.shape}"
            )
        batched = query.ndim == 3
        batch = 0 if self.batch_first else 1
        if key.shape[:-1] != value.shape[:-1] or (batched and key.shape[batch] != query.shape[batch]):
            raise ShapeError(
                f"keys {key.shape} and values {value.shape} must be as many, and their batch that of queries {query.shape}"
            )
        return batched

    def _projected(self, query: Any, key: Any, value: Any) -> tuple[Any, Any, Any]:
        size = self.embed_dim
        if self.in_proj_weight is not None and query is key and key is value:
            both = functional.linear(query, self.in_proj_weight, self.in_proj_bias)
            return tuple(word.gather_entries(both, index=(..., rows)) for rows in _thirds(size))
        weights: list[Any] = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        if self.in_proj_weight is not None:
            weights = [word.gather_entries(self.in_proj_weight, index=(rows,)) for rows in _thirds(size)]
        biases: list[Any] = [None] * 3
        if self.in_proj_bias is not None:
            biases = [word.gather_entries(self.in_proj_bias, index=(rows,)) for rows in _thirds(size)]
        inputs = zip((query, key, value), weights, biases, strict=True)
        return tuple(functional.linear(x, W, b) for x, W, b in inputs)

    def _heads(self, x: Any, batched: bool, swapped: bool) -> Any:
        """(time, batch, embed) to (batch, heads, time, head)."""
        parts = (self.num_heads, self.head_dim)
        if not batched:
            return word.permute(word.reshape(x, shape=(1, x.shape[0], *parts)), axes=(0, 2, 1, 3))
        split = word.reshape(x, shape=(*x.shape[:2], *parts))
        return word.permute(split, axes=(1, 2, 0, 3) if swapped else (0, 2, 1, 3))

    def _together(self, heads: Any, batched: bool, swapped: bool) -> Any:
        """The way back of `_heads`."""
        rows, _, time, _ = heads.shape
        if swapped:
            return word.reshape(word.permute(heads, axes=(2, 0, 1, 3)), shape=(time, rows, self.embed_dim))
        shape = (rows, time, self.embed_dim) if batched else (time, self.embed_dim)
        return word.reshape(word.permute(heads, axes=(0, 2, 1, 3)), shape=shape)

    def _with_extra_keys(self, k: Any, v: Any, mask: Any) -> tuple[Any, Any, Any]:
        """One learnt key and value more, and one of zeros more, where they are asked for; every query may look at them."""
        rows, heads, before, width = k.shape
        if self.bias_k is not None and self.bias_v is not None:
            k, v = (
                word.cat(
                    x,
                    word.broadcast_to(word.reshape(b, shape=(1, heads, 1, width)), shape=(rows, heads, 1, width)),
                    axis=2,
                )
                for x, b in ((k, self.bias_k), (v, self.bias_v))
            )
        if self.add_zero_attn:
            k, v = (word.pad(x, widths=((0, 0), (0, 0), (0, 1), (0, 0))) for x in (k, v))
        more = k.shape[2] - before
        if mask is not None and more:
            mask = word.pad(mask, widths=(*((0, 0),) * (mask.ndim - 1), (0, more)))
        return k, v, mask

    def _mask(self, attn_mask: Any, key_padding_mask: Any, q: Any, k: Any) -> Any:
        """What is added to the scores (batch, heads, queries, keys); None where there is no mask."""
        (rows, heads, queries, _), keys = q.shape, k.shape[2]
        mask = None
        if attn_mask is not None:
            shapes = {(queries, keys): (queries, keys), (rows * heads, queries, keys): (rows, heads, queries, keys)}
            mask = _added("attn_mask", attn_mask, shapes, q.dtype)
        if key_padding_mask is not None:
            shapes = {(rows, keys): (rows, 1, 1, keys)} | ({(keys,): (1, 1, 1, keys)} if rows == 1 else {})
            padding = _added("key_padding_mask", key_padding_mask, shapes, q.dtype)
            mask = padding if mask is None else mask + padding
        return mask


def _thirds(size: int) -> tuple[slice, slice, slice]:
    return slice(0, size), slice(size, 2 * size), slice(2 * size, 3 * size)


def _added(name: str, mask: Any, shapes: dict[tuple[int, ...], tuple[int, ...]], dtype: Any) -> Any:
    """A mask as numbers to add to the scores: −∞ where it is true; in the shape that belongs to its own."""
    if tuple(mask.shape) not in shapes:
        raise ShapeError(f"{name} has shape {tuple(mask.shape)}, not {' or '.join(map(str, shapes))}")
    if mask.dtype == np.bool_:
        plain = np.asarray(getattr(mask, "data", mask))
        mask = np.where(plain, np.asarray(-math.inf, dtype), np.asarray(0, dtype))
    elif mask.dtype.kind != "f":
        raise InputError(f"{name} holds {mask.dtype}, neither booleans nor floating-point numbers")
    return word.reshape(mask, shape=shapes[tuple(mask.shape)])
