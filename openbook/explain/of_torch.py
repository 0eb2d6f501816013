"""A scalar loss that PyTorch recorded: local × upstream through torch's own graph, checked against torch itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch

from openbook.errors import ExplainError, GraphError
from openbook.explain.dispatch import explains
from openbook.explain.entries import Index, Operation, Question, explain_entry
from openbook.record import Working

__all__ = ["explain_torch"]

_LETTERS = {"Addmm": "z", "Tanh": "h", "Relu": "h", "Sigmoid": "h", "Gelu": "h", "Silu": "h", "T": "Wᵀ"}


@explains(torch.Tensor)
def explain_torch(
    loss: torch.Tensor,
    wrt: torch.Tensor | str | None = None,
    at: Index | int | None = None,
    names: Mapping[str, torch.Tensor] | None = None,
    model: torch.nn.Module | None = None,
    top: int = 4,
) -> Working:
    """Show how d loss / d (one entry of `wrt`) comes about in PyTorch's graph.

    `wrt` is a leaf the loss was computed from, or its name in `names` or in `model.named_parameters()`; by default the
    first parameter. Ask before `loss.backward()`, which frees the graph. Raises ExplainError for a loss without a graph.
    """
    if loss.grad_fn is None or loss.numel() != 1:
        raise ExplainError(
            "only a single number that PyTorch computed from parameters has a ledger",
            do="pass the loss itself, before backward() and outside torch.no_grad()",
        )
    nodes = _oldest_first(loss.grad_fn)
    known = dict(names or {}) | (dict(model.named_parameters()) if model is not None else {})
    leaves = {id(n): n.variable for n in nodes if hasattr(n, "variable")}
    target = _target(wrt, known, leaves)
    key = next((k for k, leaf in leaves.items() if leaf is target), None)
    if key is None:
        raise ExplainError(
            "the loss does not depend on this tensor", do="choose a parameter the loss was computed from"
        )
    upstream = _upstream(loss, nodes)
    labels = _labels(nodes, leaves, known)
    operations = [
        _operation(node, nodes, labels, upstream) for node in nodes if id(node) not in leaves and id(node) in upstream
    ]
    gradient = upstream[key].numpy()
    eps = float(torch.finfo(loss.dtype).eps)
    question = Question(key, labels[key], target.detach().numpy(), gradient, eps)
    return explain_entry(operations, loss.item(), question, at, top)


def _target(wrt: Any, known: Mapping[str, torch.Tensor], leaves: Mapping[int, torch.Tensor]) -> torch.Tensor:
    if isinstance(wrt, torch.Tensor):
        return wrt
    if isinstance(wrt, str):
        if wrt not in known:
            raise ExplainError(f"no tensor is called {wrt!r}", do=f"choose one of {', '.join(known) or 'names={…}'}")
        return known[wrt]
    return next(iter(known.values())) if known else next(iter(leaves.values()))


def _oldest_first(last: Any) -> list[Any]:
    """All of torch's graph nodes behind the loss, each after those it was computed from."""
    seen: dict[int, Any] = {}
    done: list[Any] = []
    waiting = [(last, False)]
    while waiting:
        node, visited = waiting.pop()
        if visited:
            done.append(node)
        elif id(node) not in seen:
            seen[id(node)] = node
            waiting.append((node, True))
            waiting.extend((n, False) for n, _ in node.next_functions if n is not None)
    return done


def _upstream(loss: torch.Tensor, nodes: list[Any]) -> dict[int, torch.Tensor]:
    """What arrives at every node on torch's own way back."""
    arrived: dict[int, torch.Tensor] = {}

    def watch(node: Any) -> Any:
        def hook(grads: tuple[torch.Tensor | None, ...]) -> None:
            if grads[0] is not None:
                arrived[id(node)] = grads[0].detach().clone()

        return node.register_prehook(hook)

    leaves = [n.variable for n in nodes if hasattr(n, "variable")]
    handles = [watch(n) for n in nodes if not hasattr(n, "variable")]
    try:
        grads = torch.autograd.grad(loss, leaves, retain_graph=True, allow_unused=True)
    except RuntimeError as problem:
        raise GraphError(
            "PyTorch has freed the graph behind this loss", do="ask before backward(), or backward(retain_graph=True)"
        ) from problem
    finally:
        for handle in handles:
            handle.remove()
    nodes_of = [n for n in nodes if hasattr(n, "variable")]
    return arrived | {id(n): g.detach() for n, g in zip(nodes_of, grads, strict=True) if g is not None}


def _rule(node: Any) -> str:
    """`AddmmBackward0` is torch's name for what people call addmm."""
    return node.name().split("::")[-1].partition("Backward")[0]


def _labels(nodes: list[Any], leaves: Mapping[int, torch.Tensor], known: Mapping[str, torch.Tensor]) -> dict[int, str]:
    given = {id(tensor): name for name, tensor in known.items()}
    labels: dict[int, str] = {}
    counts: dict[str, int] = {}
    letters = [_LETTERS.get(_rule(n), _rule(n).lower()) for n in nodes]
    for node, letter in zip(nodes, letters, strict=True):
        if id(node) in leaves:
            counts["p"] = counts.get("p", 0) + 1
            labels[id(node)] = given.get(id(leaves[id(node)]), f"p_{counts['p']}")
        else:
            counts[letter] = counts.get(letter, 0) + 1
            labels[id(node)] = f"{letter}_{counts[letter]}" if letters.count(letter) > 1 else letter
    labels[id(nodes[-1])] = "L"
    return labels


def _operation(
    node: Any, nodes: list[Any], labels: Mapping[int, str], upstream: Mapping[int, torch.Tensor]
) -> Operation:
    return Operation(
        key=id(node),
        name=labels[id(node)],
        rule=_rule(node).lower(),
        inputs=tuple(id(n) if n is not None else 0 for n, _ in node.next_functions),
        value=_value(node, nodes, upstream[id(node)].shape),
        upstream=upstream[id(node)].numpy(),
        slopes=partial(_local_slopes, node, upstream[id(node)]),
    )


def _local_slopes(node: Any, like: torch.Tensor, position: int, index: Index) -> np.ndarray:
    """∂(every entry of the output) / ∂(one entry of an input): torch's rule is linear in what arrives; differentiate it."""
    g = torch.zeros_like(like, requires_grad=True)
    with torch.enable_grad():
        rows = node(g)
        row = rows[position] if isinstance(rows, tuple) else rows
        row = row.sum_to_size(row.shape)[index] if index else row.sum()
        (column,) = torch.autograd.grad(row, g, allow_unused=True)
    return column.numpy() if column is not None else np.zeros(tuple(like.shape))


def _value(node: Any, nodes: list[Any], shape: tuple[int, ...]) -> np.ndarray | None:
    """What torch has saved of this node's output: in the node itself, or as the input of a node that used it."""
    for kept in _saved(node, nodes):
        if kept is not None and tuple(kept.shape) == tuple(shape):
            return kept.detach().numpy()
    return None


def _saved(node: Any, nodes: list[Any]) -> Iterator[torch.Tensor | None]:
    yield getattr(node, "_saved_result", None)
    for user in nodes:
        for position, (source, _) in enumerate(user.next_functions):
            if source is node:
                yield getattr(user, "_saved_self", None) if position == 0 else None
                yield getattr(user, {1: "_saved_mat1", 2: "_saved_mat2"}.get(position, "_saved_self"), None)
