"""At ±0, ±∞, NaN, the smallest and largest numbers and at kinks: values and slopes are PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook.ops import OPS, apply
from openbook.tensor import Tensor

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]

SPECIAL = [
    0.0,
    -0.0,
    np.inf,
    -np.inf,
    np.nan,
    5e-324,
    -5e-324,
    1e-310,
    -1e-310,
    1e-300,
    1e308,
    -1e308,
    1.0,
    -1.0,
    40.0,
    -40.0,
    -745.0,
    710.0,
]

# Where the two differ, and why.
VALUES = {
    "softplus": "PyTorch's is x itself beyond 20, ours right to the last digit",
    "tanhshrink": "near 0 PyTorch's has no digits, ours all",
    "log1p": "PyTorch's loses the smallest numbers",
    "sigmoid": "PyTorch's is 0 where ours is still the smallest number",
    "sign": "of NaN PyTorch says 0; here NaN stays NaN",
    "polygamma": "PyTorch says NaN at −∞",
}
SLOPES = {
    **VALUES,
    "abs": "of NaN PyTorch says 0; here NaN stays NaN",
    "expm1": "PyTorch takes y + 1, which has no digits in the tail",
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


@pytest.mark.parametrize("name", [n for n in UNARY if n not in VALUES])
def test_values(name: str) -> None:
    x = points(name)
    with np.errstate(all="ignore"):
        mine = OPS[name].forward(x)
    other = torchs(name)(torch.from_numpy(x), **options(name)).numpy()
    np.testing.assert_allclose(mine, other, rtol=1e-13, atol=0)


@pytest.mark.parametrize("name", [n for n in UNARY if OPS[n].differentiable and n not in SLOPES])
def test_slopes(name: str) -> None:
    x = points(name)
    leaf, theirs = Tensor(x.copy(), requires_grad=True), torch.from_numpy(x).requires_grad_()
    with np.errstate(all="ignore"):
        apply(OPS[name], leaf).backward(ob.from_numpy(np.ones_like(x)))
    torchs(name)(theirs, **options(name)).backward(torch.ones_like(theirs))
    np.testing.assert_allclose(leaf.grad.data, theirs.grad.numpy(), rtol=1e-12, atol=0)
