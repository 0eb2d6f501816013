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
_NO_END: Reason = (math.isinf, "the limit is 0; PyTorch says NaN")
VALUES: dict[str, Reason] = {
    "bessel_j0": _NO_END,
    "bessel_j1": _NO_END,
    "polygamma": _POLES,
    "sinc": (lambda x: x == round(x), "at whole numbers the sine is 0; PyTorch's, of a rounded π·x, is not"),
}
SLOPES: dict[str, Reason] = {
    "acosh": (lambda x: x < 1, "left of 1 there is no value, so there is no slope either; PyTorch gives one"),
    "bessel_j0": (lambda x: abs(x) > 1e100, "PyTorch has no rule; one rounding of x is many turns"),
    "bessel_j1": (lambda x: x == 0 or math.isinf(x), "½ and 0, the limits; PyTorch has no rule"),
    "digamma": _POLES,
    "erfcx": (lambda x: x > 1e300, "the limit is 0; PyTorch subtracts what overflows"),
    "log_ndtr": (lambda x: x < -1e100, "−x, the limit; PyTorch says NaN"),
    "polygamma": (lambda x: x == math.inf, "the slope's limit is 0; PyTorch says NaN"),
    "rsqrt": (
        lambda x: x == 0 and math.copysign(1, x) < 0,
        "−∞, as the slope of the −∞ that NumPy and PyTorch give at −0",
    ),
    "sinc": (lambda x: abs(x) > 1e100, "1/x, as at all whole numbers; PyTorch divides by what overflows"),
}
_NO_VALUE = "left of 1 there is no value, so there is no slope either; PyTorch gives one"
_FLAT_OF_NAN = "a straight piece's slope knows nothing of NaN; PyTorch's is 0 there"
CURVATURES: dict[str, Reason] = {
    "acosh": (lambda x: x < 1, _NO_VALUE),
    "bessel_j0": (lambda x: x == 0 or math.isinf(x), "−½ and 0, the limits; PyTorch has no rule"),
    "bessel_j1": (lambda x: abs(x) < 1e-15 or abs(x) > 1e100, "−3x/8 and 0, the limits; PyTorch has no rule"),
    "digamma": (lambda x: x == math.inf, "the limit is 0; PyTorch says NaN"),
    "erfcx": (lambda x: x > 1e100, "the limit is 0; PyTorch subtracts what is nearly the same"),
    "hardsigmoid": (math.isnan, "flat pieces have no second derivative of NaN; PyTorch has none at all"),
    "hardswish": (math.isnan, _FLAT_OF_NAN),
    "i1": (lambda x: 0 < abs(x) < 1e-299, "3x/8, the limit; PyTorch says 0"),
    "lgamma": _POLES,
    "polygamma": (lambda x: x == math.inf, "the limit is 0; PyTorch says NaN"),
    "sinc": (lambda x: x == 0, "−π²/3, the limit; PyTorch says NaN"),
    "spherical_bessel_j0": (lambda x: x == 0 or math.isinf(x), "−⅓ and 0, the limits; PyTorch has no rule"),
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
    if order and not value.requires_grad:  # PyTorch has no rule: the formula has the say
        return np.full_like(x, np.nan)
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
