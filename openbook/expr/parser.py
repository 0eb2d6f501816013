"""Read a formula from text. Nothing is ever executed: Python's own parser builds the tree, we translate it."""

from __future__ import annotations

import ast
import io
import re
import tokenize

from openbook.errors import FormulaError
from openbook.expr.nodes import Binary, Call, Compare, Derivative, Expr, Index, Name, Negate, Number, Sum

__all__ = ["parse"]

_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.MatMult: "@"}
_COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
_LONGEST = 10_000
_HOW = "write it like 0.5*(y - tanh(w*x + b))**2"


def parse(text: str) -> Expr:
    """Read a formula such as `0.5*(y - tanh(w*x + b))**2`.

    Python's operators and precedence, `^` as well as `**` for powers, `a if c else b`, comparisons, calls by name,
    entries `z[0]` and `X.T`, `diff(f, z)` for a derivative and `sum(f, k)` for a sum over an index. Raises FormulaError,
    pointing at the character, for anything else.
    """
    if not isinstance(text, str):
        raise FormulaError(f"a formula is a text, not {type(text).__name__}", do=_HOW)
    if len(text) > _LONGEST:
        raise FormulaError(f"the formula has {len(text)} characters; {_LONGEST} are read at most")
    if not text.strip():
        raise FormulaError("the formula is empty", do=_HOW)
    line = _powers(_typed(" ".join(text.split())))
    try:
        tree = ast.parse(line, mode="eval")
    except (SyntaxError, ValueError) as problem:
        raise _pointing_at(line, getattr(problem, "offset", 1) or 1, "this is not a formula") from None
    except (RecursionError, MemoryError):
        raise FormulaError("the formula is nested too deeply", do="split it into named parts") from None
    try:
        return _translate(tree.body, line)
    except RecursionError:
        raise FormulaError("the formula is nested too deeply", do="split it into named parts") from None


_AS_TYPED = str.maketrans({"−": "-", "·": "*", "×": "*", "⋅": "*"})
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"


def _typed(line: str) -> str:
    """The signs of our own printing, `3·z² − 1`, as a keyboard has them: what was printed can be read again."""
    if line.isascii():
        return line
    powers = re.compile(f"[{_RAISED}]+")
    return powers.sub(lambda m: "**" + "".join(str(_RAISED.index(c)) for c in m[0]), line.translate(_AS_TYPED))


def _powers(line: str) -> str:
    """`^` means a power on paper; in Python it would bind more loosely than `+`."""
    if "^" not in line:
        return line
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(line).readline))
    except (tokenize.TokenError, SyntaxError):
        return line.replace("^", "**")
    caret = [t.start[1] for t in tokens if t.string == "^"]
    return "".join("**" if i in caret else c for i, c in enumerate(line))


def _pointing_at(line: str, offset: int, what: str, do: str = _HOW) -> FormulaError:
    return FormulaError(f"{what}:\n    {line}\n    {' ' * (offset - 1)}^", do=do)


def _translate(node: ast.expr, line: str) -> Expr:
    def refuse(what: str, do: str = _HOW) -> FormulaError:
        # ast counts bytes, people count characters.
        return _pointing_at(line, len(line.encode()[: node.col_offset].decode()) + 1, what, do)

    def inner(child: ast.expr) -> Expr:
        return _translate(child, line)

    match node:
        case ast.Constant(value=bool() | int() | float() as value):
            return Number(value, ast.get_source_segment(line, node) or "")
        case ast.Name(id=name):
            return Name(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Negate(inner(operand))
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return inner(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return Binary(_OPERATORS[type(op)], inner(left), inner(right))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
            return Compare(_COMPARISONS[type(op)], inner(left), inner(right))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return Call("where", (inner(test), inner(body), inner(orelse)))
        case ast.Call(func=ast.Name(id="transpose"), args=[operand], keywords=[]):
            return Call("transpose", (inner(operand),))
        case ast.Call(func=ast.Name(id="diff"), args=[body, (ast.Name() | ast.Subscript()) as by], keywords=[]):
            return Derivative(inner(by), inner(body))
        case ast.Call(func=ast.Name(id="diff")):
            raise refuse("diff takes a formula and a name", "write diff(tanh(z), z) for d/dz tanh(z)")
        case ast.Call(func=ast.Name(id="sum"), args=[body, ast.Name(id=index)], keywords=[]):
            return Sum(index, inner(body))
        case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]) if arguments:
            return Call(function, tuple(inner(a) for a in arguments))
        case ast.Attribute(value=value, attr="T"):
            return Call("transpose", (inner(value),))
        case ast.Subscript(value=value, slice=ast.Tuple(elts=indices)):
            return Index(inner(value), tuple(inner(i) for i in indices))
        case ast.Subscript(value=value, slice=index) if not isinstance(index, ast.Slice):
            return Index(inner(value), (inner(index),))
        case ast.Call(func=ast.Constant() | ast.BinOp()):
            raise refuse("a number in front of a bracket needs a sign between them", "write 2*(x + 1), not 2(x + 1)")
        case ast.Call():
            raise refuse("functions are called by name, with their arguments in order", "write tanh(x)")
        case _:
            raise refuse(f"formulas have no {type(node).__name__}")
