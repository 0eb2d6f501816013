"""The chain rule, on one page: from an output back to everything it was computed from."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import GraphError, ShapeError
from openbook.ops.move import sum_to
from openbook.ops.op import Op
from openbook.record.keeping import keeping

if TYPE_CHECKING:
    from openbook.tensor.tensor import Tensor

__all__ = [
    "GraphNode",
    "backward",
    "enable_grad",
    "grad_of",
    "is_grad_enabled",
    "no_grad",
    "nodes_behind",
    "propagate",
    "set_grad_enabled",
]

_enabled: ContextVar[bool] = ContextVar("openbook_grad_enabled", default=True)
_clock = itertools.count()


def is_grad_enabled() -> bool:
    """Whether what is computed now is remembered for gradients."""
    return _enabled.get()


@contextmanager
def set_grad_enabled(mode: bool) -> Iterator[None]:
    """Remember (or do not remember) what is computed inside."""
    token = _enabled.set(mode)
    try:
        yield
    finally:
        _enabled.reset(token)


def no_grad() -> Any:
    """Compute without remembering; as a context or a decorator."""
    return set_grad_enabled(False)


def enable_grad() -> Any:
    """Remember again, inside a `no_grad()`."""
    return set_grad_enabled(True)


class GraphNode:
    """One applied operation: what it was, what went in, and in which state its inputs were."""

    __slots__ = ("inputs", "op", "order", "output", "parameters", "versions")

    def __init__(self, op: type[Op], inputs: tuple[Any, ...], parameters: dict[str, Any], output: Tensor):
        self.op = op
        self.inputs: tuple[Any, ...] | None = inputs
        self.parameters = parameters
        self.output: Any = output.data
        # Each counter with its reading: the output's too, since rules such as exp's use it.
        self.versions = [(output.versions, output.versions[0])]
        for value in inputs:
            counter = getattr(value, "versions", None)
            if counter is not None:
                self.versions.append((counter, counter[0]))
        self.order = next(_clock)

    def release(self) -> None:
        """Forget the inputs and the output, so that their memory is freed."""
        self.inputs = None
        self.output = None

    def require(self) -> tuple[Any, ...]:
        """The inputs, if they are still here and still what they were."""
        if self.inputs is None:
            raise GraphError(
                f"the graph behind this {self.op.name} has been freed by an earlier backward()",
                do="call backward(retain_graph=True), or compute inside `with openbook.record():`",
            )
        if any(counter[0] != reading for counter, reading in self.versions):
            raise GraphError(
                f"a value that {self.op.name} had used or given was changed in place afterwards, so its gradient would "
                "be wrong",
                do="make the change out of place (x = x + 1, not x += 1), or after backward()",
            )
        return self.inputs


def propagate(
    outputs: Sequence[Tensor],
    cotangents: Sequence[Any],
    *,
    create_graph: bool = False,
    retain_graph: bool = False,
    watch: bool = False,
    reached: dict[int, Tensor] | None = None,
) -> dict[int, Any]:
    """Carry cotangents from outputs back to the leaves; return them by `id` of the leaf.

    With `watch`, also by `id` of every graph node on the way. Arrays, or Tensors under `create_graph`. `reached` is filled
    with the leaves themselves.
    """
    flowing: dict[int, Any] = {}
    leaves: dict[int, Any] = {}
    watched: dict[int, Any] = {}
    for output, cotangent in zip(outputs, cotangents, strict=True):
        _accumulate(flowing if output.node is not None else leaves, output, cotangent)

    with set_grad_enabled(create_graph):
        for node in nodes_behind(outputs):
            g = flowing.pop(id(node), None)
            if g is None:
                continue
            if watch:
                watched[id(node)] = g
            inputs = node.require()
            for value, cotangent in zip(inputs, _cotangents(node, g, inputs, create_graph), strict=False):
                if getattr(value, "requires_grad", False):
                    cotangent = cotangent() if callable(cotangent) else cotangent
                    if cotangent is None:
                        continue
                    cotangent = _fitted(cotangent, value)
                    if value.node is None:
                        _accumulate(leaves, value, cotangent)
                        if reached is not None:
                            reached[id(value)] = value
                    else:
                        _accumulate(flowing, value, cotangent)
            if not retain_graph:
                node.release()
    return leaves | watched


def nodes_behind(outputs: Sequence[Tensor]) -> list[GraphNode]:
    """All operations behind the outputs, newest first. Each is younger than what it was computed from, so age is an order."""
    seen: dict[int, GraphNode] = {}
    waiting = [output.node for output in outputs if output.node is not None]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen[id(node)] = node
        waiting.extend(x.node for x in node.inputs or () if getattr(x, "node", None) is not None)
    return sorted(seen.values(), key=lambda node: node.order, reverse=True)


def _cotangents(node: GraphNode, g: Any, inputs: tuple[Any, ...], create_graph: bool) -> tuple[Any, ...]:
    if create_graph:
        result = node.op.gradient(g, _remembered(node), *inputs, **node.parameters)
    else:
        arrays = (getattr(x, "data", x) if not isinstance(x, np.ndarray) else x for x in inputs)
        result = node.op.gradient(g, node.output, *arrays, **node.parameters)
    return result if isinstance(result, tuple) else (result,)


def _remembered(node: GraphNode) -> Tensor:
    """The node's output as a Tensor that still knows where it came from."""
    from openbook.tensor.tensor import Tensor

    output = Tensor(node.output)
    output.requires_grad, output.node = True, node
    return output


