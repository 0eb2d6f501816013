"""At ±0, ±∞, NaN, the smallest and largest numbers and at kinks: values and slopes are PyTorch's, or the formula's limit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from openbook.ops import OPS
from openbook.testing.oracle import computed, formula
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
_NO_VALUE = "left of 1 there is no value, so there is no slope either; PyTorch gives one"
_FLAT_OF_NAN = "a straight piece's slope knows nothing of NaN; PyTorch's is 0 there"
CURVATURES: dict[str, Reason] = {
    "acosh": (lambda x: x < 1, _NO_VALUE),
    "digamma": (lambda x: x == math.inf, "the limit is 0; PyTorch says NaN"),
    "hardsigmoid": (math.isnan, "flat pieces have no second derivative of NaN; PyTorch has none at all"),
    "hardswish": (math.isnan, _FLAT_OF_NAN),
    "lgamma": _POLES,
    "polygamma": (lambda x: x == math.inf, "the limit is 0; PyTorch says NaN"),
    "sinc": (lambda x: x == 0, "−π²/3, the limit; PyTorch says NaN"),
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


def theirs(name: str, x: np.ndarray, order: int) -> np.ndarray:
    """PyTorch's value, or its derivative of this order; 0 where its derivative is not connected."""
    leaf = torch.from_numpy(x.copy()).requires_grad_()
    value = torchs(name)(leaf, **options(name))
    for _ in range(order):
        if not value.requires_grad:
            return np.zeros_like(x)
        try:
            (slope,) = torch.autograd.grad(value, leaf, torch.ones_like(value), create_graph=True, allow_unused=True)
        except RuntimeError as problem:  # PyTorch has no such derivative: the formula has the say
            assert "not implemented" in str(problem)
            return np.full_like(x, np.nan)
        value = torch.zeros_like(leaf) if slope is None else slope
    return value.detach().numpy(force=True)


def unexplained(name: str, order: int, rtol: float) -> list[tuple[float, float, float]]:
    """The points where the value (or derivative) is neither PyTorch's nor the formula's: (x, ours, theirs)."""
    x, op = points(name), OPS[name]
    orders = op.arguments * order
    with np.errstate(all="ignore"):
        found = computed(op, [x], orders)
    expected = theirs(name, x, order)
    places = np.flatnonzero(differ(found, expected, rtol))
    expr = formula(op, orders) if op.formula and len(places) else None
    most = 600 if name == "mish" and order == 2 else 2000  # its second derivative is a page long
    return [
        (x[i], float(found[i]), float(expected[i]))
        for i in places
        if expr is None or says(expr, {op.arguments[0]: float(x[i])}, float(found[i]), most) is not True
    ]


def require_explained(found: list[tuple[float, float, float]], reason: Reason | None) -> None:
    assert [p for p in found if reason is None or not reason[0](p[0])] == []
    assert reason is None or found, f"this reason has outlived its cause: {reason[1]}"


@pytest.mark.parametrize("name", UNARY)
def test_values(name: str) -> None:
    require_explained(unexplained(name, 0, 1e-13), VALUES.get(name))


@pytest.mark.parametrize("name", [n for n in UNARY if OPS[n].differentiable])
def test_slopes(name: str) -> None:
    require_explained(unexplained(name, 1, 1e-12), SLOPES.get(name))


@pytest.mark.parametrize("name", [n for n in UNARY if OPS[n].differentiable])
def test_second_derivatives(name: str) -> None:
    require_explained(unexplained(name, 2, 1e-11), CURVATURES.get(name))
