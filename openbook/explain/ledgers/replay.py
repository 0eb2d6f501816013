"""A recorded computation once more in float64, with one number moved a little: differences beside every slope."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from openbook.explain.ledgers.graphs import source_of
from openbook.record import Witness
from openbook.tensor import Tensor
from openbook.tensor.autograd import GraphNode

__all__ = ["Measured", "Replay", "TensorReplay", "measured", "near", "work_of"]

_STEP = 6e-6  # near the cube root of float64's spacing: truncation and round-off are of one size
_BUDGET = 6e8  # multiplications: what is spent on checking beyond the entry asked about; below a second
_WEIGHTY = ("linear", "matmul", "convolution", "einsum", "solve", "inv", "cholesky")

# They read one triangle of a symmetric matrix; by convention (PyTorch's too) both triangles share the gradient.
_SYMMETRIC = ("cholesky", "eigenvalues", "eigenvectors")


class Measured(NamedTuple):
    """A slope by differences; `smooth` is False where they say nothing, for the reason given.

    At a kink within the step the slopes to both sides differ.
    """

    slope: Any
    smooth: Any
    rounding: float  # how far round-off alone can move it
    reason: str = "at a kink, where differences say nothing"
    sway: Any = (
        0.0  # how far the slope moves when its input or output moves by its own size: what floats round is a share
    )

    def at(self, index: tuple[int, ...]) -> Measured:
        """Of one entry."""
        slope, smooth, sway = (np.asarray(part)[index] for part in (self.slope, self.smooth, self.sway))
        return self._replace(slope=slope, smooth=smooth, sway=sway)


class Replay:
    """A computation behind a loss, ready to be run again from any value on it; whose it is, a subclass says.

    `nodes` are its operations, oldest first; values go by keys.
    """

    def __init__(self, nodes: Sequence[Any]):
        self.nodes = nodes
        self.budget = _BUDGET
        self.spared = 0  # checks that there was no work left for
        self._values: dict[int, Any] | None = None

    # --- what a subclass knows ---------------------------------------------------------------------------------

    def outputs(self, node: Any) -> tuple[int, ...]:
        """The keys of what an operation gave."""
        raise NotImplementedError

    def sources(self, node: Any) -> tuple[int, ...]:
        """The keys of what went in, by position; 0 for what is no number on the way."""
        raise NotImplementedError

    def given(self, node: Any, position: int) -> Any:
        """An input that nothing recorded computed, in float64."""
        raise NotImplementedError

    def forward(self, node: Any, inputs: Sequence[Any]) -> tuple[Any, ...]:
        """The operation once more."""
        raise NotImplementedError

    def work(self, node: Any) -> float:
        """About how many multiplications an operation takes."""
        raise NotImplementedError

    def mute(self, nodes: Sequence[Any]) -> str:
        """Why differences through these operations say nothing; empty where they do."""
        raise NotImplementedError

    # --- what follows ------------------------------------------------------------------------------------------

    @property
    def values(self) -> dict[int, Any]:
        """Every value on the way in float64, by key."""
        if self._values is None:
            self._values = {}
            self._run(self.nodes, self._values)
        return self._values

    def witnesses(self, key: int, index: tuple[int, ...], eps: float) -> tuple[Witness, ...]:
        """One entry of a value, computed once more in float64; `eps` is the spacing of the floats it was computed in."""
        if key not in self.values:
            return ()
        array = np.asarray(self.values[key])
        return (near("the forward pass again in float64", array, index, 100 * eps),)

    def loss_slope(self, key: int, index: tuple[int, ...]) -> Measured:
        """d loss / d (one entry of a value), by differences of the loss."""
        downstream, here = self._downstream(key), self._value(key)
        reason = self.mute(downstream) or ("a value that was not kept" if here is None else "")
        if reason or here is None:
            return Measured(0.0, False, 0.0, reason)
        last = self.outputs(self.nodes[-1])[0]

        def loss(moved: np.ndarray) -> float:
            values = _Over(self.values, {key: moved})
            self._run(downstream, values)
            return float(np.asarray(values[last]))

        return measured(loss, here, index, float(np.asarray(self.values[last])))

    def local_slopes(self, node: Any, position: int, index: tuple[int, ...], output: int = 0) -> Measured | None:
        """∂(every entry of an operation's output) / ∂(one entry of an input), by differences of the operation.

        None where that is too much work."""
        reason = self.mute([node])
        if reason or not self.affords(2 * self.work(node)):
            return _nothing(np.shape(self.values[self.outputs(node)[output]]), reason) if reason else None
        inputs = [self._input(node, i) for i in range(len(self.sources(node)))]

        def compute(moved: np.ndarray) -> np.ndarray:
            arrays = [moved if i == position else x for i, x in enumerate(inputs)]
            return np.asarray(self.forward(node, arrays)[output])

        middle = np.asarray(self.values[self.outputs(node)[output]])
        return measured(compute, np.asarray(inputs[position]), index, middle)

    def affords(self, cost: float) -> bool:
        """Whether there is work left for one more check; takes it from the budget if so."""
        if cost > self.budget:
            self.spared += 1
            return False
        self.budget -= cost
        return True

    def cost(self, key: int) -> float:
        """About how many multiplications the way from a value to the loss takes."""
        return 2 * sum(self.work(node) for node in self._downstream(key))

    def _value(self, key: int) -> np.ndarray | None:
        if key in self.values:
            return None if self.values[key] is None else np.asarray(self.values[key])
        node, position = next((n, i) for n in self.nodes for i, source in enumerate(self.sources(n)) if source == key)
        return np.asarray(self.given(node, position))

    def _downstream(self, key: int) -> list[Any]:
        reached, found = {key}, []
        for node in self.nodes:
            if not reached.isdisjoint(self.sources(node)):
                reached.update(self.outputs(node))
                found.append(node)
        return found

    def _input(self, node: Any, position: int, values: Mapping[int, Any] | None = None) -> Any:
        known = self.values if values is None else values
        source = self.sources(node)[position]
        return known[source] if source in known else self.given(node, position)

    def _run(self, nodes: Sequence[Any], values: Any) -> None:
        for node in nodes:
            inputs = [self._input(node, i, values) for i in range(len(self.sources(node)))]
            values.update(zip(self.outputs(node), self.forward(node, inputs), strict=False))


class TensorReplay(Replay):
    """What our own Tensors recorded."""

    def __init__(self, nodes: Sequence[GraphNode]):
        super().__init__(nodes)
        self._converted: dict[int, Any] = {}  # once: the weights of a large net fill the memory bus

    def outputs(self, node: GraphNode) -> tuple[int, ...]:
        return (id(node),)

    def sources(self, node: GraphNode) -> tuple[int, ...]:
        return tuple(source_of(x, node) if isinstance(x, Tensor) else 0 for x in node.require())

    def given(self, node: GraphNode, position: int) -> Any:
        x = node.require()[position]
        if not isinstance(x, Tensor):
            return x
        source = source_of(x, node)
        if source not in self._converted:
            self._converted[source] = x.data.astype(np.float64) if x.data.dtype.kind == "f" else x.data
        return self._converted[source]

    def forward(self, node: GraphNode, inputs: Sequence[Any]) -> tuple[Any, ...]:
        return (node.op.forward(*inputs, **_parameters(node)),)

    def work(self, node: GraphNode) -> float:
        sizes = [np.size(x.data) for x in node.require() if isinstance(x, Tensor)]
        return work_of(node.op.name, np.shape(node.output), sizes)

    def mute(self, nodes: Sequence[GraphNode]) -> str:
        if any(node.op.name in _SYMMETRIC for node in nodes):
            return "a symmetric matrix, whose two triangles share the gradient: differences of one entry say nothing"
        return ""


class _Over(dict[int, Any]):
    """Values laid over others."""

    def __init__(self, below: Mapping[int, Any], above: Mapping[int, Any]):
        super().__init__(above)
        self.below = below

    def __missing__(self, key: int) -> Any:
        return self.below[key]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or key in self.below


def _parameters(node: GraphNode) -> dict[str, Any]:
    return {k: np.float64 if k == "dtype" and np.dtype(v).kind == "f" else v for k, v in node.parameters.items()}


def _nothing(shape: tuple[int, ...], reason: str) -> Measured:
    """Differences that say nothing of any entry."""
    return Measured(np.zeros(shape), np.zeros(shape, dtype=bool), 0.0, reason, np.zeros(shape))


def near(method: str, array: np.ndarray, index: tuple[int, ...], tolerance: float, spread: float = 0.0) -> Witness:
    """One entry of an array as a witness, to within a share of the largest, and what rounding is known to move it."""
    found = float(array[index] if index else array.ravel()[0])
    largest = float(np.max(np.abs(array), initial=0.0))
    floor = tolerance * largest if np.isfinite(largest) else 0.0
    return Witness(method, lambda: found, tolerance, floor + spread)


def work_of(name: str, output: tuple[int, ...], inputs: Sequence[int]) -> float:
    """About how many multiplications an operation takes, from the shape of its output and the sizes of its inputs."""
    size = float(math.prod(output))
    if name in _WEIGHTY and len(inputs) > 1:
        rows = max(1, output[-1] if output else 1)
        return size * max(inputs[1] / rows, 1.0) if name != "convolution" else size * inputs[1]
    return size + sum(inputs)


def measured(f: Callable[[np.ndarray], Any], here: np.ndarray, index: tuple[int, ...], middle: Any) -> Measured:
    """Central differences, and whether the slopes to both sides agree."""
    h = _STEP * max(1.0, abs(float(here[index])))
    sides = []
    for side in (h, -h):
        moved = np.array(here, dtype=np.float64)
        moved[index] += side
        sides.append(f(moved))
    above, below = (sides[0] - middle) / h, (middle - sides[1]) / h
    central = (sides[0] - sides[1]) / (2 * h)
    largest = float(np.max(np.abs(central), initial=0.0))
    kinked = np.abs(above - below) > 1e-3 * np.maximum(np.abs(above), np.abs(below)) + 1e-4 * largest
    rounding = float(np.finfo(np.float64).eps) * float(np.max(np.abs(middle), initial=0.0)) / h
    bend = np.abs(above - below) / h
    with np.errstate(divide="ignore", invalid="ignore"):
        by_output = np.nan_to_num(bend * np.abs(np.divide(middle, central)), nan=0.0, posinf=0.0)
    return Measured(central, ~kinked, rounding, sway=bend * abs(float(here[index])) + by_output)
