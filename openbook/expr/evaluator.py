"""What a formula is worth: in floats, or in as many digits as you ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, reduce
from typing import Any

import numpy as np

from openbook.errors import FormulaError
from openbook.expr.functions import CONSTANTS, Defined, Function, lookup
from openbook.expr.nodes import Array, Binary, Call, Compare, Derivative, Expr, Index, Name, Negate, Number

__all__ = ["FLOATS", "Arithmetic", "evaluate", "precise"]

_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "@": lambda a, b: a @ b,
}
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


@dataclass(frozen=True)
class Arithmetic:
    """A way to compute: how numbers enter, what the functions are, and what every result goes through."""

    number: Callable[[Any], Any]
    function: Callable[[Function], Callable[..., Any]]
    rounded: Callable[[Any], Any] = lambda value: value
    own: Callable[[str], Callable[..., Any] | None] = lambda name: None  # functions it does not take by their formula
    slope: Callable[[Callable[[Any], Any], Any], Any] | None = None  # of a function at a point, by differences
    constants: Callable[[str], Any] = CONSTANTS.__getitem__


def evaluate(expr: Expr, values: Mapping[str, Any] | None = None, arithmetic: Arithmetic | None = None) -> Any:
    """Compute a formula from the values of its names.

    In float64 by default; `precise(50)` computes with fifty decimal digits, arrays entry by entry.
    Raises FormulaError for a name without a value or an unknown function.
    """
    try:
        return _evaluate(expr, values or {}, arithmetic or FLOATS)
    except ZeroDivisionError:
        from openbook.expr.show import text

        raise FormulaError(f"{text(expr)} divides by zero here", do="choose values for which it does not") from None


def _evaluate(expr: Expr, values: Mapping[str, Any], arithmetic: Arithmetic) -> Any:
    def inner(part: Expr) -> Any:
        return _evaluate(part, values, arithmetic)

    match expr:
        case Number(value=value, spelling=spelling):
            return arithmetic.number(Fraction(spelling) if _is_decimal(spelling) else value)
        case Array(value=value):
            return arithmetic.number(value)
        case Name(id=name) if name in CONSTANTS and name not in values:
            return arithmetic.number(arithmetic.constants(name))
        case Name(id=name):
            return arithmetic.number(_value_of(name, values))
        case Negate(operand=operand):
            return -inner(operand)
        case Binary(operator=operator, left=left, right=right):
            return arithmetic.rounded(_BINARY[operator](inner(left), inner(right)))
        case Compare(operator=operator, left=left, right=right):
            return _COMPARE[operator](inner(left), inner(right))
        case Index(base=base, indices=indices):
            return inner(base)[tuple(int(inner(i)) for i in indices)]
        case Derivative(by=Name(id=name), body=body):
            if arithmetic.slope is None:
                from openbook.expr.derive import derivative

                return inner(derivative(body, name))
            return arithmetic.slope(lambda x: _evaluate(body, {**values, name: x}, arithmetic), inner(expr.by))
        case Call(function="where", arguments=(test, body, orelse)):
            return _choose(inner(test), lambda: inner(body), lambda: inner(orelse))
        case Call(function=name, arguments=arguments):
            function = lookup(name, len(arguments))
            given = [inner(a) for a in arguments]
            if (own := arithmetic.own(name)) is not None:
                return own(*given)
            if isinstance(function, Defined):
                return _evaluate(function.formula, dict(zip(function.parameters, given, strict=True)), arithmetic)
            return arithmetic.rounded(arithmetic.function(function)(*given))
    raise FormulaError(f"{type(expr).__name__} has no value")


def _choose(test: Any, body: Callable[[], Any], orelse: Callable[[], Any]) -> Any:
    """The branch not taken is not computed: it may have no value there."""
    if isinstance(test, np.ndarray) and test.ndim:
        return np.where(test, body(), orelse())
    return body() if test else orelse()


def _is_decimal(spelling: str) -> bool:
    return bool(spelling) and set(spelling) <= set("0123456789.eE+-") and any(c.isdigit() for c in spelling)


def _value_of(name: str, values: Mapping[str, Any]) -> Any:
    if name in values:
        return values[name]
    known = ", ".join(values) or "none"
    raise FormulaError(f"{name!r} has no value; those given are: {known}", do=f"give it one, as in {name}=1")


# --- floats ----------------------------------------------------------------------------------------------------


def _float(value: Any) -> Any:
    if isinstance(value, (Fraction, int)):
        return float(value)
    return value


def _float_function(function: Function) -> Callable[..., Any]:
    if function.name in ("min", "max"):
        whole = np.min if function.name == "min" else np.max
        return lambda *a: whole(a[0]) if len(a) == 1 else reduce(function.floats, a)
    return function.floats


FLOATS = Arithmetic(_float, _float_function)


# --- any precision ---------------------------------------------------------------------------------------------


@cache
def _context(digits: int) -> Any:
    import mpmath

    context = mpmath.MPContext()
    context.dps = digits
    return context


def precise(digits: int = 50, jitter: float = 0.0, seed: int = 0) -> Arithmetic:
    """Arithmetic in `digits` decimal digits, on numbers and on arrays of them.

    With `jitter`, every single result is moved by a random part of ±jitter: run a few times, the spread of the answers
    is what rounding at that size can do to this formula (Vignes 1974, the CESTAC method).
    """
    context = _context(digits)
    random = np.random.default_rng(seed)

    def number(value: Any) -> Any:
        if isinstance(value, context.mpf):
            return value
        if isinstance(value, np.ndarray) and value.ndim:
            return np.frompyfunc(number, 1, 1)(value)
        if isinstance(value, Fraction):
            return context.mpf(value.numerator) / value.denominator
        if isinstance(value, (np.generic, np.ndarray)):
            value = value.item()
        return context.mpf(int(value) if isinstance(value, bool) else value)

    def rounded(value: Any) -> Any:
        if not jitter:
            return value
        if isinstance(value, np.ndarray) and value.ndim:
            return value * number(1 + jitter * random.uniform(-1, 1, value.shape))
        return value * (1 + jitter * context.mpf(random.uniform(-1, 1)))

    def function(primitive: Function) -> Callable[..., Any]:
        return _exact_function(primitive, context)

    def constant(name: str) -> Any:
        return +getattr(context, name)

    return Arithmetic(number, function, rounded, slope=context.diff, constants=constant)


def _exact_function(primitive: Function, context: Any) -> Callable[..., Any]:
    """The primitive in the precision of an mpmath context, for numbers and arrays."""
    match primitive.name:
        case "min":
            return _exact_extreme(min)
        case "max":
            return _exact_extreme(max)
        case "delta":
            return _entrywise(lambda i, j: context.mpf(i == j))
        case "mean":
            return lambda x: np.sum(x) / np.size(x)
        case "norm":
            return lambda x: context.sqrt(np.sum(np.asarray(x) ** 2))
        case "inv":
            return lambda x: np.array((context.matrix(x.tolist()) ** -1).tolist(), dtype=object)
        case "trigamma" | "tetragamma" | "pentagamma":
            order = ("trigamma", "tetragamma", "pentagamma").index(primitive.name) + 1
            return _entrywise(lambda x: context.psi(order, x))
        case "i0" | "i1":
            return _entrywise(lambda x: context.besseli(int(primitive.name[1]), x))
        case "bessel_j0" | "bessel_j1":
            return _entrywise(lambda x: context.besselj(int(primitive.name[-1]), x))
        case "trunc":
            return _entrywise(lambda x: context.floor(x) if x >= 0 else context.ceil(x))
        case "lgamma":
            return _entrywise(lambda x: context.log(abs(context.gamma(x))))
        case "log2":
            return _entrywise(_real(lambda x: context.log(x, 2), context))
    if primitive.whole:
        return primitive.floats
    return _entrywise(_real(getattr(context, primitive.exact), context))


def _entrywise(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        if any(np.ndim(a) for a in arguments):
            return np.frompyfunc(function, len(arguments), 1)(*arguments)
        return function(*arguments)

    return call


def _real(function: Callable[..., Any], context: Any) -> Callable[..., Any]:
    """mpmath answers log(-1) with a complex number; a real formula has no value there."""

    def call(*arguments: Any) -> Any:
        try:
            value = function(*arguments)
        except (ZeroDivisionError, ValueError):
            return context.nan
        return context.nan if isinstance(value, context.mpc) else value

    return call


def _exact_extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        if len(arguments) == 1:
            return choose(np.ravel(arguments[0]))
        return _entrywise(choose)(*arguments)

    return call
