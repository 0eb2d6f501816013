"""openbook's own models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from openbook import nn, optim
from openbook.diagnose.engines.engine import Birth, Engine, Operation, first_not_finite
from openbook.nn import Parameter
from openbook.ops.op import Op
from openbook.tensor import Tensor, create, enable_grad, grad_of, no_grad
from openbook.tensor.autograd import GraphNode, nodes_behind, origin_of, propagate

__all__ = ["OwnEngine"]


class OwnEngine(Engine):
    """The engine for `openbook.nn.Module`."""

    name = "openbook"
    nn, optim = nn, optim

    def __init__(self, model: Any):
        del model

    def tensor(self, array: np.ndarray) -> Tensor:
        return Tensor(array.copy()) if _Watch.current is None else _Watched(array.copy())

    def array(self, tensor: Any) -> np.ndarray:
        return tensor.data if isinstance(tensor, Tensor) else np.asarray(tensor)

    def write(self, tensor: Any, array: np.ndarray) -> None:
        tensor.data[...] = array
        tensor.changed_in_place()

    def gradients(self, value: Any, wrt: Sequence[Any]) -> list[np.ndarray | None]:
        if not value.requires_grad:
            return [None] * len(wrt)
        return [None if g is None else g.data for g in grad_of(value, wrt, retain_graph=True)]

    def put_gradient(self, parameter: Any, gradient: np.ndarray | None) -> None:
        parameter.grad = None if gradient is None else Tensor(gradient)

    def no_grad(self) -> Any:
        return no_grad()

    def recording(self) -> Any:
        return enable_grad()

    def operations(self, value: Any) -> list[Operation]:
        return [
            Operation(id(node), node.op.name, _inputs(node), node.output) for node in reversed(nodes_behind([value]))
        ]

    def key(self, tensor: Any) -> int:
        return id(tensor if tensor.node is None else tensor.node)

    @contextmanager
    def _own_random(self, seed: int) -> Iterator[None]:
        generator = create.generator()
        before, began = generator.get_state(), generator.initial_seed()
        generator.manual_seed(seed)
        try:
            yield
        finally:
            generator.manual_seed(began).set_state(before)

    # --- NaN ---------------------------------------------------------------------------------------------------

    def birth(self, compute: Callable[[], Any], model: Any) -> Birth | None:
        seen: list[Birth] = []

        def look(op: type[Op], inputs: tuple[Any, ...], output: Tensor) -> None:
            if not seen and _finite(inputs) and not np.all(np.isfinite(output.data)):
                seen.append(_birth(op.name, "forward", output.data, [self.array(x) for x in inputs]))

        with _Watch(after=look).over(model), np.errstate(all="ignore"), enable_grad():
            loss = compute()
        return seen[0] if seen else _backward_birth(loss)

    def guarding(self, operations: Sequence[str], *owners: Any) -> Any:
        def keep_away(op: type[Op], inputs: tuple[Any, ...]) -> tuple[Any, ...]:
            if op.name not in operations:
                return inputs
            place, mend = GUARDS[op.name]
            return tuple(mend(x) if i == place else x for i, x in enumerate(inputs))

        return _Watch(before=keep_away).over(*owners)


def _inputs(node: GraphNode) -> tuple[int, ...]:
    values = [x for x in node.require() if isinstance(x, Tensor)]
    return tuple(id(origin_of(x, node) or x) for x in values)


def _away_from_zero(x: Any) -> Any:
    from openbook.ops import vocabulary as word

    return word.where(abs(x) < 1e-6, 1e-6, x) if isinstance(x, Tensor) else np.where(np.abs(x) < 1e-6, 1e-6, x)


def _at_least(low: float) -> Callable[[Any], Any]:
    return lambda x: x.clamp(min=low) if isinstance(x, Tensor) else np.maximum(x, low)


def _between(low: float, high: float) -> Callable[[Any], Any]:
    return lambda x: x.clamp(min=low, max=high) if isinstance(x, Tensor) else np.clip(x, low, high)


# Where an operation has no finite value or slope, and how to keep its input away from there.
GUARDS: dict[str, tuple[int, Callable[[Any], Any]]] = {
    "log": (0, _at_least(1e-6)), "log2": (0, _at_least(1e-6)), "log10": (0, _at_least(1e-6)),
    "log1p": (0, _at_least(-1 + 1e-6)), "sqrt": (0, _at_least(1e-6)), "rsqrt": (0, _at_least(1e-6)),
    "reciprocal": (0, _away_from_zero), "div": (1, _away_from_zero), "pow": (0, _at_least(1e-6)),
    "exp": (0, _between(-30, 30)), "asin": (0, _between(-1 + 1e-6, 1 - 1e-6)),
    "acos": (0, _between(-1 + 1e-6, 1 - 1e-6)), "atanh": (0, _between(-1 + 1e-6, 1 - 1e-6)),
}  # fmt: skip


class _Watch:
    """Look at (or change) what goes into every operation that a watched tensor takes part in."""

    current: _Watch | None = None

    def __init__(self, before: Callable[..., Any] | None = None, after: Callable[..., Any] | None = None):
        self.before, self.after = before, after

    def apply(self, parent: Any, tensor: Tensor, op: type[Op], inputs: tuple[Any, ...], parameters: dict) -> Any:
        _Watch.current = None  # what a guard computes is not watched
        try:
            inputs = inputs if self.before is None else self.before(op, inputs)
            output = parent.__openbook_apply__(tensor, op, inputs, parameters)
            if self.after is not None:
                self.after(op, inputs, output)
        finally:
            _Watch.current = self
        output.__class__ = _Watched
        return output

    @contextmanager
    def over(self, *owners: Any) -> Iterator[None]:
        """Watch everything computed from the parameters and buffers of modules, or from tensors."""
        tensors = [t for owner in owners for t in _tensors(owner)]
        kinds = [type(t) for t in tensors]
        previous = _Watch.current
        _Watch.current = self
        try:
            for tensor, kind in zip(tensors, kinds, strict=True):
                tensor.__class__ = _WatchedParameter if issubclass(kind, Parameter) else _Watched
            yield
        finally:
            _Watch.current = previous
            for tensor, kind in zip(tensors, kinds, strict=True):
                tensor.__class__ = kind


class _Watched(Tensor):
    """A tensor whose operations are watched; what they give is watched as well."""

    __slots__ = ()

    def __openbook_apply__(self, op: type[Op], inputs: tuple[Any, ...], parameters: dict[str, Any]) -> Any:
        if _Watch.current is None:
            return super().__openbook_apply__(op, inputs, parameters)
        return _Watch.current.apply(Tensor, self, op, inputs, parameters)


class _WatchedParameter(Parameter):
    __slots__ = ()

    __openbook_apply__ = _Watched.__openbook_apply__


def _tensors(owner: Any) -> list[Tensor]:
    if isinstance(owner, nn.Module):
        return [*owner.parameters(), *owner.buffers()]
    return [owner] if isinstance(owner, Tensor) else []


def _finite(values: Sequence[Any]) -> bool:
    arrays = (np.asarray(getattr(v, "data", v)) for v in values)
    return all(np.all(np.isfinite(a)) for a in arrays if a.dtype.kind == "f")


def _backward_birth(loss: Any) -> Birth | None:
    """The same on the way back: a finite gradient goes into an operation's rule, and what comes out is not."""
    if not isinstance(loss, Tensor) or loss.node is None or not np.all(np.isfinite(loss.data)):
        return None
    with np.errstate(all="ignore"):
        flowing = propagate([loss], [np.ones_like(loss.data)], retain_graph=True, watch=True)
        for node in nodes_behind([loss]):
            g = flowing.get(id(node))
            if g is None or not np.all(np.isfinite(g)):
                continue
            given = [c() if callable(c) else c for c in node.cotangents(g)]
            for array, found in zip(node.arrays, given, strict=False):
                if found is not None and not np.all(np.isfinite(found)):
                    return _birth(node.op.name, "backward", np.asarray(found), [np.asarray(array)])
    return None


def _birth(name: str, phase: str, array: np.ndarray, fed: Sequence[np.ndarray]) -> Birth:
    index = first_not_finite(array)
    there = tuple(float(a[index]) for a in fed if a.shape == array.shape and a.dtype.kind in "fiub")
    if not there:
        there = tuple(float(a.item()) for a in fed if a.size == 1 and a.dtype.kind in "fiub")
    return Birth(name, phase, index, float(array[index]), there, name if name in GUARDS else "")
