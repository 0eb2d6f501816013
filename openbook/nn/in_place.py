"""Results written over what they were computed from, as `inplace=True` asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbook.tensor.tensor import Tensor

__all__ = ["over"]


def over(x: Any, compute: Callable[[Any], Any]) -> Any:
    """What `compute` makes of x, written into x's own memory: every name of the tensor, and every view of it, sees it.

    A leaf that requires gradients is refused, and so is, in backward(), what an earlier operation still needed, as in
    PyTorch.
    """
    return x._become(compute) if isinstance(x, Tensor) else compute(x)
