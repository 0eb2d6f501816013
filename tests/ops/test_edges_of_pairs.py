"""Operations of two numbers at ±0, ±∞ and NaN: values and slopes are PyTorch's, but where it is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook.ops import OPS, apply
from openbook.tensor import Tensor

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]

INF, NAN = np.inf, np.nan


def torchs(name: str) -> Any:
    homes = (torch, torch.nn.functional, torch.special)
    return next((getattr(home, name) for home in homes if hasattr(home, name)), None)


BINARY = sorted(
    name
    for name, op in OPS.items()
    if op.elementwise and len(op.arguments) == 2 and torchs(name) and not name.startswith(("bitwise", "gcd", "lcm"))
)

PAIRS = [0.0, -0.0, 1.0, -1.0, 2.0, -2.5, 0.5, INF, -INF, NAN]

# Pairs at which the two differ, as a test of the pair; and why.
PAIR_VALUES: dict[str, tuple[Any, str]] = {
    "heaviside": (lambda x, y: np.isnan(x), "of NaN PyTorch says 0; here NaN stays NaN"),
    "logaddexp2": (lambda x, y: x == y == -1, "PyTorch's is 5·10⁻¹⁷ where ours is 0"),
}
PAIR_SLOPES: dict[str, tuple[Any, str]] = {
    "copysign": (lambda x, y: np.isinf(x), "PyTorch divides ∞ by ∞"),
    "logaddexp": (lambda x, y: x == y and np.isinf(x), "PyTorch says NaN where infinities meet, here they share alike"),
    "logaddexp2": (
        lambda x, y: x == y and np.isinf(x),
        "PyTorch says NaN where infinities meet, here they share alike",
    ),
    "remainder": (lambda x, y: np.isinf(x) or np.isinf(y), "PyTorch rounds ∞ otherwise"),
}


def grid() -> tuple[np.ndarray, np.ndarray]:
    x, y = np.meshgrid(PAIRS, PAIRS, indexing="ij")
    return x.ravel().copy(), y.ravel().copy()


def require_pairs(name: str, mine: np.ndarray, other: np.ndarray, known: dict[str, tuple[Any, str]]) -> None:
    x, y = grid()
    differs = ~np.isclose(mine, other, rtol=1e-13, atol=0, equal_nan=True)
    allowed = np.array([bool(known[name][0](a, b)) if name in known else False for a, b in zip(x, y, strict=True)])
    wrong = differs & ~allowed
    assert not wrong.any(), list(zip(x[wrong], y[wrong], mine[wrong], other[wrong], strict=True))


@pytest.mark.parametrize("name", BINARY)
def test_values_of_pairs(name: str) -> None:
    x, y = grid()
    with np.errstate(all="ignore"):
        mine = np.asarray(OPS[name].forward(x, y))
    require_pairs(name, mine, torchs(name)(torch.from_numpy(x), torch.from_numpy(y)).numpy(), PAIR_VALUES)


@pytest.mark.parametrize("name", [n for n in BINARY if OPS[n].differentiable and n != "floor_divide"])
@pytest.mark.parametrize("which", [0, 1])
def test_slopes_of_pairs(name: str, which: int) -> None:
    leaves = [Tensor(v, requires_grad=i == which) for i, v in enumerate(grid())]
    theirs = [torch.from_numpy(v).requires_grad_(i == which) for i, v in enumerate(grid())]
    with np.errstate(all="ignore"):
        apply(OPS[name], *leaves).backward(ob.from_numpy(np.ones(len(PAIRS) ** 2)))
    result = torchs(name)(*theirs)
    result.backward(torch.ones_like(result))
    require_pairs(name, leaves[which].grad.data, theirs[which].grad.numpy(), PAIR_SLOPES)
