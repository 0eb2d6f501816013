"""A formula as MathML, which browsers set by themselves: no script, no font, no network.

Every name, and every number that stands for one, carries `data-name`, so that a page can tie the two together.
"""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from openbook.expr.nodes import Array, Binary, Call, Compare, Derivative, Expr, Index, Name, Negate, Number, Sum
from openbook.expr.numbers import DIGITS, number_text
from openbook.expr.show import (
    array_fits,
    array_text,
    is_partial,
    level,
    loose_below_minus,
    split_name,
    starts_with_minus,
    text,
)

__all__ = ["mathml", "mathml_name", "mathml_terms", "mathml_value"]

_SIGNS = {
    "*": "·",
    "+": "+",
    "-": "−",
    "@": "\u2062",
    "<": "&lt;",
    "<=": "≤",
    ">": "&gt;",
    ">=": "≥",
    "==": "=",
    "!=": "≠",
}
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_LEVELS = {"+": 1, "-": 1, "*": 2, "@": 2}


_TALL = ("<mfrac", "<mtable", "<msqrt", "<munder")
_SHOWN = {"log": "ln", "sum": "Σ"}
_SET_APART = {"exp", "sqrt", "delta", "abs", "norm", "transpose", "inv", "where", "sum"}  # not name and brackets


def mathml(expr: Expr, digits: int = DIGITS) -> str:
    """The inside of a `<math>` element."""

    def write(e: Expr) -> str:
        match e:
            case Number(value=value, spelling=spelling, origin=origin):
                return _number(spelling or number_text(value, digits), origin)
            case Array(value=value, origin=origin):
                return mathml_value(value, digits, origin)
            case Name(id=name):
                return mathml_name(name)
            case Negate(operand=operand):
                inner = write(operand)
                return _row(_operator("−") + (_fence(inner) if loose_below_minus(operand) else inner))
            case Binary(operator="/", left=left, right=right):
                return f"<mfrac>{_row(write(left))}{_row(write(right))}</mfrac>"
            case Binary("**", Call(function=function, arguments=arguments), Number(value=int() as power)) if (
                power > 1 and function not in _SET_APART
            ):
                return _row(f"<msup><mi>{_SHOWN.get(function, function)}</mi><mn>{power}</mn></msup><mo>&#x2061;</mo>"
                            + _fence(_operator(",").join(map(write, arguments))))  # fmt: skip
            case Binary(operator="**", left=left, right=right):
                base = write(left) if isinstance(left, Name) or _simple(left) else _fence(write(left))
                return f"<msup>{_row(base)}{_row(write(right))}</msup>"
            case Binary(operator=operator, left=left, right=right):
                first, second = (_fence(write(p)) if _is_loose(e, p) else write(p) for p in (left, right))
                return _row(first + _operator(_SIGNS[operator]) + second)
            case Compare(operator=operator, left=left, right=right):
                return _row(write(left) + _operator(_SIGNS[operator]) + write(right))
            case Call(function=function, arguments=arguments):
                return _call(function, [write(a) for a in arguments], arguments)
            case Index(base=base, indices=indices):
                inner = _operator(",").join(map(write, indices))
                return f"<msub>{_row(write(base))}{_row(inner)}</msub>"
            case Derivative(by=by):
                inner = write(e.innermost)
                return _row(_slope_of(e, write(by)) + (inner if level(e.innermost) >= 4 else _fence(inner)))
            case Sum(index=index, body=body):
                inner = _fence(write(body)) if level(body) <= 1 else write(body)
                return _row(f"<munder><mo>∑</mo><mi>{escape(index)}</mi></munder>{inner}")
        raise TypeError(type(e).__name__)

    return write(expr)


def mathml_terms(expr: Expr, digits: int = DIGITS) -> list[tuple[str, str]]:
    """A sum in its terms, a product in its factors, each with its sign, as MathML and as text: where a line may break."""
    if not (isinstance(expr, Binary) and expr.operator in "+-*") or _is_loose(expr, expr.left):
        return [(mathml(expr, digits), text(expr, digits))]
    markup, said = mathml(expr.right, digits), text(expr.right, digits)
    if _is_loose(expr, expr.right):
        markup, said = _fence(markup), f"({said})"
    sign = _SIGNS[expr.operator]
    left = expr.left
    goes_on = isinstance(left, Binary) and (left.operator == "*") == (expr.operator == "*")  # not a·b in a·b + c
    before = mathml_terms(left, digits) if goes_on else [(mathml(left, digits), text(left, digits))]
    return [*before, (f'<mo form="infix">{sign}</mo>{markup}', f"{sign} {said}")]


def _is_loose(whole: Binary, part: Expr) -> bool:
    """Whether a side of an operation needs brackets."""
    own, first = _LEVELS[whole.operator], part is whole.left
    rank = 5 if isinstance(part, Binary) and part.operator == "/" else level(part)  # a bar brackets by itself
    return rank < own or (not first and (rank == own or (own < 2.5 and starts_with_minus(part))))


def _slope_of(derivative: Derivative, by: str) -> str:
    """The fraction d/dz in front of what is differentiated."""
    d = f"<mi>{'∂' if is_partial(derivative) else 'd'}</mi>"
    if derivative.order == 1:
        return f"<mfrac>{d}{_row(d + by)}</mfrac>"
    order = f"<mn>{derivative.order}</mn>"
    return f"<mfrac><msup>{d}{order}</msup>{_row(f'{d}<msup>{by}{order}</msup>')}</mfrac>"


