"""The functions a formula may name: what they are in floats, in any precision, in symbols, and on paper.

Primitive ones are listed here. Everything defined *by* a formula (sigmoid, softplus, gelu, …) is added by its
definition with `define`, so that no formula stands in two places.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import FormulaError

if TYPE_CHECKING:
    from openbook.expr.nodes import Expr

__all__ = ["FUNCTIONS", "Defined", "Function", "define", "lookup"]


@dataclass(frozen=True)
class Function:
    """A primitive: `floats` works on NumPy arrays, `exact` names it in mpmath, `symbol` in SymPy, `latex` on paper.

    `slope` is its derivative in x; `definition`, where it has one in exponentials, what proofs start from.
    """

    name: str
    arity: tuple[int, ...]
    floats: Callable[..., Any]
    exact: str = ""
    symbol: str = ""
    latex: str = ""
    whole: bool = False  # takes whole arrays rather than entries
    slope: str = ""
    definition: str = ""


@dataclass(frozen=True)
class Defined:
    """A function that is its formula, which `read` gives when it is first needed."""

    name: str
    parameters: tuple[str, ...]
    read: Callable[[], Expr]
    latex: str = ""
    slope: str = ""

    @cached_property
    def formula(self) -> Expr:
        return self.read()

    @property
    def arity(self) -> tuple[int, ...]:
        return (len(self.parameters),)


def _scipy(name: str) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        import scipy.special

        return getattr(scipy.special, name)(*arguments)

    return call


def _trigamma(x: Any) -> Any:
    return _scipy("polygamma")(1, x)


def _tetragamma(x: Any) -> Any:
    return _scipy("polygamma")(2, x)


def _pentagamma(x: Any) -> Any:
    return _scipy("polygamma")(3, x)


def _same(i: Any, j: Any) -> Any:
    return np.equal(i, j) * 1.0


def _norm(x: Any) -> Any:
    return np.sqrt(np.sum(np.asarray(x) ** 2))


_PRIMITIVES = [
    Function("exp", (1,), np.exp, "exp", "exp", "e^{{{0}}}"),
    Function("log", (1,), np.log, "log", "log", r"\ln {0}"),
    Function("log2", (1,), np.log2, "log2", "", r"\log_2 {0}"),
    Function("log10", (1,), np.log10, "log10", "", r"\log_{{10}} {0}"),
    Function("log1p", (1,), np.log1p, "log1p", "", r"\ln(1 + {0})"),
    Function("expm1", (1,), np.expm1, "expm1", "", "e^{{{0}}} - 1"),
    Function("sqrt", (1,), np.sqrt, "sqrt", "sqrt", r"\sqrt{{{0}}}"),
    Function("abs", (1,), np.abs, "fabs", "Abs", r"\left|{0}\right|"),
    Function("sign", (1,), np.sign, "sign", "sign", r"\operatorname{{sign}} {0}"),
    *(
        Function(name, (1,), getattr(np, ours), name, name, latex)
        for name, ours, latex in [
            ("sin", "sin", r"\sin {0}"),
            ("cos", "cos", r"\cos {0}"),
            ("tan", "tan", r"\tan {0}"),
            ("asin", "arcsin", r"\arcsin {0}"),
            ("acos", "arccos", r"\arccos {0}"),
            ("atan", "arctan", r"\arctan {0}"),
            ("sinh", "sinh", r"\sinh {0}"),
            ("cosh", "cosh", r"\cosh {0}"),
            ("tanh", "tanh", r"\tanh {0}"),
            ("asinh", "arcsinh", r"\operatorname{{arsinh}} {0}"),
            ("acosh", "arccosh", r"\operatorname{{arcosh}} {0}"),
            ("atanh", "arctanh", r"\operatorname{{artanh}} {0}"),
        ]
    ),
    Function("erf", (1,), _scipy("erf"), "erf", "erf", r"\operatorname{{erf}} {0}"),
    Function("erfc", (1,), _scipy("erfc"), "erfc", "erfc", r"\operatorname{{erfc}} {0}"),
    Function("lgamma", (1,), _scipy("gammaln"), "loggamma", "loggamma", r"\ln\Gamma {0}"),
    Function("digamma", (1,), _scipy("digamma"), "digamma", "digamma", r"\psi {0}"),
    Function("trigamma", (1,), _trigamma, "", "trigamma", r"\psi_1 {0}"),
    Function("tetragamma", (1,), _tetragamma, "", "", r"\psi_2 {0}"),
    Function("pentagamma", (1,), _pentagamma, "", "", r"\psi_3 {0}"),
    Function("i0", (1,), _scipy("i0"), "", "", r"I_0 {0}"),
    Function("i1", (1,), _scipy("i1"), "", "", r"I_1 {0}"),
    Function("bessel_j0", (1,), _scipy("j0"), "", "", r"J_0 {0}"),
    Function("bessel_j1", (1,), _scipy("j1"), "", "", r"J_1 {0}"),
    Function("erfinv", (1,), _scipy("erfinv"), "erfinv", "erfinv", r"\operatorname{{erf}}^{{-1}} {0}"),
    Function("atan2", (2,), np.arctan2, "atan2", "atan2", r"\operatorname{{atan2}}({0}, {1})"),
    Function("delta", (2,), _same, "", "KroneckerDelta", r"\delta_{{{0}}}"),
    Function("round", (1,), np.round, "nint", "", r"\operatorname{{round}} {0}"),
    Function("trunc", (1,), np.trunc, "", "", r"\operatorname{{trunc}} {0}"),
    Function("floor", (1,), np.floor, "floor", "floor", r"\lfloor {0} \rfloor"),
    Function("ceil", (1,), np.ceil, "ceil", "ceiling", r"\lceil {0} \rceil"),
    Function("where", (3,), np.where),
    Function("min", (1, 2, 3, 4), np.minimum, "", "Min", r"\min({0})"),
    Function("max", (1, 2, 3, 4), np.maximum, "", "Max", r"\max({0})"),
    Function("sum", (1,), np.sum, latex=r"\textstyle\sum {0}", whole=True),
    Function("mean", (1,), np.mean, latex=r"\operatorname{{mean}} {0}", whole=True),
    Function("norm", (1,), _norm, latex=r"\left\lVert {0} \right\rVert", whole=True),
    Function("transpose", (1,), np.transpose, latex=r"{0}^\top", whole=True),
    Function("inv", (1,), np.linalg.inv, latex=r"{0}^{{-1}}", whole=True),
    Function("len", (1,), len, latex=r"\left|{0}\right|", whole=True),
]

_SLOPES = {
    "exp": "exp(x)",
    "log": "1/x",
    "log2": "1/(x*log(2))",
    "log10": "1/(x*log(10))",
    "log1p": "1/(1 + x)",
    "expm1": "exp(x)",
    "sqrt": "1/(2*sqrt(x))",
    "abs": "sign(x)",
    "sign": "0",
    "sin": "cos(x)",
    "cos": "-sin(x)",
    "tan": "1 + tan(x)**2",
    "asin": "1/sqrt(1 - x**2)",
    "acos": "-1/sqrt(1 - x**2)",
    "atan": "1/(1 + x**2)",
    "sinh": "cosh(x)",
    "cosh": "sinh(x)",
    "tanh": "1 - tanh(x)**2",
    "asinh": "1/sqrt(x**2 + 1)",
    "acosh": "1/sqrt(x**2 - 1)",
    "atanh": "1/(1 - x**2)",
    "erf": "2/sqrt(pi)*exp(-x**2)",
    "erfc": "-2/sqrt(pi)*exp(-x**2)",
    "lgamma": "digamma(x)",
    "digamma": "trigamma(x)",
    "trigamma": "tetragamma(x)",
    "tetragamma": "pentagamma(x)",
    "i0": "i1(x)",
    "i1": "i0(x) - i1(x)/x",
    "bessel_j0": "-bessel_j1(x)",
    "bessel_j1": "bessel_j0(x) - bessel_j1(x)/x",
    "erfinv": "sqrt(pi)/2*exp(erfinv(x)**2)",
    "round": "0",
    "trunc": "0",
    "floor": "0",
    "ceil": "0",
}
_DEFINITIONS = {
    "sinh": "(exp(x) - exp(-x))/2",
    "cosh": "(exp(x) + exp(-x))/2",
    "tanh": "(exp(x) - exp(-x))/(exp(x) + exp(-x))",
}

FUNCTIONS: dict[str, Function | Defined] = {
    f.name: replace(f, slope=_SLOPES.get(f.name, ""), definition=_DEFINITIONS.get(f.name, "")) for f in _PRIMITIVES
}
CONSTANTS = {"pi": np.pi, "inf": np.inf}


def define(name: str, parameters: tuple[str, ...], read: Callable[[], Expr], latex: str = "", slope: str = "") -> None:
    """Let formulas call `name`, meaning what `read` gives, a formula of `parameters`; it is asked when first needed.

    `slope` is the derivative, where that has a better form than the rules make of it.
    """
    FUNCTIONS[name] = Defined(name, parameters, read, latex, slope)


def lookup(name: str, arguments: int) -> Function | Defined:
    """The function of that name, if it takes that many arguments; a FormulaError otherwise."""
    function = FUNCTIONS.get(name)
    if function is None:
        raise FormulaError(f"no function is called {name!r}", do=f"choose one of {', '.join(sorted(FUNCTIONS))}")
    if arguments not in function.arity:
        wanted = " or ".join(map(str, function.arity))
        raise FormulaError(f"{name} takes {wanted} argument(s), and here it has {arguments}")
    return function
