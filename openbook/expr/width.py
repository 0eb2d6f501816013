"""How wide a formula is on paper, about, in digits: for what must break lines before it can measure them."""

from __future__ import annotations

from openbook.expr.nodes import Array, Binary, Call, Derivative, Expr, Index, Name, Negate, Number, Sum
from openbook.expr.numbers import number_text
from openbook.expr.show import array_fits, split_name, text

__all__ = ["name_width", "width"]

_SMALL = 0.7  # of raised and lowered letters
_SIGNS = {"+": 2.6, "-": 2.6, "*": 1.4, "@": 0.5}
_SPELLED = {"exp": 1.0, "sqrt": 2.0, "abs": 1.2, "norm": 2.0, "transpose": 1.0, "inv": 1.6, "sum": 2.5}


def width(expr: Expr) -> float:
    """A fraction is as wide as the wider of its halves, a vector as its widest entry."""
    match expr:
        case Name(id=name):
            return name_width(name)
        case Number(value=value, spelling=spelling):
            shown = spelling or number_text(value)
            return len(shown) + (3.0 if "e" in shown else 0.0)
        case Array(value=value) if array_fits(value) and value.ndim == 1:
            return max((len(number_text(v)) for v in value), default=0) + 2.5
        case Array():
            return float(len(text(expr)))
        case Negate(operand=operand):
            return 1.6 + width(operand)
        case Binary(operator="/", left=left, right=right):
            return max(width(left), width(right)) + 0.5
        case Binary(operator="**", left=left, right=right):
            return width(left) + 1.5 + _SMALL * width(right)
        case Binary(operator=operator, left=left, right=right):
            return width(left) + _SIGNS[operator] + width(right)
        case Call(function="exp", arguments=(inner,)):
            return 1 + _SMALL * width(inner)
        case Call(function=function, arguments=arguments):
            return _SPELLED.get(function, 0.9 * len(function) + 1.6) + sum(width(a) + 1 for a in arguments)
        case Index(base=base, indices=indices):
            return width(base) + _SMALL * sum(width(i) + 0.6 for i in indices)
        case Derivative(by=by):
            return 2.5 + width(by) + width(expr.innermost)
        case Sum(body=body):
            return 3.5 + width(body)
    return 3.0 + sum(map(width, expr.parts))


def name_width(name: str) -> float:
    """As `name_latex` sets it: derivatives as fractions, subscripts small."""
    if name.startswith(("∂", "d")) and "/" in name:
        return 1.2 + max(name_width(half[1:]) for half in name.split("/", 1))
    base, low = split_name(name)
    return 0.95 * len(base) + 0.2 + _SMALL * len(low)
