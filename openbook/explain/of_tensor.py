"""Any entry of any gradient that our own Tensors recorded."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from openbook.errors import ExplainError
from openbook.explain.dispatch import explains
from openbook.explain.ledgers.entries import Index, Operation, Question, explain_entry
from openbook.explain.ledgers.graphs import key_of, local_slopes, names_for, source_of, trace_back
from openbook.explain.ledgers.picture import Leaf
from openbook.explain.ledgers.replay import Replay, TensorReplay
from openbook.record import Working
from openbook.tensor import Tensor
from openbook.tensor.autograd import GraphNode, propagate

__all__ = ["explain_tensor"]


@explains(Tensor)
def explain_tensor(
    loss: Tensor,
    wrt: Tensor | str | None = None,
    at: Index | int | None = None,
    names: Mapping[str, Tensor] | None = None,
    model: Any = None,
    top: int = 4,
) -> Working:
    """Show how d loss / d (one entry of `wrt`) comes about, from the loss back to that entry.

    `wrt` is a tensor the loss was computed from, or its name in `names` or in `model.named_parameters()`; by default the
    first leaf. `at` is the entry (by default the one with the largest gradient). At each level the `top` largest
    products are written out, the rest as one sum. Ask before `backward()`, or compute inside `with openbook.record():`.
    """
    if loss.data.size != 1:
        raise ExplainError(f"only a single number has a ledger, and this has shape {loss.shape}", do="reduce it first")
    nodes = trace_back(loss)
    known = dict(names or {}) | (dict(model.named_parameters()) if model is not None else {})
    labels = names_for(nodes, loss, known)
    target = _target(wrt, known, nodes)
    grads = propagate([loss], [np.ones_like(loss.data)], retain_graph=True, watch=True)
    key = key_of(target)
    if key not in grads:
        raise ExplainError(f"the loss does not depend on {labels.get(key, 'this tensor')}", do="choose another tensor")
    replay = TensorReplay(nodes)
    operations = [_operation(node, labels, grads, replay) for node in nodes if id(node) in grads]
    eps = _coarsest(nodes)
    question = Question(key, labels[key], target.data, np.asarray(grads[key]), eps, replay)
    return explain_entry(operations, float(loss), question, at, top, _leaves(nodes, labels, grads, known))


def _coarsest(nodes: list[GraphNode]) -> float:
    """The spacing of the coarsest floats on the way: what passed through float32 has float32's digits."""
    arrays = (np.asarray(getattr(v, "data", v)) for node in nodes for v in (node.output, *node.require()))
    return max(float(np.finfo(a.dtype).eps) for a in arrays if a.dtype.kind == "f")


def _target(wrt: Tensor | str | None, known: Mapping[str, Tensor], nodes: list[GraphNode]) -> Tensor:
    if isinstance(wrt, Tensor):
        return wrt
    if isinstance(wrt, str):
        if wrt not in known:
            raise ExplainError(f"no tensor is called {wrt!r}", do=f"choose one of {', '.join(known) or 'names={…}'}")
        return known[wrt]
    leaves = (x for n in nodes for x in n.require() if isinstance(x, Tensor) and x.requires_grad and x.node is None)
    return next(leaves)


def _leaves(
    nodes: list[GraphNode], labels: Mapping[int, str], grads: Mapping[int, Any], known: Mapping[str, Tensor]
) -> dict[int, Leaf]:
    """What the computation started from; a parameter's module is the front of its name."""
    modules = {id(tensor): name.rpartition(".")[0] for name, tensor in known.items()}
    found: dict[int, Leaf] = {}
    for node in nodes:
        for x in node.require():
            if isinstance(x, Tensor) and source_of(x, node) == id(x) and id(x) not in found:
                gradient = np.asarray(grads[id(x)]) if id(x) in grads else None
                found[id(x)] = Leaf(labels[id(x)], x.data, gradient, modules.get(id(x), ""))
    return found


def _operation(node: GraphNode, labels: Mapping[int, str], grads: Mapping[int, Any], replay: Replay) -> Operation:
    return Operation(
        key=id(node),
        name=labels[id(node)],
        rule=node.op.name,
        inputs=tuple(source_of(x, node) if isinstance(x, Tensor) else 0 for x in node.require()),
        value=_value(node, replay),
        upstream=np.asarray(grads[id(node)]),
        slopes=partial(local_slopes, node),
        formula=node.op.formula,
        differences=partial(replay.local_slopes, node),
    )


def _value(node: GraphNode, replay: Replay) -> np.ndarray:
    """What an operation gave, also where that was changed in place afterwards."""
    output = np.asarray(node.output)
    if node.changed[0] <= node.order:
        return output
    return np.asarray(replay.values[id(node)]).astype(output.dtype)
