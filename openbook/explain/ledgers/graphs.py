"""Reading recorded graphs: names for what is in them, local slopes of one operation, the whole computation again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from openbook.errors import ExplainError
from openbook.ops.move import sum_to
from openbook.tensor import Tensor, enable_grad, grad_of
from openbook.tensor.autograd import GraphNode, nodes_behind, origin_of

__all__ = ["key_of", "local_slopes", "names_for", "source_of", "trace_back"]

# What textbooks call the value of an operation.
_LETTERS = {"linear": "z", "relu": "h", "tanh": "h", "sigmoid": "h", "silu": "h", "leaky_relu": "h", "softplus": "h"}


def trace_back(output: Tensor) -> list[GraphNode]:
    """The operations behind a value, oldest first; an ExplainError if it was not computed, or has been forgotten."""
    if output.node is None:
        raise ExplainError(
            "this tensor was given, not computed: there is nothing to explain",
            do="compute it from tensors with requires_grad=True, outside no_grad()",
        )
    nodes = list(reversed(nodes_behind([output])))
    for node in nodes:
        node.require()
    return nodes


def names_for(nodes: Iterable[GraphNode], output: Tensor, given: Mapping[str, Tensor]) -> dict[int, str]:
    """A name for every tensor and operation, by id: those given, the tensors' own, and letters with a number."""
    names = {key_of(tensor): name for name, tensor in given.items()}
    counts: dict[str, int] = {}
    nodes = list(nodes)
    letters = [_LETTERS.get(node.op.name, node.op.name) for node in nodes]
    for node, letter in zip(nodes, letters, strict=True):
        for value in node.require():
            if isinstance(value, Tensor) and value.node is None and id(value) not in names:
                counts["x"] = counts.get("x", 0) + 1
                names[id(value)] = value.name or f"x_{counts['x']}"
        if node is output.node:
            names.setdefault(id(node), output.name or "L")
        elif id(node) not in names:
            counts[letter] = counts.get(letter, 0) + 1
            names[id(node)] = f"{letter}_{counts[letter]}" if letters.count(letter) > 1 else letter
    return names


def key_of(value: Any) -> int:
    """By what a tensor is known in a graph: the operation it came from, or itself if it was given."""
    node = getattr(value, "node", None)
    return id(value if node is None else node)


def source_of(x: Tensor, consumer: GraphNode) -> int:
    """The key of an input as it was when an operation used it: it may have been changed in place since."""
    origin = origin_of(x, consumer)
    return id(x if origin is None else origin)


def local_slopes(node: GraphNode, position: int, index: tuple[int, ...]) -> np.ndarray:
    """∂(every entry of the output)/∂(one entry of an input): a column of the operation's Jacobian.

    The rule in `gradient` is linear in its cotangent; differentiating it by the cotangent turns rows into columns.
    """
    inputs = node.require()
    g = Tensor(np.zeros_like(node.output), requires_grad=True)
    plain = [Tensor(x.data) if isinstance(x, Tensor) else x for x in inputs]
    with enable_grad():
        kept = {"kept": node.kept} if node.op.keeping is not None and node.op.constant else {}
        result = node.op.gradient(g, Tensor(node.output), *plain, **node.parameters, **kept)
        row = result[position] if isinstance(result, tuple) else result
        row = row() if callable(row) else row
        row = sum_to(row, inputs[position].shape)
        if not isinstance(row, Tensor):  # zero whatever arrives
            return np.zeros_like(node.output)
        (column,) = grad_of(row[index] if index else row, [g])
    return column.data if column is not None else np.zeros_like(node.output)
