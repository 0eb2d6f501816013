"""Activations with their parameters: PyTorch's values and slopes, and workings that hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn
from openbook.errors import OpenbookError

MODULES: dict[str, tuple[Any, ...]] = {
    "ReLU": (), "LeakyReLU": (0.2,), "ELU": (1.7,), "SELU": (), "GELU": ("none",), "SiLU": (), "Mish": (), "Tanh": (),
    "Sigmoid": (), "LogSigmoid": (), "Softplus": (), "Hardsigmoid": (), "Hardtanh": (-0.5, 2.0), "ReLU6": (),
    "CELU": (1.7,), "Softsign": (), "Tanhshrink": (), "Hardswish": (), "Softshrink": (0.7,), "Hardshrink": (0.7,),
    "Threshold": (0.2, -1.0),
}  # fmt: skip
POINTS = np.concatenate([np.linspace(-30, 30, 241), [-1e-9, 0.0, 1e-9, 0.3]])


@pytest.mark.torch
@pytest.mark.parametrize("name", [*MODULES, "GELU tanh"])
def test_values_and_slopes_are_torchs(name: str) -> None:
    import torch

    kind, options = name.split()[0], ("tanh",) if name.endswith(" tanh") else MODULES[name]
    x, theirs = ob.tensor(POINTS, requires_grad=True), torch.tensor(POINTS, requires_grad=True)
    y, truth = getattr(nn, kind)(*options)(x), getattr(torch.nn, kind)(*options)(theirs)
    y.sum().backward()
    truth.sum().backward()
    # PyTorch's softplus is a straight line from 20 on; its hardsigmoid and CELU multiply by a float32 1/6 and 1/α.
    close = {"rtol": {"Softplus": 3e-9, "Hardsigmoid": 4e-8, "CELU": 5e-7}.get(kind, 1e-10), "atol": 1e-14}
    np.testing.assert_allclose(y.data, truth.detach().numpy(), **close)
    np.testing.assert_allclose(x.grad.data, theirs.grad.numpy(), **close)


@pytest.mark.torch
@pytest.mark.parametrize(("name", "options"), [
    ("Softplus", (2.0, 5.0)), ("Softplus", (0.5,)), ("RReLU", (0.2, 0.4)), ("GELU", ("tanh",)), *MODULES.items(),
])  # fmt: skip
def test_prints_and_values_in_use_are_torchs(name: str, options: tuple[Any, ...]) -> None:
    import torch

    ours, theirs = getattr(nn, name)(*options).eval(), getattr(torch.nn, name)(*options).eval()
    assert repr(ours) == repr(theirs)
    x, t = ob.tensor(POINTS, requires_grad=True), torch.tensor(POINTS, requires_grad=True)
    close = {"rtol": 5e-7, "atol": 3e-9 if name == "Softplus" else 1e-10}
    np.testing.assert_allclose(ours(x).data, theirs(t).detach().numpy(), **close)
    ours(x).sum().backward()
    theirs(t).sum().backward()
    np.testing.assert_allclose(x.grad.data, t.grad.numpy(), **close)


def test_a_random_slope_lies_in_its_interval() -> None:
    ob.manual_seed(0)
    x = ob.tensor(-np.ones(10_000), requires_grad=True)
    y = nn.RReLU(0.2, 0.4)(x)
    assert -0.4 <= y.data.min() < -0.39
    assert -0.21 < y.data.max() <= -0.2
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, -y.data)


@pytest.mark.parametrize("name", MODULES)
def test_workings_hold_with_the_parameters_given(name: str) -> None:
    module = getattr(nn, name)(*MODULES[name])
    working = ob.explain(module)
    working.check()
    grid = ob.tensor(np.linspace(-25, 25, 500_001), requires_grad=True)
    module(grid).sum().backward()
    assert working.result["largest slope"] == pytest.approx(
        grid.grad.data.max(), rel=5e-5 if name == "Hardswish" else 1e-6
    )


def test_parameters_are_shown_and_refused() -> None:
    assert repr(nn.LeakyReLU(0.2)) == "LeakyReLU(negative_slope=0.2)"
    with pytest.raises(OpenbookError, match="approximation"):
        nn.GELU("banana")
    with pytest.raises(OpenbookError, match="interval"):
        nn.Hardtanh(1.0, -1.0)
    with pytest.raises(OpenbookError, match="several operations"):
        ob.explain(nn.Softplus(beta=2.0))


@pytest.mark.parametrize("name", ["sinh", "erf", "log10", "rsqrt", "atanh", "gelu", "expm1"])
def test_every_elementwise_operation_is_a_function_a_method_and_a_word_in_formulas(name: str) -> None:
    x = 0.4
    by_method = float(getattr(ob.tensor(np.asarray(x)), name)())
    assert float(getattr(ob, name)(ob.tensor(np.asarray(x)))) == by_method
    assert ob.explain(f"{name}(x)", x=x).result["L"] == by_method
