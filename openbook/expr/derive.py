"""Differentiate a formula by the named rules, keeping it recognisable: the order of factors stays, nothing is expanded.

A rule is written once, in `differentiate`: followed to the end it gives `derivative`; taken one at a time, with the
derivatives of the parts left standing, it gives the lines of a derivation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from openbook.errors import FormulaError
from openbook.expr.functions import Defined, lookup
from openbook.expr.joining import ONE, TWO, ZERO, minus, negative, over, plus, times
from openbook.expr.nodes import Array, Binary, Call, Compare, Derivative, Expr, Index, Name, Negate, Sum
from openbook.expr.parser import parse

__all__ = ["Ruled", "depends", "derivative", "differentiate", "rule_name", "slope_of", "substitute"]


class Ruled(NamedTuple):
    """What one rule makes of a derivative: its name, the rule itself in short, and the outcome."""

    name: str
    rule: str
    result: Expr


def derivative(expr: Expr, by: str | Expr) -> Expr:
    """The derivative of a formula by one of its names (or by an entry of an array), everything else held fixed.

    Sums, products, quotients, powers and chains of the known functions; raises FormulaError for matrix products.
    """
    by = Name(by) if isinstance(by, str) else by
    return differentiate(expr, by, lambda part: derivative(part, by)).result


def rule_name(expr: Expr, name: str) -> str:
    """What a teacher calls the rule that differentiates the outermost part of a formula."""
    return differentiate(expr, Name(name), lambda part: derivative(part, name)).name


def depends(expr: Expr, by: Expr) -> bool:
    """Whether a formula changes with a name, or with an entry of an array."""
    if isinstance(by, Index):
        return any(isinstance(part, (Index, Name)) and _array(part) == _array(by) for part in expr.walk())
    assert isinstance(by, Name)
    return by.id in expr.names()


def _array(part: Expr) -> Expr:
    return part.base if isinstance(part, Index) else part


def differentiate(expr: Expr, by: Expr, of: Callable[[Expr], Expr]) -> Ruled:
    """Apply the one rule that the outermost part of a formula calls for; `of` gives the derivative of a part.

    Parts that do not change are taken care of here: `of` only hears of those that do.
    """
    if not depends(expr, by):
        return Ruled("constant rule", "what does not change has slope 0", ZERO)

    def slope(part: Expr) -> Expr:
        return of(part) if depends(part, by) else ZERO

    match expr:
        case Name():
            return Ruled("identity", "a variable changes as itself", ONE)
        case Index(indices=indices) if isinstance(by, Index) and expr.base == by.base:
            return Ruled("Kronecker delta", "1 where the entries are the same, else 0", _deltas(indices, by.indices))
        case Negate(operand=operand):
            return Ruled("constant multiple", "(c·u)′ = c·u′", negative(slope(operand)))
        case Binary(operator="+", left=left, right=right):
            return Ruled("sum rule", "(u + v)′ = u′ + v′", plus(slope(left), slope(right)))
        case Binary(operator="-", left=left, right=right):
            return Ruled("sum rule", "(u − v)′ = u′ − v′", minus(slope(left), slope(right)))
        case Binary(operator="*", left=left, right=right):
            if depends(left, by) and depends(right, by):
                joined = plus(times(slope(left), right), times(left, slope(right)))
                return Ruled("product rule", "(u·v)′ = u′·v + u·v′", joined)
            return Ruled(
                "constant multiple", "(c·u)′ = c·u′", plus(times(slope(left), right), times(left, slope(right)))
            )
        case Binary(operator="/", left=left, right=right):
            return _quotient(left, right, by, slope)
        case Binary(operator="**", left=left, right=right):
            return _power(left, right, by, slope)
        case Call(function="where", arguments=(test, body, orelse)):
            chosen = Call("where", (test, slope(body), slope(orelse)))
            return Ruled("branch by branch", "each piece has its own slope", chosen)
        case Call(function="max" | "min" as which, arguments=(left, right)):
            sign = ">" if which == "max" else "<"
            chosen = Call("where", (Compare(sign, left, right), slope(left), slope(right)))
            return Ruled("branch by branch", f"the {which} changes as the one it is", chosen)
        case Call(function="max" | "min" as which, arguments=(first, second, *others)):
            return differentiate(Call(which, (Call(which, (first, second)), *others)), by, of)
        case Call(function="atan2", arguments=(y, x)):
            turn = minus(times(x, slope(y)), times(y, slope(x)))
            turned = over(turn, plus(Binary("**", x, TWO), Binary("**", y, TWO)))
            return Ruled("slope of atan2", "atan2(y, x)′ = (x·y′ − y·x′)/(x² + y²)", turned)
        case Sum(index=index, body=body):
            return Ruled("sum rule", "the slope of a sum is the sum of the slopes", Sum(index, slope(body)))
        case Derivative():
            return differentiate(derivative(expr.body, expr.by), by, of)
        case Call():
            return _chain(expr, by, slope)
    raise FormulaError(f"there is no rule to differentiate {_kind(expr)} entry by entry")


def _kind(expr: Expr) -> str:
    if isinstance(expr, Binary) and expr.operator == "@":
        return "a matrix product"
    return "an array" if isinstance(expr, (Array, Index)) else type(expr).__name__


def substitute(expr: Expr, old: Expr, new: Expr) -> Expr:
    """The formula with every part equal to `old` replaced by `new`."""
    return expr.replace(lambda part: new if part == old else None)


def _deltas(ours: tuple[Expr, ...], theirs: tuple[Expr, ...]) -> Expr:
    product: Expr = ONE
    for a, b in zip(ours, theirs, strict=True):
        product = times(product, ONE if a == b else Call("delta", (a, b)))
    return product


def _quotient(above: Expr, below: Expr, by: Expr, slope: Callable[[Expr], Expr]) -> Ruled:
    if not depends(below, by):
        return Ruled("constant multiple", "(u/c)′ = u′/c", over(slope(above), below))
    squared = Binary("**", below, TWO)
    if not depends(above, by):
        return Ruled("reciprocal rule", "(c/v)′ = −c·v′/v²", negative(over(times(above, slope(below)), squared)))
    numerator = minus(times(slope(above), below), times(above, slope(below)))
    return Ruled("quotient rule", "(u/v)′ = (u′·v − u·v′)/v²", over(numerator, squared))


def _power(base: Expr, exponent: Expr, by: Expr, slope: Callable[[Expr], Expr]) -> Ruled:
    if not depends(exponent, by):
        lowered = minus(exponent, ONE)
        power = base if lowered == ONE else ONE if lowered == ZERO else Binary("**", base, lowered)
        named = "(uⁿ)′ = n·uⁿ⁻¹" if base == by else "(uⁿ)′ = n·uⁿ⁻¹·u′"
        return Ruled("power rule", named, times(times(exponent, power), slope(base)))
    whole = Binary("**", base, exponent)
    growth = times(times(whole, Call("log", (base,))), slope(exponent))
    if not depends(base, by):
        return Ruled("exponential rule", "(aᵘ)′ = aᵘ·log(a)·u′", growth)
    lowered = Binary("**", base, minus(exponent, ONE))
    both = plus(times(times(exponent, lowered), slope(base)), growth)
    return Ruled("general power", "(uᵛ)′ = v·uᵛ⁻¹·u′ + uᵛ·log(u)·v′", both)


def _chain(call: Call, by: Expr, slope: Callable[[Expr], Expr]) -> Ruled:
    from openbook.expr.show import text

    function = lookup(call.function, len(call.arguments))
    parameters = function.parameters if isinstance(function, Defined) else ("x",)
    terms: Expr = ZERO
    for parameter, argument in zip(parameters, call.arguments, strict=True):
        if depends(argument, by):
            outer = slope_of(call.function, parameter).fill(dict(zip(parameters, call.arguments, strict=True)))
            terms = plus(terms, times(outer, slope(argument)))
    bare = all(a == by or not depends(a, by) for a in call.arguments)
    if len(call.arguments) > 1:
        return Ruled(f"slope of {call.function}", "one term for every argument that changes", terms)
    named = slope_of(call.function, parameters[0]).fill({parameters[0]: by if bare else Name("u")})
    if bare:
        return Ruled(f"slope of {call.function}", f"{call.function}′ is {text(named)}", terms)
    return Ruled("chain rule", f"{call.function}(u)′ = {text(times(named, Name('u′')))}", terms)


@cache
def slope_of(function: str, parameter: str = "x") -> Expr:
    """The slope of a function of one number as a formula in that number."""
    known = lookup(function, 1)
    if known.slope:
        return parse(known.slope)
    if isinstance(known, Defined):
        return derivative(known.formula, parameter)
    raise FormulaError(f"no slope of {function} is known")
