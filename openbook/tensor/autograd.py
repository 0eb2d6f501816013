"""The chain rule, on one page: from an output back to everything it was computed from."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Iterable, Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import GraphError, ShapeError
from openbook.ops.move import sum_to
from openbook.ops.op import Op
from openbook.record.keeping import keeping
from openbook.tensor.modes import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from openbook.tensor.modes import enabled as _enabled

if TYPE_CHECKING:
    from openbook.tensor.tensor import Tensor

__all__ = [
    "GraphNode",
    "backward",
    "enable_grad",
    "grad_of",
    "is_grad_enabled",
    "leading_to",
    "no_grad",
    "nodes_behind",
    "now",
    "propagate",
    "set_grad_enabled",
]

# One clock for all that happens to tensors: an operation's place in the order, and when memory was written to.
now: Callable[[], int] = itertools.count(1).__next__
# When any tensor's memory was last written to: nothing that was computed later needs to look who it was.
last_change: list[int] = [0]


class GraphNode:
    """One applied operation: what it was, what went in and came out, and when.

    `arrays` are the inputs as `forward` saw them; `changed` the output's record of changes in place; `kept` what `forward`
    left for `gradient`; `hooks` see (and may replace) the cotangent of the output.
    """

    __slots__ = ("arrays", "changed", "hooks", "inputs", "kept", "op", "order", "output", "parameters")

    def __init__(
        self,
        op: type[Op],
        inputs: tuple[Any, ...],
        arrays: list[Any],
        parameters: dict[str, Any],
        output: np.ndarray,
        changed: list[int],
        kept: Any = None,
    ):
        self.op = op
        self.inputs: tuple[Any, ...] | None = inputs
        self.arrays = arrays
        self.parameters = parameters
        self.output: Any = output
        self.changed = changed
        self.kept = kept
        self.hooks: dict[int, Callable[[Any], Any]] | None = None
        self.order = now()

    def release(self) -> None:
        """Forget the inputs and the output, so that their memory is freed."""
        self.inputs = self.output = self.kept = None
        self.arrays = _NOTHING

    def require(self) -> tuple[Any, ...]:
        """The inputs, if they are still here and still what they were."""
        inputs = self.inputs
        if inputs is None:
            raise GraphError(
                f"the graph behind this {self.op.name} has been freed by an earlier backward()",
                do="call backward(retain_graph=True), or compute inside `with openbook.record():`",
            )
        if last_change[0] > self.order and self._relies_on_what_changed() and not self._recovered():
            raise GraphError(
                f"a value that {self.op.name} had used or given was changed in place afterwards, so its gradient would "
                "be wrong",
                do="make the change out of place (x = x + 1, not x += 1), or after backward()",
            )
        return inputs

    def _relies_on_what_changed(self) -> bool:
        counts = [self.changed, *(getattr(value, "changed", _NEVER) for value in self.inputs or ())]
        late = [i for i, count in enumerate(counts) if count[0] > self.order]
        return bool(late) and not self._needed().isdisjoint(late)

    def _needed(self) -> frozenset[int]:
        """What the rule looks at for those inputs whose gradients are asked for."""
        op, inputs = self.op, self.inputs or ()
        asking = [i for i, x in enumerate(inputs) if getattr(x, "requires_grad", False)]
        if op.multilinear:
            return frozenset(k + 1 for k in range(len(inputs)) if any(i != k for i in asking))
        if op.reads:
            return frozenset().union(*(op.reads[i] for i in asking))
        return op.needs()

    def _recovered(self) -> bool:
        """Whether only the output was changed, and could be computed again from the inputs."""
        if not self.op.recovers or any(getattr(x, "changed", _NEVER)[0] > self.order for x in self.inputs or ()):
            return False
        self.output, self.changed = self.op.forward(*self.arrays, **self.parameters), [0, 0]
        return True

    def cotangents(self, g: Any, create_graph: bool = False) -> tuple[Any, ...]:
        """The cotangents of the inputs from that of the output; functions of no arguments where work can be spared."""
        op = self.op
        if create_graph:
            kept = {} if op.keeping is None else {"kept": self.kept if op.constant else None}
            result = op.gradient(g, _remembered(self), *self.require(), **self.parameters, **kept)
        elif op.keeping is None:
            result = op.gradient(g, self.output, *self.arrays, **self.parameters)
        else:
            result = op.gradient(g, self.output, *self.arrays, **self.parameters, kept=self.kept)
        return result if type(result) is tuple else (result,)


_NEVER = [0]
_NOTHING: list[Any] = []


def propagate(
    outputs: Sequence[Tensor],
    cotangents: Sequence[Any],
    *,
    create_graph: bool = False,
    retain_graph: bool = False,
    watch: bool | Container[int] = False,
    reached: dict[int, Tensor] | None = None,
    wanted: Container[int] | None = None,
) -> dict[int, Any]:
    """Carry cotangents from outputs back to the leaves; return them by `id` of the leaf.

    With `watch`, also by `id` of the graph nodes on the way (all, or those named). Arrays, or Tensors under
    `create_graph`. `reached` is filled with the leaves themselves. `wanted`, if given, names the leaves and nodes to go to,
    and others are passed by.
    """
    flowing: dict[int, Any] = {}  # cotangents of operations still to go through
    leaves: dict[int, Any] = {}
    watched: dict[int, Any] = {}
    waiting: list[tuple[int, GraphNode]] = []  # a heap: the newest goes first, for it has heard from all that used it
    edges: Iterable[tuple[Any, Any]] = zip(outputs, cotangents, strict=True)
    node: GraphNode | None = None
    order = now()  # of the node whose inputs are looked at
    token = _enabled.set(create_graph)
    try:
        while True:
            for value, cotangent in edges:
                if cotangent is None or not getattr(value, "requires_grad", False):
                    continue
                origin = value.node
                if origin is None:
                    key, grads = id(value), leaves
                else:
                    if origin.order >= order:
                        origin = origin_of(value, node)  # type: ignore[arg-type]  # outputs are older than `order`
                        if origin is None:
                            continue
                    key, grads = id(origin), flowing
                if wanted is not None and key not in wanted:
                    continue
                if callable(cotangent):
                    cotangent = cotangent()
                data = value.data
                if cotangent.shape != data.shape:
                    cotangent = sum_to(cotangent, data.shape)  # the one place where broadcasting is undone
                if cotangent.dtype is not data.dtype and cotangent.dtype != data.dtype:
                    cotangent = cotangent.astype(data.dtype)
                if key in grads:
                    grads[key] = grads[key] + cotangent
                    continue
                grads[key] = cotangent
                if origin is not None:
                    heappush(waiting, (-origin.order, origin))
                elif reached is not None:
                    reached[key] = value
            if node is not None and not retain_graph:
                node.release()
            if not waiting:
                break
            node = heappop(waiting)[1]
            order = node.order
            g = flowing.pop(id(node))
            if node.hooks:
                g = hooked(node.hooks, g)
            if watch and (watch is True or id(node) in watch):
                watched[id(node)] = g
            inputs = node.inputs
            if inputs is None or last_change[0] > order:
                inputs = node.require()
            edges = zip(inputs, node.cotangents(g, create_graph), strict=False)
    finally:
        _enabled.reset(token)
    return leaves | watched if watch else leaves


def hooked(hooks: dict[int, Callable[[Any], Any]], cotangent: Any) -> Any:
    """The cotangent after all hooks have seen it, as the kind of thing (array or Tensor) it was."""
    from openbook.tensor.tensor import Tensor

    for hook in list(hooks.values()):
        seen = cotangent if hasattr(cotangent, "__openbook_apply__") else Tensor(cotangent)
        replaced = hook(seen)
        if replaced is not None:
            if replaced.shape != seen.shape:
                raise ShapeError(f"a hook gave a gradient of shape {replaced.shape} in place of {seen.shape}")
            cotangent = replaced if seen is cotangent else replaced.data
    return cotangent


def nodes_behind(outputs: Sequence[Tensor]) -> list[GraphNode]:
    """All operations behind the outputs, newest first. Each is younger than what it was computed from, so age is an order."""
    seen: dict[int, GraphNode] = {}
    waiting = [output.node for output in outputs if output.node is not None]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen[id(node)] = node
        waiting.extend(o for x in node.inputs or () if (o := origin_of(x, node)) is not None)
    return sorted(seen.values(), key=lambda node: node.order, reverse=True)


def origin_of(value: Any, consumer: GraphNode) -> GraphNode | None:
    """The operation an input came from when it was used: it may have been changed in place since, by a newer one."""
    origin = getattr(value, "node", None)
    if origin is None or origin.order < consumer.order:
        return origin
    earlier = (past for past in reversed(value.past) if past is None or past.order < consumer.order)
    return next(earlier, None)


def leading_to(outputs: Sequence[Tensor], keys: set[int], since: int = 0) -> tuple[set[int], bool]:
    """What lies between outputs and the tensors of these keys, and whether the outputs also depend on other tensors.

    The rest need not be differentiated. Operations applied before `since` are not walked through: they are others.
    """
    nodes: dict[int, GraphNode] = {}
    others = False
    waiting = []
    for output in outputs:
        origin = output.node
        if origin is not None and origin.order >= since:
            waiting.append(origin)
        elif output.requires_grad and id(output if origin is None else origin) not in keys:
            others = True
    while waiting:
        node = waiting.pop()
        if id(node) in nodes:
            continue
        nodes[id(node)] = node
        for x in node.inputs if node.inputs is not None else node.require():
            if not getattr(x, "requires_grad", False):
                continue
            origin = origin_of(x, node)
            if origin is not None and origin.order >= since:
                waiting.append(origin)
            elif id(x if origin is None else origin) not in keys:
                others = others or origin is not None or x.node is None
    leading = set(keys)
    for node in sorted(nodes.values(), key=lambda node: node.order):
        if any(id(origin_of(x, node) or x) in leading for x in node.inputs or ()):
            leading.add(id(node))
    return leading, others


def _remembered(node: GraphNode) -> Tensor:
    """The node's output as a Tensor that still knows where it came from."""
    from openbook.tensor.tensor import Tensor

    output = Tensor(node.output)
    output.requires_grad, output.node = True, node
    return output


