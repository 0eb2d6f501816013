"""Distances from the median while rows come in one by one: two Fenwick trees (1994), of weights and of weighted targets.

Places are the ranks of the targets in a node. Sums are whole numbers, so the order of coming in does not matter.
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import inlined

__all__ = ["absolute_error", "insert", "median"]


@inlined
def insert(weights, parts, place, w, p):
    """One row more, at this place (0 …)."""
    k = place + 1
    while k < len(weights):
        weights[k] += w
        parts[k] += p
        k += k & -k


@inlined
def find(weights, parts, wanted):
    """The first place up to and with which the weight is `wanted` or more; the weight and the part before it."""
    place, weight, part, step = np.int64(0), np.int64(0), np.int64(0), np.int64(1)
    while step * 2 < len(weights):
        step *= 2
    while step > 0:
        following = place + step
        if following < len(weights) and weight + weights[following] < wanted:
            place = following
            weight += weights[place]
            part += parts[place]
        step //= 2
    return place, weight, part


@inlined
def median(weights, parts, whole, numbers):
    """The weighted median of the targets `numbers`; half-way between the two that share it."""
    low, _, _ = find(weights, parts, (whole + 1) // 2)
    high, _, _ = find(weights, parts, whole // 2 + 1)
    if low == high:
        return numbers[low]
    return numbers[low] / 2 + numbers[high] / 2


@inlined
def absolute_error(weights, parts, whole, part, levels):
    """Σ w · |target − median|, in units of weighted targets; `whole` and `part` are the sums of all rows that are in."""
    place, below, below_part = find(weights, parts, (whole + 1) // 2)
    return np.float64(part - below_part - below_part) - levels[place] * np.float64(whole - below - below)
