"""Graphs of any length, their memory, hooks, changes in place, views."""

from __future__ import annotations

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import openbook as ob
from openbook.errors import GraphError, OpenbookError, ShapeError
from openbook.tensor import Tensor


def chain(x: Tensor, length: int) -> Tensor:
    for _ in range(length):
        x = x * 1.0
    return x


def test_a_hundred_thousand_operations_in_a_row() -> None:
    """Neither recursion on the way back nor when the graph is dropped unused."""
    x = ob.tensor([2.0], requires_grad=True)
    y = chain(x, 100_000)
    y.sum().backward()
    assert x.grad.item() == 1
    dropped = chain(x, 100_000)
    end = weakref.ref(dropped)
    del dropped
    assert end() is None


def test_memory_is_freed_on_the_way_back() -> None:
    """After backward nothing is left of the values in between; with retain_graph and record they stay."""
    for keep in (False, True):
        x = ob.tensor(np.ones(50_000), requires_grad=True)
        y = x
        values = []
        for _ in range(20):
            y = y.tanh()
            values.append(weakref.ref(y.data))
        loss = y.sum()
        loss.backward(retain_graph=keep)
        del y
        assert sum(v() is not None for v in values) == (20 if keep else 0)


def test_memory_is_freed_during_the_way_back_not_after() -> None:
    """When backward reaches the first of twenty layers, the memory of the others has gone already."""
    x = ob.tensor(np.ones(100_000), requires_grad=True)
    first = y = x.tanh()
    values = []
    for _ in range(20):
        y = y.tanh()
        values.append(weakref.ref(y.data))
    loss = y.sum()
    del y
    seen = []
    first.register_hook(lambda gradient: seen.append(sum(v() is not None for v in values)))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    loss.backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen[0] <= 1
    assert peak - before < 5 * x.data.nbytes  # cotangents and slopes of one layer, never of all


def test_a_step_of_training_leaves_no_cycles() -> None:
    from openbook import nn

    ob.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 3))
    optimizer = ob.optim.Adam(net.parameters())
    x, y = ob.randn(16, 4), ob.randint(0, 3, (16,))

    def step() -> weakref.ref:
        optimizer.zero_grad()
        h = net[0](x)
        loss = nn.functional.cross_entropy(net(x) + h[:, :3], y)
        loss.backward()
        optimizer.step()
        return weakref.ref(h.data)

    step()
    gc.collect()
    gc.disable()
    try:
        held = [step() for _ in range(3)]
        assert all(h() is None for h in held)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_long_graphs_are_shown_dropped_and_refused_without_recursion() -> None:
    import copy
    import pickle

    x = ob.tensor([2.0], requires_grad=True)
    y = chain(x, 100_000)
    assert "from=mul" in repr(y)
    for way in (copy.deepcopy, pickle.dumps):
        with pytest.raises(GraphError, match="detach"):
            way(y)
    assert copy.deepcopy(x).requires_grad and pickle.loads(pickle.dumps(x)).requires_grad
    (g,) = ob.autograd.grad(y.sum(), x)
    assert g.item() == 1
    v = ob.tensor([1.0, 2.0])
    for _ in range(100_000):
        v = v.view(-1)  # views of views of views
    end = weakref.ref(v)
    del v
    assert end() is None


def test_training_does_not_leak() -> None:
    w = ob.tensor(np.ones((64, 64), np.float32), requires_grad=True)

    def step() -> None:
        w.grad = None
        (w @ w).relu().sum().backward()

    for _ in range(3):
        step()
    gc.collect()
    tracemalloc.start()
    for _ in range(3):
        step()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(50):
        step()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < 20_000


def test_reference_cycles_are_not_needed_to_free_a_graph() -> None:
    gc.disable()
    try:
        x = ob.tensor([1.0], requires_grad=True)
        y = x.exp()
        z = weakref.ref(y)
        del y
        assert z() is None
    finally:
        gc.enable()


# --- hooks ---------------------------------------------------------------------------------------------------------


def test_hooks_see_and_replace_gradients() -> None:
    x = ob.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    seen: list = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    doubled = y.register_hook(lambda g: g * 2)
    (y * y).sum().backward(retain_graph=True)
    assert seen == [[6.0, 12.0]] and x.grad.tolist() == [36.0, 72.0]
    doubled.remove()
    x.grad = None
    handle = x.register_hook(lambda g: -g)
    (y * y).sum().backward()
    assert x.grad.tolist() == [-18.0, -36.0]
    handle.remove()
    with pytest.raises(GraphError):
        ob.tensor([1.0]).register_hook(lambda g: g)
    x.register_hook(lambda g: g.sum())
    with pytest.raises(ShapeError, match="hook"):
        (x * 1).sum().backward()


def test_values_on_the_way_keep_their_gradient_if_asked() -> None:
    x = ob.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.retain_grad()
    (y * y).sum().backward()
    assert y.grad.tolist() == [6.0, 12.0]
    assert not np.shares_memory(y.grad.data, x.grad.data)


def test_keeping_a_gradient_twice_keeps_it_once() -> None:
    x = ob.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    assert not y.retains_grad
    y.retain_grad()
    y.retain_grad()
    assert y.retains_grad
    (y * y).sum().backward()
    assert y.grad.tolist() == [6.0, 12.0]
    with pytest.raises(GraphError):
        ob.ones(2).retain_grad()


