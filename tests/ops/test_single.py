"""The short forms of float32 beside the operations' own float64, and blocks beside the whole."""

from __future__ import annotations

import numpy as np
import pytest

from openbook.ops import OPS
from openbook.ops.single import BLOCK
from openbook.testing.oracle import computed

SHORT = {
    "sigmoid": 80, "silu": 80, "silu_slope": 80, "gelu": 13, "gelu_slope": 13, "gelu_tanh": 8, "gelu_tanh_slope": 8,
    "mish_slope": 40,
}  # fmt: skip
EPS = float(np.finfo(np.float32).eps)


def points(within: float) -> np.ndarray:
    random = np.random.default_rng(3)
    parts = [random.uniform(-within, within, 4000), random.standard_normal(4000),
             random.uniform(-1, 1, 500) * 10.0 ** random.uniform(-8, 0, 500), [0.0, -0.0]]  # fmt: skip
    x = np.concatenate(parts).astype(np.float32)
    return x[np.abs(x) < within]


@pytest.mark.parametrize("name", SHORT)
def test_short_forms(name: str) -> None:
    """Within 4 units of what rounding x, and the result, may come to."""
    op, x = OPS[name], points(SHORT[name])
    exact, slope = computed(op, [x.astype(np.float64)], ()), computed(op, [x.astype(np.float64)], op.arguments)
    found = op.forward(x)
    assert found.dtype == np.float32
    unit = EPS * (np.abs(exact) + np.abs(x * slope)) + np.finfo(np.float32).tiny
    assert (np.abs(found - exact) <= 4 * unit).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [*SHORT, "sigmoid_slope", "softplus", "mish", "elu", "elu_slope", "hardswish"])
def test_blocks_are_the_whole(name: str, dtype: type) -> None:
    """Also where a block holds what is infinite or no number, and at a last block that is not full."""
    op, eps = OPS[name], np.finfo(dtype).eps
    x = np.random.default_rng(4).standard_normal(2 * BLOCK + 7).astype(dtype)
    x[:3], x[-2:] = (np.inf, -np.inf, np.nan), (1e30, -1e30)
    with np.errstate(all="ignore"):
        whole = op.forward(x)
        entries = np.concatenate([op.forward(x[i : i + 1]) for i in (*range(0, len(x), 97), 0, 1, 2, -1 % len(x))])
    picked = whole[[*range(0, len(x), 97), 0, 1, 2, -1]]
    np.testing.assert_allclose(picked, entries, rtol=8 * eps, atol=2 * eps)
    assert whole.shape == x.shape and whole.dtype == dtype
    grid = x[: 2 * BLOCK].reshape(BLOCK, 2)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(op.forward(grid.T), op.forward(grid).T, rtol=8 * eps, atol=2 * eps)
