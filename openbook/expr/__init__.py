"""Formulas as people write them: read, kept in their order, printed, and evaluated to any precision."""

from typing import TYPE_CHECKING

from openbook.expr.functions import FUNCTIONS, Function, define
from openbook.later import later

if TYPE_CHECKING:
    from openbook.expr.derive import derivative, differentiate, rule_name, substitute
    from openbook.expr.evaluator import FLOATS, Arithmetic, evaluate, precise
    from openbook.expr.letters import latex_text
    from openbook.expr.markup import mathml, mathml_name, mathml_terms, mathml_value
    from openbook.expr.nodes import (
        Array,
        Binary,
        Call,
        Compare,
        Derivative,
        Expr,
        Index,
        Name,
        Negate,
        Number,
        Sum,
        as_expr,
    )
    from openbook.expr.numbers import number_text
    from openbook.expr.paper import latex, latex_terms, name_latex, number_latex
    from openbook.expr.parser import parse
    from openbook.expr.show import array_fits, array_text, source, text
    from openbook.expr.simplify import tidy
    from openbook.expr.symbols import to_sympy

__all__ = [
    "FLOATS",
    "FUNCTIONS",
    "Arithmetic",
    "Array",
    "Binary",
    "Call",
    "Compare",
    "Derivative",
    "Expr",
    "Function",
    "Index",
    "Name",
    "Negate",
    "Number",
    "Sum",
    "array_fits",
    "array_text",
    "as_expr",
    "define",
    "derivative",
    "differentiate",
    "evaluate",
    "latex",
    "latex_terms",
    "latex_text",
    "mathml",
    "mathml_name",
    "mathml_terms",
    "mathml_value",
    "name_latex",
    "number_latex",
    "number_text",
    "parse",
    "precise",
    "rule_name",
    "source",
    "substitute",
    "text",
    "tidy",
    "to_sympy",
]

__getattr__ = later(
    __name__,
    {
        "derive": (
            "derivative",
            "differentiate",
            "rule_name",
            "substitute",
        ),
        "evaluator": (
            "FLOATS",
            "Arithmetic",
            "evaluate",
            "precise",
        ),
        "markup": (
            "mathml",
            "mathml_name",
            "mathml_terms",
            "mathml_value",
        ),
        "nodes": (
            "Array",
            "Binary",
            "Call",
            "Compare",
            "Derivative",
            "Expr",
            "Index",
            "Name",
            "Negate",
            "Number",
            "Sum",
            "as_expr",
        ),
        "numbers": ("number_text",),
        "parser": ("parse",),
        "letters": ("latex_text",),
        "paper": ("latex", "latex_terms", "name_latex", "number_latex"),
        "show": (
            "array_fits",
            "array_text",
            "source",
            "text",
        ),
        "simplify": ("tidy",),
        "symbols": ("to_sympy",),
    },
)