def _simple(expr: Expr) -> bool:
    return (isinstance(expr, Number) and level(expr) == 5) or (
        isinstance(expr, Call) and expr.function in ("abs", "norm")
    )


def _row(inside: str) -> str:
    return f"<mrow>{inside}</mrow>"


def _operator(sign: str) -> str:
    return f"<mo>{sign}</mo>"


def _fence(inside: str, left: str = "(", right: str = ")") -> str:
    """In brackets, as high as what is inside; around what is no higher than a letter, browsers set those too far apart."""
    mo = "<mo>" if any(tall in inside for tall in _TALL) else '<mo stretchy="false">'
    return _row(f"{mo}{left}</mo>{inside}{mo}{right}</mo>")


def _tied(origin: str) -> str:
    return f' data-name="{escape(origin, quote=True)}"' if origin else ""


def _number(shown: str, origin: str = "") -> str:
    mantissa, e, exponent = shown.partition("e")
    if e and exponent.lstrip("-").isdigit():
        power = f"<msup><mn>10</mn><mn>{exponent.replace('-', '−')}</mn></msup>"
        return f"<mrow{_tied(origin)}>{_number(mantissa)}<mo>·</mo>{power}</mrow>"
    if shown.startswith(("-", "−")):
        return f"<mrow{_tied(origin)}><mo>−</mo><mn>{escape(shown[1:])}</mn></mrow>"
    return f"<mn{_tied(origin)}>{escape(shown)}</mn>"


def mathml_value(value: Any, digits: int = DIGITS, origin: str = "") -> str:
    """A number, or a small array as a matrix; larger arrays as text."""
    array = np.asarray(value)
    if array.dtype.kind in "OUS":
        return f"<mtext>{escape(str(value))}</mtext>"
    if array.ndim == 0:
        return _number(number_text(array.item(), digits), origin)
    if array.ndim > 2 or not (array_fits(array) or (array.ndim == 2 and array.size <= 36)):
        return f"<mtext{_tied(origin)}>{escape(array_text(array, digits))}</mtext>"
    rows = [[v] for v in array] if array.ndim == 1 else array
    cells = "".join(
        f"<mtr>{''.join(f'<mtd>{_number(number_text(v, digits))}</mtd>' for v in row)}</mtr>" for row in rows
    )
    return f"<mrow{_tied(origin)}><mo>[</mo><mtable>{cells}</mtable><mo>]</mo></mrow>"


def mathml_name(name: str) -> str:
    """A name with its subscript, or a derivative as a fraction."""
    if name.startswith(("∂", "d")) and "/" in name:
        above, below = name.split("/", 1)
        if below.startswith(above[0]):
            return f"<mfrac{_tied(name)}>{_differential(above)}{_differential(below)}</mfrac>"
    return _letters(name, tied=True)


def _differential(part: str) -> str:
    """`dz`, and of higher order `d²f` and `dz²`."""
    d, name = f"<mi>{part[0]}</mi>", part[1:]
    if name[:1] in _RAISED:
        d, name = f"<msup>{d}<mn>{_RAISED.index(name[0])}</mn></msup>", name[1:]
    if name[-1:] in _RAISED:
        return _row(f"{d}<msup>{_letters(name[:-1])}<mn>{_RAISED.index(name[-1])}</mn></msup>")
    return _row(d + _letters(name))


def _letters(name: str, tied: bool = False) -> str:
    base, low = split_name(name)
    mark = _tied(name) if tied else ""
    word = f"<mi>{escape(base)}</mi>" if len(base) < 3 else f"<mtext>{escape(base)}</mtext>"
    if not low:
        return word.replace(">", f"{mark}>", 1)
    return f"<msub{mark}>{word}<mtext>{escape(low)}</mtext></msub>"


def _call(function: str, arguments: list[str], parts: tuple[Expr, ...]) -> str:
    inside = _operator(",").join(arguments)
    match function:
        case "exp":
            return f"<msup><mi>e</mi>{_row(inside)}</msup>"
        case "sqrt":
            return f"<msqrt>{inside}</msqrt>"
        case "delta":
            return f"<msub><mi>δ</mi>{_row(' '.join(arguments))}</msub>"
        case "abs":
            return _fence(inside, "|", "|")
        case "norm":
            return _fence(inside, "‖", "‖")
        case "transpose" | "inv":
            mark = "<mo>⊤</mo>" if function == "transpose" else "<mrow><mo>−</mo><mn>1</mn></mrow>"
            base = inside if level(parts[0]) == 5 else _fence(inside)
            return f"<msup>{_row(base)}{mark}</msup>"
        case "where":
            test, body, orelse = arguments
            rows = f"<mtr><mtd>{body}</mtd><mtd><mtext>if </mtext>{test}</mtd></mtr>"
            rows += f"<mtr><mtd>{orelse}</mtd><mtd><mtext>otherwise</mtext></mtd></mtr>"
            return f'<mrow><mo>{{</mo><mtable columnalign="left left">{rows}</mtable></mrow>'
    shown = _SHOWN.get(function, function)
    return _row(f"<mi>{escape(shown)}</mi><mo>&#x2061;</mo>{_fence(inside)}")
