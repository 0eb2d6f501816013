"""A metric, written as a formula of named rates and counts."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np

from openbook.decide.rates import COUNTS, RATES, expand
from openbook.errors import FormulaError, MetricError
from openbook.expr import Binary, Expr, evaluate, parse, source, text

__all__ = ["Metric"]


class Metric:
    """Read a metric such as `"precision*recall"`, `"f1"`, `"0.8*recall + 0.2*precision"` or `"-(5*fn + fp)"`.

    Names are rates (`openbook.decide.RATES`) or the counts tp, fp, fn, tn; larger is better. Never `eval`ed. Raises
    MetricError for names nobody knows and for what cannot be read.
    """

    def __init__(self, formula: str):
        try:
            self.formula = parse(formula)
        except FormulaError as problem:
            raise MetricError(f"the metric {formula!r} cannot be read",
                              do='write it with the names of rates, like "precision*recall" or "0.8*recall + 0.2*precision"',
                              ) from problem  # fmt: skip
        self.formula = self.formula.rename({name: expand(name) for name in self.formula.names()})
        known = (*RATES, *COUNTS)
        for name in self.formula.names():
            if name not in known:
                near = get_close_matches(name, known, n=3) or sorted(known)
                raise MetricError(f"no rate is called {name!r}", where=f"the metric {formula!r}",
                                  do=f"choose one of: {', '.join(near)}")  # fmt: skip

    @property
    def rates(self) -> tuple[str, ...]:
        """The rates this metric is made of, those they are made of first."""
        found: dict[str, None] = {}

        def visit(expr: Expr) -> None:
            for name in expr.names():
                if name in RATES:
                    visit(RATES[name].formula)
                    found[name] = None

        visit(self.formula)
        return tuple(found)

    def evaluate(self, counts: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """The rates, the metric, and where one of the rates was 0/0 and took its stated value; for arrays of counts."""
        values: dict[str, Any] = {name: np.asarray(counts[name], np.float64) for name in COUNTS}
        empty = np.zeros(np.shape(values["tp"]), bool)
        for name in self.rates:
            value, undefined = _ratio(RATES[name].formula, values, RATES[name].empty)
            values[name] = value
            empty |= undefined
        try:
            whole, undefined = _ratio(self.formula, values, 0.0)
        except FormulaError as problem:
            raise MetricError(str(problem), where=f"the metric {text(self.formula)}") from problem
        whole = np.broadcast_to(whole, empty.shape).astype(np.float64)
        return {name: values[name] for name in self.rates}, whole, empty | undefined

    def __str__(self) -> str:
        return text(self.formula)

    def __repr__(self) -> str:
        return f"Metric({source(self.formula)!r})"


def _ratio(formula: Expr, values: Mapping[str, Any], empty: float) -> tuple[np.ndarray, np.ndarray]:
    """A formula's value; where its outermost division is by zero, the stated one instead."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.asarray(evaluate(formula, values))
    undefined = np.zeros(value.shape, bool)
    if isinstance(formula, Binary) and formula.operator == "/":
        undefined = np.broadcast_to(np.asarray(evaluate(formula.right, values)) == 0, value.shape)
        value = np.where(undefined, empty, value)
    return value, undefined
