"""Where an activation is flat, nothing passes: not even an infinite cotangent, which 0 would turn into NaN."""

from __future__ import annotations

import numpy as np
import pytest

import openbook as ob
from openbook.nn import functional
from openbook.ops.vocabulary import stopped

INF, NAN = np.inf, np.nan
X = np.array([-4.0, -1, 0, 0.5, 3, 7, INF, -INF, -3, 6, 1, -1])  # of NaN PyTorch's float32 and float64 disagree
G = np.array([INF, NAN, INF, 2, 1, INF, 1, 1, NAN, NAN, NAN, NAN])


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["relu", "relu6", "hardtanh", "hardsigmoid", "threshold"])
def test_infinite_cotangents_stop_where_pytorchs_do(name: str, dtype: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x, g = X.astype(dtype), G.astype(dtype)
    more = (0.5, 0.0) if name == "threshold" else ()
    mine, theirs = ob.from_numpy(x.copy()).requires_grad_(), torch.tensor(x, requires_grad=True)
    getattr(functional, name)(mine, *more).backward(ob.from_numpy(g))
    getattr(torch.nn.functional, name)(theirs, *more).backward(torch.from_numpy(g))
    np.testing.assert_allclose(mine.grad.data, theirs.grad.numpy(), rtol=1e-6)


def test_a_root_behind_a_relu_stays_finite() -> None:
    x = ob.tensor([-1.0, 4.0], requires_grad=True)
    with np.errstate(divide="ignore"):  # the root's slope at 0 is infinite
        ob.relu(x).sqrt().sum().backward()
    assert x.grad.tolist() == [0.0, 0.25]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64"])
def test_bits_are_kept_or_cleared(dtype: str) -> None:
    g = np.arange(-6, 6).astype(dtype).reshape(3, 4)
    closed = np.arange(12).reshape(3, 4) % 3 == 0
    for turned, where in ((g, closed), (g.T, closed.T), (g[::2, ::-1], closed[::2, ::-1])):
        np.testing.assert_array_equal(stopped(turned, where), np.where(where, 0, turned))