def test_hooks_after_accumulation_may_step_and_clear() -> None:
    x, y = ob.tensor([1.0, 2.0], requires_grad=True), ob.tensor([3.0], requires_grad=True)
    order: list = []

    def step(leaf: Tensor) -> None:
        order.append(leaf.grad.tolist())
        with ob.no_grad():
            leaf -= 0.5 * leaf.grad
        leaf.grad = None

    handle = x.register_post_accumulate_grad_hook(step)
    (x * y).sum().backward()
    assert order == [[3.0, 3.0]] and x.grad is None and x.tolist() == [-0.5, 0.5] and y.grad.tolist() == [3.0]
    handle.remove()
    (x * y).sum().backward()
    assert len(order) == 1 and x.grad is not None
    with pytest.raises(GraphError, match="leaves"):
        (x * 2).register_post_accumulate_grad_hook(step)


def test_gradients_share_no_memory() -> None:
    """The rule of a sum hands one array to both terms; what is kept must not be one."""
    a, b = ob.ones(3, requires_grad=True), ob.ones(3, requires_grad=True)
    (a + b).backward(ob.ones(3))
    a.grad.mul_(2)
    assert b.grad.tolist() == [1, 1, 1]


# --- changes in place ----------------------------------------------------------------------------------------------


@pytest.mark.torch
def test_changes_in_place_are_recorded_as_pytorchs_are() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    def run(library):  # type: ignore[no-untyped-def]
        x = library.tensor([1.0, 2.0, 3.0], requires_grad=True)
        w = library.tensor(2.0, requires_grad=True)
        y = x * 1
        y += w
        y.mul_(x)
        y[1] = w * 3
        y[0] += 1
        z = library.zeros(2, 3)
        z[0] = y
        z[1, 1:] = y[:2] * w
        z.clamp_(min=0.5)
        z.pow_(2)
        z.sum().backward()
        return z.tolist(), x.grad.tolist(), w.grad.item()

    assert run(ob) == run(torch)


def test_stale_values_are_refused_by_name() -> None:
    x = ob.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    z = y * y
    y.add_(1)
    with pytest.raises(GraphError, match="mul"):
        z.sum().backward()
    e = x.exp()
    e.add_(1)
    with pytest.raises(GraphError, match="exp"):
        e.sum().backward()
    s = (x * 3).sum()  # a sum needs no value again, so this is no mistake
    y = x * 2
    t = y.sum()
    y.add_(1)
    (t + s).backward()
    assert x.grad.tolist() == [5, 5]


def test_leaves_and_their_views_are_refused() -> None:
    x = ob.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(GraphError, match="leaf"):
        x.add_(1)
    with pytest.raises(GraphError, match="leaf"):
        x[0] = 1.0
    with pytest.raises(GraphError, match="view of a leaf"):
        x[:1].add_(1)
    with ob.no_grad():
        v = x[:1]
    with pytest.raises(GraphError, match="leaf"):
        v.mul_(2)


# --- views ---------------------------------------------------------------------------------------------------------


@pytest.mark.torch
def test_what_aliases_and_what_copies_is_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    ways = {
        "basic index": lambda x: x[1:, ::2],
        "number": lambda x: x[0],
        "new axis": lambda x: x[None],
        "mask": lambda x: x[x > 3],
        "list": lambda x: x[[0, 2]],
        "reshape": lambda x: x.reshape(4, 3),
        "reshape of a transpose": lambda x: x.t().reshape(3, 4),
        "view": lambda x: x.view(2, 6),
        "t": lambda x: x.t(),
        "permute": lambda x: x.permute(1, 0),
        "transpose": lambda x: x.transpose(0, 1),
        "expand": lambda x: x[:1].expand(3, 4),
        "flatten": lambda x: x.flatten(),
        "squeeze": lambda x: x.squeeze(),
        "unsqueeze": lambda x: x.unsqueeze(1),
        "narrow": lambda x: x.narrow(0, 1, 2),
        "select": lambda x: x.select(1, 2),
        "split": lambda x: x.split(2)[1],
        "chunk": lambda x: x.chunk(2)[0],
        "unbind": lambda x: x.unbind(0)[1],
        "contiguous": lambda x: x.contiguous(),
        "contiguous of a transpose": lambda x: x.t().contiguous(),
        "to the same dtype": lambda x: x.to(x.dtype),
        "clone": lambda x: x.clone(),
        "detach": lambda x: x.detach(),
        "flip": lambda x: x.flip(0),
        "repeat": lambda x: x.repeat(1, 1),
        "movedim": lambda x: x.movedim(0, 1),
    }
    for name, way in ways.items():
        changed = []
        for library in (ob, torch):
            x = library.arange(12.0).reshape(3, 4).clone()
            y = way(x)
            x.zero_()
            changed.append(bool((y == 0).all()))
        assert changed[0] == changed[1], name


def test_a_view_that_would_need_a_copy_is_an_error() -> None:
    with pytest.raises(OpenbookError, match="reshape"):
        ob.arange(12.0).reshape(3, 4).t().view(12)


def test_changes_through_a_view_are_noticed() -> None:
    x = ob.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    z = y * y
    with ob.no_grad():
        y[:1].add_(5)
    with pytest.raises(GraphError, match="mul"):
        z.sum().backward()
