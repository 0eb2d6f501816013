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
