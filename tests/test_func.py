"""`openbook.func` and `openbook.autograd` offer what PyTorch's users look for there."""

from __future__ import annotations

import numpy as np
import pytest

import openbook as ob


@pytest.mark.torch
def test_per_example_gradients_by_torchs_recipe() -> None:
    """The same text, line by line, on both libraries."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    random = np.random.default_rng(0)
    X, y = random.normal(size=(6, 4)), np.array([0, 2, 1, 1, 0, 2])
    found = []
    for t in (ob, torch):
        nn, func = t.nn, t.func
        model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()
        state = {
            k: t.tensor(np.sin(np.arange(v.numel()) + len(k)).reshape(v.shape)) for k, v in model.state_dict().items()
        }
        model.load_state_dict(state)
        params = {k: v.detach() for k, v in model.named_parameters()}

        def loss(params, x, target, model=model, nn=nn, func=func):
            logits = func.functional_call(model, params, (x.unsqueeze(0),))
            return nn.functional.cross_entropy(logits, target.unsqueeze(0))

        each = func.vmap(func.grad(loss), in_dims=(None, 0, 0))(params, t.tensor(X), t.tensor(y))
        slope, value = func.grad_and_value(loss)(params, t.tensor(X[0]), t.tensor(y[0]))
        curved = func.hessian(loss, argnums=1)(params, t.tensor(X[0]), t.tensor(y[0]))
        rows = func.jacrev(loss, argnums=(0, 1))(params, t.tensor(X[0]), t.tensor(y[0]))
        found.append([*each.values(), *slope.values(), value, curved, *rows[0].values(), rows[1]])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(np.asarray(a), b.numpy(), rtol=1e-10, atol=1e-14)


def test_names() -> None:
    for name in ("grad", "Function", "no_grad", "gradcheck", "backward", "once_differentiable"):
        assert hasattr(ob.autograd, name)
    for name in ob.func.__all__:
        assert callable(getattr(ob.func, name))
