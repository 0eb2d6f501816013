"""Transformers (Vaswani et al. 2017): attention and a small network for every row, layer upon layer."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn import functional, init
from openbook.nn.attention import MultiheadAttention
from openbook.nn.containers import ModuleList
from openbook.nn.dropout import Dropout
from openbook.nn.linear import Linear
from openbook.nn.module import Module
from openbook.nn.normalization import LayerNorm
from openbook.tensor.tensor import Tensor

__all__ = [
    "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer",
]  # fmt: skip

Activation = str | Callable[[Any], Any]


def _activation(activation: Activation) -> Callable[[Any], Any]:
    if isinstance(activation, str):
        if activation not in ("relu", "gelu"):
            raise InputError(
                f"a transformer knows no activation {activation!r}", do='choose "relu", "gelu" or a function'
            )
        return getattr(functional, activation)
    return activation


class _Layer(Module):
    """What encoder and decoder layers share: self-attention and the network behind it."""

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = functional.relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        super().__init__()
        made = {"device": device, "dtype": dtype}
        norm = {"eps": layer_norm_eps, "bias": bias, **made}
        attention = {"dropout": dropout, "bias": bias, "batch_first": batch_first, **made}
        self.self_attn = MultiheadAttention(d_model, nhead, **attention)
        if self.looks_elsewhere:
            self.multihead_attn = MultiheadAttention(d_model, nhead, **attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **made)
        self.norm_first = norm_first
        names = ("1", "2", "3") if self.looks_elsewhere else ("1", "2")
        for name in names:
            self.add_module(f"norm{name}", LayerNorm(d_model, **norm))
        for name in names:
            self.add_module(f"dropout{name}", Dropout(dropout))
        self.activation = _activation(activation)

    looks_elsewhere = False

    def _beside(self, x: Any, name: str, block: Callable[[Any], Any]) -> Any:
        """x plus what a block makes of it, normalised before the block or after the sum."""
        norm, dropout = self._modules[f"norm{name}"], self._modules[f"dropout{name}"]
        assert norm is not None and dropout is not None
        if self.norm_first:
            return x + dropout(block(norm(x)))
        return norm(x + dropout(block(x)))

    def _network(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def _look(self, attention: Any, x: Any, at: Any, mask: Any, padding: Any, is_causal: bool) -> Any:
        mask = _causal(mask, x, at, attention.batch_first) if is_causal else mask
        return attention(x, at, at, attn_mask=mask, key_padding_mask=padding, need_weights=False)[0]


def _causal(mask: Any, x: Any, at: Any, batch_first: bool) -> Any:
    """The mask that `is_causal` promises; it must be given, as it is in PyTorch."""
    if mask is None:
        time = 1 if batch_first and x.ndim == 3 else 0
        raise InputError(
            "is_causal says what the mask is, and there is none",
            do=f"pass the mask Transformer.generate_square_subsequent_mask({max(x.shape[time], at.shape[time])})",
        )
    return mask


class TransformerEncoderLayer(_Layer):
    """Self-attention, then a network of two linear layers, each beside a short cut and normalised.

    Inputs (time, batch, d_model), or (batch, time, d_model) with `batch_first`. With `norm_first`, what goes into a block
    is normalised, otherwise what comes out.
    """

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        x = self._beside(
            src, "1", lambda x: self._look(self.self_attn, x, x, src_mask, src_key_padding_mask, is_causal)
        )  # fmt: skip
        return self._beside(x, "2", self._network)


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to `memory` (what an encoder gives), then a network of two linear layers."""

    looks_elsewhere = True

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Any:
        x = self._beside(
            tgt, "1", lambda x: self._look(self.self_attn, x, x, tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        )
        x = self._beside(
            x, "2",
            lambda x: self._look(
                self.multihead_attn, x, memory, memory_mask, memory_key_padding_mask, memory_is_causal
            ),
        )  # fmt: skip
        return self._beside(x, "3", self._network)


class TransformerEncoder(Module):
    """Copies of an encoder layer, one after the other, and a norm at the end if there is one."""

    def __init__(
        self, encoder_layer: Module, num_layers: int, norm: Module | None = None, enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ):  # fmt: skip
        super().__init__()
        self.layers = ModuleList(copy.deepcopy(encoder_layer) for _ in range(num_layers))
        self.num_layers, self.norm = num_layers, norm
        # Ways of PyTorch to go faster: there is nothing here that they could turn on or off.
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> Any:
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, bool(is_causal))
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """Copies of a decoder layer, one after the other, and a norm at the end if there is one."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None):
        super().__init__()
        self.layers = ModuleList(copy.deepcopy(decoder_layer) for _ in range(num_layers))
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Any:
        for layer in self.layers:
            tgt = layer(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask,
                        bool(tgt_is_causal), memory_is_causal)  # fmt: skip
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder of `src` and a decoder of `tgt` that looks at it."""

    def __init__(
        self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6, num_decoder_layers: int = 6,
        dim_feedforward: int = 2048, dropout: float = 0.1, activation: Activation = functional.relu,
        custom_encoder: Module | None = None, custom_decoder: Module | None = None, layer_norm_eps: float = 1e-5,
        batch_first: bool = False, norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        super().__init__()
        sizes = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias,
                 device, dtype)  # fmt: skip

        def norm() -> LayerNorm:
            return LayerNorm(d_model, eps=layer_norm_eps, bias=bias, device=device, dtype=dtype)

        self.encoder = custom_encoder or TransformerEncoder(TransformerEncoderLayer(*sizes), num_encoder_layers, norm())
        self.decoder = custom_decoder or TransformerDecoder(TransformerDecoderLayer(*sizes), num_decoder_layers, norm())
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self, src: Any, tgt: Any, src_mask: Any = None, tgt_mask: Any = None, memory_mask: Any = None,
        src_key_padding_mask: Any = None, tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None, tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Any:  # fmt: skip
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise ShapeError(f"a transformer of {self.d_model} features takes no shapes {src.shape} and {tgt.shape}")
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        return self.decoder(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask,
                            tgt_is_causal, memory_is_causal)  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = np.float32) -> Tensor:
        """The causal mask (sz, sz): 0 where a key is not later than the query, −∞ where it is."""
        return Tensor(np.where(np.tri(sz, dtype=np.bool_), 0.0, -math.inf).astype(dtype))
