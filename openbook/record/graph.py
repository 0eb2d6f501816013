"""A computation as a graph with numbers on it, for drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Edge", "Graph", "Node"]


@dataclass(frozen=True, eq=False)
class Node:
    """A box: its name, how it is computed (`formula` in short), its value, and its gradient where there is one.

    `kind` is "input", "parameter", "operation", "output", or "fold" for a box that stands for many; `group` the module
    it belongs to, as "encoder.layers.0". A value or gradient that is a text is shown as it is.
    """

    id: str
    label: str
    formula: str = ""
    value: Any = None
    gradient: Any = None
    kind: str = "operation"
    group: str = ""


@dataclass(frozen=True, eq=False)
class Edge:
    """An arrow from an input to what is computed from it, with the local slope on it."""

    source: str
    target: str
    local: Any = None


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes, inputs before what is computed from them, and the edges between them."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    gradient_of: str = ""  # "L" where gradients are dL/d…
