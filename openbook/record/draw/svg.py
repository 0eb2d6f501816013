"""A computation drawn as a graph: boxes with value and gradient, arrows with local slopes."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from openbook.expr import text
from openbook.record.draw.fold import folded
from openbook.record.draw.layout import laid_out
from openbook.record.draw.lines import shown_value
from openbook.record.graph import Edge, Graph, Node
from openbook.record.working import Working

__all__ = ["draw", "draw_graph", "graph_of"]

_CHARACTER, _LINE, _PAD = 7.1, 17.0, 10.0  # pixels: of a 12 px system font, a line, and inside a box
_LONGEST = 26  # characters in a box before it is shortened (the whole is in its title)

STYLE = """
.ob-graph{font:12px/1.3 system-ui,sans-serif;max-width:none;height:auto;color:inherit}
.ob-graph text{fill:currentColor}
.ob-graph .box{fill:var(--ob-paper,#fff);stroke:var(--ob-line,#9aa3af);stroke-width:1.2}
.ob-graph .parameter .box{stroke:var(--ob-accent,#2563a8);stroke-width:1.8}
.ob-graph .output .box{stroke-width:2.2;stroke:currentColor}
.ob-graph .path .box{stroke:var(--ob-contrast,#c2410c);stroke-width:2.2}
.ob-graph .fold .box{stroke-dasharray:5 3;stroke:var(--ob-accent,#2563a8)}
.ob-graph a{cursor:pointer;color:inherit;text-decoration:none}.ob-graph a:hover .box,.ob-graph a:focus .box{fill:var(--ob-soft,#eef)}
.ob-graph .name{font-weight:600;font-size:13px}
.ob-graph .formula{fill:var(--ob-quiet,#667085)}
.ob-graph .gradient,.ob-graph .slope{fill:var(--ob-contrast,#c2410c)}
.ob-graph .edge{fill:none;stroke:var(--ob-line,#9aa3af);stroke-width:1.3}
.ob-graph .slope{font-size:11px;paint-order:stroke;stroke:var(--ob-paper,#fff);stroke-width:4px}
.ob-graph .ob-lit>.box{fill:var(--ob-mark,#fff1c2)}
.ob-graph text.ob-lit{paint-order:stroke;stroke:var(--ob-mark,#fff1c2);stroke-width:7px}
"""


@dataclass(frozen=True)
class _Box:
    node: Node
    lines: tuple[tuple[str, str], ...]  # class, text
    width: float
    height: float
    gradient: str  # what its gradient is called


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


def draw_graph(graph: Graph, title: str, links: Mapping[str, str] | None = None) -> str:
    """An SVG element that follows the page's colours, and stands alone too; `links` leads from boxes to places on the page.

    A graph of very many boxes is folded first. With links in it, it is more than an image to a screen reader.
    """
    if links is None:
        graph, _ = folded(graph)
    boxes = {node.id: _box(node, graph.gradient_of) for node in graph.nodes}
    layout = laid_out(graph, {name: (box.width, box.height) for name, box in boxes.items()})
    labels = {node.id: node.label for node in graph.nodes}
    parts = [
        _edge(edge, f"∂{labels[edge.target]}/∂{labels[edge.source]}", route, layout.downwards)
        for edge, route in zip(graph.edges, layout.routes, strict=True)
    ]
    parts += [_linked(_node(boxes[n.id], *layout.corners[n.id]), (links or {}).get(n.id, "")) for n in graph.nodes]
    told = "; ".join(f"{n.label} = {shown_value(n.value)}" for n in graph.nodes[:12])
    width, height = layout.width, layout.height
    role = "group" if links else "img"
    arrow = f"ob-arrow-{zlib.crc32(''.join(parts).encode()):08x}"
    drawn = "".join(parts).replace("url(#ob-arrow)", f"url(#{arrow})")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ob-graph" role="{role}" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}"><title>{escape(title)}</title><desc>{escape(told)}</desc>'
        f'<style>{STYLE}</style><defs><marker id="{arrow}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#9aa3af"/></marker></defs>{drawn}</svg>'
    )


def _linked(drawn: str, target: str) -> str:
    return f'<a href="#{escape(target, quote=True)}">{drawn}</a>' if target else drawn


def _box(node: Node, root: str) -> _Box:
    lines = [("name", node.label)]
    if node.formula:
        lines.append(("formula", node.formula))
    if node.value is not None:
        lines.append(("value", node.value if isinstance(node.value, str) else f"= {shown_value(node.value)}"))
    name = f"d{root}/d{node.label}"
    if node.gradient is not None:
        derivative = f"{name} = {shown_value(node.gradient)}"
        derivative = node.gradient if isinstance(node.gradient, str) else derivative
        lines.append(
            ("gradient", derivative if len(derivative) <= _LONGEST else f"gradient {shown_value(node.gradient)}")
        )
    short = tuple((kind, line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…") for kind, line in lines)
    width = max(len(line) for _, line in short) * _CHARACTER + 2 * _PAD
    return _Box(node, short, max(width, 56.0), len(short) * _LINE + 1.3 * _PAD, name)


def _node(box: _Box, x: float, y: float) -> str:
    whole = escape(f"{box.node.label}: {box.node.formula}" if box.node.formula else box.node.label)
    rows = "".join(
        f'<text class="{kind}"{_tied(box.gradient if kind == "gradient" else "")} x="{x + box.width / 2:.1f}" '
        f'y="{y + _PAD * 0.4 + _LINE * (i + 0.9):.1f}" '
        f'text-anchor="middle">{escape(line)}</text>'
        for i, (kind, line) in enumerate(box.lines)
    )
    return (
        f'<g class="{box.node.kind}"{_tied(box.node.label)}><title>{whole}</title>'
        f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="7"/>{rows}</g>'
    )


def _tied(name: str) -> str:
    """The step that a box or number stands for, by which a page ties it to the others."""
    return f' data-name="{escape(name, quote=True)}"' if name else ""


def _edge(edge: Edge, slope: str, route: list[tuple[float, float]], downwards: bool) -> str:
    """An arrow through the points of its route, its local slope beside its middle."""
    path = f"M{route[0][0]:.1f} {route[0][1]:.1f}"
    for (x1, y1), (x2, y2) in pairwise(route):
        if downwards:
            bend = (y2 - y1) / 2
            path += f"C{x1:.1f} {y1 + bend:.1f} {x2:.1f} {y2 - bend:.1f} {x2:.1f} {y2:.1f}"
        else:
            bend = (x2 - x1) / 2
            path += f"C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    (x1, y1), (x2, y2) = route[0], route[1]
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return _arrow(path, edge.local, slope, x + 8 if downwards else x, y + 4 if downwards else y - 5, downwards)


def _arrow(path: str, local: float | None, name: str, x: float, y: float, beside: bool) -> str:
    drawn = f'<path class="edge" d="{path}" marker-end="url(#ob-arrow)"/>'
    if local is None:
        return drawn
    anchor = "start" if beside else "middle"
    return f'{drawn}<text class="slope"{_tied(name)} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">×{shown_value(local)}</text>'
