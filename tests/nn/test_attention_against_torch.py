"""Attention and transformers beside PyTorch's: values, all gradients, state and print, under every kind of mask."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn
from openbook.errors import OpenbookError
from tests.nn.beside_torch import CLOSE, compare, normal, same_state_form, their_print, their_state, twins

pytestmark = pytest.mark.torch

CAUSAL = np.triu(np.ones((5, 5), bool), 1)
PADDING = np.array([[False] * 4 + [True], [False] * 5, [False, True] + [False] * 3])


@pytest.mark.parametrize("options", [
    {}, {"bias": False}, {"batch_first": True}, {"kdim": 6, "vdim": 3}, {"kdim": 6, "vdim": 3, "bias": False},
    {"add_bias_kv": True}, {"add_zero_attn": True}, {"add_bias_kv": True, "add_zero_attn": True, "kdim": 6, "vdim": 3},
])  # fmt: skip
@pytest.mark.parametrize("call", [{}, {"need_weights": False}, {"average_attn_weights": False}])
@pytest.mark.parametrize("batched", [True, False])
def test_attention_to_others_is_torchs(options: dict[str, Any], call: dict[str, Any], batched: bool) -> None:
    ours, theirs = twins("MultiheadAttention", 8, 2, **options)

    def shape(length: int, width: int) -> tuple[int, ...]:
        rows = () if not batched else (3,)
        return (*rows, length, width) if options.get("batch_first") else (length, *rows, width)

    inputs = [normal(*shape(4, 8)), normal(*shape(5, options.get("kdim", 8)), seed=1),
              normal(*shape(5, options.get("vdim", 8)), seed=2)]  # fmt: skip
    compare(ours, theirs, inputs, **call)


@pytest.mark.parametrize("masks", [
    {"attn_mask": CAUSAL}, {"attn_mask": normal(5, 5)}, {"attn_mask": normal(6, 5, 5)}, {"key_padding_mask": PADDING},
    {"attn_mask": normal(5, 5), "key_padding_mask": normal(3, 5, seed=4)},
    {"attn_mask": np.where(CAUSAL, -np.inf, 0.0), "is_causal": True},
])  # fmt: skip
@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("options", [{}, {"add_bias_kv": True}, {"add_bias_kv": True, "add_zero_attn": True}])
def test_attention_to_itself_under_masks_is_torchs(
    masks: dict[str, Any], need_weights: bool, options: dict[str, Any]
) -> None:
    if options and masks.get("is_causal") and not need_weights:
        pytest.skip("PyTorch hides the extra keys from all queries here, and shows them where weights are asked for")
    ours, theirs = twins("MultiheadAttention", 8, 2, batch_first=True, **options)
    x = normal(3, 5, 8)
    compare(_Itself(ours), _Itself(theirs), [x], need_weights=need_weights, **masks)


class _Itself:
    """Query, key and value are one tensor: the way through the joint projection."""

    def __init__(self, attention: Any):
        self.attention = attention

    def __call__(self, x: Any, **options: Any) -> Any:
        return self.attention(x, x, x, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.attention, name)


def test_unbatched_padding_is_torchs() -> None:
    ours, theirs = twins("MultiheadAttention", 8, 2)
    compare(_Itself(ours), _Itself(theirs), [normal(5, 8)], key_padding_mask=PADDING[0], attn_mask=CAUSAL)


@pytest.mark.parametrize("options", [
    {}, {"norm_first": True}, {"batch_first": True, "activation": "gelu"}, {"bias": False}, {"layer_norm_eps": 1e-2},
])  # fmt: skip
def test_encoder_layer_is_torchs(options: dict[str, Any]) -> None:
    ours, theirs = twins("TransformerEncoderLayer", 8, 2, dim_feedforward=12, dropout=0.0, **options)
    shape = (3, 5, 8) if options.get("batch_first") else (5, 3, 8)
    for masks in ({}, {"src_mask": np.where(CAUSAL, -np.inf, 0.0), "src_key_padding_mask": np.where(PADDING, -9.0, 0)}):
        compare(ours, theirs, [normal(*shape)], **masks)
    ours.eval()
    theirs.eval()
    compare(ours, theirs, [normal(5, 8)], src_mask=CAUSAL, is_causal=True)


@pytest.mark.parametrize("options", [{}, {"norm_first": True}, {"batch_first": True, "bias": False}])
def test_decoder_layer_is_torchs(options: dict[str, Any]) -> None:
    ours, theirs = twins("TransformerDecoderLayer", 8, 2, dim_feedforward=12, dropout=0.0, **options)
    shapes = ((3, 5, 8), (3, 4, 8)) if options.get("batch_first") else ((5, 3, 8), (4, 3, 8))
    compare(ours, theirs, [normal(*shape) for shape in shapes])
    compare(ours, theirs, [normal(*shape) for shape in shapes], tgt_mask=CAUSAL, tgt_is_causal=True,
            memory_mask=normal(5, 4), memory_key_padding_mask=PADDING[:, 1:] * -3.0)  # fmt: skip


def test_encoder_is_torchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    layer = {"dim_feedforward": 12, "dropout": 0.0, "batch_first": True}
    theirs = torch.nn.TransformerEncoder(
        torch.nn.TransformerEncoderLayer(8, 2, **layer), 3, torch.nn.LayerNorm(8)
    ).double()  # fmt: skip
    ours = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, **layer), 3, nn.LayerNorm(8)).double()
    same_state_form(ours, theirs)
    first, second = (ours.layers[i].linear1.weight for i in (0, 1))
    assert first is not second
    np.testing.assert_array_equal(first.data, second.data)  # copies start alike, as PyTorch's do
    ours.load_state_dict(their_state(theirs))
    assert repr(ours) == their_print(theirs)
    compare(ours, theirs, [normal(3, 5, 8)], mask=np.where(CAUSAL, -np.inf, 0.0))


def test_transformer_is_torchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    sizes = {"d_model": 8, "nhead": 2, "num_encoder_layers": 2, "num_decoder_layers": 2, "dim_feedforward": 12}
    ours, theirs = twins("Transformer", **sizes, dropout=0.0)
    mask = nn.Transformer.generate_square_subsequent_mask(4, dtype=np.float64)
    np.testing.assert_array_equal(mask.data, torch.nn.Transformer.generate_square_subsequent_mask(4).numpy())
    compare(ours, theirs, [normal(5, 3, 8), normal(4, 3, 8)], tgt_mask=mask.data)


@pytest.mark.parametrize("mask", [None, CAUSAL[:4], normal(4, 5), normal(3, 1, 4, 5)])
def test_scaled_dot_product_attention_is_torchs(mask: np.ndarray | None) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    q, k, v = normal(3, 2, 4, 6), normal(3, 2, 5, 6), normal(3, 2, 5, 7)
    for options in ({}, {"scale": 0.3}, {"is_causal": True} if mask is None else {}):
        own = nn.functional.scaled_dot_product_attention(
            *map(ob.tensor, (q, k, v)), attn_mask=None if mask is None else ob.tensor(mask), **options
        )
        truth = torch.nn.functional.scaled_dot_product_attention(
            *map(torch.tensor, (q, k, v)), attn_mask=None if mask is None else torch.tensor(mask), **options
        )
        np.testing.assert_allclose(own.data, truth.numpy(), **CLOSE)


def test_heads_of_queries_can_share_keys() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    q, k, v = normal(3, 4, 5, 6), normal(3, 2, 5, 6), normal(3, 2, 5, 6)
    own = nn.functional.scaled_dot_product_attention(*map(ob.tensor, (q, k, v)), enable_gqa=True)
    truth = torch.nn.functional.scaled_dot_product_attention(*map(torch.tensor, (q, k, v)), enable_gqa=True)
    np.testing.assert_allclose(own.data, truth.numpy(), **CLOSE)


def test_dropout_is_for_training_and_keeps_the_mean() -> None:
    ob.manual_seed(0)
    attention, x = nn.MultiheadAttention(4, 2, dropout=0.5), ob.randn(6, 2, 4)
    weights = np.mean([attention(x, x, x)[1].data for _ in range(400)], axis=0)
    attention.eval()
    np.testing.assert_allclose(weights, attention(x, x, x)[1].data, atol=0.05)


def test_what_does_not_fit_is_said() -> None:
    attention, x = nn.MultiheadAttention(8, 2), ob.randn(5, 3, 8)
    for call, message in (
        (lambda: nn.MultiheadAttention(8, 3), "heads"),
        (lambda: attention(x, x, ob.randn(5, 3, 7)), "features"),
        (lambda: attention(x, x, ob.randn(4, 3, 8)), "as many"),
        (lambda: attention(x, ob.randn(5, 2, 8), ob.randn(5, 2, 8)), "batch"),
        (lambda: attention(x, x, x, attn_mask=ob.zeros(4, 5)), "attn_mask"),
        (lambda: attention(x, x, x, key_padding_mask=ob.zeros(5, 3)), "key_padding_mask"),
        (lambda: attention(x, x, x, attn_mask=ob.tensor(np.zeros((5, 5), int))), "booleans"),
        (lambda: attention(x, x, x, is_causal=True), "is_causal"),
        (lambda: nn.TransformerEncoderLayer(8, 2, activation="tanh"), "activation"),
        (lambda: nn.TransformerEncoderLayer(8, 2)(x, is_causal=True), "is_causal"),
        (lambda: nn.Transformer(8, 2)(ob.randn(5, 3, 7), x), "features"),
        (lambda: nn.functional.scaled_dot_product_attention(x, x, x, ob.zeros(3, 3), is_causal=True), "not both"),
    ):
        with pytest.raises(OpenbookError, match=message):
            call()
