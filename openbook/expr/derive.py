"""Differentiate a formula by the named rules, keeping it recognisable: the order of factors stays, nothing is expanded."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache

from openbook.errors import FormulaError
from openbook.expr.functions import Defined, lookup
from openbook.expr.nodes import Binary, Call, Compare, Expr, Name, Negate, Number
from openbook.expr.parser import parse

__all__ = ["derivative", "rule_name", "substitute"]

ZERO, ONE, TWO = Number(0), Number(1), Number(2)


def derivative(expr: Expr, name: str) -> Expr:
    """The derivative of a formula by one of its names, everything else held fixed.

    Sums, products, quotients, powers and chains of the known functions; raises FormulaError for matrix products.
    """
    if name not in expr.names():
        return ZERO
    match expr:
        case Name():
            return ONE
        case Negate(operand=operand):
            return negative(derivative(operand, name))
        case Binary(operator="+", left=left, right=right):
            return plus(derivative(left, name), derivative(right, name))
        case Binary(operator="-", left=left, right=right):
            return minus(derivative(left, name), derivative(right, name))
        case Binary(operator="*", left=left, right=right):
            return plus(times(derivative(left, name), right), times(left, derivative(right, name)))
        case Binary(operator="/", left=left, right=right):
            return _quotient(left, right, name)
        case Binary(operator="**", left=left, right=right):
            return _power(left, right, name)
        case Call(function="where", arguments=(test, body, orelse)):
            return Call("where", (test, derivative(body, name), derivative(orelse, name)))
        case Call(function="max" | "min" as which, arguments=(left, right)):
            sign = ">" if which == "max" else "<"
            return Call("where", (Compare(sign, left, right), derivative(left, name), derivative(right, name)))
        case Call(function="atan2", arguments=(y, x)):
            turn = minus(times(x, derivative(y, name)), times(y, derivative(x, name)))
            return over(turn, plus(Binary("**", x, TWO), Binary("**", y, TWO)))
        case Call():
            return _chain(expr, name)
    raise FormulaError(f"there is no rule to differentiate {type(expr).__name__} entry by entry")


def rule_name(expr: Expr, name: str) -> str:
    """What a teacher calls the rule that differentiates the outermost part of a formula."""
    match expr:
        case Binary(operator="*", left=left, right=right) if name in left.names() and name in right.names():
            return "product rule"
        case Binary(operator="/", right=right) if name in right.names():
            return "quotient rule"
        case Binary(operator="**"):
            return "power rule"
        case Call(arguments=(argument,)) if not isinstance(argument, Name):
            return "chain rule"
        case Call(function=function):
            return f"slope of {function}"
    return "slope of a sum" if isinstance(expr, Binary) and expr.operator in "+-" else "slope of a multiple"


def substitute(expr: Expr, old: Expr, new: Expr) -> Expr:
    """The formula with every part equal to `old` replaced by `new`."""
    return expr.replace(lambda part: new if part == old else None)


def _quotient(above: Expr, below: Expr, name: str) -> Expr:
    if name not in below.names():
        return over(derivative(above, name), below)
    numerator = minus(times(derivative(above, name), below), times(above, derivative(below, name)))
    return over(numerator, Binary("**", below, TWO))


def _power(base: Expr, exponent: Expr, name: str) -> Expr:
    if name not in exponent.names():
        lowered = minus(exponent, ONE)
        power = base if lowered == ONE else Binary("**", base, lowered)
        return times(times(exponent, power), derivative(base, name))
    whole = Binary("**", base, exponent)
    growth = times(times(whole, Call("log", (base,))), derivative(exponent, name))
    if name not in base.names():
        return growth
    return plus(times(times(exponent, Binary("**", base, minus(exponent, ONE))), derivative(base, name)), growth)


def _chain(call: Call, name: str) -> Expr:
    function = lookup(call.function, len(call.arguments))
    parameters = function.parameters if isinstance(function, Defined) else ("x",)
    terms: Expr = ZERO
    for parameter, argument in zip(parameters, call.arguments, strict=True):
        if name not in argument.names():
            continue
        outer = _slope(call.function, parameter)
        outer = outer.fill(dict(zip(parameters, call.arguments, strict=True)))
        terms = plus(terms, times(outer, derivative(argument, name)))
    return terms


@cache
def _slope(function: str, parameter: str) -> Expr:
    """The slope of a function of one number as a formula in that number."""
    known = lookup(function, 1)
    if known.slope:
        return parse(known.slope)
    if isinstance(known, Defined):
        return derivative(known.formula, parameter)
    raise FormulaError(f"no slope of {function} is known")


# --- joining parts without writing down what a person would leave out ------------------------------------------


def plus(a: Expr, b: Expr) -> Expr:
    """a + b, without a zero, and with the sign of a negative b taken into the operator."""
    if _is(a, 0):
        return b
    if _is(b, 0):
        return a
    if isinstance(b, Negate):
        return minus(a, b.operand)
    return _number(a, b, lambda x, y: x + y) or Binary("+", a, b)


def minus(a: Expr, b: Expr) -> Expr:
    """a − b, without a zero or a double sign."""
    if _is(b, 0):
        return a
    if _is(a, 0):
        return negative(b)
    if isinstance(b, Negate):
        return plus(a, b.operand)
    return _number(a, b, lambda x, y: x - y) or Binary("-", a, b)


def negative(a: Expr) -> Expr:
    """−a, without a double sign."""
    if isinstance(a, Negate):
        return a.operand
    if isinstance(a, Number):
        return Number(-a.value) if a.value else a
    return Negate(a)


def times(a: Expr, b: Expr) -> Expr:
    """a·b, without ones, zero absorbing, the sign in front and numbers multiplied out."""
    if _is(a, 0) or _is(b, 0):
        return ZERO
    if isinstance(a, Negate):
        return negative(times(a.operand, b))
    if isinstance(b, Negate):
        return negative(times(a, b.operand))
    if isinstance(b, Number) and b.value == -1:
        return negative(a)
    if isinstance(a, Number) and a.value == -1:
        return negative(b)
    if _is(a, 1):
        return b
    if _is(b, 1):
        return a
    if (product := _number(a, b, lambda x, y: x * y)) is not None:
        return product
    if isinstance(b, Number):
        return times(b, a)
    if isinstance(b, Binary) and b.operator == "*" and isinstance(b.left, Number):
        return times(times(b.left, a), b.right)
    if isinstance(a, Binary) and a.operator == "*" and isinstance(a.left, Number) and isinstance(b, Number):
        return times(times(a.left, b), a.right)
    return Binary("*", a, b)


def over(a: Expr, b: Expr) -> Expr:
    """a / b, without a zero, a one, or a sign inside."""
    if _is(a, 0):
        return ZERO
    if _is(b, 1):
        return a
    if isinstance(a, Negate):
        return negative(over(a.operand, b))
    return Binary("/", a, b)


def _is(expr: Expr, value: int) -> bool:
    return isinstance(expr, Number) and expr.value == value


def _number(a: Expr, b: Expr, join: Callable[[Fraction, Fraction], Fraction]) -> Number | None:
    """Two numbers joined exactly, in decimals: 0.1 and 0.2 make 0.3."""
    if not (isinstance(a, Number) and isinstance(b, Number)):
        return None
    exact = join(Fraction(str(a.value)), Fraction(str(b.value)))
    return Number(int(exact) if exact.denominator == 1 else float(exact))
