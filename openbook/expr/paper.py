"""Write a formula down as LaTeX, with nothing that pdflatex cannot set."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.expr.functions import FUNCTIONS
from openbook.expr.letters import latex_text, symbol
from openbook.expr.nodes import Array, Binary, Call, Compare, Derivative, Expr, Index, Name, Negate, Number, Sum
from openbook.expr.numbers import DIGITS, number_text
from openbook.expr.show import (
    ATOM,
    LONGEST_ARRAY,
    array_text,
    is_partial,
    joined_sides,
    level,
    loose_below_minus,
    split_name,
)
from openbook.expr.width import width

__all__ = ["array_latex", "latex", "latex_terms", "name_latex", "number_latex"]


def latex(expr: Expr, digits: int = DIGITS) -> str:
    """The formula as LaTeX, for use inside `$…$`."""

    def bracket(inside: str) -> str:
        return rf"\left({inside}\right)"

    def tight(e: Expr) -> str:
        own_brackets = isinstance(e, Call) and e.function in ("norm", "abs")
        return write(e) if level(e) == ATOM and (own_brackets or not isinstance(e, Call)) else bracket(write(e))

    def write(e: Expr) -> str:
        match e:
            case Number(value=value, spelling=spelling):
                return number_latex(value, digits, spelling)
            case Array(value=value):
                return array_latex(value, digits)
            case Name(id=name):
                return name_latex(name)
            case Negate(operand=operand):
                return f"-{bracket(write(operand)) if loose_below_minus(operand) else write(operand)}"
            case Binary(operator="/", left=left, right=right):
                return rf"\frac{{{write(left)}}}{{{write(right)}}}"
            case Binary(operator="**", left=left, right=right):
                return f"{tight(left)}^{{{write(right)}}}"
            case Binary(operator=operator):
                left_text, right_text = joined_sides(e, write, bracket)
                sign = {"*": r" \cdot ", "@": r" \, ", "+": " + ", "-": " - "}[operator]
                return left_text + sign + right_text
            case Compare(operator=operator, left=left, right=right):
                sign = {"<=": r"\le", ">=": r"\ge", "==": "=", "!=": r"\ne"}.get(operator, operator)
                return f"{write(left)} {sign} {write(right)}"
            case Call(function="where", arguments=(test, body, orelse)):
                cases = rf"{write(body)} & \text{{if }} {write(test)} \\ {write(orelse)} & \text{{otherwise}}"
                return rf"\begin{{cases}} {cases} \end{{cases}}"
            case Call(function=function, arguments=arguments):
                return _call_latex(function, [write(a) for a in arguments], [level(a) for a in arguments])
            case Index(base=base, indices=indices):
                return f"{write(base)}_{{{', '.join(map(write, indices))}}}"
            case Derivative(by=by):
                d, order = r"\partial" if is_partial(e) else "d", f"^{{{e.order}}}" if e.order > 1 else ""
                inner = write(e.innermost)
                inner = inner if level(e.innermost) >= 4 else bracket(inner)
                return rf"\frac{{{d}{order}}}{{{d} {write(by)}{order}}} {inner}"
            case Sum(index=index, body=body):
                return rf"\sum_{{{index}}} {bracket(write(body)) if level(body) <= 1 else write(body)}"
        raise TypeError(type(e).__name__)

    return write(expr)


def latex_terms(expr: Expr, digits: int = DIGITS) -> list[tuple[str, float]]:
    """A sum in its terms, a product in its factors, each with its sign and how wide it is: where a line may break."""
    whole = latex(expr, digits)
    if not (isinstance(expr, Binary) and expr.operator in "+-*"):
        return [(whole, width(expr))]
    first = latex(expr.left, digits)
    if not whole.startswith(first):  # in brackets, inside of which nothing can break
        return [(whole, width(expr))]
    before = latex_terms(expr.left, digits) if _goes_on(expr) else [(first, width(expr.left))]
    return [*before, (whole.removeprefix(first).lstrip(), width(expr) - width(expr.left))]


def _goes_on(expr: Binary) -> bool:
    """Whether the left side is more of the same: a + b in a + b + c, but not a·b in a·b + c."""
    return isinstance(expr.left, Binary) and (expr.left.operator == "*") == (expr.operator == "*")


def _call_latex(function: str, arguments: list[str], levels: list[float]) -> str:
    template = getattr(FUNCTIONS.get(function), "latex", "")
    if not template:
        word = latex_text(function)
        return rf"\operatorname{{{word}}}\left({', '.join(arguments)}\right)"
    own_brackets = any(mark in template for mark in ("{{{0}}}", "|{0}", "({0}", "lfloor", "lceil", "Vert {0}"))
    if len(arguments) == 1 and not own_brackets:
        arguments = [rf"\left({arguments[0]}\right)" if levels[0] < ATOM else arguments[0]]
    if len(arguments) > 1 and "{1}" not in template:
        arguments = [", ".join(arguments)]
    return template.format(*arguments)


def number_latex(value: Any, digits: int = DIGITS, spelling: str = "") -> str:
    """A number on paper, `1.5e-9` as 1.5 · 10⁻⁹."""
    shown = (spelling or number_text(value, digits)).replace("−", "-").replace("∞", r"\infty")
    mantissa, e, exponent = shown.partition("e")
    if e and mantissa.strip("-").replace(".", "").isdigit():
        return rf"{mantissa} \cdot 10^{{{exponent}}}"
    return rf"\text{{{latex_text(shown)}}}" if shown.isalpha() else shown


def array_latex(value: Any, digits: int = DIGITS) -> str:
    """A small vector or matrix in full; larger ones by their first entries and their size."""
    array = np.asarray(value)
    if array.ndim not in (1, 2) or max(array.shape) > LONGEST_ARRAY:
        return rf"\text{{{latex_text(array_text(array, digits))}}}"
    rows = [[row] for row in array] if array.ndim == 1 else array
    body = r" \\ ".join(" & ".join(number_latex(v, digits) for v in row) for row in rows)
    return rf"\begin{{bmatrix}} {body} \end{{bmatrix}}"


def name_latex(name: str) -> str:
    """A name on paper: Greek letters, hats, subscripts after `_` or `[…]`, derivatives as fractions."""
    if name.startswith(("∂", "d")) and "/" in name:
        above, below = name.split("/", 1)
        if below.startswith(above[0]):
            return rf"\frac{{{_derivative_latex(above)}}}{{{_derivative_latex(below)}}}"
    stem = name.rstrip("′")
    base, low = split_name(stem)
    if not low:
        return symbol(name)
    return f"{symbol(base)}_{{{symbol(low)}}}" + "'" * (len(name) - len(stem))


def _derivative_latex(part: str) -> str:
    sign, rest = (r"\partial ", part[1:]) if part.startswith("∂") else ("d", part[1:])
    for raised in "²³⁴⁵⁶⁷⁸":
        power = f"^{{{'⁰¹²³⁴⁵⁶⁷⁸'.index(raised)}}}"
        if rest.startswith(raised):  # d²f
            return f"{sign.strip()}{power} {name_latex(rest[1:])}"
        if rest.endswith(raised):  # dz²
            return f"{sign}{name_latex(rest[:-1])}{power}"
    return sign + name_latex(rest)
