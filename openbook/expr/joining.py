"""Join parts without writing down what a person would leave out: no + 0, no · 1, no double sign."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from openbook.expr.nodes import Binary, Derivative, Expr, Negate, Number, Sum

__all__ = [
    "ONE",
    "TWO",
    "ZERO",
    "decimal",
    "is_number",
    "minus",
    "negative",
    "over",
    "plus",
    "raised",
    "rejoined",
    "times",
]

ZERO, ONE, TWO = Number(0), Number(1), Number(2)


def rejoined(expr: Expr) -> Expr:
    """The formula joined again, part by part: for when parts of it have become 0 or 1; a·(b·c) is a·b·c."""
    match expr:
        case Binary(operator="*", left=left, right=Binary(operator="*", left=middle, right=right)):
            return rejoined(Binary("*", Binary("*", left, middle), right))
        case Binary(operator=operator, left=left, right=right) if operator in _JOIN:
            return _JOIN[operator](rejoined(left), rejoined(right))
        case Negate(operand=operand):
            return negative(rejoined(operand))
        case Derivative() | Sum() if is_number(expr.body, 0):
            return ZERO
    return expr._rebuild(tuple(map(rejoined, expr.parts))) if expr.parts else expr


def raised(a: Expr, b: Expr) -> Expr:
    """a ** b, without an exponent of one."""
    return a if is_number(b, 1) else Binary("**", a, b)


def plus(a: Expr, b: Expr) -> Expr:
    """a + b, without a zero, and with the sign of a negative b taken into the operator."""
    if is_number(a, 0):
        return b
    if is_number(b, 0):
        return a
    if isinstance(b, Negate):
        return minus(a, b.operand)
    return _number(a, b, lambda x, y: x + y) or Binary("+", a, b)


def minus(a: Expr, b: Expr) -> Expr:
    """a − b, without a zero or a double sign."""
    if is_number(b, 0):
        return a
    if is_number(a, 0):
        return negative(b)
    if isinstance(b, Negate):
        return plus(a, b.operand)
    return _number(a, b, lambda x, y: x - y) or Binary("-", a, b)


def negative(a: Expr) -> Expr:
    """−a, without a double sign."""
    if isinstance(a, Negate):
        return a.operand
    if isinstance(a, Number):
        return Number(-a.value, _turned(a.spelling)) if a.value else a
    return Negate(a)


def _turned(spelling: str) -> str:
    """The other sign; "0.3" means three tenths, and so does its opposite."""
    return spelling and (spelling.removeprefix("-") if spelling.startswith("-") else f"-{spelling}")


def times(a: Expr, b: Expr) -> Expr:
    """a·b, without ones, zero absorbing, the sign in front and numbers multiplied out."""
    if is_number(a, 0) or is_number(b, 0):
        return ZERO
    if isinstance(a, Negate):
        return negative(times(a.operand, b))
    if isinstance(b, Negate):
        return negative(times(a, b.operand))
    if isinstance(b, Number) and b.value == -1:
        return negative(a)
    if isinstance(a, Number) and a.value == -1:
        return negative(b)
    if is_number(a, 1):
        return b
    if is_number(b, 1):
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
    if is_number(a, 0):
        return ZERO
    if is_number(b, 1):
        return a
    if isinstance(a, Negate):
        return negative(over(a.operand, b))
    return Binary("/", a, b)


def is_number(expr: Expr, value: int) -> bool:
    """Whether a formula is that whole number."""
    return isinstance(expr, Number) and expr.value == value


def _number(a: Expr, b: Expr, join: Callable[[Fraction, Fraction], Fraction]) -> Number | None:
    """Two numbers joined exactly, in decimals: 0.1 and 0.2 make 0.3."""
    if not (isinstance(a, Number) and isinstance(b, Number)):
        return None
    return decimal(join(Fraction(str(a.value)), Fraction(str(b.value))))


def decimal(exact: Fraction) -> Number:
    """A fraction as a decimal; one that is spelled out (0.3) means a three tenth, not the float next to it."""
    if exact.denominator == 1:
        return Number(int(exact))
    spelled = repr(float(exact))
    return Number(float(exact), spelled if Fraction(spelled) == exact else "")


_JOIN: dict[str, Callable[[Expr, Expr], Expr]] = {"+": plus, "-": minus, "*": times, "/": over, "**": raised}
