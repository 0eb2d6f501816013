"""Gradients asked for by name, without touching any `.grad`: PyTorch's `autograd.grad` and `autograd.backward`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.errors import GraphError, InputError, ShapeError
from openbook.record.keeping import keeping
from openbook.tensor.autograd import hooked, leading_to, propagate
from openbook.tensor.create import as_tensor
from openbook.tensor.tensor import Tensor
from openbook.tensor.vmap import Cases, vmap

__all__ = ["backward_of", "gradients"]


def gradients(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The sum of all outputs' derivatives by each input, weighted by `grad_outputs`, as a tuple; no `.grad` is touched.

    Inputs may be leaves or values computed on the way. One that no output depends on is an error, unless `allow_unused`
    (then None) or `materialize_grads` (then zeros). With `is_grads_batched` the weights have a first axis of cases, and so
    have the gradients. The graph is freed, unless `retain_graph` or `create_graph`.
    """
    ends, starts = _sequence(outputs), _sequence(inputs)
    _require_graph(ends, starts)
    seeds = _seeds(ends, grad_outputs, is_grads_batched)
    retain = (create_graph or keeping()) if retain_graph is None else retain_graph
    if is_grads_batched:
        found: Any = vmap(lambda *units: tuple(_carried(ends, starts, units, create_graph, retain)))(*seeds)
    else:
        found = _carried(ends, starts, seeds, create_graph, retain)
    unused = materialize_grads if allow_unused is None else allow_unused
    return tuple(
        _checked(g, x, i, unused, materialize_grads) for i, (g, x) in enumerate(zip(found, starts, strict=True))
    )


def _carried(ends: list[Tensor], starts: list[Tensor], seeds: Sequence[Any], create: bool, retain: bool) -> list[Any]:
    stacked = any(isinstance(s, Cases) for s in seeds)
    recorded = create or stacked
    keys = [id(x if x.node is None else x.node) for x in starts]
    grads = propagate(
        ends,
        list(seeds) if recorded else [s.data for s in seeds],
        create_graph=recorded,
        retain_graph=retain,
        watch=set(keys),
        wanted=leading_to(ends, set(keys))[0],
    )
    found = []
    for key, x in zip(keys, starts, strict=True):
        g = grads.get(key)
        if g is not None and x.node is None and x.hooks:
            g = hooked(x.hooks, g)
        g = g if g is None or hasattr(g, "__openbook_apply__") else Tensor(np.array(g))
        found.append(g.detach() if stacked and not create and g is not None else g)
    return found


def _checked(g: Any, x: Tensor, i: int, unused: bool, zeros: bool) -> Any:
    if g is None and zeros:
        return Tensor(np.zeros_like(x.data))
    if g is None and not unused:
        raise GraphError(
            f"the outputs do not depend on input {i}" + (f" ({x.name})" if x.name else ""),
            where="autograd.grad",
            do="pass allow_unused=True for None in its place, or materialize_grads=True for zeros",
        )
    return g


def _sequence(given: Any) -> list[Tensor]:
    return list(given) if isinstance(given, (tuple, list)) else [given]


def _require_graph(ends: list[Tensor], starts: list[Tensor]) -> None:
    for kind, tensors in (("output", ends), ("input", starts)):
        for i, x in enumerate(tensors):
            if not isinstance(x, Tensor):
                raise InputError(f"{kind} {i} is {type(x).__name__}, not a tensor", where="autograd.grad")
            if not x.requires_grad:
                raise GraphError(
                    f"{kind} {i} does not require gradients",
                    where="autograd.grad",
                    do="create it with requires_grad=True, or compute it from what was, outside no_grad()",
                )


def _seeds(ends: list[Tensor], weights: Any, stacked: bool) -> list[Tensor]:
    """A weight for every output; 1 for single numbers."""
    given = [None] * len(ends) if weights is None else _sequence(weights)
    if len(given) != len(ends):
        raise InputError(f"there are {len(given)} grad_outputs for {len(ends)} outputs", where="autograd.grad")
    found = []
    for y, g in zip(ends, given, strict=True):
        if g is None and y.data.size != 1:
            raise GraphError(
                f"gradients start from a single number, and this output has shape {y.shape}",
                where="autograd.grad",
                do="reduce it first, or pass grad_outputs of that shape",
            )
        seed = as_tensor(np.ones(y.shape, y.dtype) if g is None else g)
        if tuple(seed.shape[1:] if stacked else seed.shape) != tuple(y.shape):
            raise ShapeError(f"grad_outputs has shape {seed.shape}, the output {y.shape}", where="autograd.grad")
        found.append(seed if seed.dtype == y.dtype else seed.to(y.dtype))
    return found


def backward_of(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the sum of all tensors' derivatives, weighted by `grad_tensors`, to the `.grad` of the leaves (or of `inputs`)."""
    ends = _sequence(tensors)
    if inputs is not None:
        starts = _sequence(inputs)
        found = gradients(ends, starts, grad_tensors, retain_graph, create_graph, allow_unused=True)
        for x, g in zip(starts, found, strict=True):
            if g is not None:
                x.accumulate_grad(g if create_graph else np.array(g.data))
        return
    if len(ends) == 1:
        weight = _sequence(grad_tensors)[0] if grad_tensors is not None else None
        ends[0].backward(weight, retain_graph=retain_graph, create_graph=create_graph)
        return
    _require_graph(ends, [])
    parts = [(y * w).sum() for y, w in zip(ends, _seeds(ends, grad_tensors, False), strict=True)]
    sum(parts[1:], parts[0]).backward(retain_graph=retain_graph, create_graph=create_graph)