def backward(
    output: Tensor, gradient: Any = None, *, retain_graph: bool | None = None, create_graph: bool = False
) -> None:
    """Add d output / d leaf to the `.grad` of every leaf that requires it."""
    seed = _seed(output, gradient, create_graph)
    retain = (create_graph or keeping()) if retain_graph is None else retain_graph
    leaves: dict[int, Tensor] = {}
    grads = propagate([output], [seed], create_graph=create_graph, retain_graph=retain, reached=leaves)
    held = {id(seed)}
    for key, leaf in leaves.items():
        cotangent = grads[key]
        if leaf.hooks:
            cotangent = hooked(leaf.hooks, cotangent)
        if not create_graph and leaf.grad is None:
            cotangent = _own(cotangent, held)
        leaf.accumulate_grad(cotangent)
        if leaf.after:
            for hook in list(leaf.after.values()):
                hook(leaf)


def _own(cotangent: Any, held: set[int]) -> np.ndarray:
    """The cotangent in memory that no other gradient shares: a sum hands the same array to all its terms."""
    key = id(cotangent)
    if type(cotangent) is not np.ndarray or cotangent.base is not None or key in held:
        return np.array(cotangent)
    held.add(key)
    return cotangent


def _seed(output: Tensor, gradient: Any, create_graph: bool) -> Any:
    """The cotangent that backward starts from: 1 for a scalar."""
    if not output.requires_grad:
        raise GraphError(
            "backward() was called on a value that no gradient leads back from",
            do="create the parameters with requires_grad=True, and do not detach() or compute under no_grad()",
        )
    value = output.data
    if gradient is None:
        if value.size != 1:
            raise GraphError(
                f"backward() starts from a single number, and this has shape {output.shape}",
                do="reduce it first, for instance with .mean(), or pass backward(gradient=…) of that shape",
            )
        gradient = np.ones_like(value) if value.ndim else value.dtype.type(1)
        if not create_graph:
            return gradient
    return _fitting(gradient, value, create_graph)


def _fitting(gradient: Any, value: np.ndarray, create_graph: bool) -> Any:
    """A cotangent somebody gave, as what carries it back: a Tensor under `create_graph`, an array otherwise."""
    from openbook.tensor.tensor import Tensor

    data = gradient.data if isinstance(gradient, Tensor) else np.asarray(gradient, dtype=value.dtype)
    if data.shape != value.shape:
        raise ShapeError(f"the gradient passed to backward() has shape {data.shape}, the output {value.shape}")
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

    retain = (create_graph or keeping()) if retain_graph is None else retain_graph
    keys = [id(x if x.node is None else x.node) for x in inputs]
    seed = _seed(output, gradient, create_graph)
    grads = propagate(
        [output],
        [seed],
        create_graph=create_graph,
        retain_graph=retain,
        watch=set(keys),
        wanted=leading_to([output], set(keys))[0],
    )
    found = [grads.get(key) for key in keys]
    return tuple(g if g is None or isinstance(g, Tensor) else Tensor(g) for g in found)
