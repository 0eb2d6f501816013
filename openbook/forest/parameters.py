"""scikit-learn's parameters as the numbers that kernels take; an InputError names the one that cannot be."""

from __future__ import annotations

import os
from numbers import Integral, Real
from typing import Any

import numpy as np

from openbook.errors import InputError

__all__ = ["count", "features", "threads", "whole", "within"]


def whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise InputError(f"{name}={value!r} is no whole number of {least} or more", do=f"pass {name}={least} or more")
    return int(value)


def within(name: str, value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not low <= value <= high:
        raise InputError(f"{name}={value!r} does not lie between {low} and {high}")
    return float(value)


def count(name: str, value: Any, n: int, least: int) -> int:
    """A number of rows, or a share of them, as scikit-learn counts (shares are rounded up)."""
    if isinstance(value, Integral):
        return whole(name, value, least)
    return max(least, int(np.ceil(within(name, value, np.nextafter(0.0, 1.0), 1.0) * n)))


def features(value: Any, n: int) -> int:
    """How many features each split draws."""
    if value is None:
        return n
    if isinstance(value, str):
        known = {"sqrt": np.sqrt, "log2": np.log2}
        if value not in known:
            raise InputError(
                f"max_features={value!r} is unknown", do='choose "sqrt", "log2", a number, a share or None'
            )
        return max(1, int(known[value](n)))
    if isinstance(value, Integral):
        return min(n, whole("max_features", value, 1))
    return max(1, int(within("max_features", value, np.nextafter(0.0, 1.0), 1.0) * n))


def threads(n_jobs: int | None) -> int:
    """How many threads `n_jobs` means."""
    return os.cpu_count() or 1 if n_jobs == -1 else max(1, n_jobs or 1)
