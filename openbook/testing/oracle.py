"""Truth about elementwise operations: their own formulas, in as many digits as it takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from openbook.errors import FormulaError
from openbook.expr import Expr, derivative, evaluate, precise
from openbook.ops import apply
from openbook.ops.domain import Reals
from openbook.ops.op import Elementwise
from openbook.tensor import Tensor, grad_of
from openbook.testing.enclose import UNIT, enclose
from openbook.testing.program import program_of

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


def truth(expr: Expr, point: dict[str, float], most: int = 4000, lost: float = math.inf) -> mpmath.mpf:
    """The value at precision doubled until two evaluations agree; two zeros may both have lost all digits.

    Where it is known how many digits at most are `lost`, one evaluation in that many more will do.
    """
    if lost < 300:
        return at(expr, point, 30 + math.ceil(lost))
    digits, before = 30, None
    while digits < most:
        now = at(expr, point, digits)
        if before is not None and now != 0 and abs(now - before) <= abs(now) * mpmath.mpf(10) ** -20:
            return now
        digits, before = 2 * digits, now
    assert now == 0, f"no value settles at {point}"
    return now


def at(expr: Expr, point: Mapping[str, Any], digits: int) -> mpmath.mpf:
    """The value in so many digits, be they right or not."""
    with mpmath.workdps(digits):
        try:
            return +mpmath.mpf(program_of(expr).run(point, precise(digits)))
        except ZeroDivisionError:
            return evaluate(expr, point, precise(digits))  # which says what happened


def condition(expr: Expr, point: dict[str, float], exact: mpmath.mpf) -> float:
    """Σ |x ∂f/∂x| / |f|: how much the value must move when the inputs are rounded."""
    for digits in (60, 100, 300, 900):  # formulas may lose hundreds of digits, as 1 - erf(x) does
        with mpmath.workdps(digits):
            here = at(expr, point, digits)
            if abs(here - exact) > abs(exact) * mpmath.mpf(10) ** -19:
                continue
            total = mpmath.mpf(0)
            for name, x in point.items():
                h = mpmath.mpf(abs(x) or SMALLEST) * mpmath.mpf(10) ** -15
                moved = at(expr, {**point, name: mpmath.mpf(x) + h}, digits)
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
    """The point where the library is farthest from the truth, by the share of its budget that it uses.

    Points are asked for their truth in the order of what they may come to at most, as long as that is more than was found.
    """
    expr = formula(op, orders)
    with np.errstate(all="ignore"):
        values = computed(op, columns, orders)
    most, lost = at_most(expr, dict(zip(op.arguments, columns, strict=True)), values)
    found = Worst()
    for i in np.argsort(-most, kind="stable"):
        if most[i] <= found.share:
            break
        at = tuple(float(column[i]) for column in columns)
        one = _of_point(expr, dict(zip(op.arguments, at, strict=True)), float(values[i]), found.share, lost[i])
        if one.share > found.share:
            found = Worst(one.ulps, one.share, at)
    return found


def at_most(expr: Expr, columns: dict[str, np.ndarray], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What share of its budget each value may have used, from bounds in extended precision; ∞ where they say nothing.

    And how many digits the formula loses there at most.
    """
    near = enclose(expr, columns)
    with np.errstate(all="ignore"):
        size = abs(near.value)
        error = abs(values - near.value) + near.error
        unit = np.maximum(EPS * np.maximum(size - near.error, 0), SMALLEST)
        share = error / unit / SAFETY / _condition_at_least(expr, columns, size + near.error)
        share = np.where(np.isnan(share) | ~np.isfinite(near.error), np.inf, np.minimum(share, 1e300))
        lost = np.log10(np.maximum(near.error / (UNIT * size), 1)).astype(float)
    return share.astype(float), np.where(np.isnan(lost), np.inf, lost)


def _condition_at_least(expr: Expr, columns: dict[str, np.ndarray], size: np.ndarray) -> np.ndarray:
    """The condition number, or 1 where that is more or nothing is known."""
    moved = np.zeros_like(size)
    for name, x in columns.items():
        try:
            slope = enclose(derivative(expr, name), columns)
        except FormulaError:  # of the last derivative that has a name, none is known
            continue
        moved = moved + abs(x) * np.maximum(np.nan_to_num(abs(slope.value) - slope.error, nan=0.0), 0)
    kappa = moved / size
    return np.where(kappa > 1, kappa, 1)


def _of_point(expr: Expr, point: dict[str, float], value: float, enough: float, lost: float) -> Worst:
    """How far a value is from the truth; the condition number is asked for only where the share is above `enough`."""
    exact = truth(expr, point, lost=lost)
    unit = max(EPS * abs(exact), mpmath.mpf(SMALLEST))
    ulps = float(abs(mpmath.mpf(value) - exact) / unit) if np.isfinite(value) else np.inf
    share = ulps / SAFETY
    if share > enough and exact != 0:
        share /= max(1.0, condition(expr, point, exact))
    return Worst(ulps, share)


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
