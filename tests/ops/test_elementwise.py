"""Every elementwise operation against its own formula in as many digits as it takes."""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath
import numpy as np
import pytest

from openbook.expr import evaluate, precise
from openbook.ops import OPS, apply
from openbook.ops.domain import Reals
from openbook.ops.op import Elementwise
from openbook.tensor import Tensor, grad

EPS = float(np.finfo(np.float64).eps)
SMOOTH = sorted(n for n, op in OPS.items() if op.elementwise and op.differentiable and n != "where")
UNARY = [n for n in SMOOTH if len(OPS[n].arguments) == 1]


def samples(op: type[Elementwise], count: int = 60) -> list[np.ndarray]:
    """Random points of the domain, close to zero too, without the kinks."""
    random = np.random.default_rng(sum(map(ord, op.name)))
    domains = op.domain if isinstance(op.domain, tuple) else (op.domain,) * len(op.arguments)
    return [points(domain, random, count) for domain in domains]


def points(domain: Reals, random: np.random.Generator, count: int) -> np.ndarray:
    wide = random.uniform(domain.low, domain.high, count)
    near = random.uniform(-1, 1, count) * 10.0 ** random.uniform(-8, 0, count)
    every = np.concatenate([wide, near])
    return every[(every >= domain.low) & (every <= domain.high) & ~np.isin(every, domain.kinks)][:count]


def truth(op: type[Elementwise], point: dict[str, float]) -> mpmath.mpf:
    """The formula at precision doubled until two evaluations agree; two zeros may both have lost all digits."""
    digits, before = 30, None
    while digits < 2000:
        with mpmath.workdps(digits):
            now = evaluate(op.expression(), point, precise(digits))
            if before is not None and now != 0 and abs(now - before) <= abs(now) * mpmath.mpf(10) ** -20:
                return now
        digits, before = 2 * digits, now
    assert now == 0, f"{op.name} does not settle at {point}"
    return now


def condition(op: type[Elementwise], point: dict[str, float]) -> float:
    """Σ |x ∂f/∂x| / |f|: how much the value must move when the inputs are rounded."""
    value = truth(op, point)
    if value == 0:
        return 1.0
    total = mpmath.mpf(0)
    for name, x in point.items():
        h = mpmath.mpf(abs(x) or 1) * mpmath.mpf(10) ** -12
        with mpmath.workdps(400):
            moved = evaluate(op.expression(), {**point, name: mpmath.mpf(x) + h}, precise(400))
            total += abs(x * (moved - truth_at(op, point)) / h)
    return float(total / abs(value))


def truth_at(op: type[Elementwise], point: dict[str, float]) -> mpmath.mpf:
    with mpmath.workdps(400):
        return evaluate(op.expression(), point, precise(400))


@pytest.mark.parametrize("name", SMOOTH)
def test_value_within_its_budget(name: str) -> None:
    """An error of 4·max(1, κ) units in the last place at most."""
    op = OPS[name]
    columns = samples(op)
    values = op.forward(*columns)
    for i, value in enumerate(values):
        point = {argument: float(column[i]) for argument, column in zip(op.arguments, columns, strict=True)}
        exact = truth(op, point)
        budget = 4 * max(1.0, condition(op, point)) * EPS * abs(exact)
        assert abs(mpmath.mpf(float(value)) - exact) <= budget, (name, point)


@pytest.mark.parametrize("name", UNARY)
def test_slope_is_the_formulas_slope(name: str) -> None:
    """Reverse mode against mpmath's own derivative of the formula, tails included."""
    op = OPS[name]
    (column,) = samples(op, 40)
    x = Tensor(column, requires_grad=True)
    y = apply(op, x)
    y.backward(Tensor(np.ones_like(column)))
    for at, slope in zip(column, x.grad.data, strict=True):
        with mpmath.workdps(40):
            exact = mpmath.diff(
                lambda t, op=op: evaluate(op.expression(), {op.arguments[0]: t}, precise(400)), float(at)
            )
        assert slope == pytest.approx(float(exact), rel=1e-12, abs=1e-300), (name, at)


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_to_second_order(name: str) -> None:
    """Random cotangents, both inputs, first and second derivatives by central differences."""
    op = OPS[name]
    random = np.random.default_rng(3)
    columns = [c[:6] for c in samples(op, 12)]
    for point in zip(*columns, strict=True):
        cotangent = float(random.standard_normal())
        for k, x in enumerate(point):

            def f(t: Tensor, k: int = k, point: tuple = point, cotangent: float = cotangent) -> Tensor:
                return apply(op, *(t if i == k else Tensor(np.asarray(c)) for i, c in enumerate(point))) * cotangent

            for function in (f, grad(f)):
                expected = difference(function, float(x))
                assert float(grad(function)(np.asarray(x))) == pytest.approx(expected, rel=2e-6, abs=1e-6)


def difference(f: Callable[[Tensor], Tensor], x: float) -> float:
    """Richardson's extrapolation of central differences."""

    def central(h: float) -> float:
        return (float(f(Tensor(np.asarray(x + h)))) - float(f(Tensor(np.asarray(x - h))))) / (2 * h)

    h = 1e-3 * min(1.0, max(abs(x), 1e-2))
    return (4 * central(h / 2) - central(h)) / 3


@pytest.mark.parametrize("name", [n for n in UNARY if OPS[n].edges])
def test_edges(name: str) -> None:
    op = OPS[name]
    for at, expected in op.edges.items():
        with np.errstate(all="ignore"):
            found = float(op.forward(np.asarray(at)))
        assert found == expected or (math.isnan(found) and math.isnan(expected)), (name, at)


@pytest.mark.parametrize("name", UNARY)
def test_float32_stays_float32(name: str) -> None:
    op = OPS[name]
    (column,) = samples(op, 10)
    x = Tensor(column.astype(np.float32), requires_grad=True)
    y = apply(op, x)
    y.sum().backward()
    assert y.dtype == np.float32 and x.grad.dtype == np.float32
