"""The outcome of a derivation of vectors beside what our own Tensors find, at random numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import FormulaError
from openbook.explain.derivations.indices import Entries
from openbook.expr import Binary, Call, Expr, Name, Number, evaluate

__all__ = ["by_autograd", "entry_value", "random_values"]


def by_autograd(
    entries: Entries, formula: Expr, by: str, result: Expr, free: Sequence[str], outcome: Expr
) -> Expr | str:
    """The outcome again if our own Tensors find the same numbers as its entries (`result`), else what they found."""
    values = random_values(entries, formula)
    ours = np.array([float(entry_value(entries, result, at, values)) for at in entries.places(tuple(free))])
    theirs = np.ravel(_jacobian(formula, by, values))
    if ours.shape == theirs.shape and np.allclose(ours, theirs, rtol=1e-10, atol=1e-12):
        return outcome
    return f"autograd finds {theirs}, the formula {ours}"


def random_values(entries: Entries, formula: Expr) -> dict[str, np.ndarray]:
    """Positive numbers for every name, of the sizes in which formulas are written out; shares add up to one."""
    random = np.random.default_rng(0)
    values = {}
    for name in formula.names():
        if name not in ("pi", "inf"):
            shape = tuple(entries.size((name, k)) for k in range(entries.rank(name)))
            values[name] = random.uniform(0.2, 1.5, shape)
            if name in entries.shares:
                values[name] /= values[name].sum()
    return values


def entry_value(entries: Entries, line: Expr, at: Mapping[str, int], values: Mapping[str, np.ndarray]) -> float:
    """One entry of a line, from the numbers of its names."""
    known = {
        f"{name}_{'_'.join(map(str, place))}" if place else name: float(array[place])
        for name, array in values.items()
        for place in np.ndindex(array.shape)
    }
    return float(evaluate(entries.written_out(line, at), known))


def _jacobian(formula: Expr, by: str, values: Mapping[str, np.ndarray]) -> np.ndarray:
    from openbook.explain.of_formula import ON_TENSORS
    from openbook.tensor import Tensor, jacobian

    def f(x: Tensor) -> Tensor:
        known = {name: Tensor(array) for name, array in values.items()} | {by: x}
        return _on_tensors(formula, known, ON_TENSORS)

    return np.asarray(jacobian(f)(Tensor(values[by])).data)


def _on_tensors(expr: Expr, known: dict[str, Any], arithmetic: Any) -> Any:
    """A formula of whole vectors and matrices computed with our own operations."""

    def inner(part: Expr) -> Any:
        return _on_tensors(part, known, arithmetic)

    match expr:
        case Call(function="transpose", arguments=(part,)):
            array = inner(part)
            return array.transpose(0, 1) if array.ndim == 2 else array
        case Binary(operator="@", left=left, right=right):
            a, b = inner(left), inner(right)
            return a.unsqueeze(1) * b.unsqueeze(0) if _outer(left, right, a, b) else a @ b
        case Call(function="softmax" | "log_softmax" as function, arguments=(part,)):
            return getattr(inner(part), function)(-1)
        case Call(function="cross_entropy", arguments=(part, targets)):
            return -(inner(targets) * inner(part).log_softmax(-1)).sum()
        case Call(function="mse", arguments=(part, targets)):
            return ((inner(part) - inner(targets)) ** 2).mean()
        case Call(function="norm", arguments=(part,)):
            return (inner(part) ** 2).sum() ** 0.5
        case Call(function="sum" | "mean" as function, arguments=(part,)):
            return getattr(inner(part), function)()
        case Call(function="diag"):
            raise FormulaError("diag is for outcomes, not for formulas to derive")
        case Name() | Number():
            return evaluate(expr, known, arithmetic)
    parts = {f"part_{i}": inner(part) for i, part in enumerate(expr.parts)}
    return evaluate(expr._rebuild(tuple(map(Name, parts))), parts, arithmetic)


def _outer(left: Expr, right: Expr, a: Any, b: Any) -> bool:
    return isinstance(right, Call) and right.function == "transpose" and a.ndim == b.ndim == 1
