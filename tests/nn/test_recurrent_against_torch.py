"""Recurrent layers and cells beside PyTorch's: values, all gradients, state and print."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn
from openbook.errors import OpenbookError
from tests.nn.beside_torch import compare, normal, twins

pytestmark = pytest.mark.torch

LAYERS: list[tuple[str, dict[str, Any]]] = [
    ("RNN", {}),
    ("RNN", {"nonlinearity": "relu", "num_layers": 2, "bias": False}),
    ("RNN", {"bidirectional": True, "batch_first": True, "num_layers": 2}),
    ("GRU", {}),
    ("GRU", {"num_layers": 2, "bidirectional": True, "batch_first": True}),
    ("GRU", {"bias": False, "num_layers": 3}),
    ("LSTM", {}),
    ("LSTM", {"num_layers": 2, "bidirectional": True}),
    ("LSTM", {"num_layers": 2, "batch_first": True, "bias": False}),
]


@pytest.mark.parametrize(("name", "options"), LAYERS)
@pytest.mark.parametrize("start", ["zeros", "given"])
@pytest.mark.parametrize("batched", [True, False])
def test_layer_is_torchs(name: str, options: dict[str, Any], start: str, batched: bool) -> None:
    ours, theirs = twins(name, 4, 3, **options)
    x = normal(5, 2, 4) if batched else normal(7, 4)
    rows = (2 if options.get("batch_first") is None else 5,) if batched else ()
    count = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    states = tuple(normal(count, *rows, 3, seed=i) for i in range(2 if name == "LSTM" else 1))
    given = () if start == "zeros" else (states if name == "LSTM" else states[0],)
    compare(ours, theirs, [x, *given])


@pytest.mark.parametrize(("name", "options"), [
    ("RNNCell", {}), ("RNNCell", {"nonlinearity": "relu", "bias": False}), ("GRUCell", {}), ("GRUCell", {"bias": False}),
    ("LSTMCell", {}), ("LSTMCell", {"bias": False}),
])  # fmt: skip
@pytest.mark.parametrize("rows", [(), (5,)])
@pytest.mark.parametrize("start", ["zeros", "given"])
def test_cell_is_torchs(name: str, options: dict[str, Any], rows: tuple[int, ...], start: str) -> None:
    ours, theirs = twins(name, 4, 3, **options)
    states = tuple(normal(*rows, 3, seed=i) for i in range(2 if name == "LSTMCell" else 1))
    given = () if start == "zeros" else (states if name == "LSTMCell" else states[0],)
    compare(ours, theirs, [normal(*rows, 4), *given])


def test_dropout_lies_between_the_layers_in_training_only() -> None:
    ob.manual_seed(0)
    layer, x = nn.LSTM(4, 3, num_layers=2, dropout=0.5), ob.randn(5, 2, 4)
    assert not np.array_equal(layer(x)[0].data, layer(x)[0].data)
    layer.eval()
    np.testing.assert_array_equal(layer(x)[0].data, layer(x)[0].data)
    top = nn.LSTM(4, 3, dropout=0.5)  # one layer has nothing between
    np.testing.assert_array_equal(top(x)[0].data, top(x)[0].data)


def test_initial_weights_have_torchs_distribution() -> None:
    ob.manual_seed(0)
    for layer in (nn.LSTM(50, 100), nn.GRU(50, 100, bidirectional=True), nn.RNNCell(50, 100)):
        for parameter in layer.parameters():
            assert np.abs(parameter.data).max() <= 0.1
            assert np.abs(parameter.data).max() > 0.09


def test_what_is_not_there_and_what_does_not_fit_is_said() -> None:
    torch = pytest.importorskip("torch")
    packed = torch.nn.utils.rnn.pack_sequence([torch.ones(3, 4)])
    layer, x = nn.LSTM(4, 3), ob.randn(5, 2, 4)
    for call, message in (
        (lambda: nn.LSTM(4, 3, proj_size=2), "project"),
        (lambda: nn.RNN(4, 3, nonlinearity="gelu"), "nonlinearity"),
        (lambda: nn.GRU(4, 0), "below 1"),
        (lambda: nn.GRU(4, 3, dropout=1.5), "share"),
        (lambda: layer(packed), "packed"),
        (lambda: layer(ob.randn(5, 2, 3)), r"\(time, batch, 4\)"),
        (lambda: layer(ob.randn(4)), r"\(time, batch, 4\)"),
        (lambda: layer(x, (ob.zeros(1, 3, 3), ob.zeros(1, 2, 3))), "state of shape"),
        (lambda: nn.GRUCell(4, 3)(ob.randn(2, 5)), r"\(batch, 4\)"),
        (lambda: nn.GRUCell(4, 3)(ob.randn(2, 4), ob.zeros(1, 3)), "state of shape"),
    ):
        with pytest.raises(OpenbookError, match=message):
            call()
