"""Transforms nested in every mixture, beside `torch.func`; closures over tensors that require gradients."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import openbook as ob

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.torch

X = np.random.default_rng(0).normal(size=(4, 3))
W = np.random.default_rng(1).normal(size=(3, 3))


class Ours:
    """openbook's transforms under names that both libraries share."""

    library = ob
    grad, vmap, jacrev, jacfwd, hessian = map(staticmethod, (ob.grad, ob.vmap, ob.jacrev, ob.jacfwd, ob.hessian))

    @staticmethod
    def jvp(f: Any, x: Any, v: Any) -> Any:
        return ob.jvp(f, (x,), (v,))[1]

    @staticmethod
    def vjp(f: Any, x: Any, u: Any) -> Any:
        return ob.vjp(f, x)[1](u)

    @staticmethod
    def tensor(data: Any) -> Any:
        return ob.tensor(np.asarray(data), dtype=ob.float64)


class Theirs(Ours):
    library = torch
    grad, vmap, jacrev, jacfwd, hessian = map(
        staticmethod, (torch.func.grad, torch.func.vmap, torch.func.jacrev, torch.func.jacfwd, torch.func.hessian)
    )

    @staticmethod
    def jvp(f: Any, x: Any, v: Any) -> Any:
        return torch.func.jvp(f, (x,), (v,))[1]

    @staticmethod
    def vjp(f: Any, x: Any, u: Any) -> Any:
        return torch.func.vjp(f, x)[1](u)[0]

    @staticmethod
    def tensor(data: Any) -> Any:
        return torch.tensor(data, dtype=torch.float64)


def vector(t: Any) -> Callable[[Any], Any]:
    """Three numbers to three."""
    w = t.tensor(W)
    return lambda x: (w @ x).tanh() * x.exp() + x[0] * x[1]


def scalar(t: Any) -> Callable[[Any], Any]:
    f = vector(t)
    return lambda x: (f(x) * x.sin()).sum()


# Each makes of a function of a vector another one; "s" takes one that gives a number, "v" one that gives a vector.
STEPS: dict[str, tuple[str, str, Callable[[Any, Any], Any]]] = {
    "grad": ("s", "v", lambda t, f: t.grad(f)),
    "jvp": ("v", "v", lambda t, f: lambda x: t.jvp(f, x, t.tensor([0.3, -1.0, 0.7]) * x)),
    "jvp of a number": ("s", "s", lambda t, f: lambda x: t.jvp(f, x, t.tensor([0.3, -1.0, 0.7]) * x)),
    "vjp": ("v", "v", lambda t, f: lambda x: t.vjp(f, x, t.tensor([0.5, 0.2, -0.4]) + x)),
    "rows": ("v", "v", lambda t, f: lambda x: t.jacrev(f)(x).sum(0)),
    "columns": ("v", "v", lambda t, f: lambda x: t.jacfwd(f)(x).sum(-1)),
    "hessian": ("s", "v", lambda t, f: lambda x: t.hessian(f)(x) @ x),
    "vmap": ("v", "v", lambda t, f: lambda x: t.vmap(lambda c: f(c * x))(t.tensor([0.4, 1.0, -0.8])).sum(0)),
    "vmap of a number": ("s", "v", lambda t, f: lambda x: t.vmap(lambda c: f(c * x))(t.tensor([0.4, 1.0, -0.8]))),
    "vmap of one shared": ("s", "v", lambda t, f: lambda x: t.vmap(lambda c, y: c * f(y), in_dims=(0, None))(x, x.cos())),
    "sum": ("v", "s", lambda t, f: lambda x: (f(x) * x).sum()),
}  # fmt: skip


def programs(depth: int) -> list[tuple[str, ...]]:
    found = []
    for chain in itertools.product(STEPS, repeat=depth):
        kinds = [STEPS[name] for name in chain]
        if all(a[1] == b[0] for a, b in itertools.pairwise(kinds)) and "sum" not in (chain[0], chain[-1]):
            found.append(chain)
    return found


