"""A recorded computation once more in float64, with one number moved a little: differences beside every slope."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from openbook.explain.graphs import source_of
from openbook.tensor import Tensor
from openbook.tensor.autograd import GraphNode

__all__ = ["Measured", "Replay"]

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

    def at(self, index: tuple[int, ...]) -> Measured:
        """Of one entry."""
        return self._replace(slope=np.asarray(self.slope)[index], smooth=np.asarray(self.smooth)[index])


class Replay:
    """The computation behind a loss, ready to be run again from any value on it."""

    def __init__(self, nodes: Sequence[GraphNode]):
        self.nodes = nodes
        self.budget = _BUDGET
        self.spared = 0  # checks that there was no work left for
        self._values: dict[int, Any] | None = None
        self._given: dict[int, Any] = {}

    @property
    def values(self) -> dict[int, Any]:
        """Every value on the way in float64, by key."""
        if self._values is None:
            self._values = {}
            self._run(self.nodes, self._values)
        return self._values

    def loss_slope(self, key: int, index: tuple[int, ...]) -> Measured:
        """d loss / d (one entry of a value), by differences of the loss."""
        last = id(self.nodes[-1])
        here = self._value(key)
        downstream = self._downstream(key)

        def loss(moved: np.ndarray) -> float:
            values = _Over(self.values, {key: moved})
            self._run(downstream, values)
            return float(np.asarray(values[last]))

        measured = _measured(loss, here, index, float(np.asarray(self.values[last])))
        return _doubted(measured) if any(node.op.name in _SYMMETRIC for node in downstream) else measured

    def local_slopes(self, node: GraphNode, position: int, index: tuple[int, ...]) -> Measured | None:
        """∂(every entry of an operation's output) / ∂(one entry of an input), by differences of the operation.

        None where that is too much work."""
        if not self.affords(2 * _work(node)):
            return None
        given = [self._input(x, node) for x in node.require()]
        parameters = _parameters(node)

        def output(moved: np.ndarray) -> np.ndarray:
            arrays = [moved if i == position else x for i, x in enumerate(given)]
            return np.asarray(node.op.forward(*arrays, **parameters))

        measured = _measured(output, np.asarray(given[position]), index, np.asarray(self.values[id(node)]))
        return _doubted(measured) if node.op.name in _SYMMETRIC else measured

    def affords(self, cost: float) -> bool:
        """Whether there is work left for one more check; takes it from the budget if so."""
        if cost > self.budget:
            self.spared += 1
            return False
        self.budget -= cost
        return True

    def cost(self, key: int) -> float:
        """About how many multiplications the way from a value to the loss takes."""
        return 2 * sum(_work(node) for node in self._downstream(key))

    # ----------------------------------------------------------------------------------------------------------

    def _value(self, key: int) -> np.ndarray:
        if key in self.values:
            return np.asarray(self.values[key])
        leaf = next(x for n in self.nodes for x in n.require() if isinstance(x, Tensor) and id(x) == key)
        return leaf.data.astype(np.float64)

    def _downstream(self, key: int) -> list[GraphNode]:
        reached, found = {key}, []
        for node in self.nodes:
            if any(isinstance(x, Tensor) and source_of(x, node) in reached for x in node.require()):
                reached.add(id(node))
                found.append(node)
        return found

    def _input(self, x: Any, node: GraphNode, values: Mapping[int, Any] | None = None) -> Any:
        if not isinstance(x, Tensor):
            return x
        known = self.values if values is None else values
        source = source_of(x, node)
        if source in known:
            return known[source]
        if source not in self._given:  # converted once: the weights of a large net fill the memory bus
            self._given[source] = x.data.astype(np.float64) if x.data.dtype.kind == "f" else x.data
        return self._given[source]

    def _run(self, nodes: Sequence[GraphNode], values: Any) -> None:
        for node in nodes:
            given = [self._input(x, node, values) for x in node.require()]
            values[id(node)] = node.op.forward(*given, **_parameters(node))


def _doubted(measured: Measured) -> Measured:
    reason = "a symmetric matrix, whose two triangles share the gradient: differences of one entry say nothing"
    return measured._replace(smooth=np.zeros_like(measured.smooth), reason=reason)


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


def _work(node: GraphNode) -> float:
    """About how many multiplications an operation takes."""
    sizes = [np.size(x.data) for x in node.require() if isinstance(x, Tensor)]
    size = float(np.size(node.output))
    if node.op.name in _WEIGHTY and len(sizes) > 1:
        rows = max(1, np.shape(node.output)[-1] if np.ndim(node.output) else 1)
        return size * max(sizes[1] / rows, 1.0) if node.op.name != "convolution" else size * sizes[1]
    return size + sum(sizes)


def _measured(f: Callable[[np.ndarray], Any], here: np.ndarray, index: tuple[int, ...], middle: Any) -> Measured:
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
    return Measured(central, ~kinked, rounding)
