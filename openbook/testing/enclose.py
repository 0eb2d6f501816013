"""Formulas in extended precision, many points at once, with bounds of error: where these decide, no digits are needed.

Running error analysis (Higham 2002, ch. 3): every number carries what it may be off by. A bound of ∞ says that nothing is
known, and more digits have to tell: so where terms cancel, and for functions that are not listed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from openbook.expr import Binary, Call, Compare, Expr, Name, Negate, Number, parse
from openbook.expr.functions import Defined, lookup
from openbook.testing.curves import PI, SPECIAL_CURVES

__all__ = ["Near", "enclose"]

LONG = np.longdouble
UNIT = LONG(np.finfo(LONG).eps)


@dataclass(frozen=True)
class Near:
    """Numbers, and what each may be off by."""

    value: Any
    error: Any


def enclose(expr: Expr, columns: Mapping[str, np.ndarray]) -> Near:
    """The formula at every point, from columns of float64."""
    with np.errstate(all="ignore"):
        found = _walk(expr, {name: Near(LONG(x), LONG(0)) for name, x in columns.items()})
        lost = ~np.isfinite(found.value) | np.isnan(found.error)
        shape = np.broadcast_shapes(*(np.shape(x) for x in columns.values()))
        return Near(np.broadcast_to(found.value, shape), np.broadcast_to(np.where(lost, np.inf, found.error), shape))


def _walk(expr: Expr, at: Mapping[str, Near]) -> Near:
    match expr:
        case Number(value=value, spelling=spelling):
            exact = float(value) == value and float(value).is_integer()
            number = LONG(value) if exact or not spelling else LONG(spelling)
            return Near(number, LONG(0) if exact else UNIT * abs(number))
        case Name(id="pi"):
            return Near(PI, UNIT * PI)
        case Name(id=name) if name in at:
            return at[name]
        case Negate(operand=operand):
            inner = _walk(operand, at)
            return Near(-inner.value, inner.error)
        case Binary(operator=operator, left=left, right=right):
            return _joined(operator, _walk(left, at), _walk(right, at))
        case Call(function="where", arguments=(Compare() as test, body, orelse)):
            return _chosen(test, body, orelse, at)
        case Call(function="min" | "max" as which, arguments=(left, right)):
            return _chosen(Compare("<" if which == "min" else ">", left, right), left, right, at)
        case Call(function=name, arguments=arguments):
            return _called(name, [_walk(a, at) for a in arguments])
    return Near(LONG(np.nan), LONG(np.inf))


def _joined(operator: str, a: Near, b: Near) -> Near:
    x, y = a.value, b.value
    match operator:
        case "+" | "-":
            value, error = (x + y if operator == "+" else x - y), a.error + b.error
        case "*":
            value, error = x * y, abs(x) * b.error + abs(y) * a.error + a.error * b.error
        case "/":
            value = x / y
            error = (a.error + abs(value) * b.error) / np.maximum(abs(y) - b.error, 0)
        case "**":
            value = x**y
            moved = np.where(b.error == 0, 0, abs(np.log(abs(x))) * b.error)
            error = 2 * abs(value) * (abs(y) * a.error / abs(x) + moved)
            error = np.where((a.error == 0) & (b.error == 0), 0, np.where(a.error > 1e-6 * abs(x), np.inf, error))
            error = error + 4 * UNIT * abs(value)
        case _:
            return Near(LONG(np.nan), LONG(np.inf))
    return Near(value, error + UNIT * abs(value))


def _chosen(test: Compare, body: Expr, orelse: Expr, at: Mapping[str, Near]) -> Near:
    left, right = _walk(test.left, at), _walk(test.right, at)
    x, y = left.value, right.value
    truth = {"<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y, "==": x == y, "!=": x != y}[test.operator]
    known = (left.error + right.error == 0) | (abs(x - y) > left.error + right.error)
    a, b = _walk(body, at), _walk(orelse, at)
    error = np.where(known, np.where(truth, a.error, b.error), np.inf)
    return Near(np.where(truth, a.value, b.value), error)


def _called(name: str, given: list[Near]) -> Near:
    function = lookup(name, len(given))
    if isinstance(function, Defined):
        return _walk(function.formula, dict(zip(function.parameters, given, strict=True)))
    if name in _STEPS:
        (a,) = given
        value = _STEPS[name](a.value)
        gap = abs(a.value - np.rint(2 * a.value) / 2)  # to the nearest step or half step
        return Near(value, np.where((a.error == 0) | (a.error < gap), 0, np.inf))
    if len(given) != 1 or (name not in _CURVES and name not in SPECIAL_CURVES):
        return Near(LONG(np.nan), LONG(np.inf))
    (a,) = given
    if name in SPECIAL_CURVES:
        value, rounded = SPECIAL_CURVES[name](a.value)
    else:
        value = _CURVES[name](a.value)
        rounded = 8 * abs(value)
    if not np.any(a.error):
        return Near(value, UNIT * rounded)
    if not lookup(name, 1).slope:
        return Near(value, LONG(np.inf))
    slope = abs(_walk(_slope(name), {"x": Near(a.value, LONG(0))}).value)
    moved = np.where(
        a.error == 0, 0, np.where(a.error > 1e-6 * np.minimum(1, abs(a.value)), np.inf, 2 * slope * a.error)
    )
    return Near(value, moved + UNIT * rounded)


@cache
def _slope(name: str) -> Expr:
    return parse(lookup(name, 1).slope)


_CURVES: dict[str, Callable[[Any], Any]] = {
    **{name: getattr(np, name) for name in ("exp", "log", "log1p", "expm1", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: getattr(np, "arc" + name[1:]) for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh")},
    "abs": np.abs,
    "log2": np.log2,
    "log10": np.log10,
}  # fmt: skip
_STEPS: dict[str, Callable[[Any], Any]] = {
    "sign": np.sign, "round": np.rint, "trunc": np.trunc, "floor": np.floor, "ceil": np.ceil,
}  # fmt: skip
