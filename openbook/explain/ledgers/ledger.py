"""Backpropagation by hand: value, local slope, upstream, product, in the order in which a person would write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from operator import mul

from openbook.expr import Expr, Name, derivative, evaluate, substitute, text
from openbook.record import Edge, Graph, Node, Step, Witness, given

__all__ = ["Assignment", "Ledger", "scalar_ledger"]

FORWARD, LOCALS, BACKWARD = "Forward: the values", "Local slopes", "Backward: local × upstream"


@dataclass(frozen=True)
class Assignment:
    """`name = formula`, in names that stand above it."""

    name: str
    formula: Expr
    rule: str = ""


@dataclass(frozen=True, eq=False)
class Ledger:
    """The steps of one backpropagation, the gradients by name, and the graph with both on it."""

    steps: tuple[Step, ...]
    gradients: Mapping[str, Step]
    values: Mapping[str, Step]
    graph: Graph


def scalar_ledger(
    values: Mapping[str, float],
    assignments: Sequence[Assignment],
    computed: Mapping[str, float],
    wrt: Sequence[str],
    witnesses: Callable[[str], tuple[Witness, ...]] = lambda name: (),
) -> Ledger:
    """Write out forward and backward pass of a computation on single numbers.

    `values` are given, `computed` what the engine made of each assignment; the last assignment is what is
    differentiated. `witnesses(name)` re-derives the gradient of a given value.
    """
    root = assignments[-1].name
    steps: dict[str, Step] = {name: given(name, value, part="Given") for name, value in values.items()}
    for a in assignments:
        inputs = tuple(steps[n] for n in a.formula.names() if n in steps)
        steps[a.name] = Step(a.name, computed[a.name], a.formula, inputs, rule=a.rule, part=FORWARD)

    needed = _leading_to(wrt, assignments)
    slopes = {
        (a.name, name): _local(a, name, steps)
        for a in assignments
        for name in a.formula.names()
        if a.name in needed and name in needed
    }
    gradients: dict[str, Step] = {}
    for a in reversed(assignments):
        if a.name in needed and a.name != root:
            gradients[a.name] = _gradient(a.name, root, assignments, slopes, gradients, ())
    for name in wrt:
        if name not in gradients:
            gradients[name] = _gradient(name, root, assignments, slopes, gradients, witnesses(name))

    order = [*steps.values(), *(slopes[key] for key in slopes), *gradients.values()]
    graph = _graph(steps, assignments, slopes, gradients, root)
    return Ledger(tuple(order), gradients, steps, graph)


def _leading_to(wrt: Sequence[str], assignments: Sequence[Assignment]) -> set[str]:
    """The names on a path from something asked about to the result."""
    below = set(wrt)
    for a in assignments:
        if below & set(a.formula.names()):
            below.add(a.name)
    return below


def _local(a: Assignment, name: str, steps: Mapping[str, Step]) -> Step:
    """∂(what is computed)/∂(one input), as a formula in values already known."""
    slope = substitute(derivative(a.formula, name), a.formula, Name(a.name))
    inputs = tuple(steps[n] for n in slope.names() if n in steps)
    value = float(evaluate(slope, {s.name: s.value for s in inputs}))
    rule = f"slope of {a.rule}" if a.rule else "partial derivative"
    return Step(f"∂{a.name}/∂{name}", value + 0.0, slope, inputs, rule=rule, part=LOCALS)


def _gradient(
    name: str,
    root: str,
    assignments: Sequence[Assignment],
    slopes: Mapping[tuple[str, str], Step],
    gradients: Mapping[str, Step],
    witnesses: tuple[Witness, ...],
) -> Step:
    """d root / d name: upstream × local, summed over the paths that meet here; straight into the root, the slope."""
    total: Expr | None = None
    value, inputs = 0.0, []
    paths = [(gradients.get(a.name), slopes[a.name, name]) for a in assignments if (a.name, name) in slopes]
    for upstream, local in paths:
        factors = [local] if upstream is None else [upstream, local]
        term = reduce(mul, (Name(factor.name) for factor in factors))
        total = term if total is None else total + term
        value += prod(factor.value for factor in factors)
        inputs += factors
    why = "upstream × local" if len(paths) == 1 else f"the sum over the {len(paths)} paths that meet here"
    why = why if len(inputs) > 1 else f"{name} goes straight into {root}"
    rule = "chain rule" if len(inputs) > 1 else ""
    return Step(f"d{root}/d{name}", value, total, tuple(inputs), rule=rule, why=why, part=BACKWARD, witnesses=witnesses)


def _graph(
    steps: Mapping[str, Step],
    assignments: Sequence[Assignment],
    slopes: Mapping[tuple[str, str], Step],
    gradients: Mapping[str, Step],
    root: str,
) -> Graph:
    formulas = {a.name: text(a.formula) for a in assignments}
    used = {n for a in assignments for n in a.formula.names()} | {root}

    def kind(name: str) -> str:
        if name == root:
            return "output"
        return "operation" if name in formulas else "parameter" if name in gradients else "input"

    nodes = tuple(
        Node(name, name, formulas.get(name, ""), s.value, getattr(gradients.get(name), "value", None), kind(name))
        for name, s in steps.items()
        if name in used
    )
    edges = tuple(
        Edge(n, a.name, getattr(slopes.get((a.name, n)), "value", None))
        for a in assignments
        for n in a.formula.names()
        if n in steps
    )
    return Graph(nodes, edges, gradient_of=root)
