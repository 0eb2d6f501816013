"""PyTorch's samples as openbook's arguments, and results of both as plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from openbook.tensor import Tensor

DTYPES = {
    torch.float16: np.float16, torch.float32: np.float32, torch.float64: np.float64, torch.int64: np.int64,
    torch.int32: np.int32, torch.int16: np.int16, torch.int8: np.int8, torch.uint8: np.uint8, torch.bool: np.bool_,
    torch.long: np.int64,
}  # fmt: skip


def ours(x: Any, leaves: list[Tensor] | None = None) -> Any:
    """The same argument for openbook, strides and all; tensors that require gradients are noted in `leaves`."""
    if isinstance(x, torch.Tensor):
        tensor = Tensor(x.detach().numpy(), requires_grad=x.requires_grad)
        if leaves is not None and x.requires_grad:
            leaves.append(tensor)
        return tensor
    if isinstance(x, torch.dtype):
        return DTYPES[x]
    if isinstance(x, torch.Size):
        return tuple(x)
    return _within(x, lambda v: ours(v, leaves))


def theirs(x: Any, leaves: list[torch.Tensor]) -> Any:
    """The argument as it is; tensors that require gradients are noted in the same order."""
    if isinstance(x, torch.Tensor):
        if x.requires_grad:
            leaves.append(x)
        return x
    return _within(x, lambda v: theirs(v, leaves))


def _within(x: Any, f: Callable[[Any], Any]) -> Any:
    if isinstance(x, dict):
        return {k: f(v) for k, v in x.items()}
    if isinstance(x, slice):
        return slice(f(x.start), f(x.stop), f(x.step))
    return type(x)(map(f, x)) if type(x) in (list, tuple) else x


def outputs(x: Any) -> Iterator[Any]:
    """The tensors in a result, in order; plain numbers too."""
    if isinstance(x, (tuple, list)):
        for part in x:
            yield from outputs(part)
    elif isinstance(x, (torch.Tensor, Tensor, bool, int, float, np.ndarray, np.generic)):
        yield x


def array(x: Any) -> np.ndarray:
    """The numbers of a result of either library."""
    return (
        x.detach().numpy(force=True)
        if isinstance(x, torch.Tensor)
        else x.data
        if isinstance(x, Tensor)
        else np.asarray(x)
    )
