"""At ±0, ±∞, NaN, the smallest and largest numbers and at kinks: values and slopes are PyTorch's, but where it is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook.ops import OPS, apply
from openbook.tensor import Tensor

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]

INF, NAN, TINY = np.inf, np.nan, 5e-324
SPECIAL = [
    0.0, -0.0, INF, -INF, NAN, TINY, -TINY, 1e-310, -1e-310, 1e-300, 1e308, -1e308, 1.0, -1.0, 40.0, -40.0, -745.0, 710.0,
]  # fmt: skip

# Where the two differ, and why; at every other point they agree. docs/differences.md has the same list in words.
VALUES: dict[str, tuple[list[float], str]] = {
    "airy_ai": ([1e308, -40.0, -745.0], "SciPy gives up at the largest numbers, PyTorch loses digits far to the left"),
    "hardswish": ([-INF, 1e308], "PyTorch multiplies before it divides, and overflows"),
    "i0": ([INF, -INF], "PyTorch says NaN at ±∞"),
    "i1": ([INF, -INF], "PyTorch says NaN at ±∞"),
    "log1p": ([TINY, -TINY], "PyTorch's loses the smallest numbers"),
    "polygamma": ([-INF, -1e308, 1.0, -1.0, -40.0, -745.0], "PyTorch's has eight digits, and is finite at its poles"),
    "sigmoid": ([-745.0], "PyTorch's is 0 where ours is still the smallest number"),
    "sign": ([NAN], "of NaN PyTorch says 0; here NaN stays NaN"),
    "silu": ([-745.0], "PyTorch's is 0 where ours is still a small number"),
    "sinc": ([1e308, -1e308, 1.0, -1.0, 40.0, -40.0, -745.0, 710.0], "PyTorch rounds πx; its sine is not 0 at whole x"),
}
SLOPES: dict[str, tuple[list[float], str]] = {
    "abs": ([NAN], "of NaN PyTorch says 0; here NaN stays NaN"),
    "acosh": ([-1.0], "outside of the domain"),
    "digamma": ([-INF, -1e308, 1.0, -1.0, -40.0, -745.0], "PyTorch's has eight digits, and is finite at its poles"),
    "erfcx": ([INF, 1e308, 710.0], "PyTorch takes 2x·erfcx(x) − 2/√π, which loses all digits"),
    "expm1": ([-40.0, -745.0], "PyTorch takes y + 1, which has no digits in the tail"),
    "hardsigmoid": ([0.0, -0.0, TINY, -TINY, 1e-310, -1e-310, 1e-300, 1.0, -1.0], "PyTorch's sixth is a float32"),
    "i0": ([INF, -INF], "PyTorch says NaN at ±∞"),
    "i1": ([NAN, -745.0, 710.0], "of NaN PyTorch says ½, and far out NaN"),
    "i1e": ([NAN], "of NaN PyTorch says ½"),
    "log_ndtr": ([-INF, -1e308, -745.0], "PyTorch's loses digits in the tail, and then all"),
    "mish": ([-745.0], "PyTorch's is 0 where ours is still a small number"),
    "polygamma": ([INF], "PyTorch says NaN at ∞"),
    "relu": ([NAN], "of NaN PyTorch passes the gradient; here there is none"),
    "rsqrt": ([-0.0], "PyTorch's slope at −0 is +∞, ours −∞ on both sides of 0"),
    "sigmoid": ([40.0, -745.0, 710.0], "PyTorch takes y(1 − y), which has no digits in the tail"),
    "silu": ([-745.0], "PyTorch's is 0 where ours is still a small number"),
    "sinc": ([TINY, -TINY, 1e-310, -1e-310, 1e-300], "PyTorch's is 0 near 0, ours the slope −π²x/3"),
    "softsign": ([INF, -INF], "PyTorch says NaN at ±∞"),
    "tanh": ([40.0, -40.0], "PyTorch takes 1 − y², which has no digits in the tail"),
}
# Whole curves that are computed in another way.
CURVES = {
    "softplus": "PyTorch's is x itself beyond 20, ours right to the last digit",
    "tanhshrink": "near 0 PyTorch's has no digits, ours all",
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


def _of(arguments: int) -> list[str]:
    """Operations of so many real arguments that PyTorch has too."""
    whole = ("bitwise", "gcd", "lcm")
    return sorted(
        name
        for name, op in OPS.items()
        if op.elementwise and len(op.arguments) == arguments and torchs(name) and not name.startswith(whole)
    )


UNARY, BINARY = _of(1), _of(2)


def points(name: str) -> np.ndarray:
    return np.array([*SPECIAL, *getattr(OPS[name].domain, "kinks", ())])


def options(name: str) -> dict[str, Any]:
    return {"threshold": {"threshold": 0.0, "value": 0.0}, "clamp": {"min": -1.0, "max": 1.0}}.get(name, {})


def require_equal_but(x: np.ndarray, mine: np.ndarray, other: np.ndarray, points: list[float], rtol: float) -> None:
    """Equal everywhere but at the points named, and different at each of these: no exception outlives its cause."""
    differs = ~np.isclose(mine, other, rtol=rtol, atol=0, equal_nan=True)
    named = {_bits(p) for p in points}
    found = {_bits(p) for p in x[differs]}
    assert found - named == set(), [(p, a, b) for p, a, b in zip(x, mine, other, strict=True) if _bits(p) not in named]
    assert named - found == set(), "these points do not differ"


def _bits(x: float) -> str:
    return float(x).hex()


@pytest.mark.parametrize("name", [n for n in UNARY if n not in CURVES])
def test_values(name: str) -> None:
    x = points(name)
    with np.errstate(all="ignore"):
        mine = np.asarray(OPS[name].forward(x))
    other = torchs(name)(torch.from_numpy(x), **options(name)).numpy()
    require_equal_but(x, mine, other, VALUES.get(name, ([], ""))[0], 1e-13)


@pytest.mark.parametrize("name", [n for n in UNARY if OPS[n].differentiable and n not in CURVES])
def test_slopes(name: str) -> None:
    x = points(name)
    leaf, theirs = Tensor(x.copy(), requires_grad=True), torch.from_numpy(x).requires_grad_()
    with np.errstate(all="ignore"):
        apply(OPS[name], leaf).backward(ob.from_numpy(np.ones_like(x)))
    torchs(name)(theirs, **options(name)).backward(torch.ones_like(theirs))
    require_equal_but(x, leaf.grad.data, theirs.grad.numpy(), SLOPES.get(name, ([], ""))[0], 1e-12)


# --- pairs -----------------------------------------------------------------------------------------------------------

PAIRS = [0.0, -0.0, 1.0, -1.0, 2.0, -2.5, 0.5, INF, -INF, NAN]

# Pairs at which the two differ, as a test of the pair; and why.
PAIR_VALUES: dict[str, tuple[Any, str]] = {
    "heaviside": (lambda x, y: np.isnan(x), "of NaN PyTorch says 0; here NaN stays NaN"),
    "logaddexp2": (lambda x, y: x == y == -1, "PyTorch's is 5·10⁻¹⁷ where ours is 0"),
    "zeta": (lambda x, y: y == INF, "PyTorch says NaN for q = ∞, SciPy 0"),
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
