"""What PyTorch did once more in float64: each operation by itself, all that follows from a value, the model as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from openbook.explain.ledgers.entries import Index
from openbook.explain.ledgers.replay import Measured, Replay, measured, near, work_of
from openbook.explain.pytorch.graph import Known, TorchGraph
from openbook.explain.pytorch.recording import Recording, as_double, redrawn
from openbook.explain.pytorch.run import Run
from openbook.record import Witness

__all__ = ["TorchReplay", "differences_of"]

_SHAKES = 3
_UNUSED = -1  # the key of outputs from which nothing was computed


class TorchReplay(Replay):
    """The recorded operations behind a number; where one was not recorded, differences through it say nothing."""

    def __init__(self, graph: TorchGraph):
        self.graph = graph
        self._nodes_of: dict[int, list[Known]] = {}
        for known in graph.computed:
            self._nodes_of.setdefault(id(known.node), []).append(known)
        super().__init__([members[0] for members in self._nodes_of.values()])
        self._node_of = {known.key: known for known in graph.computed}
        self._again: dict[int, list[tuple[Any, ...]]] = {}
        self._doubled: dict[int, np.ndarray] = {}

    def slopes(self, known: Known, output: int, position: int, index: Index) -> Measured | None:
        """The local slopes of an operation by differences; None where it was not recorded."""
        return None if known.performed is None else self.local_slopes(known, position, index, output)

    def witnesses(self, key: int, index: Index, eps: float) -> tuple[Witness, ...]:
        """One entry of a value: its operation once more in float64, on what had gone in."""
        node = self._node_of.get(key)
        if node is None or node.performed is None:
            return ()
        array = np.asarray(self._runs(node, eps)[0][node.output])
        return (near("the operation again in float64", array, index, 8 * eps, 16 * self.spread(key, index, eps)),)

    def spread(self, key: int, index: Index, eps: float) -> float:
        """How far one entry of a value moves when all that went into its operation moves by the spacing of its floats."""
        node = self._node_of.get(key)
        if node is None or node.performed is None:
            return 0.0
        here, *shaken = (float(run[node.output][index]) for run in self._runs(node, eps))
        return max((abs(other - here) for other in shaken if np.isfinite(other) and np.isfinite(here)), default=0.0)

    def _runs(self, node: Known, eps: float) -> list[tuple[Any, ...]]:
        """An operation once more on what had gone in, and with that shaken by the spacing of its floats (Vignes 1974)."""
        if id(node.node) not in self._again:
            inputs = [self.given(node, i) for i in range(len(node.places))]
            shaken = [[_shaken(x, eps, [k, i]) for i, x in enumerate(inputs)] for k in range(_SHAKES)]
            self._again[id(node.node)] = [self.forward(node, run) for run in (inputs, *shaken)]
        return self._again[id(node.node)]

    def outputs(self, node: Known) -> tuple[int, ...]:
        keys = {member.output: member.key for member in self._nodes_of[id(node.node)]}
        return tuple(keys.get(i, _UNUSED) for i in range(max(keys) + 1))

    def sources(self, node: Known) -> tuple[int, ...]:
        return node.sources

    def given(self, node: Known, position: int) -> Any:
        if node.performed is None or position >= len(node.places):
            return None
        return self._double(node.performed.tensors[node.places[position]])

    def forward(self, node: Known, inputs: Sequence[Any]) -> tuple[Any, ...]:
        if node.performed is None:  # what others were computed from it, as it was
            return tuple(self._as_it_was(key) for key in self.outputs(node))
        given = {
            place: torch.as_tensor(array)
            for place, source, array in zip(node.places, node.sources, inputs, strict=False)
            if source
        }
        tensors = [given[i] if i in given else as_double(t) for i, t in enumerate(node.performed.tensors)]
        return tuple(None if t is None else t.numpy() for t in node.performed.again(tensors))

    def work(self, node: Known) -> float:
        tensors = () if node.performed is None else node.performed.tensors
        sizes = [t.numel() if isinstance(t, torch.Tensor) else 0 for t in tensors]
        name = {"addmm": "linear", "mm": "matmul", "bmm": "matmul"}.get(node.rule, node.rule)
        return work_of(name, self.graph.upstream[node.key].shape, sizes[1:] if node.rule == "addmm" else sizes)

    def mute(self, nodes: Sequence[Known]) -> str:
        unseen = next((node.rule for node in nodes if node.performed is None), None)
        return "" if unseen is None else f"{unseen} cannot be run again by itself"

    def _double(self, tensor: Any) -> np.ndarray | None:
        if not isinstance(tensor, torch.Tensor):  # a number, or nothing
            return None
        if id(tensor) not in self._doubled:
            self._doubled[id(tensor)] = as_double(tensor).numpy()
        return self._doubled[id(tensor)]

    def _as_it_was(self, key: int) -> np.ndarray | None:
        return self._double(self.graph.values.get(key))


def _shaken(array: np.ndarray | None, eps: float, seed: list[int]) -> np.ndarray | None:
    if array is None or array.dtype.kind != "f":
        return array
    return array * (1 + eps * np.random.default_rng(seed).uniform(-1, 1, array.shape))


def differences_of(run: Run, recording: Recording, name: str, index: Index) -> Measured | str:
    """d (the loss) / d (one entry of a named tensor), by running copies of the whole model in float64.

    Nothing is drawn anew. A text says why the model cannot be run again.
    """

    if recording.unrepeatable:
        return f"{recording.unrepeatable[0]} draws anew each time"

    def loss(moved: np.ndarray) -> float:
        twin = run.copied(double=True)
        with torch.no_grad():
            twin.names[name].copy_(torch.as_tensor(moved))
        with redrawn(recording):
            return float(twin.value().detach())

    try:
        here = run.names[name].detach().double().numpy()
        return measured(loss, here, index, loss(here))
    except Exception as problem:  # whatever a user's model may raise in floats it was not written for
        return str(problem).splitlines()[0] if str(problem) else type(problem).__name__
