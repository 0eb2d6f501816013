"""One entry of a gradient in a PyTorch model: the ledger, and the whole model beside it, by backward() and by differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from openbook.errors import ExplainError
from openbook.explain.ledgers.entries import Index, Question, explain_entry
from openbook.explain.ledgers.replay import Measured
from openbook.explain.pytorch.again import TorchReplay, differences_of
from openbook.explain.pytorch.graph import TorchGraph, asked_leaf
from openbook.explain.pytorch.modules import module_table
from openbook.explain.pytorch.recording import Recording, recorded
from openbook.explain.pytorch.run import Run
from openbook.record import Witness, Working

__all__ = ["explain_run"]


def explain_run(run: Run, wrt: Any, at: Index | int | None, top: int) -> Working:
    """Show how d loss / d (one entry of `wrt`) comes about when the model runs as it is now."""
    asked = run.name_of(wrt)
    twin = run.copied()
    value, recording = recorded(twin.model, twin.value)
    graph = TorchGraph(value, twin.names, recording)
    _require_own_parameters(graph, run)
    key = asked_leaf(graph, asked, twin.names)
    replay = TorchReplay(graph)
    judge = _Judge(
        run, recording, graph.labels[key], float(torch.finfo(value.dtype).eps), partial(replay.loss_slope, key)
    )
    array, gradient = graph.leaves[key].detach().numpy(), graph.upstream[key]
    question = Question(key, judge.name, array, gradient, judge.eps, replay, judge.witnesses)
    operations = graph.operations(replay.slopes)
    working = explain_entry(operations, value.item(), question, at, top, graph.pictured())
    return replace(working, tables=(module_table(recording),), notes=(*working.notes, *judge.notes))


def _require_own_parameters(graph: TorchGraph, run: Run) -> None:
    """A loss that holds on to the model would be computed from the user's parameters, not the copy's."""
    theirs = {id(parameter) for parameter in run.model.parameters()}
    if any(id(leaf) in theirs for leaf in graph.leaves.values()):
        raise ExplainError(
            "the loss looks at the model itself, not at its output alone, so a copy of the model does not tell",
            do="put that part into the model's output, or explain the loss tensor: explain(loss, wrt=..., model=model)",
        )


class _Judge:
    """The model as a whole on one entry: PyTorch's backward() on a plain copy, and central differences in float64."""

    def __init__(self, run: Run, recording: Recording, name: str, eps: float, recalled: Callable[[Index], Measured]):
        self.run, self.recording, self.name, self.eps = run, recording, name, eps
        self.recalled = recalled  # the slope that the recorded operations have, with everything else held fixed
        self.notes: list[str] = []

    def witnesses(self, index: Index) -> tuple[Witness, ...]:
        tolerance, gradient = max(1e-6, 100 * self.eps), _plain_gradient(self.run, self.name)
        largest = float(np.max(np.abs(gradient), initial=0.0))
        backward = float(gradient[index])
        found = [Witness("PyTorch's backward()", lambda: backward, 100 * self.eps, 100 * self.eps * largest)]
        measured = differences_of(self.run, self.recording, self.name, index)
        if isinstance(measured, str):
            self.notes.append(
                f"The model cannot be run again in float64 ({measured}): it is not held against differences as a whole."
            )
        elif self._stops(measured, index):
            self.notes.append(
                f"As a whole the model's slope is {float(measured.slope):.6g}: it looks at values that PyTorch counts as "
                "constants (detach, no_grad), and these move as well."
            )
        elif not measured.smooth:
            self.notes.append(f"The model as a whole is {measured.reason}.")
        else:
            slope, floor = float(measured.slope), 1e-2 * tolerance * largest + 16 * measured.rounding
            floor += 4 * self.eps * float(measured.sway)
            found.append(Witness("central differences of the whole model", lambda: slope, tolerance, floor))
        return tuple(found)

    def _stops(self, whole: Measured, index: Index) -> bool:
        """Whether the recorded operations have another slope than the model has: something was held fixed in between."""
        recalled = self.recalled(index)
        if not (recalled.smooth and whole.smooth):
            return False
        a, b = float(recalled.slope), float(whole.slope)
        return abs(a - b) > 1e-5 * max(abs(a), abs(b)) + 16 * (recalled.rounding + whole.rounding)


def _plain_gradient(run: Run, name: str) -> np.ndarray:
    """The gradient as the user would get it: no hooks, no modes, PyTorch's own choice of kernels."""
    twin = run.copied()
    with torch.random.fork_rng(), torch.enable_grad():
        (gradient,) = torch.autograd.grad(twin.value(), [twin.names[name]], allow_unused=True)
    return np.zeros(twin.names[name].shape) if gradient is None else gradient.to_dense().numpy()
