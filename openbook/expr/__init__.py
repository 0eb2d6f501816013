"""Formulas as people write them: read, kept in their order, printed, and evaluated to any precision."""

from openbook.expr.derive import derivative, rule_name, substitute
from openbook.expr.evaluate import FLOATS, Arithmetic, evaluate, precise
from openbook.expr.functions import FUNCTIONS, Function, define
from openbook.expr.mathml import mathml, mathml_name, mathml_value
from openbook.expr.nodes import Array, Binary, Call, Compare, Expr, Index, Name, Negate, Number, as_expr
from openbook.expr.numbers import number_text
from openbook.expr.parse import parse
from openbook.expr.show import array_fits, array_text, latex, name_latex, number_latex, source, text

__all__ = [
    "FLOATS",
    "FUNCTIONS",
    "Arithmetic",
    "Array",
    "Binary",
    "Call",
    "Compare",
    "Expr",
    "Function",
    "Index",
    "Name",
    "Negate",
    "Number",
    "array_fits",
    "array_text",
    "as_expr",
    "define",
    "derivative",
    "evaluate",
    "latex",
    "mathml",
    "mathml_name",
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
]
