"""Parameters: the tensors a module learns."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import DTypeError
from openbook.tensor.create import as_tensor
from openbook.tensor.devices import require_cpu
from openbook.tensor.promotion import default_float
from openbook.tensor.tensor import Tensor

__all__ = ["Parameter", "empty_parameter", "float_dtype"]


class Parameter(Tensor):
    """A tensor that a module learns: assigned as an attribute, it is found by `parameters()`.

    Shares the memory of the tensor or array it is made of; Python numbers become the default dtype.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True):
        super().__init__(data if isinstance(data, np.ndarray) else as_tensor(data).data, requires_grad)


def float_dtype(device: Any = None, dtype: Any = None) -> np.dtype:
    """The dtype that new parameters get: the default one, or the floating-point one asked for; `device` can be the CPU only."""
    require_cpu(device)
    kind = np.dtype(default_float() if dtype is None else dtype)
    if kind.kind != "f":
        raise DTypeError(f"parameters are floating-point numbers, not {kind}", do="choose float32 or float64")
    return kind


def empty_parameter(*shape: int, dtype: np.dtype) -> Parameter:
    """A parameter whose entries are still to be drawn."""
    return Parameter(np.zeros(shape, dtype))
