"""scikit-learn's parameters as the numbers that kernels take; an InputError names the one that cannot be."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

import numpy as np

from openbook.errors import InputError

__all__ = ["count", "drawn_rows", "features", "monotonic", "one_of", "whole", "within"]

_LEAST = math.ulp(0.0)  # the smallest number above 0


def whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise InputError(f"{name}={value!r} is no whole number of {least} or more", do=f"pass {name}={least} or more")
    return int(value)


def within(name: str, value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not low <= value <= high:
        raise InputError(f"{name}={value!r} does not lie between {low} and {high}")
    return float(value)


def one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise InputError(f"{name}={value!r} is unknown here", do=f"choose one of {', '.join(allowed)}")
    return value


def count(name: str, value: Any, n: int, least: int) -> int:
    """A number of rows, or a share of them, as scikit-learn counts (shares are rounded up)."""
    if isinstance(value, Integral):
        return whole(name, value, least)
    return max(least, int(np.ceil(within(name, value, _LEAST, 1.0) * n)))


def drawn_rows(max_samples: Any, n: int, weight: float) -> int:
    """How many rows a bootstrap sample draws: n, a number, or a share of the weight of all rows (rounded down)."""
    if max_samples is None:
        return n
    if isinstance(max_samples, Integral):
        return whole("max_samples", max_samples, 1)
    return max(1, int(within("max_samples", max_samples, _LEAST, np.inf) * weight))


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
    return max(1, int(within("max_features", value, _LEAST, 1.0) * n))


def monotonic(value: Any, n: int) -> tuple[int, ...]:
    """For each feature 1 (the prediction may only rise with it), -1 (only fall) or 0; empty where nothing is asked."""
    if value is None:
        return ()
    signs = np.atleast_1d(np.asarray(value))
    if signs.shape != (n,):
        raise InputError(f"monotonic_cst has shape {len(signs)} but the input data X has {n} features")
    if not np.isin(signs, (-1, 0, 1)).all():
        raise InputError(f"monotonic_cst must be None or an array-like of -1, 0 or 1, but got {np.unique(signs)}")
    return tuple(int(s) for s in signs)
