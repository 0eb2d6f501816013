"""How weights start: the distributions PyTorch draws from, layer by layer and function by function."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

import openbook as ob
from openbook import nn
from openbook.errors import OpenbookError

pytestmark = pytest.mark.torch


def weights(*shape: int) -> nn.Parameter:
    return nn.Parameter(np.empty(shape, np.float64))


FILLS: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("uniform_", {"a": -1.0, "b": 3.0}, (50, 40)),
    ("normal_", {"mean": 1.0, "std": 0.5}, (50, 40)),
    ("trunc_normal_", {"std": 0.7, "a": -1.0, "b": 0.5}, (50, 40)),
    ("xavier_uniform_", {"gain": 1.5}, (20, 10, 3, 3)),
    ("xavier_normal_", {}, (60, 30)),
    ("kaiming_uniform_", {"a": math.sqrt(5)}, (60, 30)),
    ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "relu"}, (20, 10, 3, 3)),
    ("kaiming_normal_", {"a": 0.2}, (20, 10, 3, 3)),
    ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "tanh"}, (60, 30)),
]


@pytest.mark.parametrize(("name", "options", "shape"), FILLS)
def test_draws_have_torchs_distribution(name: str, options: dict[str, Any], shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.manual_seed(0)
    ob.manual_seed(0)
    own = getattr(nn.init, name)(weights(*shape), **options).data.ravel()
    truth = getattr(torch.nn.init, name)(torch.empty(shape, dtype=torch.float64), **options).numpy().ravel()
    assert stats.ks_2samp(own, truth).pvalue > 1e-4
    assert abs(own).max() == pytest.approx(abs(truth).max(), rel=0.25)


LAYERS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("Linear", (40, 60), {}), ("Bilinear", (10, 12, 9), {}), ("Conv1d", (16, 20, 5), {"groups": 2}),
    ("Conv2d", (16, 20, 3), {}), ("ConvTranspose2d", (16, 20, 3), {"groups": 4}), ("Embedding", (50, 40), {}),
    ("LSTM", (20, 30), {"num_layers": 2}), ("GRUCell", (20, 30), {}), ("MultiheadAttention", (32, 4), {}),
    ("MultiheadAttention", (32, 4), {"kdim": 20, "vdim": 24}), ("LayerNorm", (200,), {}), ("BatchNorm1d", (200,), {}),
    ("PReLU", (300,), {}), ("TransformerEncoderLayer", (32, 4, 50), {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "options"), LAYERS)
def test_layers_start_with_torchs_distribution(name: str, arguments: Any, options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.manual_seed(1)
    ob.manual_seed(1)
    ours, theirs = getattr(nn, name)(*arguments, **options), getattr(torch.nn, name)(*arguments, **options)
    for own, truth in zip(ours.parameters(), theirs.parameters(), strict=True):
        a, b = own.data.ravel(), truth.detach().numpy().ravel()
        if np.ptp(b) == 0:
            np.testing.assert_array_equal(a, b)
        else:
            assert stats.ks_2samp(a, b).pvalue > 1e-4
    assert all(p.dtype == np.float32 for p in ours.parameters())


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (4, 3, 2)])
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    ob.manual_seed(0)
    flat = nn.init.orthogonal_(weights(*shape), gain=2.0).data.reshape(shape[0], -1)
    small = flat if flat.shape[0] <= flat.shape[1] else flat.T
    np.testing.assert_allclose(small @ small.T, 4 * np.eye(len(small)), atol=1e-12)


def test_fixed_fills_are_torchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    for name, arguments, shape in (
        ("zeros_", (), (2, 3)), ("ones_", (), (2, 3)), ("constant_", (0.3,), (2, 3)), ("eye_", (), (3, 4)),
        ("dirac_", (), (4, 2, 3)), ("dirac_", (2,), (4, 2, 3, 2)),
    ):  # fmt: skip
        own = getattr(nn.init, name)(weights(*shape), *arguments)
        truth = getattr(torch.nn.init, name)(torch.empty(shape, dtype=torch.float64), *arguments)
        np.testing.assert_array_equal(own.data, truth.numpy())


def test_gains_are_torchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    for name in ("linear", "conv2d", "sigmoid", "tanh", "relu", "selu", "leaky_relu"):
        assert nn.init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name), rel=1e-15)
    assert nn.init.calculate_gain("leaky_relu", 0.3) == torch.nn.init.calculate_gain("leaky_relu", 0.3)


def test_what_has_no_fan_is_said() -> None:
    for fill, message in (
        (lambda: nn.init.xavier_uniform_(weights(3)), "fan"),
        (lambda: nn.init.kaiming_normal_(weights(3, 3), mode="fan"), "mode"),
        (lambda: nn.init.kaiming_normal_(weights(3, 3), nonlinearity="gelu"), "gain"),
        (lambda: nn.init.orthogonal_(weights(3)), "matrix"),
        (lambda: nn.init.eye_(weights(3)), "matrix"),
        (lambda: nn.init.trunc_normal_(weights(3), a=2.0, b=1.0), "interval"),
    ):
        with pytest.raises(OpenbookError, match=message):
            fill()
