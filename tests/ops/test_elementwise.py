"""Every elementwise operation against its own formula in as many digits as it takes: 4·max(1, κ) units in the last place."""

from __future__ import annotations

import math

import numpy as np
import pytest

from openbook.ops import OPS, apply
from openbook.tensor import Tensor
from openbook.testing.mistakes import MISTAKES, plant
from openbook.testing.oracle import computed, errors, orders_of, require_within_budget, samples, worst

SMOOTH = sorted(n for n, op in OPS.items() if op.elementwise and op.differentiable and n != "where")
UNARY = [n for n in SMOOTH if len(OPS[n].arguments) == 1]


@pytest.mark.parametrize("name", SMOOTH)
def test_value_and_derivatives_within_their_budget(name: str) -> None:
    require_within_budget(OPS[name], errors(OPS[name], 40))


@pytest.mark.parametrize("name", [n for n in UNARY if OPS[n].edges])
def test_edges(name: str) -> None:
    op = OPS[name]
    for at, expected in op.edges.items():
        with np.errstate(all="ignore"):
            found = float(op.forward(np.asarray(at)))
        assert found == expected or (math.isnan(found) and math.isnan(expected)), (name, at)


@pytest.mark.parametrize("name", SMOOTH)
def test_float32_stays_float32(name: str) -> None:
    op = OPS[name]
    inputs = [Tensor(c[:10].astype(np.float32), requires_grad=True) for c in samples(op, 10)]
    y = apply(op, *inputs)
    y.sum().backward()
    assert y.dtype == np.float32 and all(x.grad is None or x.grad.dtype == np.float32 for x in inputs)


@pytest.mark.parametrize("name", SMOOTH)
def test_nothing_and_single_numbers(name: str) -> None:
    """Arrays without entries, and without axes."""
    op = OPS[name]
    for shape in ((0,), (2, 0), ()):
        inputs = [Tensor(np.full(shape, c[0]), requires_grad=True) for c in samples(op, 10)]
        y = apply(op, *inputs)
        assert y.shape == shape
        y.backward(Tensor(np.ones(shape)))
        assert all(x.grad is None or x.grad.shape == shape for x in inputs)


@pytest.mark.parametrize("name", SMOOTH)
def test_entries_stored_in_any_order(name: str) -> None:
    """Transposed, reversed and strided memory gives the bits of memory in order."""
    op = OPS[name]
    grids = [np.resize(c[:12], (3, 4)) for c in samples(op, 12)]
    straight = op.forward(*(g.copy() for g in grids))
    turned = op.forward(*(np.asfortranarray(g) for g in grids))
    strided = op.forward(*(np.repeat(g, 2, axis=1)[:, ::2] for g in grids))
    np.testing.assert_allclose(
        turned, straight, rtol=4e-16, atol=0
    )  # vectorised libraries round their tails differently
    np.testing.assert_allclose(strided, straight, rtol=4e-16, atol=0)


@pytest.mark.parametrize("name", [n for n in SMOOTH if len(OPS[n].arguments) == 2])
def test_broadcasting_is_undone(name: str) -> None:
    """A row against a column: each gradient has the shape of its input, and is the sum over what it was used for."""
    op = OPS[name]
    a, b = (c[:n].copy() for c, n in zip(samples(op, 12), (4, 3), strict=True))
    row, column = Tensor(a, requires_grad=True), Tensor(b.reshape(3, 1), requires_grad=True)
    cotangent = np.random.default_rng(2).standard_normal((3, 4))
    apply(op, row, column).backward(Tensor(cotangent))
    full = [Tensor(np.broadcast_to(x, (3, 4)).copy(), requires_grad=True) for x in (a, b.reshape(3, 1))]
    apply(op, *full).backward(Tensor(cotangent))
    np.testing.assert_allclose(row.grad.data, full[0].grad.data.sum(0), rtol=1e-12)
    np.testing.assert_allclose(column.grad.data, full[1].grad.data.sum(1, keepdims=True), rtol=1e-12)


def test_erfc_of_single_precision_to_the_last_bit() -> None:
    """Beside SciPy's in double precision: within one unit in the last place, and everything at the edges."""
    from scipy.special import erfc

    x = np.linspace(-6, 10.5, 100_001, dtype=np.float32)
    found, truth = OPS["erfc"].forward(x), erfc(x.astype(np.float64))
    assert found.dtype == np.float32
    assert np.all(np.abs(found - truth) <= np.spacing(truth.astype(np.float32)))
    edges = np.array([np.inf, -np.inf, np.nan, -0.0, 3e38, 1e-40], np.float32)
    np.testing.assert_array_equal(OPS["erfc"].forward(edges), np.array([0, 2, np.nan, 1, 0, 1], np.float32))


def test_gelu_of_single_precision() -> None:
    """Beside SciPy's in double precision: as near as the condition number lets it, and everything at the edges."""
    from scipy.special import ndtr

    x = np.linspace(-13, 8, 200_001, dtype=np.float32)
    double = x.astype(np.float64)
    found, truth = OPS["gelu"].forward(x), double * ndtr(double)
    slope = np.exp(-(double**2) / 2) / math.sqrt(2 * math.pi) * double + ndtr(double)
    budget = 4 * np.maximum(np.abs(truth), np.abs(double * slope)) * np.finfo(np.float32).eps
    assert found.dtype == np.float32
    assert np.all(np.abs(found - truth) <= budget + np.finfo(np.float32).smallest_subnormal)
    edges = np.array([np.inf, np.nan, -0.0, 3e38, -3e38, 1e-40], np.float32)
    expected = np.array([np.inf, np.nan, 0, 3e38, 0, 5e-41], np.float32)
    np.testing.assert_allclose(OPS["gelu"].forward(edges), expected, rtol=1e-4)


# --- the tests themselves (more of them, and new operations, in test_every_operation.py) ----------------------------


@pytest.mark.parametrize("mistake", ["1.001 times as much", "a turned sign"])
@pytest.mark.parametrize("name", SMOOTH)
def test_planted_mistakes_are_caught(name: str, mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the value, and in the slope (where there is one that is not 0 everywhere)."""
    op, wrong = OPS[name], MISTAKES[mistake]
    columns = [c[:8] for c in samples(op, 20)]
    length = min(map(len, columns))
    columns = [c[:length] for c in columns]
    monkeypatch.setattr(op, "forward", staticmethod(plant(op.forward, wrong)))
    assert worst(op, columns).share > 1 or not np.any(op.forward(*columns))
    monkeypatch.undo()
    slopes = {orders: worst(op, columns, orders) for orders in orders_of(op) if len(orders) == 1}
    monkeypatch.setattr(op, "gradient", staticmethod(plant(op.gradient, wrong)))
    for orders in slopes:
        flat = not np.any(computed(op, columns, orders))
        assert flat or worst(op, columns, orders).share > 1, orders
