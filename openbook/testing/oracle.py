"""Truth about elementwise operations: their own formulas, in as many digits as it takes."""

from __future__ import annotations

from dataclasses import dataclass

import mpmath
import numpy as np

from openbook.expr import Expr, derivative, evaluate, precise
from openbook.ops import apply
from openbook.ops.domain import Reals
from openbook.ops.op import Elementwise
from openbook.tensor import Tensor, grad_of

EPS = float(np.finfo(np.float64).eps)
SMALLEST = 5e-324
SAFETY = 4  # units in the last place, times the condition number where that is above 1


@dataclass(frozen=True)
class Worst:
    """The largest error found, in units in the last place and as a share of what is allowed, and where it was."""

    ulps: float = 0.0
    share: float = 0.0
    point: tuple[float, ...] = ()


def samples(op: type[Elementwise], count: int) -> list[np.ndarray]:
    """Random points of the domain, close to zero and to the kinks too."""
    random = np.random.default_rng(sum(map(ord, op.name)))
    domains = op.domain if isinstance(op.domain, tuple) else (op.domain,) * len(op.arguments)
    return [points(domain, random, count) for domain in domains]


def points(domain: Reals, random: np.random.Generator, count: int) -> np.ndarray:
    parts = [random.uniform(domain.low, domain.high, count), random.uniform(-1, 1, count) * _tiny(random, count)]
    parts += [k + random.uniform(-1, 1, count // 8 + 1) * _tiny(random, count // 8 + 1) for k in domain.kinks[:8]]
    every = np.concatenate(parts)
    inside = every[(every >= domain.low) & (every <= domain.high) & ~np.isin(every, domain.kinks)]
    return random.permutation(inside)[:count]


def _tiny(random: np.random.Generator, count: int) -> np.ndarray:
    return 10.0 ** random.uniform(-8, 0, count)


def formula(op: type[Elementwise], orders: tuple[str, ...]) -> Expr:
    """The operation's formula, differentiated by the arguments named, one after the other."""
    expr = op.expression()
    for name in orders:
        expr = derivative(expr, name)
    return expr


def truth(expr: Expr, point: dict[str, float], most: int = 4000) -> mpmath.mpf:
    """The value at precision doubled until two evaluations agree; two zeros may both have lost all digits."""
    digits, before = 30, None
    while digits < most:
        with mpmath.workdps(digits):
            now = evaluate(expr, point, precise(digits))
            if before is not None and now != 0 and abs(now - before) <= abs(now) * mpmath.mpf(10) ** -20:
                return now
        digits, before = 2 * digits, now
    assert now == 0, f"no value settles at {point}"
    return now


def condition(expr: Expr, point: dict[str, float], exact: mpmath.mpf) -> float:
    """Σ |x ∂f/∂x| / |f|: how much the value must move when the inputs are rounded."""
    for digits in (100, 300, 900):  # formulas may lose hundreds of digits, as 1 - erf(x) does
        with mpmath.workdps(digits):
            here = evaluate(expr, point, precise(digits))
            if abs(here - exact) > abs(exact) * mpmath.mpf(10) ** -19:
                continue
            total = mpmath.mpf(0)
            for name, x in point.items():
                h = mpmath.mpf(abs(x) or SMALLEST) * mpmath.mpf(10) ** -15
                moved = evaluate(expr, {**point, name: mpmath.mpf(x) + h}, precise(digits))
                total += abs(mpmath.mpf(x) * (moved - here) / h)
            return float(total / abs(exact))
    raise AssertionError(f"no value settles at {point}")


def computed(op: type[Elementwise], columns: list[np.ndarray], orders: tuple[str, ...]) -> np.ndarray:
    """What the library makes of it: the value, or its gradient by the arguments named, one after the other."""
    inputs = [
        Tensor(column.copy(), requires_grad=name in orders) for name, column in zip(op.arguments, columns, strict=True)
    ]
    value = apply(op, *inputs)
    for name in orders:
        if not value.requires_grad:
            return np.zeros_like(columns[0])
        (found,) = grad_of(value.sum(), [inputs[op.arguments.index(name)]], create_graph=True)
        value = Tensor(np.zeros_like(columns[0])) if found is None else found
    return np.asarray(value.data)


def worst(op: type[Elementwise], columns: list[np.ndarray], orders: tuple[str, ...] = ()) -> Worst:
    """The point where the library is farthest from the truth, by the share of its budget that it uses."""
    expr = formula(op, orders)
    found = Worst()
    with np.errstate(all="ignore"):
        values = computed(op, columns, orders)
    for i, value in enumerate(values):
        at = tuple(float(column[i]) for column in columns)
        point = dict(zip(op.arguments, at, strict=True))
        exact = truth(expr, point)
        error = abs(mpmath.mpf(float(value)) - exact)
        unit = max(EPS * abs(exact), mpmath.mpf(SMALLEST))
        ulps = float(error / unit) if np.isfinite(value) else np.inf
        share = ulps / SAFETY
        if share > max(1.0, found.share) and exact != 0:
            share /= max(1.0, condition(expr, point, exact))
        if share > found.share:
            found = Worst(ulps, share, at)
    return found


def orders_of(op: type[Elementwise]) -> list[tuple[str, ...]]:
    """The value, and every first and second derivative by one argument."""
    slopes = [name for name in op.arguments if name not in ("condition",)]
    return [(), *((name,) for name in slopes), *((name, name) for name in slopes)]


def errors(op: type[Elementwise], count: int) -> dict[tuple[str, ...], Worst]:
    """The worst of the value and of every first and second derivative."""
    columns = samples(op, count)
    length = min(map(len, columns))
    return {orders: worst(op, [c[:length] for c in columns], orders) for orders in orders_of(op)}


def require_within_budget(op: type[Elementwise], found: dict[tuple[str, ...], Worst]) -> None:
    for orders, error in found.items():
        assert error.share <= 1, (op.name, orders, error)
