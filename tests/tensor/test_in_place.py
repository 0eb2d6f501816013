"""Changes in place, beside PyTorch: the same gradients, or an error where saved values would be false.

Every program is run three ways: here, in PyTorch, and in PyTorch with copies in all the places where a value is saved or
looked at, which never refuses: the truth where PyTorch itself does.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook.errors import GraphError, InputError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.torch

RANDOM = np.random.default_rng(3)
D = RANDOM.uniform(0.2, 0.8, size=(3, 4))
D[1] *= -1

# What is computed from a value, which may be saved for the way back.
USES: dict[str, Callable[[Any, Any], Any]] = {
    "x*2": lambda y, w: y * 2,
    "x*w": lambda y, w: y * w,
    "x*x": lambda y, w: y * y,
    "x+w": lambda y, w: y + w,
    "x-w": lambda y, w: y - w,
    "x/w": lambda y, w: y / w,
    "w/x": lambda y, w: w / y,
    "x**3": lambda y, w: y**3,
    "neg": lambda y, w: -y,
    "exp": lambda y, w: y.exp(),
    "tanh": lambda y, w: y.tanh(),
    "sigmoid": lambda y, w: y.sigmoid(),
    "sin": lambda y, w: y.sin(),
    "relu": lambda y, w: y.relu(),
    "abs": lambda y, w: y.abs(),
    "log": lambda y, w: (y * y).log(),
    "sqrt": lambda y, w: (y * y + 1).sqrt(),
    "erf": lambda y, w: y.erf(),
    "clamp": lambda y, w: y.clamp(-0.5, 0.5),
    "sum": lambda y, w: y.sum(0),
    "mean": lambda y, w: y.mean(),
    "prod": lambda y, w: y.prod(1),
    "amax": lambda y, w: y.amax(0),
    "cumsum": lambda y, w: y.cumsum(0),
    "softmax": lambda y, w: y.softmax(-1),
    "log_softmax": lambda y, w: y.log_softmax(-1),
    "logsumexp": lambda y, w: y.logsumexp(0),
    "norm": lambda y, w: y.norm(),
    "var": lambda y, w: y.var(0),
    "x@xT": lambda y, w: y @ y.T,
    "x@c": lambda y, w: y @ y.detach().clone().T,
    "index": lambda y, w: y[[0, 2]] * w,
    "view": lambda y, w: y[1:].exp(),
    "gather": lambda y, w: y.flip(0),
}

# What is done to it afterwards.
CHANGES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add_": lambda y, w, t: y.add_(1),
    "add_ w": lambda y, w, t: y.add_(w),
    "sub_": lambda y, w, t: y.sub_(w),
    "mul_": lambda y, w, t: y.mul_(w),
    "div_": lambda y, w, t: y.div_(w),
    "pow_": lambda y, w, t: y.pow_(2),
    "+= itself": lambda y, w, t: y.add_(y),
    "exp_": lambda y, w, t: y.exp_(),
    "tanh_": lambda y, w, t: y.tanh_(),
    "sigmoid_": lambda y, w, t: y.sigmoid_(),
    "relu_": lambda y, w, t: y.relu_(),
    "abs_": lambda y, w, t: y.abs_(),
    "neg_": lambda y, w, t: y.neg_(),
    "clamp_": lambda y, w, t: y.clamp_(min=0.1),
    "zero_": lambda y, w, t: y.zero_(),
    "fill_": lambda y, w, t: y.fill_(w),
    "copy_": lambda y, w, t: y.copy_(w * t.tensor(D, dtype=t.float64)),
    "masked_fill_": lambda y, w, t: y.masked_fill_(t.tensor(D) > 0, w),
    "tril_": lambda y, w, t: y.tril_(),
    "cumsum_": lambda y, w, t: y.cumsum_(0),
    "index_add_": lambda y, w, t: y.index_add_(0, t.tensor([0, 2]), w * t.tensor(D[:2], dtype=t.float64)),
    "scatter_add_": lambda y, w, t: y.scatter_add_(0, t.tensor([[0, 1, 2, 0]]), w * t.tensor(D[:1], dtype=t.float64)),
    "x[0] = w": lambda y, w, t: y.__setitem__(0, w),
    "x[mask] += 1": lambda y, w, t: y.__setitem__(t.tensor(D) > 0, y[t.tensor(D) > 0] + 1),
    "x[1:] *= w": lambda y, w, t: y[1:].mul_(w),
    "x.view(-1)": lambda y, w, t: y.view(-1).mul_(2),
    "x.T[0] = w": lambda y, w, t: y.T.__setitem__(0, w),
    "a view of a view": lambda y, w, t: y[1:][:, 2].add_(w),
    "under no_grad": lambda y, w, t: _quietly(t, y),
}  # fmt: skip


def _quietly(t: Any, y: Any) -> None:
    with t.no_grad():
        y.add_(1)


Program = Callable[[Any, Any, Any, Any], Any]


def afterwards(use: str, change: str) -> Program:
    """The value is used, then changed; both count."""

    def program(x: Any, w: Any, t: Any, copied: Any) -> Any:
        y = x * 1.5
        z = USES[use](copied(y), w)
        CHANGES[change](y, w, t)
        return (z * z.detach()).sum() + (y * 3).sum()

    return program


def of_the_result(use: str, change: str) -> Program:
    """What came of it is changed."""

    def program(x: Any, w: Any, t: Any, copied: Any) -> Any:
        z = copied(USES[use](x * 1.5, w))
        if tuple(z.shape) != D.shape:
            z = z.sum() + copied(x * 1.5)
        CHANGES[change](z, w, t)
        return (z * 3).sum()

    return program


def run(t: Any, program: Program, copied: Callable[[Any], Any] = lambda y: y) -> Any:
    x = t.tensor(D, dtype=t.float64, requires_grad=True)
    w = t.tensor(1.7, dtype=t.float64, requires_grad=True)
    out = program(x, w, t, copied)
    out.backward()
    return [np.asarray(out.detach()), *(np.zeros(v.shape) if v.grad is None else np.asarray(v.grad) for v in (x, w))]


def attempt(*arguments: Any) -> Any:
    try:
        return run(*arguments)
    except RuntimeError as problem:
        return problem


def judge(program: Program, name: str) -> None:
    theirs, ours = attempt(torch, program), attempt(ob, program)
    truth = run(torch, program, lambda y: y.clone()) if isinstance(theirs, Exception) else theirs
    if isinstance(ours, Exception) and name.split(",")[0] in ("tanh", "sigmoid", "relu"):
        return  # these look at their input on the way back, PyTorch at the result: docs/differences.md
    if isinstance(ours, Exception):
        assert isinstance(theirs, Exception), f"{name}: refused here, not in PyTorch: {ours}"
        assert isinstance(ours, GraphError) and "in place" in str(ours)
        return
    for a, b in zip(ours, truth, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("change", CHANGES)
def test_a_value_that_was_used_before(change: str) -> None:
    for use in USES:
        judge(afterwards(use, change), f"{use}, then {change}")


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_computed(change: str) -> None:
    for use in USES:
        judge(of_the_result(use, change), f"{change} of {use}")


# --- views ---------------------------------------------------------------------------------------------------------

VIEWS: dict[str, Callable[[Any], Any]] = {
    "row": lambda y: y[1],
    "rows": lambda y: y[1:],
    "every other": lambda y: y[::2, 1::2],
    "entry": lambda y: y[1, 2],
    "flat": lambda y: y.view(-1),
    "reshape": lambda y: y.reshape(2, 6),
    "T": lambda y: y.T,
    "permute and slice": lambda y: y.permute(1, 0)[1:3],
    "slice of flat": lambda y: y.view(-1)[3:7],
    "unsqueeze": lambda y: y.unsqueeze(1),
    "narrow": lambda y: y.narrow(1, 1, 2),
    "select": lambda y: y.select(1, 2),
    "none": lambda y: y[None, ..., 0],
    "all of it": lambda y: y[:],
}


def through_views(view: str, order: int) -> Program:
    """A view and the whole, changed and read in turns."""

    def program(x: Any, w: Any, t: Any, copied: Any) -> Any:
        y = x * 1.5
        v = VIEWS[view](y)
        other = VIEWS["T"](y)
        total = v.sum() * 0.1
        steps = [
            lambda: v.mul_(2),
            lambda: y.add_(w),
            lambda: v.add_(w),
            lambda: other.mul_(3),
        ]
        for k in range(4):
            steps[(k * (1 if order % 2 else 3) + order) % 4]()
        return total + (y * t.tensor(D, dtype=t.float64)).sum() + v.sum() * 2 + (other.sum(0) * 0.3).sum()

    return program


@pytest.mark.parametrize("view", VIEWS)
def test_views_and_wholes_follow_each_other(view: str) -> None:
    for order in range(4):
        judge(through_views(view, order), f"{view}, order {order}")


@pytest.mark.parametrize("view", VIEWS)
def test_constants_written_into_get_a_past(view: str) -> None:
    def program(x: Any, w: Any, t: Any, copied: Any) -> Any:
        buffer = t.zeros(3, 4, dtype=t.float64)
        v = VIEWS[view](buffer)
        v += VIEWS[view](x) * w
        buffer.mul_(w)
        v[...] = v * 2
        return (buffer * t.tensor(D, dtype=t.float64)).sum() + v.sum()

    judge(program, view)


def test_random_programs_of_views_and_changes() -> None:
    """The same program in both, over a whole and three views of it, or of each other."""
    changes = [lambda a, b, w: a.mul_(w), lambda a, b, w: a.add_(b.sum()), lambda a, b, w: a.sub_(0.5),
               lambda a, b, w: a.add_(w * 2), lambda a, b, w: a.neg_()]  # fmt: skip
    for seed in range(150):
        random = np.random.default_rng(seed)
        names = random.choice(list(VIEWS), 3)
        steps = [(random.integers(4), random.integers(4), random.integers(len(changes))) for _ in range(5)]
        chained = bool(random.integers(2))

        def program(x: Any, w: Any, t: Any, copied: Any, names=names, steps=steps, chained=chained) -> Any:
            places = [x * 1.5]
            for name in names:
                base = places[-1] if chained and places[-1].shape == x.shape else places[0]
                places.append(VIEWS[name](base))
            total = 0
            for a, b, k in steps:
                changes[k](places[a], places[b].clone(), w)
                total = total + places[b].sum() * 0.7
            return total + sum((p * (i + 1)).sum() for i, p in enumerate(places))

        judge(program, f"seed {seed}: {names}, {steps}")


def test_a_view_of_what_nobody_else_holds() -> None:
    def program(x: Any, w: Any, t: Any, copied: Any) -> Any:
        v = (x * 1.5).view(-1)
        v[2:5] *= w
        return (v * v.detach()).sum()

    judge(program, "orphan")


def test_second_derivatives_pass_through_changes() -> None:
    results = []
    for t in (ob, torch):
        x = t.tensor(D, dtype=t.float64, requires_grad=True)
        y = x * x
        v = y.T[1:]
        v.mul_(x.T[:3])
        y[0] = y[1].clone() * x[2]
        (g,) = t.autograd.grad((y**2).sum(), x, create_graph=True)
        (h,) = t.autograd.grad((g * t.tensor(D[::-1].copy(), dtype=t.float64)).sum(), x)
        results.append((np.asarray(g.detach()), np.asarray(h)))
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_entries_that_are_one_place_cannot_be_written() -> None:
    with pytest.raises(InputError, match="expand"):
        ob.ones(1, 3).expand(2, 3).add_(1)
    with pytest.raises(InputError, match="expand"):
        ob.ones(1, 3).expand(2, 3)[0] = 1.0


def test_a_view_taken_unseen_is_a_view_all_the_same() -> None:
    """PyTorch refuses this; the gradient here is that of what was computed."""
    x = ob.tensor(D, requires_grad=True)
    y = x * 1
    with ob.no_grad():
        v = y[0]
    v.mul_(3)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, [[3] * 4, [1] * 4, [1] * 4])


def test_views_are_forgotten_with_their_tensors() -> None:
    """A long-lived tensor of which views are taken by the thousand does not remember them, nor do they keep each other."""
    x = ob.tensor(D)
    for _ in range(5000):
        _ = x[1]
    assert len(x.changed[1]) < 100
    gc.collect()
    gc.disable()
    try:
        y = ob.tensor(D, requires_grad=True) * 1
        v = y.view(-1)
        v.mul_(2)
        y.sum().backward()
        held = [weakref.ref(y), weakref.ref(v)]
        del y, v
        assert all(h() is None for h in held) and gc.collect() == 0
    finally:
        gc.enable()


def test_many_changes_in_a_row() -> None:
    x = ob.tensor(D, requires_grad=True)
    y = x * 1
    v = y[1]
    for _ in range(2000):
        v.mul_(1.0)
        y.add_(0.0)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, np.ones_like(D))


def test_mode_names_of_changes_are_methods() -> None:
    for name in ("index_add_", "scatter_", "tril_", "cumsum_", "clip_", "addcmul_", "masked_scatter_"):
        assert callable(getattr(ob.ones(2), name))


def test_pieces_of_a_split_may_be_changed() -> None:
    """PyTorch refuses; the gradient is that of what was computed."""
    for pieces in (lambda y: y.split(1), lambda y: y.chunk(3), lambda y: y.unbind(0)):
        x = ob.tensor(D, requires_grad=True)
        y = x * 1
        pieces(y)[1].mul_(5)
        y.sum().backward()
        np.testing.assert_array_equal(x.grad.data, [[1] * 4, [5] * 4, [1] * 4])
