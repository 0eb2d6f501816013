"""The kinds of numbers: which new tensors get, their limits, and what several come to."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import DTypeError
from openbook.tensor import promotion
from openbook.tensor.tensor import Tensor

__all__ = [
    "can_cast",
    "finfo",
    "get_default_dtype",
    "iinfo",
    "is_complex",
    "is_tensor",
    "promote_types",
    "result_type",
    "set_default_dtype",
]

iinfo = np.iinfo


def finfo(type: Any = None) -> np.finfo:
    """The limits of a floating-point dtype: eps, max, min, tiny …; of the default one, if none is given."""
    return np.finfo(promotion.default_float() if type is None else type)


def get_default_dtype() -> np.dtype:
    """The dtype that Python's floats, and results that must be real, get: float32 unless it was set."""
    return promotion.default_float()


def set_default_dtype(d: Any) -> None:
    """Let Python's floats, new parameters and factories' tensors be of another floating-point dtype."""
    kind = np.dtype(d)
    if kind.kind != "f":
        raise DTypeError(f"the default dtype is a floating-point one, not {kind}", do="choose float32 or float64")
    promotion.set_default_float(kind)


def promote_types(type1: Any, type2: Any) -> np.dtype:
    """The dtype that tensors of these two come to."""
    return promotion.result_type([np.empty(1, type1), np.empty(1, type2)])


def result_type(tensor1: Any, tensor2: Any) -> np.dtype:
    """The dtype that an operation on these two (tensors or numbers) gives."""
    values = [x.data if isinstance(x, Tensor) else x for x in (tensor1, tensor2)]
    return promotion.result_type(values)


def can_cast(from_: Any, to: Any) -> bool:
    """Whether PyTorch's promotion would let a result of one dtype be stored in another: not into a simpler kind."""
    ranks = {"b": 0, "u": 1, "i": 2, "f": 3}
    low, high = np.dtype(from_).kind, np.dtype(to).kind
    return ranks[low] <= ranks[high]


def is_complex(input: Any) -> bool:
    """Whether entries are complex numbers; there are none here."""
    return False


def is_tensor(obj: Any) -> bool:
    """Whether this is a tensor."""
    return isinstance(obj, Tensor)
