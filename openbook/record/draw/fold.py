"""A graph too large for one picture, folded: one box for each module, and a picture of its own for what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from openbook.record.draw.layout import inputs_first
from openbook.record.graph import Edge, Graph, Node

__all__ = ["Fold", "folded"]

MOST = 200  # boxes in one picture
_RUN = 25  # operations in a fold of a graph without modules


@dataclass(frozen=True)
class Fold:
    """What one box of a folded graph stands for; its `id` is that of the box."""

    id: str
    label: str
    graph: Graph


def folded(graph: Graph, most: int = MOST) -> tuple[Graph, tuple[Fold, ...]]:
    """The graph with stretches of one module as single boxes, and these; as it is where it has few enough boxes.

    A fold is a stretch of the order of computation, so that arrows between folds only lead forwards; a module that is
    used twice is two folds.
    """
    if len(graph.nodes) <= most:
        return graph, ()
    home = _homes(graph)
    deepest = max((group.count(".") + 1 for group in home.values()), default=0)
    choices = [_stretches(graph, home, depth) for depth in range(1, deepest + 1)]
    fitting = [c for c in choices if 1 < len(c) <= most // 2] or [_runs(graph)]
    return _folded(graph, fitting[-1]) if len(fitting[-1]) > 1 else (graph, ())


def _homes(graph: Graph) -> dict[str, str]:
    """The module of every node."""
    return {node.id: node.group for node in graph.nodes}


def _computed(graph: Graph) -> list[Node]:
    targets = {edge.target for edge in graph.edges}
    return [node for node in graph.nodes if node.id in targets and node.kind != "output"]


def _stretches(graph: Graph, home: Mapping[str, str], depth: int) -> list[tuple[str, list[str]]]:
    """Runs of operations whose modules agree to a depth."""
    runs = groupby(_computed(graph), key=lambda node: ".".join(home[node.id].split(".")[:depth]))
    found: list[tuple[str, list[str]]] = []
    times: dict[str, int] = {}
    for label, nodes in runs:
        times[label] = times.get(label, 0) + 1
        again = f" ({times[label]})" if times[label] > 1 else ""
        found.append(((label or "outside modules") + again, [node.id for node in nodes]))
    return found


def _runs(graph: Graph) -> list[tuple[str, list[str]]]:
    """Without modules: equal stretches, few enough for one picture, of an order in which things come when they are needed."""
    sources: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        sources[edge.target].append(edge.source)
    wanted = {node.id for node in _computed(graph)}
    ordered = inputs_first([node.id for node in reversed(graph.nodes)], sources)
    computed = [name for name in ordered if name in wanted]
    size = max(_RUN, -(-len(computed) // (MOST // 2)))
    parts = [computed[i : i + size] for i in range(0, len(computed), size)]
    return [(f"operations {i * size + 1} to {i * size + len(part)}", part) for i, part in enumerate(parts)]


def _folded(graph: Graph, stretches: list[tuple[str, list[str]]]) -> tuple[Graph, tuple[Fold, ...]]:
    box = {member: f"fold {k}" for k, (_, members) in enumerate(stretches) for member in members if len(members) > 1}
    given = _given(graph, box)
    by_id = {node.id: node for node in graph.nodes}
    folds = []
    for k, (label, members) in enumerate(stretches):
        inside = {n for n, b in box.items() if b == f"fold {k}"} | {n for n, b in given.items() if f"fold {k}" in b}
        if inside:
            folds.append(Fold(f"fold {k}", label, _inner(graph, inside, by_id[members[-1]])))
    shown = Graph(tuple(n for n in graph.nodes if not given.get(n.id)), graph.edges, graph.gradient_of)
    whole = _outer(shown, box, {f.id: f for f in folds}, {f"fold {k}": m for k, (_, m) in enumerate(stretches)})
    return whole, tuple(folds)


def _given(graph: Graph, box: Mapping[str, str]) -> dict[str, set[str]]:
    """The folds in which each given value is shown: all that use it, if nothing outside does (a shared weight in each)."""
    computed = {edge.target for edge in graph.edges}
    users: dict[str, set[str]] = {}
    for edge in graph.edges:
        if edge.source not in computed:
            users.setdefault(edge.source, set()).add(box.get(edge.target, ""))
    return {name: folds for name, folds in users.items() if "" not in folds}


def _inner(graph: Graph, inside: set[str], last: Node) -> Graph:
    nodes = tuple(replace(n, kind="output") if n.id == last.id else n for n in graph.nodes if n.id in inside)
    edges = tuple(e for e in graph.edges if e.source in inside and e.target in inside)
    return Graph(nodes, edges, graph.gradient_of)


def _outer(graph: Graph, box: Mapping[str, str], folds: Mapping[str, Fold], members: Mapping[str, list[str]]) -> Graph:
    by_id = {node.id: node for node in graph.nodes}
    nodes: dict[str, Node] = {}
    for node in graph.nodes:
        fold = folds.get(box.get(node.id, ""))
        if fold is None:
            nodes[node.id] = node
        elif fold.id not in nodes:
            last = by_id[members[fold.id][-1]]
            told = f"{len(members[fold.id])} operations"
            nodes[fold.id] = Node(fold.id, fold.label, told, last.value, last.gradient, "fold")
    edges: dict[tuple[str, str], Edge] = {}
    for edge in graph.edges:
        a, b = box.get(edge.source, edge.source), box.get(edge.target, edge.target)
        if a != b and a in nodes:
            edges.setdefault((a, b), Edge(a, b, edge.local if (a, b) == (edge.source, edge.target) else None))
    return Graph(tuple(nodes.values()), tuple(edges.values()), graph.gradient_of)
