"""Numbers in the least room that is exact."""

from __future__ import annotations

import numpy as np

__all__ = ["least", "single"]


def least(array: np.ndarray) -> np.ndarray:
    """The same numbers, to the last bit, in the smallest dtype that holds them."""
    if array.dtype.kind == "b" or not array.size:
        return array
    low, high = array.min(), array.max()
    if array.dtype.kind == "f":
        if not 0 <= low <= high < 2**32 or np.signbit(array).any():
            return single(array)
        whole = array.astype(np.uint32)
        if not np.array_equal(whole, array):
            return single(array)
        array, low, high = whole, whole.dtype.type(low), whole.dtype.type(high)
    return array.astype(np.promote_types(np.min_scalar_type(low), np.min_scalar_type(high)))


def single(array: np.ndarray) -> np.ndarray:
    """The same numbers in single precision, if that holds them."""
    with np.errstate(over="ignore"):
        single = array.astype(np.float32)
    return single if np.array_equal(single, array) else array
