"""One entry of what a PyTorch model gives: how it comes from the inputs, operation by operation, module by module."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from openbook.errors import ExplainError
from openbook.explain.ledgers.entries import Index, chosen_entry, entry_name
from openbook.explain.ledgers.picture import picture
from openbook.explain.pytorch.again import TorchReplay
from openbook.explain.pytorch.graph import TorchGraph
from openbook.explain.pytorch.modules import module_table
from openbook.explain.pytorch.recording import recorded
from openbook.explain.pytorch.run import Run
from openbook.explain.pytorch.story import Story
from openbook.expr import Name
from openbook.record import Step, Witness, Working

__all__ = ["explain_output"]


def explain_output(run: Run, at: Index | int | None, top: int) -> Working:
    """Show how one entry of the output comes about; of every sum the `top` largest terms are written out."""
    twin = run.copied()
    chosen: list[Index] = []

    def compute() -> torch.Tensor:
        output = _first(twin.output())
        if output.grad_fn is None:
            raise ExplainError(
                "the model computes its output without a graph", do="leave torch.no_grad() and detach() out of forward"
            )
        chosen.append(chosen_entry("the output", output.detach().numpy(), at))
        return output[chosen[0]]

    value, recording = recorded(twin.model, compute)
    called = entry_name("output", chosen[0])
    graph = TorchGraph(value, twin.names, recording, called)
    replay = TorchReplay(graph)
    story = Story(graph, replay, recording, top)
    steps = story.steps()
    plain = _plain_entry(run, chosen[0])
    eps = float(torch.finfo(value.dtype).eps)
    owner = Witness("PyTorch's own forward pass", lambda: plain, 100 * eps, 100 * eps * max(abs(plain), 1e-3))
    last = Step(called, value.item(), Name(steps[-1].name), (steps[-1],), rule="what the model gives",
                part="The output", dtype_eps=steps[-1].eps, witnesses=(owner,))  # fmt: skip
    return Working(
        title=f"How {called} of {type(run.model).__name__} comes about",
        question=f"Where does {called} come from?",
        steps=(*steps, last),
        result=value.item(),
        notes=story.notes,
        tables=(module_table(recording),),
        graph=picture(graph.operations(), graph.pictured(), (), value.item()),
    )


def _first(output: Any) -> torch.Tensor:
    """The tensor of floats that a model gives, or the first of several."""
    for part in tree_leaves(output):
        if isinstance(part, torch.Tensor) and part.is_floating_point() and part.numel():
            return part
    raise ExplainError("the model gives no tensor of floats", do="explain a part of it that does")


def _plain_entry(run: Run, index: Index) -> float:
    """As the user would get it: no modes, PyTorch's own choice of kernels."""
    with torch.random.fork_rng(), torch.no_grad():
        return float(_first(run.copied().output())[index])
