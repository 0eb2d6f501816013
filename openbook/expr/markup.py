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
)

__all__ = ["mathml", "mathml_name", "mathml_value"]

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
                return _row(_side(left, operator, True) + _operator(_SIGNS[operator]) + _side(right, operator, False))
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

    def _side(part: Expr, operator: str, first: bool) -> str:
        own = _LEVELS[operator]
        rank = 5 if isinstance(part, Binary) and part.operator == "/" else level(part)  # a bar brackets by itself
        loose = rank < own or (not first and (rank == own or (own < 2.5 and starts_with_minus(part))))
        return _fence(write(part)) if loose else write(part)

    return write(expr)


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
    return _row(f"<mo>{left}</mo>{inside}<mo>{right}</mo>")


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
