"""Which dtype results have, and what is refused, beside PyTorch: for every pair of dtypes, and of arrays and numbers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook.errors import OpenbookError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]

DTYPES = ["bool", "uint8", "int32", "int64", "float16", "float32", "float64"]

UNARY: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: x.sum(),
    "sum of an axis": lambda x: x.sum(0),
    "mean": lambda x: x.mean(),
    "prod": lambda x: x.prod(),
    "cumsum": lambda x: x.cumsum(0),
    "cumprod": lambda x: x.cumprod(0),
    "max": lambda x: x.max(),
    "max of an axis": lambda x: x.max(0)[0],
    "amin": lambda x: x.amin(0),
    "argmax": lambda x: x.argmax(),
    "median": lambda x: x.median(),
    "sort": lambda x: x.sort()[0],
    "sort places": lambda x: x.sort()[1],
    "var": lambda x: x.var(),
    "std": lambda x: x.std(),
    "norm": lambda x: x.norm(),
    "logsumexp": lambda x: x.logsumexp(0),
    "softmax": lambda x: x.softmax(0),
    "any": lambda x: x.any(),
    "all": lambda x: x.all(),
    "count_nonzero": lambda x: x.count_nonzero(),
    "exp": lambda x: x.exp(),
    "sqrt": lambda x: x.sqrt(),
    "sigmoid": lambda x: x.sigmoid(),
    "neg": lambda x: -x,
    "abs": lambda x: x.abs(),
    "sign": lambda x: x.sign(),
    "square": lambda x: x.square(),
    "reciprocal": lambda x: x.reciprocal(),
    "floor": lambda x: x.floor(),
    "round": lambda x: x.round(),
    "invert": lambda x: ~x,
    "logical_not": lambda x: x.logical_not(),
    "isnan": lambda x: x.isnan(),
    "isposinf": lambda x: x.isposinf(),
    "signbit": lambda x: x.signbit(),
    "clamp by whole numbers": lambda x: x.clamp(0, 1),
    "clamp by real numbers": lambda x: x.clamp(0.5, 1.5),
    "relu": lambda x: x.relu(),
    "plus 1": lambda x: x + 1,
    "plus 1.5": lambda x: x + 1.5,
    "plus True": lambda x: x + True,
    "minus 1": lambda x: x - 1,
    "1 minus": lambda x: 1 - x,
    "times 2": lambda x: x * 2,
    "over 2": lambda x: x / 2,
    "2 over": lambda x: 2 / x,
    "whole over 2": lambda x: x // 2,
    "modulo 2": lambda x: x % 2,
    "squared": lambda x: x**2,
    "to the ½": lambda x: x**0.5,
    "2 to it": lambda x: 2**x,
    "above 0": lambda x: x > 0,
    "above 0.5": lambda x: x > 0.5,
    "dot": lambda x: x.dot(x),
    "diff": lambda x: x.diff(),
    "nansum": lambda x: x.nansum(),
    "float_power": lambda x: x.float_power(2),
    "cummax": lambda x: x.cummax(0)[0],
    "angle": lambda x: x.angle(),
}
BINARY: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add": lambda a, b, lib: a + b,
    "sub": lambda a, b, lib: a - b,
    "mul": lambda a, b, lib: a * b,
    "div": lambda a, b, lib: a / b,
    "floor_divide": lambda a, b, lib: a // b,
    "remainder": lambda a, b, lib: a % b,
    "pow": lambda a, b, lib: a**b,
    "equal": lambda a, b, lib: a == b,
    "less": lambda a, b, lib: a < b,
    "maximum": lambda a, b, lib: lib.maximum(a, b),
    "fmin": lambda a, b, lib: lib.fmin(a, b),
    "where": lambda a, b, lib: lib.where(a == a, a, b),
    "cat": lambda a, b, lib: lib.cat([a, b]),
    "stack": lambda a, b, lib: lib.stack([a, b]),
    "atan2": lambda a, b, lib: lib.atan2(a, b),
    "logical_and": lambda a, b, lib: lib.logical_and(a, b),
    "and": lambda a, b, lib: a & b,
    "clamp": lambda a, b, lib: lib.clamp(a, b),
    "outer": lambda a, b, lib: lib.outer(a, b),
    "matmul": lambda a, b, lib: a @ b,
    "hypot": lambda a, b, lib: lib.hypot(a, b),
}
# Where one library refuses what the other computes, or gives another dtype; by name and dtypes.
KNOWN: dict[str, tuple[Callable[..., bool], str]] = {}


def outcome(compute: Callable[[], Any]) -> tuple[str, Any]:
    """The dtype and values of the result, or that it was refused."""
    try:
        with np.errstate(all="ignore"):
            found = compute()
    except (OpenbookError, RuntimeError, TypeError, IndexError, NotImplementedError):
        return "refused", None
    return str(found.dtype).removeprefix("torch."), found.detach().numpy()


def require_same(mine: tuple[str, Any], theirs: tuple[str, Any]) -> None:
    assert mine[0] == theirs[0], f"{mine[0]}, not {theirs[0]}"
    if mine[0] != "refused":
        rtol = {"float16": 2e-3, "float32": 1e-6}.get(mine[0], 1e-13)
        np.testing.assert_allclose(mine[1].astype(float), theirs[1].astype(float), rtol=rtol)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_of_one(name: str, dtype: str) -> None:
    values = np.array([3, 0, 1, 2]).astype(dtype)
    mine, theirs = outcome(lambda: UNARY[name](ob.tensor(values))), outcome(lambda: UNARY[name](torch.tensor(values)))
    if name in KNOWN and KNOWN[name][0](dtype):
        assert mine[0] != theirs[0], "the exception has outlived its cause"
        return
    require_same(mine, theirs)


@pytest.mark.parametrize("single", ["", "left", "right"])
@pytest.mark.parametrize("name", BINARY)
def test_of_two(name: str, single: str) -> None:
    """`single`: which side is a tensor of one number, without axes; that widens only by its kind."""
    wrong = []
    for one, other in itertools.product(DTYPES, DTYPES):
        a, b = np.array([3, 1, 2]).astype(one), np.array([2, 1, 3]).astype(other)
        a, b = (a[0] if single == "left" else a), (b[0] if single == "right" else b)
        mine = outcome(lambda a=a, b=b: BINARY[name](ob.tensor(a), ob.tensor(b), ob))
        theirs = outcome(lambda a=a, b=b: BINARY[name](torch.tensor(a), torch.tensor(b), torch))
        if name in KNOWN and KNOWN[name][0](one, other):
            if mine[0] == theirs[0]:
                wrong.append(f"{one}, {other}: the exception has outlived its cause")
            continue
        try:
            require_same(mine, theirs)
        except AssertionError as problem:
            wrong.append(f"{one}, {other}: {str(problem).strip().splitlines()[0]}")
    assert wrong == []
