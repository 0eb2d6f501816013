"""PyTorch's graph of gradients behind a number: names, values, what arrives on the way back, local slopes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from openbook.errors import ExplainError, GraphError
from openbook.explain.ledgers.entries import Index, Operation
from openbook.explain.ledgers.picture import Leaf
from openbook.explain.ledgers.replay import Measured
from openbook.explain.pytorch.recording import Performed, Recording
from openbook.ops import OPS

__all__ = ["Known", "TorchGraph", "asked_leaf", "oldest_first"]

_LETTERS = {"addmm": "z", "mm": "z", "tanh": "h", "relu": "h", "sigmoid": "h", "gelu": "h", "silu": "h", "t": "Wᵀ"}
# PyTorch's names of what openbook calls otherwise.
_OURS = {"addmm": "linear", "mm": "matmul", "bmm": "matmul", "threshold": "relu", "native_batch_norm": "standardize",
         "native_layer_norm": "standardize", "binary_cross_entropy_with_logits": "bce_with_logits",
         "nll_loss_forward": "nll_loss", "binary_cross_entropy": "bce", "safe_softmax": "softmax",
         "max_pool2d_with_indices": "max_pool"}  # fmt: skip

_MOST = 4_096  # entries tried one by one

Differences = Callable[[Any, int, int, Index], Measured | None]


@dataclass(frozen=True, eq=False)
class Known:
    """A value in the graph: the node that gave it, which of its outputs it is, and the operation, where it was recorded."""

    key: int
    node: Any
    output: int
    sources: tuple[int, ...]  # the keys of what went in, by edge; 0 where no gradient leads further
    performed: Performed | None
    places: tuple[int, ...] = ()  # where among the operation's tensors the edges' values stand

    @property
    def leaf(self) -> torch.Tensor | None:
        """The tensor that was given, where this is one."""
        return getattr(self.node, "variable", None)

    @property
    def rule(self) -> str:
        """`AddmmBackward0` is torch's name for what people call addmm."""
        if self.performed is not None:
            return self.performed.name
        return str(self.node.name()).split("::")[-1].partition("Backward")[0].lower()

    @property
    def called(self) -> str:
        """The rule's name as PyTorch's users say it."""
        plain = self.rule.removeprefix("native_").removesuffix("_forward").removesuffix("_with_indices")
        return {"addmm": "linear", "mm": "matmul", "bmm": "matmul"}.get(plain, plain)

    @property
    def formula(self) -> str:
        """How the operation reads, where openbook has the same."""
        ours = OPS.get(_OURS.get(self.rule, self.rule))
        return "" if ours is None else ours.formula


