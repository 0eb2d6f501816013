"""Results written over what they were computed from, as `inplace=True` asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbook.tensor.autograd import is_grad_enabled
from openbook.tensor.tensor import Tensor

__all__ = ["over"]


def over(x: Any, compute: Callable[[Any], Any]) -> Any:
    """What `compute` makes of x, written into x's own memory: every name of the tensor sees it.

    A leaf that requires gradients is refused, and so is, in backward(), what an earlier operation still needed, as in
    PyTorch. Where a view shares the memory while gradients are recorded, the result is a new tensor.
    """
    if not isinstance(x, Tensor) or (x.changed[1] and is_grad_enabled() and x.requires_grad):
        return compute(x)
    return x._become(compute)
