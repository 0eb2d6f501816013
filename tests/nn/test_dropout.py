"""Dropout: what is dropped, how often, and that nothing is in use."""

from __future__ import annotations

import numpy as np
import pytest

import openbook as ob
from openbook import nn


@pytest.mark.parametrize(("name", "shape"), [("Dropout1d", (400, 50, 3)), ("Dropout2d", (400, 50, 2, 2)),
                                             ("Dropout3d", (400, 50, 2, 1, 2)), ("Dropout2d", (20_000, 2, 2))])  # fmt: skip
def test_channels_go_as_a_whole(name: str, shape: tuple[int, ...]) -> None:
    ob.manual_seed(0)
    layer, x = getattr(nn, name)(0.25), ob.ones(*shape)
    axes = tuple(range(-int(name[-2]), 0))
    y = layer(x).data
    assert set(np.unique(y)) == {0.0, np.float32(1 / 0.75)}
    assert not np.ptp(y, axis=axes).any()
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.01)
    np.testing.assert_array_equal(layer.eval()(x).data, x.data)


def test_everything_and_nothing_can_be_dropped() -> None:
    x = ob.ones(5, 5, requires_grad=True)
    nn.Dropout(1.0)(x).sum().backward()
    assert not x.grad.data.any()
    np.testing.assert_array_equal(nn.Dropout(0.0)(x).data, x.data)


def test_the_gradient_is_the_mask() -> None:
    ob.manual_seed(0)
    x = ob.ones(100, requires_grad=True)
    y = nn.Dropout(0.5)(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, y.data)


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    ob.manual_seed(0)
    x = ob.randn(300_000, dtype=np.float64)
    y = nn.AlphaDropout(0.3)(x).data
    assert y.mean() == pytest.approx(0, abs=0.01)
    assert y.std() == pytest.approx(1, abs=0.01)
    np.testing.assert_array_equal(nn.AlphaDropout(0.3).eval()(x).data, x.data)
