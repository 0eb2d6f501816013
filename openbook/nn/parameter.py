"""Parameters: the tensors a module learns."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import DTypeError, InputError
from openbook.tensor.create import as_tensor
from openbook.tensor.tensor import Tensor

__all__ = ["Parameter", "empty_parameter", "float_dtype"]


class Parameter(Tensor):
    """A tensor that a module learns: assigned as an attribute, it is found by `parameters()`.

    Shares the memory of the tensor or array it is made of; Python numbers become float32.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True):
        super().__init__(data if isinstance(data, np.ndarray) else as_tensor(data).data, requires_grad)


def float_dtype(device: Any = None, dtype: Any = None) -> np.dtype:
    """The dtype that new parameters get: float32, or the floating-point one asked for; `device` can be the CPU only."""
    check_device(device)
    kind = np.dtype(np.float32 if dtype is None else dtype)
    if kind.kind != "f":
        raise DTypeError(f"parameters are floating-point numbers, not {kind}", do="choose float32 or float64")
    return kind


def check_device(device: Any) -> None:
    """Refuse every device but the CPU."""
    if device is not None and str(device) != "cpu":
        raise InputError(f"there is no device {device!s} here, only the CPU", do='leave device out, or give "cpu"')


def empty_parameter(*shape: int, dtype: np.dtype) -> Parameter:
    """A parameter whose entries are still to be drawn."""
    return Parameter(np.zeros(shape, dtype))
