"""Any entry of any gradient: value → local slope → upstream → product, with the sum over the paths that meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from openbook.errors import ExplainError
from openbook.explain.dispatch import explains
from openbook.explain.graphs import entry_name, local_slopes, names_for, replay, trace_back
from openbook.expr import Name
from openbook.record import Edge, Graph, Node, Step, Witness, Working
from openbook.tensor import Tensor
from openbook.tensor.autograd import GraphNode, propagate

__all__ = ["explain_tensor"]

VALUES, BACKWARD = "Forward: the values on the way", "Backward: local × upstream"
Index = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Term:
    """One of the products that add up to a gradient entry: through which operation, into which of its entries."""

    node: GraphNode
    index: Index
    upstream: float
    local: float

    @property
    def product(self) -> float:
        return self.upstream * self.local


@dataclass(frozen=True, eq=False)
class Rung:
    """One entry on the way from the parameter to the loss: its value, its gradient, the terms that make it up."""

    name: str
    value: float
    gradient: float
    terms: tuple[Term, ...]
    operation: str = ""


@explains(Tensor)
def explain_tensor(
    loss: Tensor,
    wrt: Tensor | str | None = None,
    at: Index | int | None = None,
    names: Mapping[str, Tensor] | None = None,
    model: Any = None,
    top: int = 4,
) -> Working:
    """Show how d loss / d (one entry of `wrt`) comes about, from the loss back to that entry.

    `wrt` is a tensor the loss was computed from, or its name in `names` or in `model.named_parameters()`; by default the
    first leaf. `at` is the entry (by default the one with the largest gradient). At each level the `top` largest
    products are written out, the rest as one sum. Ask before `backward()`, or compute inside `with openbook.record():`.
    """
    if loss.data.size != 1:
        raise ExplainError(f"only a single number has a ledger, and this has shape {loss.shape}", do="reduce it first")
    nodes = trace_back(loss)
    known = dict(names or {}) | (dict(model.named_parameters()) if model is not None else {})
    labels = names_for(nodes, loss, known)
    target = _target(wrt, known, nodes)
    grads = propagate([loss], [np.ones_like(loss.data)], retain_graph=True, watch=True)
    key = id(target if target.node is None else target.node)
    if key not in grads:
        raise ExplainError(f"the loss does not depend on {labels.get(key, 'this tensor')}", do="choose another tensor")
    index = _entry(at, target, grads[key])
    rungs = _climb(target, index, nodes, grads, labels, loss)
    eps = float(np.finfo(loss.dtype).eps)
    steps = [*_values(rungs, loss, labels, eps), *_ledger(rungs, labels, nodes, target, index, top, eps)]
    title = entry_name(labels[key], index)
    return Working(
        title=f"How d{_root(labels, loss)}/d{title} comes about",
        question=f"What does {title} do to {_root(labels, loss)}?",
        steps=tuple(steps),
        result=rungs[0].gradient,
        notes=(_note(rungs),),
        graph=_graph(rungs, loss, labels),
    )


def _root(labels: Mapping[int, str], loss: Tensor) -> str:
    return labels[id(loss.node)]


def _target(wrt: Tensor | str | None, known: Mapping[str, Tensor], nodes: list[GraphNode]) -> Tensor:
    if isinstance(wrt, Tensor):
        return wrt
    if isinstance(wrt, str):
        if wrt not in known:
            raise ExplainError(f"no tensor is called {wrt!r}", do=f"choose one of {', '.join(known) or 'names={…}'}")
        return known[wrt]
    leaves = (x for n in nodes for x in n.require() if isinstance(x, Tensor) and x.requires_grad and x.node is None)
    return next(leaves)


def _entry(at: Index | int | None, target: Tensor, gradient: np.ndarray) -> Index:
    if at is None:
        return tuple(int(i) for i in np.unravel_index(int(np.argmax(np.abs(gradient))), gradient.shape))
    index = (at,) if isinstance(at, int) else tuple(at)
    inside = len(index) == target.ndim and all(-n <= i < n for i, n in zip(index, target.shape, strict=True))
    if not inside:
        raise ExplainError(f"there is no entry {index} in shape {target.shape}", do="give one index for every axis")
    return tuple(i % n for i, n in zip(index, target.shape, strict=True))


def _climb(
    target: Tensor,
    index: Index,
    nodes: list[GraphNode],
    grads: Mapping[int, Any],
    labels: Mapping[int, str],
    loss: Tensor,
) -> list[Rung]:
    """From the entry up to the loss, at each level along the largest product."""
    consumers: dict[int, list[tuple[GraphNode, int]]] = {}
    for node in nodes:
        for position, x in enumerate(node.require()):
            if isinstance(x, Tensor) and id(node) in grads:
                consumers.setdefault(id(x if x.node is None else x.node), []).append((node, position))
    rungs: list[Rung] = []
    key, data, operation = id(target if target.node is None else target.node), target.data, ""
    while key != id(loss.node):
        terms = [t for node, p in consumers.get(key, []) for t in _terms(node, p, index, grads[id(node)])]
        terms.sort(key=lambda t: -abs(t.product))
        name, gradient = entry_name(labels[key], index), float(grads[key][index])
        rungs.append(Rung(name, float(data[index]), gradient, tuple(terms), operation))
        if not terms:
            break
        best = terms[0]
        key, index, data, operation = id(best.node), best.index, best.node.output, best.node.op.name
    return rungs


def _terms(node: GraphNode, position: int, index: Index, upstream: np.ndarray) -> list[Term]:
    """The products through one operation, leaving out those that are exactly zero (when there are others)."""
    column = local_slopes(node, position, index)
    entries = [tuple(int(i) for i in e) for e in np.argwhere(column != 0)] if column.ndim else [()]
    return [Term(node, e, float(upstream[e]), float(column[e])) for e in entries]


def _values(rungs: list[Rung], loss: Tensor, labels: Mapping[int, str], eps: float) -> list[Step]:
    steps = [
        Step(r.name, r.value, rule=r.operation or "given", part=VALUES, dtype_eps=eps, why="" if i else "asked about")
        for i, r in enumerate(rungs)
    ]
    return [*steps, Step(_root(labels, loss), float(loss), rule=_operation(loss), part=VALUES, dtype_eps=eps)]


def _operation(tensor: Tensor) -> str:
    return tensor.node.op.name if tensor.node is not None else "given"


def _ledger(
    rungs: list[Rung],
    labels: Mapping[int, str],
    nodes: list[GraphNode],
    target: Tensor,
    index: Index,
    top: int,
    eps: float,
) -> list[Step]:
    """From the loss back: each gradient as a sum of upstream × local."""
    root = labels[id(nodes[-1])]
    steps: list[Step] = []
    reached: dict[str, Step] = {}
    for depth in range(len(rungs) - 1, -1, -1):
        rung = rungs[depth]
        made, gradient = _rung_steps(rung, root, labels, nodes[-1], reached, top, eps)
        if depth == 0:
            gradient = _with_witnesses(gradient, nodes, target, index, eps)
        reached[gradient.name] = gradient
        steps += [*made, gradient]
    return steps


def _rung_steps(
    rung: Rung,
    root: str,
    labels: Mapping[int, str],
    last: GraphNode,
    reached: Mapping[str, Step],
    top: int,
    eps: float,
) -> tuple[list[Step], Step]:
    made: list[Step] = []
    inputs: list[Step] = []
    products = []
    for term in rung.terms[:top]:
        entry = entry_name(labels[id(term.node)], term.index)
        local = _local_step(rung, term, entry, eps)
        made.append(local)
        if term.node is last:
            inputs.append(local)
            products.append(Name(local.name))
            continue
        upstream = reached.get(f"d{root}/d{entry}")
        if upstream is None:
            upstream = Step(f"d{root}/d{entry}", term.upstream, rule="same rule", part=BACKWARD, dtype_eps=eps,
                            why="found the same way; ask for it with wrt= and at=")  # fmt: skip
            made.append(upstream)
        inputs += [upstream, local]
        products.append(Name(upstream.name) * Name(local.name))
    if len(rung.terms) > top:
        rest = sum(t.product for t in rung.terms[top:])
        others = Step(f"{len(rung.terms) - top} other products", rest, rule="sum", part=BACKWARD, dtype_eps=eps)
        made.append(others)
        inputs.append(others)
        products.append(Name(others.name))
    formula = reduce(add, products) if products else None
    count = len(rung.terms)
    why = "upstream × local" if count == 1 else f"the sum over {count} paths" if count else "nothing leads to the loss"
    return made, Step(
        f"d{root}/d{rung.name}", rung.gradient, formula, tuple(inputs), rule="chain rule", why=why, part=BACKWARD,
        dtype_eps=eps,
    )  # fmt: skip


def _local_step(rung: Rung, term: Term, entry: str, eps: float) -> Step:
    return Step(f"∂{entry}/∂{rung.name}", term.local, rule=f"slope of {term.node.op.name}", part=BACKWARD, dtype_eps=eps,
                why=f"from {term.node.op.formula}" if term.node.op.formula else "")  # fmt: skip


def _with_witnesses(gradient: Step, nodes: list[GraphNode], target: Tensor, index: Index, eps: float) -> Step:
    """The asked-for entry again: the loss computed twice more, a little to both sides, in float64."""

    def differences() -> float:
        here = np.array(target.data, dtype=np.float64)
        h = 6e-6 * max(1.0, abs(here[index]))
        sides = []
        for side in (h, -h):
            moved = here.copy()
            moved[index] += side
            sides.append(replay(nodes, {id(target): moved}))
        return (sides[0] - sides[1]) / (2 * h)

    if target.node is not None:
        return gradient
    scale = max(1e-6, 100 * eps)
    witness = Witness("central differences of the loss", differences, rtol=scale, atol=scale * 1e-2)
    return Step(**{**_fields(gradient), "witnesses": (witness,)})


def _fields(step: Step) -> dict[str, Any]:
    return {name: getattr(step, name) for name in step.__dataclass_fields__}


def _note(rungs: list[Rung]) -> str:
    crowded = max(rungs, key=lambda r: len(r.terms))
    if len(crowded.terms) <= 1:
        return "One path leads from here to the loss: the gradient is the product of the slopes along it."
    return (
        f"{len(crowded.terms)} paths meet at {crowded.name}; their products add up. Followed further is, at each level, "
        "the largest."
    )


def _graph(rungs: list[Rung], loss: Tensor, labels: Mapping[int, str]) -> Graph:
    root = _root(labels, loss)
    nodes = [
        Node(r.name, r.name, r.operation, r.value, r.gradient, "operation" if i else "parameter")
        for i, r in enumerate(rungs)
    ]
    nodes.append(Node(root, root, _operation(loss), float(loss), None, "output"))
    edges = [
        Edge(rung.name, above.id, rung.terms[0].local)
        for rung, above in zip(rungs, nodes[1:], strict=True)
        if rung.terms
    ]
    return Graph(tuple(nodes), tuple(edges), gradient_of=root)