class TorchGraph:
    """Everything behind a single number that PyTorch computed, oldest first, by keys."""

    def __init__(
        self,
        end: torch.Tensor,
        names: Mapping[str, torch.Tensor],
        recording: Recording | None = None,
        called: str = "L",
    ):
        self.end, self.called = end, called
        self.names = {id(tensor): name for name, tensor in reversed(list(names.items()))}
        nodes = oldest_first(end.grad_fn)
        self.known = list(_known(nodes, end, recording))
        self.root = self.known[-1].key
        self._outputs: dict[int, int] = {}  # how many each node has
        self.upstream = self._upstream()
        self.values = self._values()
        self.labels = self._labels()

    @property
    def leaves(self) -> dict[int, torch.Tensor]:
        """The tensors that were given, by key."""
        return {k.key: k.leaf for k in self.known if k.leaf is not None}

    @property
    def computed(self) -> list[Known]:
        """What operations gave, as far as a gradient comes back to it."""
        return [k for k in self.known if k.leaf is None and k.key in self.upstream]

    def operations(self, differences: Differences | None = None, again: str = "the operation") -> list[Operation]:
        """What `explain_entry` is told of each operation; `differences(value, output, position, index)` are its slopes'."""
        return [
            Operation(
                key=k.key,
                name=self.labels[k.key],
                rule=k.called,
                inputs=k.sources,
                value=self.value(k.key),
                upstream=self.upstream[k.key],
                slopes=partial(self._slopes, k),
                formula=k.formula,
                differences=None if differences is None else partial(differences, k, k.output),
                again=again,
                module="" if k.performed is None else k.performed.module,
            )
            for k in self.computed
        ]

    def value(self, key: int) -> np.ndarray | None:
        """A value as it was when it was computed, where that is known."""
        found = self.values.get(key)
        return None if found is None else found.detach().numpy()

    def pictured(self) -> dict[int, Leaf]:
        """The leaves as the picture shows them; a parameter's module is the front of its name."""
        return {
            key: Leaf(
                self.labels[key], leaf.detach().numpy(), self.upstream.get(key), self.labels[key].rpartition(".")[0]
            )
            for key, leaf in self.leaves.items()
        }

    def _upstream(self) -> dict[int, np.ndarray]:
        """What arrives at every value on torch's own way back."""
        arrived: dict[int, np.ndarray] = {}
        at = {(id(k.node), k.output): k.key for k in self.known}

        def watch(node: Any) -> Any:
            def hook(gradients: tuple[torch.Tensor | None, ...]) -> None:
                self._outputs[id(node)] = len(gradients)
                for output, gradient in enumerate(gradients):
                    key = at.get((id(node), output))
                    if gradient is not None and key is not None:
                        arrived[key] = gradient.detach().to_dense().clone().numpy()

            return node.register_prehook(hook)

        handles = [watch(node) for node in {id(k.node): k.node for k in self.known if k.leaf is None}.values()]
        leaves = self.leaves
        try:
            found = torch.autograd.grad(self.end, list(leaves.values()), retain_graph=True, allow_unused=True)
        except RuntimeError as problem:
            raise GraphError(
                "PyTorch has freed the graph behind this loss",
                do="ask before backward(), or backward(retain_graph=True)",
            ) from problem
        finally:
            for handle in handles:
                handle.remove()
        gradients = zip(leaves, found, strict=True)
        return arrived | {key: g.detach().to_dense().numpy() for key, g in gradients if g is not None}

    def _slopes(self, known: Known, position: int, index: Index) -> np.ndarray:
        """∂(every entry of a value) / ∂(one entry of an input).

        Torch's rule is linear in what arrives, so it is differentiated by that.
        """
        shape = self.upstream[known.key].shape
        g = torch.zeros(shape, dtype=self.end.dtype, requires_grad=True)
        arriving: list[Any] = [None] * self._outputs[id(known.node)]
        arriving[known.output] = g
        rule = known.node if callable(known.node) else known.node.apply
        with torch.enable_grad():
            rows = rule(*arriving)
            row = rows[position] if isinstance(rows, tuple) else rows
            if row is None or not row.requires_grad:  # zero whatever arrives
                return np.zeros(shape)
            entry = row.to_dense().sum_to_size(self.upstream[known.sources[position]].shape)[index]
            try:
                (column,) = torch.autograd.grad(entry, g, allow_unused=True)
            except (NotImplementedError, RuntimeError):  # a rule that PyTorch cannot differentiate
                return self._slopes_one_by_one(known, position, index)
        return column.numpy() if column is not None else np.zeros(shape)

    def _slopes_one_by_one(self, known: Known, position: int, index: Index) -> np.ndarray:
        """The same, from what torch's rule makes of every single entry arriving."""
        slopes = np.zeros(self.upstream[known.key].shape)
        if slopes.size > _MOST:
            raise ExplainError(
                f"PyTorch's rule for {known.rule} cannot be differentiated, and its output is too large to try"
            )
        rule = known.node if callable(known.node) else known.node.apply
        for place in np.ndindex(slopes.shape):
            arriving: list[Any] = [None] * self._outputs[id(known.node)]
            arriving[known.output] = torch.zeros(slopes.shape, dtype=self.end.dtype)
            arriving[known.output][place] = 1.0
            rows = rule(*arriving)
            row = rows[position] if isinstance(rows, tuple) else rows
            slopes[place] = float(row.to_dense().sum_to_size(self.upstream[known.sources[position]].shape)[index])
        return slopes

    def _values(self) -> dict[int, torch.Tensor]:
        """From the recording; without one, what torch has saved of them, in their own node or in one that used them."""
        values: dict[int, torch.Tensor] = {}
        for k in self.known:
            performed = k.performed
            if performed is None:
                continue
            for source, place in zip(k.sources, k.places, strict=False):
                given = performed.tensors[place]
                if source and given is not None:
                    values[source] = given
            output = performed.outputs[k.output]
            if output is not None:
                values[k.key] = output
        values.update(self.leaves)
        for k in self.known:
            if k.key not in values and k.key in self.upstream:
                values.update((k.key, kept) for kept in self._saved(k))
        values[self.root] = self.end
        return values

    def _saved(self, wanted: Known) -> Iterator[torch.Tensor]:
        for attribute, holder in self._places(wanted):
            kept = getattr(holder, attribute, None)
            if isinstance(kept, torch.Tensor) and tuple(kept.shape) == self.upstream[wanted.key].shape:
                yield kept
                return

    def _places(self, wanted: Known) -> Iterator[tuple[str, Any]]:
        yield "_saved_result", wanted.node
        for user in self.known:
            for position, source in enumerate(user.sources):
                if source == wanted.key:
                    yield {1: "_saved_mat1", 2: "_saved_mat2"}.get(position, "_saved_self"), user.node
                    yield ("_saved_other" if position else "_saved_self"), user.node

    def _labels(self) -> dict[int, str]:
        labels: dict[int, str] = {}
        letters = {id(k.node): _LETTERS.get(k.rule, k.called) for k in self.known if k.leaf is None}
        shared, counts, numbers = list(letters.values()), dict.fromkeys(letters.values(), 0), {}
        for node, letter in letters.items():
            counts[letter] += 1
            numbers[node] = f"{letter}_{counts[letter]}" if shared.count(letter) > 1 else letter
        outputs = {id(k.node): k.output for k in self.known}
        given = 0
        for k in self.known:
            if k.leaf is None:
                several = outputs[id(k.node)] > 0 or k.output > 0
                labels[k.key] = f"{numbers[id(k.node)]}.{k.output}" if several else numbers[id(k.node)]
            else:
                given += id(k.leaf) not in self.names
                labels[k.key] = self.names.get(id(k.leaf), f"p_{given}")
        labels[self.root] = self.called
        return labels