def _fitted(cotangent: Any, value: Tensor) -> Any:
    """A cotangent in the shape and dtype of what it belongs to: the one place where broadcasting is undone."""
    if cotangent.shape != value.shape:
        cotangent = sum_to(cotangent, value.shape)
    return cotangent if cotangent.dtype == value.dtype else cotangent.astype(value.dtype)


def _accumulate(grads: dict[int, Any], tensor: Tensor, cotangent: Any) -> None:
    key = id(tensor if tensor.node is None else tensor.node)
    grads[key] = grads[key] + cotangent if key in grads else cotangent


def backward(
    output: Tensor, gradient: Any = None, *, retain_graph: bool | None = None, create_graph: bool = False
) -> None:
    """Add d output / d leaf to the `.grad` of every leaf that requires it."""
    seed = _seed(output, gradient, create_graph)
    retain = create_graph or keeping() if retain_graph is None else retain_graph
    leaves = {id(output): output} if output.node is None else {}
    grads = propagate([output], [seed], create_graph=create_graph, retain_graph=retain, reached=leaves)
    for key, leaf in leaves.items():
        leaf.accumulate_grad(grads[key])


def _seed(output: Tensor, gradient: Any, create_graph: bool) -> Any:
    """The cotangent that backward starts from: 1 for a scalar."""
    from openbook.tensor.tensor import Tensor

    if not output.requires_grad:
        raise GraphError(
            "backward() was called on a value that no gradient leads back from",
            do="create the parameters with requires_grad=True, and do not detach() or compute under no_grad()",
        )
    if gradient is None:
        if output.data.size != 1:
            raise GraphError(
                f"backward() starts from a single number, and this has shape {output.shape}",
                do="reduce it first, for instance with .mean(), or pass backward(gradient=…) of that shape",
            )
        gradient = np.ones_like(output.data)
    data = gradient.data if isinstance(gradient, Tensor) else np.asarray(gradient, dtype=output.dtype)
    if data.shape != output.shape:
        raise ShapeError(f"the gradient passed to backward() has shape {data.shape}, the output {output.shape}")
    if not create_graph:
        return data
    return gradient if isinstance(gradient, Tensor) else Tensor(data)


def grad_of(
    output: Tensor,
    inputs: Sequence[Tensor],
    gradient: Any = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> tuple[Tensor | None, ...]:
    """d output / d input for each input, without touching any `.grad`; None where the output does not depend on it.

    Inputs may be leaves or values computed on the way.
    """
    from openbook.tensor.tensor import Tensor

    retain = create_graph or keeping() if retain_graph is None else retain_graph
    keys = [id(x if x.node is None else x.node) for x in inputs]
    seed = _seed(output, gradient, create_graph)
    grads = propagate([output], [seed], create_graph=create_graph, retain_graph=retain, watch=True)
    found = [grads.get(key) for key in keys]
    return tuple(g if g is None or isinstance(g, Tensor) else Tensor(g) for g in found)
