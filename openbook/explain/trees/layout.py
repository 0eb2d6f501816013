"""Where the boxes of a tree stand: each level in a band of its own, subtrees as close as their outlines allow.

Reingold and Tilford, Tidier Drawings of Trees (1981), for boxes of different widths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Places", "placed"]

GAP, BAND = 14.0, 46.0  # pixels between neighbours, and between levels
Size = tuple[float, float]


@dataclass(frozen=True)
class Places:
    """The middle of every box across the tree, where it begins along the tree, and how much room all take."""

    middle: Mapping[int, float]
    start: Mapping[int, float]
    across: float
    along: float


def placed(
    nodes: Sequence[int],
    children: Callable[[int], tuple[int, int] | None],
    level: Callable[[int], int],
    sizes: Mapping[int, Size],
    band: float = BAND,
) -> Places:
    """Place boxes of these sizes (across, along), `band` between levels; `nodes` come before their children."""
    pairs = {node: pair for node in nodes if (pair := children(node))}
    offset: dict[int, float] = {nodes[0]: 0.0}
    outlines: dict[int, tuple[list[float], list[float]]] = {}
    for node in reversed(nodes):
        half = sizes[node][0] / 2
        if node not in pairs:
            outlines[node] = [-half], [half]
            continue
        left, right = pairs[node]
        (low, high), apart = _joined(outlines.pop(left), outlines.pop(right))
        offset[left], offset[right] = -apart / 2, apart / 2
        outlines[node] = [-half, *low], [half, *high]
    middle: dict[int, float] = {nodes[0]: -min(outlines[nodes[0]][0])}
    for node, pair in sorted(pairs.items(), key=lambda item: level(item[0])):
        for child in pair:
            middle[child] = middle[node] + offset[child]
    starts = _bands(nodes, level, sizes, band)
    start = {node: starts[level(node)] for node in nodes}
    return Places(
        middle, start, max(outlines[nodes[0]][1]) + middle[nodes[0]], max(start[n] + sizes[n][1] for n in nodes)
    )


def _joined(
    left: tuple[list[float], list[float]], right: tuple[list[float], list[float]]
) -> tuple[tuple[list[float], list[float]], float]:
    """The outline of two subtrees side by side, seen from the point between their roots, and how far these are apart."""
    apart = max(high - low for high, low in zip(left[1], right[0], strict=False)) + GAP
    at = apart / 2
    low = [x - at for x in left[0]] + [x + at for x in right[0][len(left[0]) :]]
    high = [x + at for x in right[1]] + [x - at for x in left[1][len(right[1]) :]]
    return (low, high), apart


def _bands(
    nodes: Sequence[int], level: Callable[[int], int], sizes: Mapping[int, Size], band: float
) -> dict[int, float]:
    """Where each level begins: after the longest box of the level before."""
    longest: dict[int, float] = {}
    for node in nodes:
        longest[level(node)] = max(longest.get(level(node), 0.0), sizes[node][1])
    starts, at = {}, 0.0
    for number in sorted(longest):
        starts[number] = at
        at += longest[number] + band
    return starts