def asked_leaf(graph: TorchGraph, wrt: Any, names: Mapping[str, torch.Tensor]) -> int:
    """The key of the tensor asked about: by itself, by name, or the first that has one."""
    if isinstance(wrt, str) and wrt not in names:
        raise ExplainError(f"no tensor is called {wrt!r}", do=f"choose one of {', '.join(names) or 'names={…}'}")
    wanted = names[wrt] if isinstance(wrt, str) else wrt
    if wanted is None:
        wanted = next(iter(names.values())) if names else next(iter(graph.leaves.values()))
    key = next((k for k, leaf in graph.leaves.items() if leaf is wanted), None)
    if key is None or key not in graph.upstream:
        raise ExplainError(
            "the loss does not depend on this tensor", do="choose a parameter the loss was computed from"
        )
    return key


# --- reading PyTorch's nodes ---------------------------------------------------------------------------------------


def oldest_first(last: Any) -> list[Any]:
    """All of torch's graph nodes behind a tensor's last, each after those it was computed from; none behind None."""
    seen: dict[int, Any] = {}
    done: list[Any] = []
    waiting = [] if last is None else [(last, False)]
    while waiting:
        node, visited = waiting.pop()
        if visited:
            done.append(node)
        elif id(node) not in seen:
            seen[id(node)] = node
            waiting.append((node, True))
            waiting.extend((n, False) for n, _ in node.next_functions if n is not None)
    return done


def _known(nodes: list[Any], end: torch.Tensor, recording: Recording | None) -> Iterator[Known]:
    """The outputs of every node that something was computed from, with the operation of the same number."""
    used: dict[int, set[int]] = {id(end.grad_fn): {end.output_nr}}
    for node in nodes:
        for source, output in node.next_functions:
            if source is not None:
                used.setdefault(id(source), set()).add(output)
    keys: dict[tuple[int, int], int] = {}
    for node in nodes:
        sources = tuple(0 if n is None else keys[id(n), output] for n, output in node.next_functions)
        performed = recording.performed.get(node._sequence_nr()) if recording is not None else None
        places = () if performed is None else _places_of(performed, len(sources))
        for output in sorted(used[id(node)]):
            keys[id(node), output] = len(keys) + 1
            yield Known(keys[id(node), output], node, output, sources, performed, places)


def _places_of(performed: Performed, edges: int) -> tuple[int, ...]:
    """Which of an operation's tensors the edges of its node stand for: all, or those of floats, the first so many."""
    tensors = performed.tensors
    if len(tensors) == edges:
        return tuple(range(edges))
    floats = (i for i, t in enumerate(tensors) if t is None or t.is_floating_point())
    return tuple(floats)[:edges]
