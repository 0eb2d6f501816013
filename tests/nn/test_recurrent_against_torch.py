"""Recurrent layers and cells beside PyTorch's: values, all gradients, state and print."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn
from openbook.errors import OpenbookError
from openbook.nn.utils import rnn
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
    ("LSTM", {"num_layers": 2, "bidirectional": True, "proj_size": 2}),
    ("LSTM", {"proj_size": 1, "bias": False}),
]


@pytest.mark.parametrize(("name", "options"), LAYERS)
@pytest.mark.parametrize("start", ["zeros", "given"])
@pytest.mark.parametrize("batched", [True, False])
def test_layer_is_torchs(name: str, options: dict[str, Any], start: str, batched: bool) -> None:
    ours, theirs = twins(name, 4, 3, **options)
    x = normal(5, 2, 4) if batched else normal(7, 4)
    rows = (2 if options.get("batch_first") is None else 5,) if batched else ()
    count = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    given = () if start == "zeros" else (first_states(name, options, count, *rows),)
    compare(ours, theirs, [x, *given])


def first_states(name: str, options: dict[str, Any], count: int, *rows: int) -> Any:
    """States to begin with: h, and for an LSTM c."""
    h = normal(count, *rows, options.get("proj_size", 3))
    return (h, normal(count, *rows, 3, seed=1)) if name == "LSTM" else h


@pytest.mark.parametrize(("name", "options"), LAYERS)
@pytest.mark.parametrize("start", ["zeros", "given"])
@pytest.mark.parametrize("lengths", [(5, 5, 4, 1), (2, 6, 1, 6, 3), (4,)])
def test_packed_sequences_are_torchs(name: str, options: dict[str, Any], start: str, lengths: tuple[int, ...]) -> None:
    """Outputs and last states, and the gradients of everything, in the order the sequences were given in."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    ours, theirs = twins(name, 4, 3, **options)
    count = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    batch_first = options.get("batch_first", False)
    x = normal(*((len(lengths), max(lengths)) if batch_first else (max(lengths), len(lengths))), 4)
    states = [] if start == "zeros" else [first_states(name, options, count, len(lengths))]

    def through(layer: Any, library: Any) -> Any:
        def call(x: Any, *hx: Any) -> Any:
            packed = library.pack_padded_sequence(x, list(lengths), batch_first, enforce_sorted=False)
            y, ends = layer(packed, *hx)
            padded, found = library.pad_packed_sequence(y, batch_first, padding_value=0.5, total_length=7)
            assert tuple(found.tolist()) == lengths
            return padded, ends

        return call

    compare(Wrapped(ours, through(ours, rnn)), Wrapped(theirs, through(theirs, torch.nn.utils.rnn)), [x, *states])


class Wrapped:
    """A module called in a way of its own."""

    def __init__(self, module: Any, call: Any):
        self.module, self.call = module, call

    def __call__(self, *inputs: Any) -> Any:
        return self.call(*inputs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, name)


def test_sequences_padded_packed_and_back() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    theirs = torch.nn.utils.rnn
    arrays = [normal(n, 2, 3, seed=n) for n in (4, 2, 5, 2)]
    mine, others = [ob.tensor(a) for a in arrays], [torch.tensor(a) for a in arrays]
    for batch_first in (False, True):
        for side in ("right", "left"):
            same(rnn.pad_sequence(mine, batch_first, 7.0, side), theirs.pad_sequence(others, batch_first, 7.0, side))
    packed, truth = rnn.pack_sequence(mine, enforce_sorted=False), theirs.pack_sequence(others, enforce_sorted=False)
    for own, other in zip(packed, truth, strict=True):
        same(own, other)
    for own, array in zip(rnn.unpack_sequence(packed), arrays, strict=True):
        same(own, array)
    for own, array in zip(rnn.unpad_sequence(rnn.pad_sequence(mine), [4, 2, 5, 2]), arrays, strict=True):
        same(own, array)
    assert packed.float().data.dtype == np.float32 and packed.double().data.dtype == np.float64
    with pytest.raises(OpenbookError, match="do not fall"):
        rnn.pack_sequence(mine)
    with pytest.raises(OpenbookError, match="do not fit"):
        rnn.pack_padded_sequence(rnn.pad_sequence(mine), [4, 2, 6, 2], enforce_sorted=False)
    with pytest.raises(OpenbookError, match="total_length"):
        rnn.pad_packed_sequence(packed, total_length=3)
    with pytest.raises(OpenbookError, match="first axes"):
        rnn.pad_sequence([ob.ones(2, 3), ob.ones(2, 4)])


def same(own: Any, truth: Any) -> None:
    np.testing.assert_array_equal(own.data, np.asarray(truth))


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
    layer, x = nn.LSTM(4, 3), ob.randn(5, 2, 4)
    for call, message in (
        (lambda: nn.LSTM(4, 3, proj_size=3), "project"),
        (lambda: nn.RNN(4, 3, nonlinearity="gelu"), "nonlinearity"),
        (lambda: nn.GRU(4, 0), "below 1"),
        (lambda: nn.GRU(4, 3, dropout=1.5), "share"),
        (lambda: layer([1.0]), "PackedSequence"),
        (lambda: layer(rnn.pack_sequence([ob.randn(3, 5)])), "4 features"),
        (lambda: layer(ob.randn(5, 2, 3)), r"\(time, batch, 4\)"),
        (lambda: layer(ob.randn(4)), r"\(time, batch, 4\)"),
        (lambda: layer(x, (ob.zeros(1, 3, 3), ob.zeros(1, 2, 3))), "state of shape"),
        (lambda: nn.GRUCell(4, 3)(ob.randn(2, 5)), r"\(batch, 4\)"),
        (lambda: nn.GRUCell(4, 3)(ob.randn(2, 4), ob.zeros(1, 3)), "state of shape"),
    ):
        with pytest.raises(OpenbookError, match=message):
            call()
