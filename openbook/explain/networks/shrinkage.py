"""Part 6 on a network: how much smaller the gradient gets at each layer, split into slope and weights."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from openbook.errors import ExplainError
from openbook.explain.displays.gradients import LayerGradients
from openbook.explain.ledgers.graphs import key_of, names_for, trace_back
from openbook.expr import Name
from openbook.nn import Module
from openbook.record import Step, Table, Working, given
from openbook.tensor import Tensor, as_tensor
from openbook.tensor.autograd import GraphNode, propagate

__all__ = ["explain_shrinkage"]


def explain_shrinkage(model: Module, inputs: Any, targets: Any, loss: Callable[[Any, Any], Tensor]) -> Working:
    """Follow the gradient from the loss back through the layers: its size at each, and what changed it.

    Size is the root mean square over all entries and rows. At an activation it changes by the slopes, at a linear layer
    by the weights; the product of all factors is what arrives at the first layer. In float64, on a copy.
    """
    net = copy.deepcopy(model).double()
    x = Tensor(np.asarray(as_tensor(inputs).data, np.float64), requires_grad=True, name="x")
    y = as_tensor(targets)
    value = loss(net(x), Tensor(y.data.astype(np.float64)) if y.data.dtype.kind == "f" else y)
    nodes = trace_back(value)
    grads = propagate([value], [np.ones_like(value.data)], retain_graph=True, watch=True)
    names = names_for(nodes, value, {"x": x})
    stages = _stages(nodes, x, grads)
    if len(stages) < 2:
        raise ExplainError("the network has no chain of layers to follow", do="explain one of its gradients with wrt=")
    steps, table = _follow(stages, names, grads)
    display = LayerGradients(tuple(r[0] for r in table.rows), tuple(r[1] for r in table.rows))
    return Working(
        title=f"How gradients shrink on their way back through {type(model).__name__}",
        question="How much of the gradient reaches the first layer, and what took the rest?",
        steps=tuple(steps),
        result={"shrinkage": steps[-1].value},
        tables=(table,),
        notes=(_note(stages, steps),),
        displays=(display,),
    )


def _stages(nodes: list[GraphNode], x: Tensor, grads: dict[int, Any]) -> list[GraphNode]:
    """The operations on the way from x, each fed by the one before, up to the logits."""
    stages: list[GraphNode] = []
    key = id(x)
    for node in nodes:
        if id(node) in grads and any(key_of(v) == key for v in node.require()) and node.output.ndim:
            stages.append(node)
            key = id(node)
    return stages


def _rms(array: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(array))))


def _follow(stages: list[GraphNode], names: dict[int, str], grads: dict[int, Any]) -> tuple[list[Step], Table]:
    steps: list[Step] = []
    factors: list[Step] = []
    rows = []
    sizes: dict[int, Step] = {}
    for node in reversed(stages):
        name = names[id(node)]
        size = given(f"‖dL/d{name}‖", _rms(grads[id(node)]), "root mean square over entries and rows", name)
        sizes[id(node)] = size
        steps.append(size)
    for below, above in reversed(list(pairwise(stages))):
        part = f"Through {above.op.name} {names[id(above)]}"
        small, large = sizes[id(below)], sizes[id(above)]
        factor = Step(f"factor({names[id(above)]})", small.value / large.value, Name(small.name) / Name(large.name),
                      (small, large), rule="weights" if above.op.name == "linear" else "slope", part=part,
                      why=_because(above))  # fmt: skip
        steps.append(factor)
        factors.append(factor)
        rows.append((names[id(above)], large.value, factor.rule, factor.value))
    rows.append((names[id(stages[0])], sizes[id(stages[0])].value, "", None))
    formula = Name(factors[0].name)
    for factor in factors[1:]:
        formula = formula * Name(factor.name)  # type: ignore[assignment]
    whole = Step("shrinkage", prod(f.value for f in factors), formula, tuple(factors), rule="product of the factors",
                 why="what is left of the gradient at the first layer", part="Together")  # fmt: skip
    table = Table("The gradient's size, from the output back", ("at", "rms gradient", "then", "factor"), tuple(rows))
    return [*steps, whole], table


def _because(node: GraphNode) -> str:
    if node.op.name == "linear":
        return "each input's gradient is a sum of weight × gradient over the outputs"
    if node.op.elementwise and len(node.require()) == 1:
        slopes = node.op.gradient(np.ones_like(node.output), node.output, _array(node.require()[0]), **node.parameters)
        return f"slopes of {node.op.name}: mean {np.mean(slopes):.3g}, zero at {np.mean(slopes == 0):.0%} of the units"
    return f"the slope of {node.op.name}"


def _array(value: Any) -> Any:
    return value.data if isinstance(value, Tensor) else value


def _note(stages: list[GraphNode], steps: list[Step]) -> str:
    by = {kind: prod(s.value for s in steps if s.rule == kind) for kind in ("slope", "weights")}
    return (
        f"Of every unit of gradient at the output, {steps[-1].value:.3g} reaches the first layer: the activations' slopes "
        f"multiply it by {by['slope']:.3g}, the weights by {by['weights']:.3g}."
    )
