"""Boxes of trees of any shape stand apart, children below their parents, the left ones to the left."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from openbook.explain.trees.layout import placed


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[int], dict[int, tuple[int, int]], dict[int, tuple[float, float]]]:
    """Nodes before their children, the pairs of children, and a size for every node."""
    pairs: dict[int, tuple[int, int]] = {}
    leaves, count = [0], 1
    for _ in range(draw(st.integers(0, 40))):
        node = leaves.pop(draw(st.integers(0, len(leaves) - 1)))
        pairs[node] = (count, count + 1)
        leaves += [count, count + 1]
        count += 2
    nodes, waiting = [], [0]
    while waiting:
        nodes.append(node := waiting.pop())
        waiting += reversed(pairs.get(node, ()))
    wide = st.floats(5, 300)
    return nodes, pairs, {node: (draw(wide), draw(wide)) for node in nodes}


@settings(max_examples=150, deadline=None)
@given(trees())
def test_boxes_stand_apart(tree: tuple) -> None:
    nodes, pairs, sizes = tree
    level = {0: 0}
    for node in nodes:
        for child in pairs.get(node, ()):
            level[child] = level[node] + 1
    places = placed(nodes, pairs.get, level.__getitem__, sizes)
    boxes = {
        n: (places.middle[n] - w / 2, places.start[n], places.middle[n] + w / 2, places.start[n] + h)
        for n, (w, h) in sizes.items()
    }
    for (a, b, c, d), (e, f, g, h) in combinations(boxes.values(), 2):
        assert c <= e + 1e-6 or g <= a + 1e-6 or d <= f or h <= b
    assert all(x >= -1e-6 and u <= places.across + 1e-6 and v <= places.along for x, _, u, v in boxes.values())
    for node, (left, right) in pairs.items():
        assert places.middle[left] < places.middle[node] < places.middle[right]
        assert boxes[node][3] < min(boxes[left][1], boxes[right][1])
