"""The whole computation as a graph: sizes of values and gradients everywhere, numbers on the path that was followed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.expr import number_text
from openbook.record import Edge, Graph, Node

if TYPE_CHECKING:
    from openbook.explain.ledgers.entries import Operation, Rung

__all__ = ["Leaf", "picture"]


@dataclass(frozen=True, eq=False)
class Leaf:
    """A tensor that was given: its name, its numbers, its gradient where there is one, its module where that is known."""

    name: str
    value: np.ndarray
    gradient: np.ndarray | None
    module: str = ""


def picture(operations: Sequence[Operation], leaves: Mapping[int, Leaf], rungs: Sequence[Rung], loss: float) -> Graph:
    """Every operation with what went into it. Values and gradients of arrays are told by shape and root mean square.

    Boxes on the path of the rungs show the entries followed, arrows on it their local slopes.
    """
    last = operations[-1]
    path = {rung.key: rung for rung in rungs}
    modules = _modules(operations, leaves)
    used = {key for operation in operations for key in operation.inputs}
    nodes = [
        _node(key, leaf.name, "", leaf.value, leaf.gradient, "input" if leaf.gradient is None else "parameter", path,
              leaf.module)
        for key, leaf in leaves.items()
        if key in used
    ]  # fmt: skip
    for o in operations:
        if o is last:
            nodes.append(Node(str(o.key), o.name, o.rule, loss, None, "output"))
        else:
            nodes.append(_node(o.key, o.name, o.rule, o.value, o.upstream, "operation", path, modules[o.key]))
    ids = {node.id: str(i) for i, node in enumerate(nodes)}  # keys are addresses, and never the same twice
    edges = [replace(e, source=ids[e.source], target=ids[e.target]) for e in _edges(operations, leaves, rungs)]
    return Graph(tuple(replace(n, id=ids[n.id]) for n in nodes), tuple(edges), gradient_of=last.name)


def _node(
    key: int,
    name: str,
    rule: str,
    value: Any,
    gradient: Any,
    kind: str,
    path: Mapping[int, Rung],
    module: str,
) -> Node:
    if key in path:
        rung = path[key]
        return Node(str(key), rung.name, rule, rung.value, rung.gradient, f"{kind} path", module)
    told = None if gradient is None else f"gradient {_size(gradient)}"
    return Node(str(key), name, rule, _told(value), told, kind, module)


def _told(value: Any) -> Any:
    """A single number, or an array's shape and size."""
    if value is None or np.size(value) == 1:
        return None if value is None else float(np.asarray(value).ravel()[0])
    return f"{' × '.join(map(str, np.shape(value)))}, {_size(value)}"


def _size(value: Any) -> str:
    array = np.asarray(value)
    if array.size == 0 or array.dtype.kind not in "fiub":
        return "empty" if array.size == 0 else str(array.dtype)
    shown = number_text(float(np.sqrt(np.mean(np.square(array, dtype=np.float64))))).replace("-", "−")
    return f"rms {shown}" if array.size > 1 else shown


def _edges(operations: Sequence[Operation], leaves: Mapping[int, Leaf], rungs: Sequence[Rung]) -> Iterator[Edge]:
    followed = {(r.key, r.terms[0].operation.key): r.terms[0].local for r in rungs if r.terms}
    known = {operation.key for operation in operations} | set(leaves)
    for operation in operations:
        for key in dict.fromkeys(operation.inputs):
            if key in known:
                yield Edge(str(key), str(operation.key), followed.get((key, operation.key)))


def _modules(operations: Sequence[Operation], leaves: Mapping[int, Leaf]) -> dict[int, str]:
    """The module of each operation: the one it ran in, else that of its parameters, else of what it was computed from."""
    modules: dict[int, str] = {}
    for operation in operations:
        own = [leaves[k].module for k in operation.inputs if k in leaves and leaves[k].module]
        before = [modules[k] for k in modules if k in set(operation.inputs)]
        modules[operation.key] = operation.module or (own[-1] if own else before[-1] if before else "")
    return modules
