"""Tensors behave as PyTorch's do where their users would notice."""

from __future__ import annotations

import numpy as np
import pytest

import openbook as ob
from openbook.errors import OpenbookError


def test_default_types() -> None:
    assert ob.tensor([1.0, 2.0]).dtype == np.float32
    assert ob.tensor([1, 2]).dtype == np.int64
    assert ob.tensor([True]).dtype == np.bool_
    assert ob.tensor(np.ones(2)).dtype == np.float64  # an array keeps its own


def test_seeds() -> None:
    ob.manual_seed(3)
    first = ob.randn(5)
    ob.manual_seed(3)
    np.testing.assert_array_equal(first.data, ob.randn(5).data)


def test_only_floats_have_gradients() -> None:
    with pytest.raises(OpenbookError):
        ob.tensor([1, 2], requires_grad=True)


def test_conversions() -> None:
    x = ob.tensor([[1.5, -2.0]])
    assert x.shape == (1, 2) and x.ndim == 2 and x.numel() == 2
    assert x.tolist() == [[1.5, -2.0]]
    assert ob.tensor(2.5).item() == 2.5
    assert "tensor" in repr(x)
    np.testing.assert_array_equal(np.asarray(x), x.numpy())


def test_shape_errors_say_the_shapes() -> None:
    with pytest.raises(OpenbookError, match=r"\(2, 3\).*\(2, 3\)"):
        ob.tensor(np.ones((2, 3))) @ ob.tensor(np.ones((2, 3)))


def test_numpy_constructors() -> None:
    assert ob.zeros(2, 3).shape == (2, 3)
    assert ob.arange(4).tolist() == [0, 1, 2, 3]
    assert ob.eye(2).tolist() == [[1, 0], [0, 1]]
    np.testing.assert_allclose(ob.linspace(0, 1, 5).data, np.linspace(0, 1, 5), rtol=1e-6)
    assert ob.full((2,), 7.0).tolist() == [7, 7]
    assert sorted(ob.randperm(6).tolist()) == list(range(6))


@pytest.mark.torch
@pytest.mark.parametrize("name", ["add", "mul", "truediv", "maximum", "gt"])
def test_dtypes_promote_as_pytorchs(name: str) -> None:
    """Every pair of dtypes, and every dtype beside a Python number."""
    import operator

    import torch

    def apply(library, a, b):  # type: ignore[no-untyped-def]
        return library.maximum(a, b) if name == "maximum" else getattr(operator, name)(a, b)

    values = {"int64": [2, 3], "float32": [0.5, 2.0], "float64": [0.25, 3.0], "bool": [True, False]}
    ours = {k: ob.tensor(v, dtype=getattr(np, "bool_" if k == "bool" else k)) for k, v in values.items()}
    theirs = {k: torch.tensor(v, dtype=getattr(torch, k)) for k, v in values.items()}
    numbers: dict = {} if name == "maximum" else {"a float": 2.5, "an int": 3, "NumPy's float": np.float64(2.5)}
    for a in values:
        for b in (*values, *numbers):
            if {a, b} == {"bool"} or (name == "truediv" and b == "bool"):
                continue  # truth values are neither added nor divided by
            mine = apply(ob, ours[a], numbers.get(b, ours.get(b)))
            other = apply(torch, theirs[a], numbers.get(b, theirs.get(b)))
            assert str(mine.dtype) == str(other.dtype).removeprefix("torch."), (a, b)
            np.testing.assert_allclose(mine.data, other.numpy(), rtol=1e-6)


def test_shapes_that_do_not_pair_are_named() -> None:
    for other in (ob.ones(4), ob.ones(4, dtype=ob.float64), ob.arange(4)):
        with pytest.raises(OpenbookError, match=r"mul cannot pair .*\(2, 3\), \(4,\)"):
            ob.ones(2, 3) * other
