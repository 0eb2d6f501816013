"""Names, order and kinds of arguments: those of PyTorch's own schemas, for every function and method that both have."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import openbook as ob
from openbook.ops import OPS
from openbook.tensor import Tensor, create
from openbook.tensor import functions as functions_here

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.torch

# Arguments of PyTorch's that have no meaning here: one device, one layout, results that are always new.
WITHOUT = {
    "out", "layout", "device", "pin_memory", "memory_format", "generator", "dtype", "non_blocking", "copy", "sparse_grad",
    "inputs", "names", "driver", "check_errors", "requires_grad", "compute_mode", "out_dtype", "antialias",
}  # fmt: skip

# Where ours differ, and why.
KNOWN = {
    "dsplit": "the schemas part what the documentation calls indices_or_sections",
    "hsplit": "the schemas part what the documentation calls indices_or_sections",
    "vsplit": "the schemas part what the documentation calls indices_or_sections",
    "save": "it writes safetensors, from a dictionary of tensors",
    "tensordot": "the documentation's names are a, b and dims",
}


def schemas(name: str) -> list[list[tuple[str, bool]]]:
    """The arguments of every overload: names, and whether they are given by name only."""
    found = []
    for schema in torch._C._jit_get_schemas_for_operator(f"aten::{name}"):
        if schema.overload_name.endswith(("out", "dimname", "_scalar_out")) or "Dimname" in str(schema):
            continue
        found.append([(a.name, a.kwarg_only) for a in schema.arguments if a.name not in WITHOUT])
    return found


def ours(function: Any) -> list[tuple[str, bool]] | None:
    """The same of ours; None for those that take sizes one by one, as PyTorch's methods do too."""
    arguments = list(inspect.signature(function).parameters.values())
    if any(a.kind in (a.VAR_POSITIONAL, a.VAR_KEYWORD) for a in arguments):
        return None
    return [(a.name, a.kind is a.KEYWORD_ONLY) for a in arguments if a.name not in WITHOUT]


def names() -> list[str]:
    both = (n for n in dir(Tensor) if not n.startswith("_") and hasattr(torch.Tensor, n) and schemas(n))
    return sorted(n for n in both if inspect.isfunction(inspect.getattr_static(Tensor, n)) and ours(getattr(Tensor, n)))


def functions() -> list[str]:
    return sorted(
        n
        for n in (*functions_here.__all__, *create.__all__)
        if hasattr(torch, n) and schemas(n) and ours(getattr(ob, n))
    )


def require_fit(name: str, mine: list[tuple[str, bool]], leave_out_first: bool) -> None:
    """Some overload of PyTorch's takes all that ours takes: the same names in the same order, by name where by name."""
    given = mine[leave_out_first:]
    overloads = [s[1:] if leave_out_first and s and s[0][0] == "self" else s for s in schemas(name)]
    overloads = [[("input" if n == "self" else n, k) for n, k in s] for s in overloads]
    places = [n for n, by_name in given if not by_name]
    for overload in overloads:
        theirs = [n for n, by_name in overload if not by_name]
        every = {n for n, _ in overload}
        if places[: len(theirs)] == theirs and every <= {n for n, _ in given}:
            return
    pytest.fail(f"{given} fits none of {overloads}")


@pytest.mark.parametrize("name", [n for n in names() if n not in KNOWN])
def test_methods(name: str) -> None:
    require_fit(name, ours(getattr(Tensor, name)) or [], True)


@pytest.mark.parametrize("name", [n for n in functions() if n not in KNOWN])
def test_functions(name: str) -> None:
    require_fit(name, ours(getattr(ob, name)) or [], False)


TWO = sorted(
    n for n, op in OPS.items() if op.elementwise and len(op.arguments) > 1 and schemas(n) and hasattr(torch, n)
)


@pytest.mark.parametrize("name", [n for n in TWO if n != "where"])
def test_single_numbers_by_name(name: str) -> None:
    """Operations on pairs of numbers take the others by PyTorch's names."""
    for overload in schemas(name):
        others = [n for n, by_name in overload[1:] if not by_name]
        if len(others) == len(OPS[name].arguments) - 1 and "scalar" not in others:
            whole = name.startswith("bitwise") or name in ("gcd", "lcm")
            x = ob.tensor([1, 2] if whole else [1.0, 2.0])
            values = {n: ob.tensor([2 + i, 1] if whole else [0.5 + i, 0.25]) for i, n in enumerate(others)}
            by_place, by_name = getattr(ob, name)(x, *values.values()), getattr(ob, name)(x, **values)
            assert by_place.equal(by_name)
            return
    pytest.fail("no overload of PyTorch's takes tensors")
