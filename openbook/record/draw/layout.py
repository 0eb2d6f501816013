"""Where the boxes of a graph stand: in layers, inputs before what is computed from them, long arrows led around boxes.

Layers by longest path, order in a layer by the mean place of the neighbours (Sugiyama et al. 1981). An arrow that passes
over layers holds a place in each of them, so that no box stands in its way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from openbook.record.graph import Graph

__all__ = ["Layout", "inputs_first", "laid_out"]

ACROSS, DOWN, MARGIN = 74.0, 22.0, 12.0
_WIDEST = 900.0  # pixels: what is longer is drawn from top to bottom
_PASSING = 14.0  # room that an arrow takes in a layer it passes
_SWEEPS, _STRAIGHTENINGS = 12, 60
_HANGING = 1e-3  # how much what hangs on one thing only has to say about places
Point = tuple[float, float]
Size = tuple[float, float]


@dataclass
class Layout:
    """The corner of every box, the points of every edge (by its place in the graph), the size of it all."""

    corners: dict[str, Point]
    routes: list[list[Point]]
    downwards: bool
    width: float
    height: float
    layers: list[list[str]] = field(default_factory=list)


def laid_out(graph: Graph, sizes: Mapping[str, Size]) -> Layout:
    """Place boxes of these sizes: from left to right, or downwards where that would be wider than a page."""
    layers, chains = _layers(graph)
    passing = {stop: (_PASSING, _PASSING) for chain in chains for stop in chain[1:-1]}
    every = dict(sizes) | passing
    wide = sum(max((every[n][0] for n in layer), default=0) + ACROSS for layer in layers)
    downwards = wide > _WIDEST
    centres = _placed(layers, chains, every, downwards)
    corners = {n: (x - every[n][0] / 2, y - every[n][1] / 2) for n, (x, y) in centres.items() if n not in passing}
    routes = [_route(chain, centres, every, downwards) for chain in chains]
    width = max((x + sizes[n][0] for n, (x, _) in corners.items()), default=0) + MARGIN
    height = max((y + sizes[n][1] for n, (_, y) in corners.items()), default=0) + MARGIN
    return Layout(corners, routes, downwards, width, height, layers)


# --- layers ----------------------------------------------------------------------------------------------------


def _layers(graph: Graph) -> tuple[list[list[str]], list[list[str]]]:
    """The layers, and for every edge the nodes and passing places it runs through."""
    sources: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    targets: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        sources[edge.target].append(edge.source)
        targets[edge.source].append(edge.target)
    column = _columns(graph, sources, targets)
    layers: list[list[str]] = [[] for _ in range(max(column.values(), default=0) + 1)]
    for node in graph.nodes:
        layers[column[node.id]].append(node.id)
    chains = []
    for number, edge in enumerate(graph.edges):
        stops = [f"\0{number}.{k}" for k in range(column[edge.source] + 1, column[edge.target])]
        for k, stop in enumerate(stops, column[edge.source] + 1):
            layers[k].append(stop)
        chains.append([edge.source, *stops, edge.target])
    return _untangled(layers, chains), chains


def _columns(
    graph: Graph, sources: Mapping[str, Sequence[str]], targets: Mapping[str, Sequence[str]]
) -> dict[str, int]:
    """Each node one column after the last of its inputs; what is only given directly before its first use."""
    column: dict[str, int] = {}
    for name in inputs_first([node.id for node in graph.nodes], sources):
        column[name] = max((column[s] + 1 for s in sources[name]), default=0)
    for node in graph.nodes:
        if not sources[node.id] and targets[node.id]:
            column[node.id] = min(column[t] for t in targets[node.id]) - 1
    return column


def inputs_first(names: Sequence[str], sources: Mapping[str, Sequence[str]]) -> list[str]:
    """The names in order, each directly after what it needs."""
    done: dict[str, None] = {}
    waiting = list(reversed(names))
    while waiting:
        node = waiting[-1]
        open_ = [s for s in sources[node] if s not in done]
        if node in done or not open_:
            waiting.pop()
            done.setdefault(node)
        else:
            waiting.extend(open_)
    return list(done)


def _untangled(layers: list[list[str]], chains: Sequence[Sequence[str]]) -> list[list[str]]:
    """Sort each layer by the mean place of its neighbours, to and fro."""
    before: dict[str, list[str]] = {name: [] for layer in layers for name in layer}
    after: dict[str, list[str]] = {name: [] for layer in layers for name in layer}
    for chain in chains:
        for a, b in pairwise(chain):
            after[a].append(b)
            before[b].append(a)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        near = before if forward else after
        place = {node: (i + 0.5) / len(layer) for layer in layers for i, node in enumerate(layer)}
        for layer in layers if forward else reversed(layers):
            layer.sort(key=lambda n: sum(place[m] for m in near[n]) / len(near[n]) if near[n] else place[n])
            for i, node in enumerate(layer):
                place[node] = (i + 0.5) / len(layer)
    return layers


# --- places ----------------------------------------------------------------------------------------------------


def _placed(
    layers: list[list[str]], chains: Sequence[Sequence[str]], sizes: Mapping[str, Size], downwards: bool
) -> dict[str, Point]:
    """The centre of every box and passing place: each as straight before its neighbours as the order allows."""
    along, across = (1, 0) if downwards else (0, 1)
    middle = _straightened(layers, chains, {name: size[across] for name, size in sizes.items()})
    first = min((middle[n] - sizes[n][across] / 2 for layer in layers for n in layer), default=0)
    centres: dict[str, Point] = {}
    here = MARGIN
    for layer in layers:
        thick = max((sizes[n][along] for n in layer), default=0)
        for node in layer:
            at = MARGIN + middle[node] - first
            centres[node] = (at, here + thick / 2) if downwards else (here + thick / 2, at)
        here += thick + (40.0 if downwards else ACROSS)
    return centres


def _straightened(
    layers: list[list[str]], chains: Sequence[Sequence[str]], breadth: Mapping[str, float]
) -> dict[str, float]:
    """Places in each layer near the mean of the neighbours', in order and without overlap."""
    near: dict[str, list[str]] = {name: [] for layer in layers for name in layer}
    for chain in chains:
        for a, b in pairwise(chain):
            near[a].append(b)
            near[b].append(a)
    # What hangs on one thing only (a weight) follows it; it must not pull it aside.
    weights = {name: 1.0 if len(others) > 1 else _HANGING for name, others in near.items()}
    heeded = {name: [m for m in others if len(near[m]) > 1] or others for name, others in near.items()}
    place: dict[str, float] = {}
    for layer in layers:
        total = sum(breadth[n] + DOWN for n in layer)
        place |= dict(zip(layer, _apart(layer, [-total / 2] * len(layer), breadth, weights), strict=True))
    for sweep in range(_STRAIGHTENINGS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = [sum(place[m] for m in heeded[n]) / len(heeded[n]) if near[n] else place[n] for n in layer]
            place |= dict(zip(layer, _apart(layer, wanted, breadth, weights), strict=True))
    return place


def _apart(
    layer: Sequence[str], wanted: Sequence[float], breadth: Mapping[str, float], weights: Mapping[str, float]
) -> list[float]:
    """The places nearest to those wanted (least squares) at which boxes do not overlap: neighbours too close are pooled."""
    offsets, at = [], 0.0
    for k, name in enumerate(layer):
        at += (breadth[layer[k - 1]] + breadth[name]) / 2 + DOWN if k else 0.0
        offsets.append(at)
    pools: list[tuple[float, float, int]] = []  # mean, weight, count
    for name, want, offset in zip(layer, wanted, offsets, strict=True):
        pools.append((want - offset, weights[name], 1))
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            (a, v, m), (b, w, n) = pools[-2:]
            pools[-2:] = [((a * v + b * w) / (v + w), v + w, m + n)]
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _route(
    chain: Sequence[str], centres: Mapping[str, Point], sizes: Mapping[str, Size], downwards: bool
) -> list[Point]:
    """From the border of one box to the border of the other, by way of the places between."""
    along = 1 if downwards else 0
    first, last = chain[0], chain[-1]
    start, end = list(centres[first]), list(centres[last])
    start[along] += sizes[first][along] / 2
    end[along] -= sizes[last][along] / 2
    return [(start[0], start[1]), *(centres[stop] for stop in chain[1:-1]), (end[0], end[1])]
