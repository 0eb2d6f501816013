"""Operations of one's own, beside PyTorch's `autograd.Function`: the same class text runs on both libraries."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook.errors import DTypeError, GraphError, InputError, ShapeError

DATA = np.random.default_rng(0).normal(size=(3, 4))


def functions(t: Any) -> dict[str, Any]:
    Function = t.autograd.Function

    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * x**2 * g

    class Exp(Function):
        """Saves its output."""

        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g * y

    class Scale(Function):
        """An argument that is no tensor, one whose gradient may not be wanted."""

        @staticmethod
        def forward(ctx, x, w, power):
            ctx.power = power
            ctx.save_for_backward(x, w)
            return x * w**power

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            of_w = (g * x).sum() * ctx.power * w ** (ctx.power - 1) if ctx.needs_input_grad[1] else None
            return g * w**ctx.power, of_w, None

    class Two(Function):
        """Two outputs, of which one is saved."""

        @staticmethod
        def forward(ctx, x):
            s = x.sin()
            ctx.save_for_backward(x, s)
            return s, x.cos().sum(0)

        @staticmethod
        def backward(ctx, g, h):
            x, s = ctx.saved_tensors
            return g * x.cos() - h * s

    class Apart(Function):
        """Forward without a context."""

        @staticmethod
        def forward(x):
            return x * x, (x > 0)

        @staticmethod
        def setup_context(ctx, inputs, output):
            (x,) = inputs
            ctx.mark_non_differentiable(output[1])
            ctx.save_for_backward(x)

        @staticmethod
        def backward(ctx, g, _):
            return 2 * ctx.saved_tensors[0] * g

    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 7

    return {f.__name__: f for f in (Cube, Exp, Scale, Two, Apart, Same)}


def uses(f: dict[str, Any]) -> dict[str, Any]:
    return {
        "cube": lambda x, w: f["Cube"].apply(x),
        "exp": lambda x, w: f["Exp"].apply(x * 0.5) * w,
        "scale": lambda x, w: f["Scale"].apply(x, w, 3),
        "scale by a constant": lambda x, w: f["Scale"].apply(x, w.detach(), 2),
        "two": lambda x, w: f["Two"].apply(x * w)[0] + f["Two"].apply(x)[1],
        "one of two": lambda x, w: f["Two"].apply(x)[1],
        "both of two": lambda x, w: (lambda a, b: a * b)(*f["Two"].apply(x)),
        "apart": lambda x, w: f["Apart"].apply(x)[0] * w,
        "same": lambda x, w: f["Same"].apply(x) * x,
    }


@pytest.mark.torch
@pytest.mark.parametrize("name", list(uses(functions(ob))))
def test_first_and_second_derivatives_as_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    results = []
    for t in (ob, torch):
        x = t.tensor(DATA, dtype=t.float64, requires_grad=True)
        w = t.tensor(1.3, dtype=t.float64, requires_grad=True)
        y = uses(functions(t))[name](x, w)
        found = t.autograd.grad(y.sin().sum(), (x, w), create_graph=True, allow_unused=True)
        again = t.autograd.grad((found[0] ** 2).sum(), (x, w), allow_unused=True)
        y2 = uses(functions(t))[name](x, w)
        y2.sum().backward()
        grads = (y, *found, *again, x.grad, w.grad)
        results.append([None if g is None else np.asarray(g.detach()) for g in grads])
    for a, b in zip(*results, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("name", ["Cube", "Exp", "Two", "Same"])
def test_they_work_under_every_transform(name: str) -> None:
    def f(x: Any) -> Any:
        y = functions(ob)[name].apply(x)
        return y[0] if isinstance(y, tuple) else y

    plain = {"Cube": lambda x: x**3, "Exp": lambda x: x.exp(), "Two": lambda x: x.sin()}
    for x in (DATA[0],):
        if name in plain:
            g = plain[name]
            for derivative in (ob.jacobian, ob.jacfwd, ob.hessian):
                np.testing.assert_allclose(derivative(f)(x).data, derivative(g)(x).data, rtol=1e-12)
            each = ob.vmap(ob.grad(lambda v: f(v).sum()))(DATA)
            np.testing.assert_allclose(each.data, ob.vmap(ob.grad(lambda v, g=g: g(v).sum()))(DATA).data, rtol=1e-12)
            assert ob.gradcheck(f, x) and ob.gradgradcheck(f, x)
        else:
            assert ob.gradcheck(f, x).verdict == "wrong"  # 7 is what its backward says


def test_nothing_is_remembered_unless_wanted() -> None:
    f = functions(ob)
    assert not f["Cube"].apply(ob.tensor(DATA)).requires_grad
    x = ob.tensor(DATA, requires_grad=True)
    with ob.no_grad():
        assert not f["Cube"].apply(x).requires_grad and not f["Same"].apply(x).requires_grad
    assert x.requires_grad


def test_saved_tensors_changed_in_place_are_noticed() -> None:
    x = ob.tensor(DATA, requires_grad=True)
    h = x * 1
    y = functions(ob)["Cube"].apply(h)
    h.add_(1)
    with pytest.raises(GraphError, match="Cube"):
        y.sum().backward()


def test_once_differentiable() -> None:
    class Square(ob.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @ob.autograd.once_differentiable
        def backward(ctx, g):
            return ob.tensor(2 * ctx.saved_tensors[0].detach().numpy() * g.detach().numpy())

    x = ob.tensor(DATA, requires_grad=True)
    Square.apply(x).sum().backward()
    np.testing.assert_array_equal(x.grad.data, 2 * DATA)
    (g,) = ob.autograd.grad(Square.apply(x).sum(), x, create_graph=True)
    with pytest.raises(GraphError, match="once_differentiable"):
        g.sum().backward()


def test_memory_is_freed_with_the_graph_and_without_cycles() -> None:
    gc.collect()
    gc.disable()
    try:
        for name in ("Cube", "Exp", "Two"):
            x = ob.tensor(DATA, requires_grad=True)
            h = x * 1
            held = weakref.ref(h)
            y = functions(ob)[name].apply(h)
            y = y[0] + y[1] if isinstance(y, tuple) else y
            del h
            assert held() is not None
            y.sum().backward()
            assert held() is None, name
            ends = weakref.ref(functions(ob)[name].apply(x * 1)) if name != "Two" else None
            assert ends is None or ends() is None
    finally:
        gc.enable()


def test_mistakes_are_named() -> None:
    class Short(ob.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, g):
            return g

    class Misshapen(Short):
        @staticmethod
        def backward(ctx, g):
            return g.sum(), None

    class Number(Short):
        @staticmethod
        def backward(ctx, g):
            return 1.0, None

    class Plain(Short):
        @staticmethod
        def forward(ctx, x, y):
            return 1.0

    x = ob.tensor(DATA, requires_grad=True)
    with pytest.raises(InputError, match=r"Short\.backward gave 1 gradients for 2"):
        Short.apply(x, x).sum().backward()
    with pytest.raises(ShapeError, match="Misshapen"):
        Misshapen.apply(x, x.detach()).sum().backward()
    with pytest.raises(DTypeError, match=r"Number\.backward gave float"):
        Number.apply(x, x.detach()).sum().backward()
    with pytest.raises(DTypeError, match=r"Plain\.forward gave float"):
        Plain.apply(x, x)


@pytest.mark.torch
def test_inputs_changed_by_forward() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    results = []
    for t in (ob, torch):

        class Double(t.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                x.mul_(2)
                ctx.mark_dirty(x)
                return x

            @staticmethod
            def backward(ctx, g):
                return g * 2

        x = t.tensor(DATA, dtype=t.float64, requires_grad=True)
        h = x.sin()
        y = Double.apply(h)
        assert y is h
        (y * y).sum().backward()
        results.append((np.asarray(y.detach()), np.asarray(x.grad)))
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


def test_they_can_be_explained() -> None:
    x = ob.tensor([2.0, 3.0], requires_grad=True, dtype=ob.float64)
    with ob.record():
        y = functions(ob)["Cube"].apply(x).sum()
        y.backward()
    assert "cube" in ob.explain(y, wrt=x).text().lower()
