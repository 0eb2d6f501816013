"""At ±0, ±∞, NaN, the smallest and largest numbers and at kinks: values and slopes are PyTorch's, or the formula's limit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook.ops import OPS, apply
from openbook.tensor import Tensor
from openbook.testing.oracle import formula
from openbook.testing.special import SPECIAL, says

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]

# Where our answer is neither PyTorch's nor one that the formula can be asked for, and why.
Reason = tuple[Callable[[float], bool], str]
_POLES: Reason = (
    lambda x: x < 0,
    "poles, at whole negative numbers; PyTorch's π·cot(πx) of a rounded π is large and finite",
)
VALUES: dict[str, Reason] = {"polygamma": _POLES}
SLOPES: dict[str, Reason] = {
    "acosh": (lambda x: x < 1, "left of 1 there is no value, so there is no slope either; PyTorch gives one"),
    "digamma": _POLES,
    "hardshrink": (math.isnan, "what comes back passes a NaN, where PyTorch stops it"),
    "polygamma": (lambda x: x == math.inf, "the slope's limit is 0; PyTorch says NaN"),
    "relu": (math.isnan, "the slope is 0 unless x > 0; PyTorch's is 0 only if x ≤ 0"),
    "rsqrt": (
        lambda x: x == 0 and math.copysign(1, x) < 0,
        "−∞, as the slope of the −∞ that NumPy and PyTorch give at −0",
    ),
    "softshrink": (math.isnan, "what comes back passes a NaN, where PyTorch stops it"),
}


def torchs(name: str) -> Any:
    if name == "gelu_tanh":
        return lambda x: torch.nn.functional.gelu(x, approximate="tanh")
    if name == "polygamma":
        return lambda x: torch.polygamma(1, x)
    for home in (torch, torch.nn.functional, torch.special):
        if hasattr(home, name):
            return getattr(home, name)
    return None


UNARY = sorted(
    n for n, op in OPS.items() if op.elementwise and len(op.arguments) == 1 and torchs(n) and not n.startswith("bit")
)


def points(name: str) -> np.ndarray:
    domain = OPS[name].domain
    return np.array([*SPECIAL, *getattr(domain, "kinks", ())])


def options(name: str) -> dict[str, Any]:
    return (
        {"threshold": 0.0, "value": 0.0}
        if name == "threshold"
        else {"min": -1.0, "max": 1.0}
        if name == "clamp"
        else {}
    )


def differ(found: np.ndarray, expected: np.ndarray, rtol: float) -> np.ndarray:
    return ~np.isclose(found.astype(float), expected.astype(float), rtol=rtol, atol=0, equal_nan=True)


def unexplained(name: str, orders: tuple[str, ...], rtol: float) -> list[tuple[float, float, float]]:
    """The points where the value (or slope) is neither PyTorch's nor the formula's: (x, ours, theirs)."""
    x, op = points(name), OPS[name]
    leaf, theirs = Tensor(x.copy(), requires_grad=True), torch.from_numpy(x).requires_grad_()
    with np.errstate(all="ignore"):
        mine = apply(op, leaf)
        other = torchs(name)(theirs, **options(name))
        found, expected = np.asarray(mine.data), other.detach().numpy()
        if orders:
            mine.backward(ob.from_numpy(np.ones_like(x)))
            other.backward(torch.ones_like(other))
            found, expected = leaf.grad.data, theirs.grad.numpy()
    places = np.flatnonzero(differ(found, expected, rtol))
    expr = formula(op, orders) if op.formula and len(places) else None
    return [
        (x[i], float(found[i]), float(expected[i]))
        for i in places
        if expr is None or says(expr, {"x": float(x[i])}, float(found[i])) is not True
    ]


def require_explained(found: list[tuple[float, float, float]], reason: Reason | None) -> None:
    assert [p for p in found if reason is None or not reason[0](p[0])] == []
    assert reason is None or found, f"this reason has outlived its cause: {reason[1]}"


@pytest.mark.parametrize("name", UNARY)
def test_values(name: str) -> None:
    require_explained(unexplained(name, (), 1e-13), VALUES.get(name))


@pytest.mark.parametrize("name", [n for n in UNARY if OPS[n].differentiable])
def test_slopes(name: str) -> None:
    require_explained(unexplained(name, ("x",), 1e-12), SLOPES.get(name))
