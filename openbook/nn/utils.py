"""What training loops do to gradients between backward() and step(), and parameters as one vector."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor import Tensor

__all__ = ["clip_grad_norm_", "clip_grad_value_", "parameters_to_vector", "vector_to_parameters"]


def clip_grad_norm_(parameters: Iterable[Tensor], max_norm: float, error_if_nonfinite: bool = False) -> float:
    """Shrink all gradients together so that their joint Euclidean norm is at most `max_norm`; returns what it was.

    With `error_if_nonfinite`, an InputError where it is NaN or infinite; else, as in PyTorch, NaN spreads.
    """
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = float(np.sqrt(sum(np.sum(np.square(g.data, dtype=np.float64)) for g in grads)))
    if error_if_nonfinite and not np.isfinite(norm):
        raise InputError(f"the gradients' norm is {norm}", where="clip_grad_norm_", do="find where NaN or ∞ came from")
    scale = max_norm / (norm + 1e-6)
    if not scale >= 1:
        for g in grads:
            g.data *= g.dtype.type(scale)
            g.changed_in_place()
    return norm


def clip_grad_value_(parameters: Iterable[Tensor], clip_value: float) -> None:
    """Cut every entry of every gradient to [−clip_value, clip_value]."""
    if not clip_value >= 0:
        raise InputError(f"clip_value={clip_value} is negative", where="clip_grad_value_", do="give 0 or more")
    for p in parameters:
        if p.grad is not None:
            np.clip(p.grad.data, -clip_value, clip_value, out=p.grad.data)
            p.grad.changed_in_place()


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All entries of all parameters, one after the other; gradients flow back to them."""
    flat = [word.reshape(p, shape=(-1,)) for p in parameters]
    if not flat:
        raise InputError("there are no parameters to join", where="parameters_to_vector")
    return word.cat(*flat, axis=0)


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write a vector back into parameters, in place; its length must be that of all of them together."""
    owners = list(parameters)
    total = sum(p.data.size for p in owners)
    if vec.shape != (total,):
        raise ShapeError(f"the parameters have {total} entries, the vector has shape {vec.shape}")
    start = 0
    for p in owners:
        p.data[...] = vec.data[start : start + p.data.size].reshape(p.shape)
        p.changed_in_place()
        start += p.data.size
