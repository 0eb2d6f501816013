"""Backward as users of PyTorch know it, and errors where it cannot be right."""

from __future__ import annotations

import numpy as np
import pytest

import openbook as ob
from openbook.errors import GraphError, OpenbookError


def test_gradients_accumulate_until_cleared() -> None:
    w = ob.tensor([1.0, 2.0], requires_grad=True)
    for times in (1, 2, 3):
        (w * w).sum().backward()
        np.testing.assert_array_equal(w.grad.data, times * 2 * w.data)
    w.grad = None
    (w * w).sum().backward()
    np.testing.assert_array_equal(w.grad.data, 2 * w.data)


def test_a_value_used_twice_gets_both_gradients() -> None:
    x = ob.tensor(3.0, requires_grad=True)
    y = x * x
    (y * y + y).backward()
    assert float(x.grad) == 4 * 27 + 6


def test_a_freed_graph_says_so() -> None:
    x = ob.tensor(3.0, requires_grad=True)
    y = x * x
    y.backward()
    with pytest.raises(GraphError, match="retain_graph"):
        y.backward()


def test_retained_and_recorded_graphs_stay() -> None:
    x = ob.tensor(3.0, requires_grad=True)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert float(x.grad) == 12
    with ob.record():
        z = x * x
        z.backward()
    assert ob.explain(z, wrt=x).result == 6.0


def test_changed_in_place_says_so() -> None:
    x = ob.tensor([1.0, 2.0], requires_grad=True)
    h = x.exp()
    y = (h * h).sum()
    with ob.no_grad():
        h += 1
    with pytest.raises(GraphError, match=r"in place|changed"):
        y.backward()


def test_in_place_on_a_leaf_is_refused() -> None:
    x = ob.tensor([1.0], requires_grad=True)
    with pytest.raises(GraphError):
        x += 1


def test_weights_written_by_hand() -> None:
    """The loop of every first tutorial: `w -= lr * w.grad` under no_grad keeps w a leaf."""
    w = ob.tensor([4.0], requires_grad=True)
    same = w
    for _ in range(50):
        ((w - 1) ** 2).sum().backward()
        with ob.no_grad():
            w -= 0.1 * w.grad
        w.grad = None
    assert w is same and w.requires_grad and float(w) == pytest.approx(1, abs=1e-4)


def test_running_sums_keep_their_gradient() -> None:
    x = ob.tensor([2.0, 3.0], requires_grad=True)
    total = ob.tensor(0.0)
    for i in range(2):
        total += x[i] * x[i]
    total *= 2
    total.backward()
    np.testing.assert_array_equal(x.grad.data, 4 * x.data)


def test_in_place_keeps_type_and_shape() -> None:
    with pytest.raises(OpenbookError, match="int64"):
        ob.tensor([1, 2]).add_(0.5)
    with pytest.raises(OpenbookError, match="fit"):
        ob.tensor([1.0, 2.0]).add_(np.ones((3, 2), np.float32))


def test_backward_needs_a_single_number() -> None:
    x = ob.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(OpenbookError):
        (x * 2).backward()


def test_no_grad_records_nothing() -> None:
    x = ob.tensor([1.0], requires_grad=True)
    with ob.no_grad():
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad
    assert not x.detach().requires_grad


def test_long_chains_do_not_recurse() -> None:
    x = ob.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(20_000):
        y = y + x
    y.backward()
    assert float(x.grad) == 20_001


def test_memory_is_freed_after_backward() -> None:
    import gc
    import weakref

    x = ob.tensor(np.ones(10), requires_grad=True)
    h = x.exp()
    kept = weakref.ref(h)
    y = h.sum()
    del h
    y.backward()
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("shape", [(3, 1), (1, 4), (4,), (1,), ()])
def test_broadcasting_is_undone(shape: tuple[int, ...]) -> None:
    b = ob.tensor(np.ones(shape), requires_grad=True)
    (ob.tensor(np.ones((3, 4))) * b).sum().backward()
    np.testing.assert_array_equal(b.grad.data, np.full(shape, 12 // max(1, int(np.prod(shape)))))


@pytest.mark.torch
def test_random_programs_agree_with_torch() -> None:
    """Same expressions on both, values and gradients to rounding."""
    import torch

    random = np.random.default_rng(0)
    for _ in range(50):
        data = [random.standard_normal((3, 4)) for _ in range(3)]
        choices = random.integers(0, len(STEPS), 6)
        ours, theirs = (
            [ob.tensor(d, requires_grad=True) for d in data],
            [torch.tensor(d, requires_grad=True) for d in data],
        )
        values = [program(ts, choices) for ts in (ours, theirs)]
        for v in values:
            v.backward()
        assert values[0].item() == pytest.approx(values[1].item(), rel=1e-12)
        for a, b in zip(ours, theirs, strict=True):
            given = np.zeros((3, 4)) if b.grad is None else b.grad.numpy()
            found = np.zeros((3, 4)) if a.grad is None else a.grad.data
            np.testing.assert_allclose(found, given, rtol=1e-10, atol=1e-12)


STEPS = (
    lambda a, b, c: a * b + c,
    lambda a, b, c: (a - b).tanh(),
    lambda a, b, c: a.sigmoid() * b,
    lambda a, b, c: (a @ b.T) @ c,
    lambda a, b, c: (a * a + 1).log() - c,
    lambda a, b, c: a.softmax(-1) * c,
    lambda a, b, c: (a - a.mean()) / (1 + b * b),
    lambda a, b, c: a.relu() + 0.1 * b.sum(),
)


def program(inputs: list, choices: np.ndarray):
    """A little program of shared methods; the same text runs on both libraries."""
    a, b, c = inputs
    for choice in choices:
        a, b, c = b, c, STEPS[choice](a, b, c)
    return (c * b).sum()
