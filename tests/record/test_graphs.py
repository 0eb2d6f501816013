"""Graphs as pictures: nothing overlaps, arrows keep clear of boxes, large ones fold and lose nothing."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from xml.etree import ElementTree

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import openbook as ob
from openbook import nn
from openbook.record import Edge, Graph, Node
from openbook.record.draw.fold import MOST, folded
from openbook.record.draw.layout import laid_out
from openbook.record.draw.svg import draw_graph


@st.composite
def graphs(draw: st.DrawFn, most: int = 25) -> Graph:
    """Arrows from earlier to later boxes, some in modules."""
    count = draw(st.integers(1, most))
    groups = st.sampled_from(["", "a", "a.x", "a.y", "b"])
    nodes = [Node(str(i), f"n{i}", group=draw(groups)) for i in range(count)]
    pairs = [(i, j) for j in range(1, count) for i in draw(st.sets(st.integers(0, j - 1), max_size=3))]
    return Graph(tuple(nodes), tuple(Edge(str(i), str(j)) for i, j in pairs))


@settings(max_examples=60, deadline=None)
@given(graphs(), st.integers(20, 160))
def test_boxes_stand_apart_and_arrows_lead_forward(graph: Graph, width: int) -> None:
    sizes = {node.id: (width + 7.0 * (i % 3), 40.0) for i, node in enumerate(graph.nodes)}
    layout = laid_out(graph, sizes)
    boxes = {n: (x, y, x + sizes[n][0], y + sizes[n][1]) for n, (x, y) in layout.corners.items()}
    for (a, b, c, d), (e, f, g, h) in combinations(boxes.values(), 2):
        assert c <= e or g <= a or d <= f or h <= b
    assert all(x >= 0 and y >= 0 and u <= layout.width and v <= layout.height for x, y, u, v in boxes.values())
    along = 1 if layout.downwards else 0
    for edge, route in zip(graph.edges, layout.routes, strict=True):
        assert all(p[along] < q[along] for p, q in pairwise(route))
        for x, y in route[1:-1]:
            assert not any(a < x < c and b < y < d for a, b, c, d in boxes.values())
        assert route[0][along] >= boxes[edge.source][along + 2] - 1e-6


@settings(max_examples=60, deadline=None)
@given(graphs(most=40), st.integers(4, 12))
def test_folding_loses_nothing(graph: Graph, most: int) -> None:
    whole, folds = folded(graph, most)
    shown = [n.id for n in whole.nodes if n.kind != "fold"]
    inside = [n.id for fold in folds for n in fold.graph.nodes]
    assert set(shown) | set(inside) == {n.id for n in graph.nodes}
    assert not set(shown) & set(inside)
    computed = {e.target for e in graph.edges}
    assert len([n for n in inside if n in computed]) == len({n for n in inside if n in computed})
    assert [n.id for n in whole.nodes if n.kind == "fold"] == [f.id for f in folds] or not folds
    laid_out(whole, {n.id: (50.0, 20.0) for n in whole.nodes})  # would not end if arrows went round in circles
    position = {n.id: k for k, n in enumerate(whole.nodes)}
    assert all(e.source in position and e.target in position for e in whole.edges)


def test_a_small_graph_is_not_folded() -> None:
    graph = Graph(tuple(Node(str(i), str(i)) for i in range(MOST)), ())
    assert folded(graph) == (graph, ())


def working(layers: int) -> ob.record.Working:
    ob.manual_seed(0)
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0), layers)
    loss = (model(ob.randn(3, 2, 4)) ** 2).mean()
    return ob.explain(loss, wrt="layers.0.linear1.weight", model=model, at=(0, 0))


def test_the_graph_of_a_net_has_its_numbers() -> None:
    ob.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double()
    x = ob.randn(8, 4).double()
    loss = nn.MSELoss()(model(x), ob.zeros(8, 3).double())
    explained = ob.explain(loss, wrt="0.weight", model=model, at=(2, 1))
    loss.backward()
    graph = explained.graph
    assert graph is not None
    by_label = {node.label: node for node in graph.nodes}
    assert by_label["0.weight[2, 1]"].gradient == model[0].weight.grad.data[2, 1]
    assert by_label["L"].value == float(loss)
    rms = float(np.sqrt(np.mean(model[2].weight.grad.data ** 2)))
    assert f"{rms:.4f}" in by_label["2.weight"].gradient
    slopes = [edge.local for edge in graph.edges if edge.local is not None]
    assert len(slopes) == 4 and np.prod(slopes) != 0  # weight → z → h → z → L
    assert {e.source for e in graph.edges} | {e.target for e in graph.edges} == {n.id for n in graph.nodes}


def test_the_same_net_gives_the_same_page() -> None:
    """No address of memory gets into a picture."""
    assert working(2).html() == working(2).html()
    assert working(2).to_dict() == working(2).to_dict()


def test_a_large_net_is_folded_and_opens_by_click() -> None:
    explained = working(8)
    graph = explained.graph
    assert graph is not None and len(graph.nodes) > MOST
    whole, folds = folded(graph)
    assert len(whole.nodes) <= MOST
    assert any(fold.label.startswith("layers.3") for fold in folds)
    page = explained.html()
    targets, ids = re.findall(r'href="#([^"]+)"', page), set(re.findall(r'id="([^"]+)"', page))
    assert len(targets) == len(folds) and set(targets) <= ids
    drawn = explained.svg()
    ElementTree.fromstring(drawn)
    assert "operations" in drawn and "href" not in drawn


def test_shared_weights_are_shown_where_they_are_used() -> None:
    ob.manual_seed(0)
    model = nn.LSTMCell(4, 3)
    state = model(ob.randn(2, 4))
    for _ in range(29):
        state = model(ob.randn(2, 4), state)
    loss = (state[0] ** 2).mean()
    graph = ob.explain(loss, wrt="weight_hh", model=model).graph
    assert graph is not None
    _, folds = folded(graph)
    inside = [fold for fold in folds if any(n.label.startswith("weight_hh") for n in fold.graph.nodes)]
    assert len(inside) > 3


def test_text_in_boxes_is_escaped() -> None:
    drawn = draw_graph(Graph((Node("0", "<a&b>", "x < y", "1 < 2"),), ()), "<t>")
    ElementTree.fromstring(drawn)