def run(t: Any, chain: tuple[str, ...]) -> np.ndarray:
    f = scalar(t) if STEPS[chain[0]][0] == "s" else vector(t)
    for name in chain:
        f = STEPS[name][2](t, f)
    return np.asarray(f(t.tensor(X[0])).detach())


def same(chain: tuple[str, ...]) -> None:
    ours, theirs = run(Ours, chain), run(Theirs, chain)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9 * np.max(np.abs(theirs)), err_msg=" → ".join(chain))


@pytest.mark.parametrize("chain", programs(2), ids=" → ".join)
def test_any_two(chain: tuple[str, ...]) -> None:
    same(chain)


THREE = programs(3) + programs(4)


@pytest.mark.parametrize("seed", range(12))
def test_mixtures_of_three_and_four(seed: int) -> None:
    for k in np.random.default_rng(seed).choice(len(THREE), 6, replace=False):
        same(THREE[k])


@pytest.mark.slow
@pytest.mark.parametrize("chain", programs(3), ids=" → ".join)
def test_any_three(chain: tuple[str, ...]) -> None:
    same(chain)


# --- tensors from outside ------------------------------------------------------------------------------------------


def closures(t: Any) -> dict[str, Callable[[Any, Any], Any]]:
    """What w, from outside, and x make, through transforms of functions of x only."""
    v = t.tensor([0.3, -1.0, 0.7])

    def f(w: Any) -> Callable[[Any], Any]:
        return lambda x: (w @ x).sin()

    def s(w: Any) -> Callable[[Any], Any]:
        return lambda x: (w @ x).sin().sum()

    return {
        "grad": lambda w, x: t.grad(s(w))(x),
        "grad of grad": lambda w, x: t.grad(lambda y: (t.grad(s(w))(y) ** 2).sum())(x),
        "vjp": lambda w, x: t.vjp(f(w), x, v),
        "jvp": lambda w, x: t.jvp(f(w), x, v),
        "jacrev": lambda w, x: t.jacrev(f(w))(x),
        "jacfwd": lambda w, x: t.jacfwd(f(w))(x),
        "hessian": lambda w, x: t.hessian(s(w))(x),
        "vmap": lambda w, x: t.vmap(f(w))(t.library.stack([x, x * 2])),
        "vmap of grad": lambda w, x: t.vmap(t.grad(s(w)))(t.library.stack([x, x * 2])),
        "grad of vmap": lambda w, x: t.grad(lambda y: (t.vmap(f(w))(t.library.stack([y, y * 2])) ** 2).sum())(x),
        "hvp": lambda w, x: t.jvp(t.grad(s(w)), x, v),
        "w used twice": lambda w, x: (w * t.grad(s(w))(x)) @ t.jvp(f(w), x, v),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(closures(Ours)))
def test_tensors_from_outside_stay_connected(name: str) -> None:
    gradients = []
    for t in (Ours, Theirs):
        w, x = t.tensor(W).requires_grad_(), t.tensor(X[1])
        y = closures(t)[name](w, x)
        assert y.requires_grad
        (y * y.detach().cos()).sum().backward()
        gradients.append(np.asarray(w.grad.detach()))
    np.testing.assert_allclose(*gradients, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", list(closures(Ours)))
def test_points_from_outside_stay_connected_too(name: str) -> None:
    gradients = []
    for t in (Ours, Theirs):
        w, x = t.tensor(W), t.tensor(X[1]).requires_grad_()
        y = closures(t)[name](w, x)
        (y * y.detach().cos()).sum().backward()
        gradients.append(np.asarray(x.grad.detach()))
    np.testing.assert_allclose(*gradients, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", list(closures(Ours)))
def test_what_depends_on_nothing_outside_has_no_past(name: str) -> None:
    w, x = Ours.tensor(W), Ours.tensor(X[1])
    assert not closures(Ours)[name](w, x).requires_grad
    with ob.no_grad():
        assert not closures(Ours)[name](w.requires_grad_(), x).requires_grad
