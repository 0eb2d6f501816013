"""What training loops do to gradients between backward() and step()."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.tensor import Tensor

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The `norm_type`-norm of all entries of all tensors together; `foreach` changes nothing here.

    With `error_if_nonfinite`, an InputError where it is NaN or infinite.
    """
    arrays = [t.data for t in _listed(tensors)]
    norm = _norm(arrays, float(norm_type))
    if error_if_nonfinite and not np.isfinite(norm):
        raise InputError(f"the norm is {norm}", where="get_total_norm", do="find where NaN or ∞ came from")
    dtype = np.result_type(*arrays) if arrays else np.float32
    return Tensor(np.array(norm, dtype))


def _norm(arrays: list[np.ndarray], power: float) -> float:
    """In double precision, so that many small entries are not lost in a large sum."""
    if not arrays:
        return 0.0
    if power == np.inf:
        return float(max(np.abs(a).max(initial=0.0) for a in arrays))
    if power == 2:
        return float(np.sqrt(sum(np.sum(np.square(a, dtype=np.float64)) for a in arrays)))
    return float(sum(np.sum(np.abs(a, dtype=np.float64) ** power) for a in arrays) ** (1 / power))


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Shrink all gradients together so that their joint norm is at most `max_norm`; returns what it was.

    With `error_if_nonfinite`, an InputError where it is NaN or infinite; else, as in PyTorch, NaN spreads. `foreach` changes
    nothing here.
    """
    owners = _listed(parameters)
    norm = get_total_norm([p.grad for p in owners if p.grad is not None], norm_type, error_if_nonfinite)
    clip_grads_with_norm_(owners, max_norm, norm)
    return norm


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Any, foreach: bool | None = None
) -> None:
    """Shrink all gradients together by what brings `total_norm` down to `max_norm`; `foreach` changes nothing here."""
    scale = max_norm / (float(total_norm) + 1e-6)
    if scale >= 1:
        return
    for p in _listed(parameters):
        if p.grad is not None:
            p.grad.data *= p.grad.dtype.type(scale)
            p.grad.changed_in_place()


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Cut every entry of every gradient to [−clip_value, clip_value]; `foreach` changes nothing here."""
    if not clip_value >= 0:
        raise InputError(f"clip_value={clip_value} is negative", where="clip_grad_value_", do="give 0 or more")
    for p in _listed(parameters):
        if p.grad is not None:
            np.clip(p.grad.data, -clip_value, clip_value, out=p.grad.data)
            p.grad.changed_in_place()


def _listed(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)
