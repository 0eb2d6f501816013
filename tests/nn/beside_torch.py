"""One of our modules beside PyTorch's: the same state, the same inputs, and everything that comes out compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn

CLOSE = {"rtol": 1e-10, "atol": 1e-10}


def their_state(theirs: Any) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in theirs.state_dict().items()}


def twins(name: str, *arguments: Any, **options: Any) -> tuple[Any, Any]:
    """Our module and PyTorch's, in float64, with PyTorch's initial state; their states and prints agree."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.manual_seed(0)
    theirs = getattr(torch.nn, name)(*arguments, **options).double()
    ours = getattr(nn, name)(*arguments, **options).double()
    same_state_form(ours, theirs)
    with torch.no_grad():  # biases and norms that start as 0 or 1 would hide mistakes
        for parameter in theirs.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    ours.load_state_dict(their_state(theirs))
    assert repr(ours) == their_print(theirs)
    return ours, theirs


def their_print(theirs: Any) -> str:
    """PyTorch's print, with the one name that speaks of how PyTorch quantizes said plainly."""
    return repr(theirs).replace("NonDynamicallyQuantizableLinear", "Linear")


def same_state_form(ours: Any, theirs: Any) -> None:
    """The same names in the same order, with the same shapes and dtypes."""
    own, truth = ours.state_dict(), their_state(theirs)
    assert list(own) == list(truth)
    assert {k: (v.shape, v.dtype) for k, v in own.items()} == {k: (v.shape, v.dtype) for k, v in truth.items()}


def flat(outputs: Any) -> list[Any]:
    """All tensors in nested tuples."""
    if isinstance(outputs, tuple):
        return [x for part in outputs for x in flat(part)]
    return [] if outputs is None else [outputs]


def compare(ours: Any, theirs: Any, inputs: Sequence[Any], close: dict[str, float] = CLOSE, **options: Any) -> None:
    """Outputs, and the gradients of all inputs and parameters under a random cotangent, and the state afterwards."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    own = _call(ours, inputs, lambda a: ob.tensor(a, requires_grad=_learns(a)), options)
    truth = _call(theirs, inputs, lambda a: torch.tensor(a, requires_grad=_learns(a)), options)
    mine, wanted = flat(own.outputs), flat(truth.outputs)
    assert [tuple(y.shape) for y in mine] == [tuple(y.shape) for y in wanted]
    for y, t in zip(mine, wanted, strict=True):
        np.testing.assert_allclose(y.data, t.detach().numpy(), **close)
    random = np.random.default_rng(1)
    cotangents = [random.standard_normal(y.shape) for y in mine]
    ours.zero_grad()
    theirs.zero_grad()
    sum((y * c).sum() for y, c in zip(mine, cotangents, strict=True)).backward()
    sum((t * torch.tensor(c)).sum() for t, c in zip(wanted, cotangents, strict=True)).backward()
    for x, t in zip(own.leaves, truth.leaves, strict=True):
        if t.requires_grad:
            same_gradient(x.grad, t.grad, close)
    for (name, p), (theirs_name, t) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert name == theirs_name
        same_gradient(p.grad, t.grad, close, name)
    for name, value in their_state(theirs).items():
        np.testing.assert_allclose(ours.state_dict()[name].data, value, **CLOSE, err_msg=name)


def _learns(array: np.ndarray) -> bool:
    """Numbers do; masks of −∞ are constants."""
    return array.dtype.kind == "f" and bool(np.isfinite(array).all())


def same_gradient(own: Any, truth: Any, close: dict[str, float] = CLOSE, name: str = "input") -> None:
    if truth is None:
        assert own is None or not np.any(own.data), name
        return
    assert own is not None, name
    np.testing.assert_allclose(own.data, truth.numpy(), **close, err_msg=name)


class _call:
    """A call with every array in nested tuples made a tensor, and these tensors."""

    def __init__(self, module: Any, inputs: Sequence[Any], made: Any, options: dict[str, Any]):
        self.made, self.leaves = made, []
        arguments = [self._given(x) for x in inputs]
        self.outputs = module(*arguments, **{name: self._given(x) for name, x in options.items()})

    def _given(self, x: Any) -> Any:
        if isinstance(x, tuple):
            return tuple(self._given(part) for part in x)
        if not isinstance(x, np.ndarray):
            return x
        self.leaves.append(self.made(x))
        return self.leaves[-1]


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng((seed, *shape)).standard_normal(shape)
