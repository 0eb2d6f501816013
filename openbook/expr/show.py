"""Write a formula down: as text for reading, or as source that `parse` reads back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.expr.nodes import Array, Binary, Call, Compare, Derivative, Expr, Index, Name, Negate, Number, Sum
from openbook.expr.numbers import DIGITS, number_text

__all__ = [
    "ATOM",
    "LONGEST_ARRAY",
    "array_fits",
    "array_text",
    "is_partial",
    "joined_sides",
    "level",
    "loose_below_minus",
    "source",
    "split_name",
    "starts_with_minus",
    "text",
]

_LEVEL = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "**": 4}
_COMPARED, _PREFIXED, _NEGATED, ATOM = 0, 1.5, 2.5, 5
_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SIGNS = {"<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}
LONGEST_ARRAY = 6


def level(expr: Expr) -> float:
    """How tightly the outermost part of a formula holds together."""
    match expr:
        case Compare():
            return _COMPARED
        case Derivative() | Sum():
            return _PREFIXED
        case Binary(operator=operator):
            return _LEVEL[operator]
        case Negate():
            return _NEGATED
        case Number(value=value) if _is_negative(value):
            return _NEGATED
    return ATOM


def _is_negative(value: Any) -> bool:
    return not isinstance(value, (str, np.ndarray)) and bool(np.signbit(float(value)))


def starts_with_minus(expr: Expr) -> bool:
    """Whether a minus is the first thing to be read."""
    if isinstance(expr, Binary) and expr.operator in "*@/":
        return starts_with_minus(expr.left)
    return level(expr) == _NEGATED


def loose_below_minus(operand: Expr) -> bool:
    """Whether a leading minus needs brackets behind it: −(a + b), but −a·b."""
    return level(operand) < _LEVEL["*"] or starts_with_minus(operand)


def joined_sides(expr: Binary, write: Callable[[Expr], str], bracket: Callable[[str], str]) -> tuple[str, str]:
    """Both sides of an operation, in brackets where reading needs them."""
    own = _LEVEL[expr.operator]
    left, right = write(expr.left), write(expr.right)
    if level(expr.left) < own or (expr.operator == "**" and level(expr.left) <= own):
        left = bracket(left)
    # The right side keeps its brackets at equal rank too: a − (b + c), and a·(b·c) as it was written.
    same_rank = level(expr.right) == own and expr.operator != "**"
    second_sign = own < _NEGATED and starts_with_minus(expr.right)  # a − (−b), not a − −b
    if level(expr.right) < own or same_rank or second_sign:
        right = bracket(right)
    return left, right


def _in_brackets(inside: str) -> str:
    return f"({inside})"


def source(expr: Expr) -> str:
    """The formula as `parse` reads it, every digit kept."""

    def joined(e: Binary) -> str:
        left, right = joined_sides(e, source, _in_brackets)
        space = "" if e.operator in ("*", "/", "**") else " "
        return f"{left}{space}{e.operator}{space}{right}"

    match expr:
        case Number(value=value, spelling=spelling):
            return spelling or repr(value)
        case Array(value=value):
            return array_text(value)
        case Name(id=name):
            return name
        case Negate(operand=operand):
            return f"-{_in_brackets(source(operand)) if level(operand) <= _NEGATED else source(operand)}"
        case Binary():
            return joined(expr)
        case Compare(operator=operator, left=left, right=right):
            return f"{source(left)} {operator} {source(right)}"
        case Call(function=function, arguments=arguments):
            return f"{function}({', '.join(map(source, arguments))})"
        case Index(base=base, indices=indices):
            return f"{source(base)}[{', '.join(map(source, indices))}]"
        case Derivative(by=by, body=body):
            return f"diff({source(body)}, {source(by)})"
        case Sum(index=index, body=body):
            return f"sum({source(body)}, {index})"
    raise TypeError(type(expr).__name__)


def is_partial(derivative: Derivative) -> bool:
    """Whether other names than the one it is taken by could vary too: then it is written ∂, not d."""
    return bool(set(derivative.innermost.names()) - set(derivative.by.names()) - {"pi"})


# --- for reading -----------------------------------------------------------------------------------------------


def text(expr: Expr, digits: int = DIGITS) -> str:
    """The formula for reading in a terminal: `0.5·(y − tanh(w·x + b))²`.

    Numbers that were computed are shown to `digits` decimals, those that were written as they were written.
    """

    def write(e: Expr) -> str:
        match e:
            case Number(value=value, spelling=spelling):
                return (spelling or number_text(value, digits)).replace("-", "−")
            case Array(value=value):
                return array_text(value, digits)
            case Name(id=name):
                return name
            case Negate(operand=operand):
                inside = write(operand)
                return f"−{_in_brackets(inside) if loose_below_minus(operand) else inside}"
            case Binary(operator="**", left=left, right=Number(value=int() as power)):
                base = write(left) if level(left) == ATOM else _in_brackets(write(left))
                return base + str(power).translate(_SUPERSCRIPT)
            case Binary(operator=operator):
                left_text, right_text = joined_sides(e, write, _in_brackets)
                sign = {"*": "·", "/": "/", "**": "^", "@": " ", "+": " + ", "-": " − "}[operator]
                return left_text + sign + right_text
            case Compare(operator=operator, left=left, right=right):
                return f"{write(left)} {_SIGNS.get(operator, operator)} {write(right)}"
            case Call(function="where", arguments=(test, body, orelse)):
                return f"({write(body)} if {write(test)} else {write(orelse)})"
            case Call(function="transpose", arguments=(inner,)):
                return (write(inner) if level(inner) == ATOM else _in_brackets(write(inner))) + "ᵀ"
            case Call(function="inv", arguments=(inner,)):
                return (write(inner) if level(inner) == ATOM else _in_brackets(write(inner))) + "⁻¹"
            case Call(function="norm", arguments=(inner,)):
                return f"‖{write(inner)}‖"
            case Call(function="abs", arguments=(inner,)):
                return f"|{write(inner)}|"
            case Call(function="delta", arguments=(first, second)):
                return f"δ({write(first)}, {write(second)})"
            case Call(function=function, arguments=arguments):
                return f"{function}({', '.join(map(write, arguments))})"
            case Index(base=base, indices=indices):
                return f"{write(base)}[{', '.join(map(write, indices))}]"
            case Derivative(by=by):
                d, order = "∂" if is_partial(e) else "d", str(e.order).translate(_SUPERSCRIPT) if e.order > 1 else ""
                shown = write(e.innermost)
                return f"{d}{order}/{d}{write(by)}{order} {shown if level(e.innermost) >= 4 else _in_brackets(shown)}"
            case Sum(index=index, body=body):
                return f"Σ_{index} {_in_brackets(write(body)) if level(body) <= 1 else write(body)}"
        raise TypeError(type(e).__name__)

    return write(expr)


def array_fits(value: Any) -> bool:
    """Whether an array is small enough to stand in a formula entry by entry."""
    return np.size(value) <= LONGEST_ARRAY


def array_text(value: Any, digits: int = DIGITS) -> str:
    """A small array in full, a large one by its first entries, its last, and its shape."""
    array = np.asarray(value)
    if array.ndim == 0:
        return number_text(array.item(), digits).replace("-", "−")
    if array.size > LONGEST_ARRAY * LONGEST_ARRAY or (array.ndim == 1 and array.size > 2 * LONGEST_ARRAY):
        flat = array.ravel()
        shown = ", ".join(array_text(v, digits) for v in flat[:3])
        shape = " × ".join(map(str, array.shape))
        return f"[{shown}, …, {array_text(flat[-1], digits)}] ({shape})"
    return f"[{', '.join(array_text(v, digits) for v in array)}]"


def split_name(name: str) -> tuple[str, str]:
    """A name and its subscript: `p_a` is p with a below, `W[0, 3]` is W with 0, 3, `z_1[0]` is z with 1; 0.

    Words keep their underscores."""
    if indexed := re.fullmatch(r"(.+)\[(.+)\]", name):
        base, low = split_name(indexed[1])
        return base, f"{low}; {indexed[2]}" if low else indexed[2]
    base, _, low = name.partition("_")
    return (base, low) if low and len(base) <= 2 else (name, "")
