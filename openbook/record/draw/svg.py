"""A computation drawn as a graph: boxes with value and gradient, arrows with local slopes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from openbook.expr import text
from openbook.record.draw.lines import shown_value
from openbook.record.graph import Edge, Graph, Node
from openbook.record.working import Working

__all__ = ["draw", "draw_graph", "graph_of"]

_CHARACTER, _LINE, _PAD = 7.1, 17.0, 10.0  # pixels: of a 12 px system font, a line, and inside a box
_ACROSS, _DOWN, _MARGIN = 74.0, 22.0, 12.0
_LONGEST = 26  # characters in a box before it is shortened (the whole is in its title)
_WIDEST = 900.0  # pixels: a longer chain is drawn downwards
_STEP_DOWN = 40.0  # between the boxes of a chain drawn downwards

STYLE = """
.ob-graph{font:12px/1.3 system-ui,sans-serif;max-width:none;height:auto;color:inherit}
.ob-graph text{fill:currentColor}
.ob-graph .box{fill:var(--ob-paper,#fff);stroke:var(--ob-line,#9aa3af);stroke-width:1.2}
.ob-graph .parameter .box{stroke:var(--ob-accent,#2563a8);stroke-width:1.8}
.ob-graph .output .box{stroke-width:2.2;stroke:currentColor}
.ob-graph .name{font-weight:600;font-size:13px}
.ob-graph .formula{fill:var(--ob-quiet,#667085)}
.ob-graph .gradient,.ob-graph .slope{fill:var(--ob-contrast,#c2410c)}
.ob-graph .edge{fill:none;stroke:var(--ob-line,#9aa3af);stroke-width:1.3}
.ob-graph .slope{font-size:11px;paint-order:stroke;stroke:var(--ob-paper,#fff);stroke-width:4px}
"""


@dataclass(frozen=True)
class _Box:
    node: Node
    lines: tuple[tuple[str, str], ...]  # class, text
    width: float
    height: float


def draw(working: Working) -> str:
    """The working's graph, or its steps and their inputs as one."""
    return draw_graph(working.graph or graph_of(working), working.title)


def graph_of(working: Working) -> Graph:
    """Steps as nodes, inputs as edges."""
    names = {id(step): f"{i}" for i, step in enumerate(working.steps)}
    nodes = [
        Node(names[id(s)], s.name, text(s.formula) if s.formula is not None else "", s.value,
             kind="operation" if s.inputs else "input")
        for s in working.steps
    ]  # fmt: skip
    edges = [Edge(names[id(i)], names[id(s)]) for s in working.steps for i in s.inputs if id(i) in names]
    return Graph(tuple(nodes), tuple(edges))


def draw_graph(graph: Graph, title: str) -> str:
    """An SVG element that follows the page's colours, and stands alone too."""
    boxes = {node.id: _box(node, graph.gradient_of) for node in graph.nodes}
    layers = _layers(graph)
    place = _places(layers, boxes)
    width = max((x + boxes[n].width for n, (x, _) in place.items()), default=0) + _MARGIN
    height = max((y + boxes[n].height for n, (_, y) in place.items()), default=0) + _MARGIN
    parts = [_edge(edge, place, boxes) for edge in graph.edges]
    parts += [_node(boxes[node.id], *place[node.id]) for node in graph.nodes]
    told = "; ".join(f"{n.label} = {shown_value(n.value)}" for n in graph.nodes[:12])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ob-graph" role="img" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}"><title>{escape(title)}</title><desc>{escape(told)}</desc>'
        f'<style>{STYLE}</style><defs><marker id="ob-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#9aa3af"/></marker></defs>{"".join(parts)}</svg>'
    )


def _box(node: Node, root: str) -> _Box:
    lines = [("name", node.label)]
    if node.formula:
        lines.append(("formula", node.formula))
    if node.value is not None:
        lines.append(("value", f"= {shown_value(node.value)}"))
    if node.gradient is not None:
        derivative = f"d{root}/d{node.label} = {shown_value(node.gradient)}"
        lines.append(
            ("gradient", derivative if len(derivative) <= _LONGEST else f"gradient {shown_value(node.gradient)}")
        )
    short = tuple((kind, line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…") for kind, line in lines)
    width = max(len(line) for _, line in short) * _CHARACTER + 2 * _PAD
    return _Box(node, short, max(width, 56.0), len(short) * _LINE + 1.3 * _PAD)


def _layers(graph: Graph) -> list[list[str]]:
    """Each node one column right of the last of its inputs; inputs directly before their first use."""
    sources: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    targets: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        sources[edge.target].append(edge.source)
        targets[edge.source].append(edge.target)
    column: dict[str, int] = {}
    for name in _inputs_first(graph, sources):
        column[name] = max((column[s] + 1 for s in sources[name]), default=0)
    for node in graph.nodes:  # what is only given waits beside where it is used
        if not sources[node.id] and targets[node.id]:
            column[node.id] = min(column[t] for t in targets[node.id]) - 1
    layers: list[list[str]] = [[] for _ in range(max(column.values(), default=0) + 1)]
    for node in graph.nodes:
        layers[column[node.id]].append(node.id)
    return _untangled(layers, sources, targets)


def _inputs_first(graph: Graph, sources: Mapping[str, Sequence[str]]) -> list[str]:
    done: dict[str, None] = {}
    waiting = [node.id for node in reversed(graph.nodes)]
    while waiting:
        node = waiting[-1]
        open_ = [s for s in sources[node] if s not in done]
        if node in done or not open_:
            waiting.pop()
            done.setdefault(node)
        else:
            waiting.extend(open_)
    return list(done)


def _untangled(
    layers: list[list[str]], sources: Mapping[str, Sequence[str]], targets: Mapping[str, Sequence[str]]
) -> list[list[str]]:
    """Sort each column by the mean place of its neighbours, to and fro (Sugiyama et al. 1981)."""
    for sweep in range(8):
        forward = sweep % 2 == 0
        near = sources if forward else targets
        place = {node: i / max(1, len(layer)) for layer in layers for i, node in enumerate(layer)}
        for layer in layers if forward else reversed(layers):
            layer.sort(key=lambda n: sum(place[m] for m in near[n]) / len(near[n]) if near[n] else place[n])
            for i, node in enumerate(layer):
                place[node] = i / max(1, len(layer))
    return layers


def _places(layers: list[list[str]], boxes: Mapping[str, _Box]) -> dict[str, tuple[float, float]]:
    """From left to right; a chain too long for a page from top to bottom."""
    width = sum(max((boxes[n].width for n in layer), default=0) + _ACROSS for layer in layers)
    if width > _WIDEST and all(len(layer) == 1 for layer in layers):
        return _downwards([layer[0] for layer in layers], boxes)
    return _rightwards(layers, boxes)


def _downwards(chain: list[str], boxes: Mapping[str, _Box]) -> dict[str, tuple[float, float]]:
    widest = max(boxes[n].width for n in chain)
    place: dict[str, tuple[float, float]] = {}
    y = _MARGIN
    for node in chain:
        place[node] = (_MARGIN + (widest - boxes[node].width) / 2, y)
        y += boxes[node].height + _STEP_DOWN
    return place


def _rightwards(layers: list[list[str]], boxes: Mapping[str, _Box]) -> dict[str, tuple[float, float]]:
    heights = [sum(boxes[n].height for n in layer) + _DOWN * (len(layer) - 1) for layer in layers]
    tallest = max(heights, default=0)
    place: dict[str, tuple[float, float]] = {}
    x = _MARGIN
    for layer, height in zip(layers, heights, strict=True):
        y = _MARGIN + (tallest - height) / 2
        widest = max((boxes[n].width for n in layer), default=0)
        for node in layer:
            place[node] = (x + (widest - boxes[node].width) / 2, y)
            y += boxes[node].height + _DOWN
        x += widest + _ACROSS
    return place


def _node(box: _Box, x: float, y: float) -> str:
    whole = escape(f"{box.node.label}: {box.node.formula}" if box.node.formula else box.node.label)
    rows = "".join(
        f'<text class="{kind}" x="{x + box.width / 2:.1f}" y="{y + _PAD * 0.4 + _LINE * (i + 0.9):.1f}" '
        f'text-anchor="middle">{escape(line)}</text>'
        for i, (kind, line) in enumerate(box.lines)
    )
    return (
        f'<g class="{box.node.kind}" data-name="{escape(box.node.label, quote=True)}"><title>{whole}</title>'
        f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="7"/>{rows}</g>'
    )


def _edge(edge: Edge, place: Mapping[str, tuple[float, float]], boxes: Mapping[str, _Box]) -> str:
    """An arrow with its local slope beside it: to the right, or straight down."""
    (x1, y1), (x2, y2) = place[edge.source], place[edge.target]
    if x2 < x1 + boxes[edge.source].width:
        x, y1 = x1 + boxes[edge.source].width / 2, y1 + boxes[edge.source].height
        return _arrow(f"M{x:.1f} {y1:.1f}L{x:.1f} {y2:.1f}", edge.local, x + 8, (y1 + y2) / 2 + 4, "start")
    x1, y1, y2 = x1 + boxes[edge.source].width, y1 + boxes[edge.source].height / 2, y2 + boxes[edge.target].height / 2
    bend = max(24.0, (x2 - x1) / 2)
    curve = f"M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    return _arrow(curve, edge.local, (x1 + x2) / 2, (y1 + y2) / 2 - 5, "middle")


def _arrow(path: str, local: float | None, x: float, y: float, anchor: str) -> str:
    drawn = f'<path class="edge" d="{path}" marker-end="url(#ob-arrow)"/>'
    if local is None:
        return drawn
    return f'{drawn}<text class="slope" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">×{shown_value(local)}</text>'
