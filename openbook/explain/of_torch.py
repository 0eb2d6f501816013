"""PyTorch's losses and models: local × upstream through torch's own graph, every slope found a second way."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch

from openbook.errors import ExplainError
from openbook.explain.dispatch import explains
from openbook.explain.ledgers.entries import Index, Question, explain_entry
from openbook.explain.networks.parameters import explain_parameters
from openbook.explain.pytorch.backward import explain_run
from openbook.explain.pytorch.forward import explain_output
from openbook.explain.pytorch.graph import TorchGraph, asked_leaf
from openbook.explain.pytorch.run import run_of
from openbook.explain.pytorch.saved import slopes_from_saved
from openbook.record import Working

__all__ = ["explain_torch", "explain_torch_module"]


@explains(torch.Tensor)
def explain_torch(
    loss: torch.Tensor,
    wrt: torch.Tensor | str | None = None,
    at: Index | int | None = None,
    names: Mapping[str, torch.Tensor] | None = None,
    model: torch.nn.Module | None = None,
    top: int = 4,
) -> Working:
    """Show how d loss / d (one entry of `wrt`) comes about in PyTorch's graph.

    `wrt` is a leaf the loss was computed from, or its name in `names` or in `model.named_parameters()`; by default the
    first parameter. Ask before `loss.backward()`, which frees the graph. Local slopes stand beside differences of
    openbook's operations on what PyTorch saved; give the model itself to `explain` to have its own run again. Raises
    ExplainError for a loss without a graph.
    """
    if loss.grad_fn is None or loss.numel() != 1:
        raise ExplainError(
            "only a single number that PyTorch computed from parameters has a ledger",
            do="pass the loss itself, before backward() and outside torch.no_grad()",
        )
    known = dict(names or {}) | (dict(model.named_parameters(remove_duplicate=False)) if model is not None else {})
    graph = TorchGraph(loss, known)
    key = asked_leaf(graph, wrt, known)
    operations = graph.operations(partial(slopes_from_saved, graph), "openbook's operation on what PyTorch saved")
    value, gradient = graph.leaves[key].detach().numpy(), graph.upstream[key]
    question = Question(key, graph.labels[key], value, gradient, float(torch.finfo(loss.dtype).eps))
    return explain_entry(operations, loss.item(), question, at, top, graph.pictured())


@explains(torch.nn.Module)
def explain_torch_module(
    model: torch.nn.Module,
    inputs: Any = None,
    target: Any = None,
    loss: Any = None,
    wrt: torch.Tensor | str | None = None,
    at: Index | int | None = None,
    top: int = 4,
) -> Working:
    """Show how a model's output comes about, or, with a `loss` or `wrt`, one entry of a gradient.

    `inputs` is what the model takes: a tensor or array, a tuple of several, a dictionary of arguments by name; without
    them, the parameters are counted. Without a loss: how the entry `at` of the output (by default the largest) comes from
    the inputs, module by module. With `loss(output, target)`, or `wrt` alone for a model that gives its own loss: how
    d loss / d (entry `at` of `wrt`) comes about; `wrt` is a parameter or its name, or "input". Copies are run, in the
    model's own mode (train or eval) and from the present random state: the model, its buffers, gradients and random
    generators stay as they are.
    """
    if inputs is None:
        return explain_parameters(model)
    run = run_of(model, inputs, target, loss)
    if loss is None and wrt is None:
        return explain_output(run, at, top)
    return explain_run(run, wrt, at, top)
