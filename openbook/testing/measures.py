"""How far an operation is from the truth: its value, its gradient, a product with its Hessian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.ops import apply
from openbook.ops.decompose import OfMatrices
from openbook.ops.op import Op
from openbook.tensor import Tensor, grad_of
from openbook.testing.exact import EPS, Truth
from openbook.testing.samples import samples_of

__all__ = [
    "Worst",
    "gradients",
    "leaves",
    "normwise",
    "numbers",
    "result",
    "worst_second",
    "worst_slope",
    "worst_value",
]

EPS32 = float(np.finfo(np.float32).eps)
VALUE, SLOPE, SECOND = 4.0, 8.0, 16.0  # units of error that a value, a slope and a second derivative may be off by


@dataclass(frozen=True)
class Worst:
    """The largest error found, in units; and what is allowed."""

    units: float
    allowed: float

    @property
    def share(self) -> float:
        return self.units / self.allowed


def numbers(op: type[Op]) -> range:
    """The operation's samples, counted."""
    return range(len(samples_of(op)))


def leaves(truth: Truth, dtype: Any = np.float64) -> list[Any]:
    """The inputs as tensors that ask for their gradient, where they have one."""
    return [
        None if x is None else Tensor(_cast(x, dtype), requires_grad=i in truth.slopes)
        for i, x in enumerate(truth.inputs)
    ]


def _cast(x: np.ndarray, dtype: Any) -> np.ndarray:
    return x.astype(dtype) if x.dtype.kind == "f" else x.copy()


def result(op: type[Op], truth: Truth, inputs: list[Any]) -> Any:
    with np.errstate(all="ignore"):
        return apply(op, *inputs, **truth.sample.options)


def worst_value(op: type[Op], truth: Truth, dtype: Any = np.float64) -> Worst:
    """How far the value is from the truth, in units: entry by entry, or by the largest entry (LAPACK's promise)."""
    eps = EPS if dtype == np.float64 else EPS32
    worst = 0.0
    for recorded in (False, True):
        inputs = leaves(truth, dtype)
        if not recorded:
            inputs = [x if x is None else x.detach() for x in inputs]
        found = result(op, truth, inputs)
        assert found.shape == truth.value.shape, (op.name, found.shape, truth.value.shape)
        real = any(x is not None and x.dtype.kind == "f" for x in truth.inputs)
        if real and found.dtype.kind == "f" and "dtype" not in truth.sample.options:
            assert found.dtype == dtype, (op.name, found.dtype)
        worst = max(worst, _units(op, np.asarray(found.data), truth.value, truth.value_unit, eps))
    return Worst(worst, _allowed(op, VALUE))


def _units(op: type[Op], found: np.ndarray, exact: np.ndarray, unit: Any, eps: float) -> float:
    if not found.size:
        return 0.0
    if found.dtype.kind != "f":
        return 0.0 if all(int(a) == int(b) for a, b in zip(found.flat, exact.flat, strict=True)) else np.inf
    both_nan = np.array([a != a and b != b for a, b in zip(found.flat, exact.flat, strict=True)])
    error = np.array([0.0 if a == b else abs(float(b - float(a))) for a, b in zip(found.flat, exact.flat, strict=True)])
    error = np.where(both_nan, 0.0, error)
    unit = np.broadcast_to(unit, found.shape).ravel()
    if normwise(op):
        unit = np.full_like(unit, unit.max())
    with np.errstate(divide="ignore", invalid="ignore"):
        units = np.where(error == 0, 0.0, error / (eps * unit))
    return float(np.max(np.where(np.isnan(units), np.inf, units)))


def _allowed(op: type[Op], units: float) -> float:
    """Twice as much of LAPACK, which promises it of a matrix's norm, not of each entry."""
    return 2 * units if normwise(op) else units


def normwise(op: type[Op]) -> bool:
    """Whether a small entry may be off by what is small beside the largest: so with factorisations."""
    return issubclass(op, OfMatrices)


def gradients(op: type[Op], truth: Truth, inputs: list[Any], create_graph: bool = False) -> list[Any]:
    """The cotangents of the inputs that have slopes, from the sample's random cotangent."""
    value = result(op, truth, inputs)
    wanted = [inputs[i] for i in truth.slopes]
    if not value.requires_grad:
        raise AssertionError(f"no gradient leads back from {op.name}")
    with np.errstate(all="ignore"):
        found = grad_of(
            value, wanted, Tensor(truth.cotangent.astype(value.dtype)), create_graph=create_graph, retain_graph=True
        )
    return [Tensor(np.zeros(x.shape, x.dtype)) if g is None else g for g, x in zip(found, wanted, strict=True)]


def _flat(parts: list[Any]) -> np.ndarray:
    return np.concatenate([np.ravel(np.asarray(p.data)) for p in parts]) if parts else np.zeros(0)


def worst_slope(op: type[Op], truth: Truth, dtype: Any = np.float64) -> Worst:
    """The gradient of a random cotangent, against differences of the truth."""
    inputs = leaves(truth, dtype)
    found = gradients(op, truth, inputs)
    for g, i in zip(found, truth.slopes, strict=True):
        assert g.shape == truth.inputs[i].shape and g.dtype == dtype, (op.name, "the gradient's shape or dtype")
    eps = EPS if dtype == np.float64 else EPS32
    return Worst(
        _units(op, _flat(found), np.asarray(truth.gradient), truth.gradient_unit, eps),
        SLOPE * (2 if normwise(op) else 1),
    )


def worst_second(op: type[Op], truth: Truth) -> Worst:
    """A random product with the Hessian, against differences of the truth."""
    if not truth.point.size or not truth.value.size:
        return Worst(0.0, SECOND)
    inputs = leaves(truth)
    first = gradients(op, truth, inputs, create_graph=True)
    exact, unit = truth.second
    along = truth.signs[0] * truth.point
    found, start = 0.0, 0
    with np.errstate(all="ignore"):
        pulled = Tensor(np.asarray(0.0))
        for g in first:
            size = g.data.size
            pulled = pulled + (g * Tensor(truth.pull[start : start + size].reshape(g.shape))).sum()
            start += size
        if pulled.requires_grad:
            wanted = [inputs[i] for i in truth.slopes]
            parts = grad_of(pulled, wanted)
            flat = _flat([Tensor(np.zeros(x.shape)) if p is None else p for p, x in zip(parts, wanted, strict=True)])
            found = float(flat @ along)
    error = abs(found - exact)
    return Worst(0.0 if error == 0 else error / (EPS * unit) if unit else np.inf, SECOND)
