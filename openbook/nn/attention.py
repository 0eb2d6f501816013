"""Attention and transformers, with parameters named and laid out as PyTorch's."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn import functional, init
from openbook.nn.containers import ModuleList
from openbook.nn.layers import Dropout, Linear
from openbook.nn.module import Module, Parameter
from openbook.nn.normalization import LayerNorm
from openbook.ops import vocabulary as word

__all__ = ["MultiheadAttention", "TransformerEncoder", "TransformerEncoderLayer"]


class MultiheadAttention(Module):
    """Attention in several heads side by side (Vaswani et al. 2017).

    Masks of truth values shut out where they are true (as in PyTorch, the opposite of `scaled_dot_product_attention`);
    masks of numbers are added to the scores.
    """

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, kdim: int | None = None,
        vdim: int | None = None, batch_first: bool = False, dtype: Any = np.float32,
    ):  # fmt: skip
        super().__init__()
        if num_heads < 1 or embed_dim % num_heads:
            raise InputError(
                f"a width of {embed_dim} does not part into {num_heads} equal heads", where="MultiheadAttention"
            )
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.kdim, self.vdim = kdim or embed_dim, vdim or embed_dim
        self.in_proj_weight = self.q_proj_weight = self.k_proj_weight = self.v_proj_weight = None
        if self.kdim == self.vdim == embed_dim:
            self.in_proj_weight = Parameter(np.empty((3 * embed_dim, embed_dim), dtype))
        else:
            self.q_proj_weight = Parameter(np.empty((embed_dim, embed_dim), dtype))
            self.k_proj_weight = Parameter(np.empty((embed_dim, self.kdim), dtype))
            self.v_proj_weight = Parameter(np.empty((embed_dim, self.vdim), dtype))
        self.in_proj_bias = Parameter(np.zeros(3 * embed_dim, dtype)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias, dtype=dtype)
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if bias:
            init.zeros_(self.out_proj.bias)  # type: ignore[arg-type]

    def forward(
        self, query: Any, key: Any, value: Any, key_padding_mask: Any = None, need_weights: bool = True,
        attn_mask: Any = None, average_attn_weights: bool = True, is_causal: bool = False,
    ) -> tuple[Any, Any]:  # fmt: skip
        """(length, rows, width) each, or (rows, length, width) with batch_first; the outputs and the attention weights."""
        single = query.ndim == 2
        parts: list[Any] = [
            x.unsqueeze(0) if single else x if self.batch_first else x.transpose(0, 1) for x in (query, key, value)
        ]
        if is_causal and attn_mask is None:
            raise InputError("is_causal is a hint about attn_mask", where="MultiheadAttention", do="pass the mask too")
        weights: Any = self.in_proj_weight.chunk(3) if self.in_proj_weight is not None else (
            self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        )  # fmt: skip
        biases: Any = self.in_proj_bias.chunk(3) if self.in_proj_bias is not None else (None,) * 3
        q, k, v = parts
        y, seen = functional.multi_head_attention(
            q, k, v, self.num_heads, weights, biases, self.out_proj.weight, self.out_proj.bias,
            self._mask(attn_mask, key_padding_mask, parts, single), self.dropout if self.training else 0.0,
        )  # fmt: skip
        y = y.squeeze(0) if single else y if self.batch_first else y.transpose(0, 1)
        if not need_weights:
            return y, None
        seen = seen.mean(1) if average_attn_weights else seen
        return y, seen.squeeze(0) if single else seen

    def _mask(self, attn_mask: Any, padding: Any, parts: list[Any], single: bool) -> Any:
        """Both masks as numbers to add to scores of shape (rows, heads, length, keys)."""
        rows, length, keys = parts[0].shape[0], parts[0].shape[1], parts[1].shape[1]
        mask = None
        if attn_mask is not None:
            mask = _scores(attn_mask, parts[0].dtype)
            if mask.ndim == 3:
                mask = mask.reshape(rows, self.num_heads, length, keys)
            elif tuple(mask.shape) != (length, keys):
                raise ShapeError(
                    f"attn_mask has shape {tuple(mask.shape)}, not {(length, keys)}", where="MultiheadAttention"
                )
        if padding is not None:
            closed = _scores(padding.unsqueeze(0) if single else padding, parts[0].dtype)
            if tuple(closed.shape) != (rows, keys):
                raise ShapeError(f"key_padding_mask has shape {tuple(closed.shape)}, not {(rows, keys)}")
            closed = closed.reshape(rows, 1, 1, keys)
            mask = closed if mask is None else mask + closed
        return mask


def _scores(mask: Any, dtype: Any) -> Any:
    if mask.dtype != np.bool_:
        return mask
    return word.where(mask, np.asarray(-np.inf, dtype), np.asarray(0, dtype))


class TransformerEncoderLayer(Module):
    """Self-attention and two affine layers, each with a residual and a layer norm (after, or before if `norm_first`)."""

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu", layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, dtype: Any = np.float32,
    ):  # fmt: skip
        super().__init__()
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype)
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        known = {"relu": functional.relu, "gelu": functional.gelu}
        if isinstance(activation, str) and activation not in known:
            raise InputError(
                f"activation {activation!r} has no name here", do='choose "relu", "gelu", or pass a function'
            )
        self.activation = known[activation] if isinstance(activation, str) else activation

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        if self.norm_first:
            x = src + self._attended(self.norm1(src), src_mask, src_key_padding_mask)
            return x + self._fed_forward(self.norm2(x))
        x = self.norm1(src + self._attended(src, src_mask, src_key_padding_mask))
        return self.norm2(x + self._fed_forward(x))

    def _attended(self, x: Any, mask: Any, padding: Any) -> Any:
        y, _ = self.self_attn(x, x, x, attn_mask=mask, key_padding_mask=padding, need_weights=False)
        return self.dropout1(y)

    def _fed_forward(self, x: Any) -> Any:
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerEncoder(Module):
    """Several encoder layers, each starting as a copy of the one given."""

    def __init__(self, encoder_layer: TransformerEncoderLayer, num_layers: int, norm: Module | None = None):
        super().__init__()
        self.layers = ModuleList(copy.deepcopy(encoder_layer) for _ in range(num_layers))
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> Any:
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask)
        return src if self.norm is None else self.norm(src)
