"""A formula as SymPy has it: SymPy judges whether two are the same; what is printed is drawn from our own tree."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from typing import Any

from openbook.errors import FormulaError
from openbook.expr.functions import Defined, lookup
from openbook.expr.nodes import Binary, Call, Compare, Derivative, Expr, Name, Negate, Number

__all__ = ["to_sympy"]

_AS_OTHERS = {  # functions that SymPy writes with others
    "log2": lambda sympy, x: sympy.log(x) / sympy.log(2),
    "log10": lambda sympy, x: sympy.log(x) / sympy.log(10),
    "log1p": lambda sympy, x: sympy.log(1 + x),
    "expm1": lambda sympy, x: sympy.exp(x) - 1,
    "tetragamma": lambda sympy, x: sympy.polygamma(2, x),
    "pentagamma": lambda sympy, x: sympy.polygamma(3, x),
}
_RELATIONS = {"<": "Lt", "<=": "Le", ">": "Gt", ">=": "Ge", "==": "Eq", "!=": "Ne"}


def to_sympy(expr: Expr) -> Any:
    """The formula with every name a real symbol and every decimal an exact fraction.

    Derivatives are SymPy's own. Raises FormulaError for what SymPy has no word for (arrays, rounding).
    """
    import sympy

    def inner(part: Expr) -> Any:
        match part:
            case Number(value=value):
                return _number(value)
            case Name(id="pi"):
                return sympy.pi
            case Name(id="inf"):
                return sympy.oo
            case Name(id=name):
                return sympy.Symbol(name, real=True)
            case Negate(operand=operand):
                return -inner(operand)
            case Binary(operator="+", left=left, right=right):
                return inner(left) + inner(right)
            case Binary(operator="-", left=left, right=right):
                return inner(left) - inner(right)
            case Binary(operator="*", left=left, right=right):
                return inner(left) * inner(right)
            case Binary(operator="/", left=left, right=right):
                return inner(left) / inner(right)
            case Binary(operator="**", left=left, right=right):
                return inner(left) ** inner(right)
            case Compare(operator=operator, left=left, right=right):
                return getattr(sympy, _RELATIONS[operator])(inner(left), inner(right))
            case Derivative(by=by, body=body):
                return sympy.diff(inner(body), inner(by))
            case Call(function="where", arguments=(test, body, orelse)):
                return sympy.Piecewise((inner(body), inner(test)), (inner(orelse), True))
            case Call(function=name, arguments=arguments):
                return _call(name, arguments)
        raise FormulaError(f"SymPy is not asked about {type(part).__name__}")

    def _number(value: Any) -> Any:
        try:
            exact = Fraction(str(value))
        except ValueError:
            raise FormulaError(f"{value} is no number that SymPy could compute with") from None
        return sympy.Rational(exact.numerator, exact.denominator)

    def _call(name: str, arguments: tuple[Expr, ...]) -> Any:
        known = lookup(name, len(arguments))
        if isinstance(known, Defined):
            return inner(known.formula.fill(dict(zip(known.parameters, arguments, strict=True))))
        given = [inner(a) for a in arguments]
        if name in ("max", "min"):  # as cases, whose slopes are cases again
            return reduce(lambda a, b: sympy.Piecewise((a, a > b if name == "max" else a < b), (b, True)), given)
        if name in _AS_OTHERS:
            return _AS_OTHERS[name](sympy, *given)
        if not known.symbol:
            raise FormulaError(f"SymPy has no word for {name}")
        return getattr(sympy, known.symbol)(*given)

    return inner(expr)
