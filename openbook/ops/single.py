"""Curves of activations in single precision: few passes over memory that stays in the cache.

In float64 a curve may take as many steps as its last digits need. Seven digits need fewer, and whole networks wait for
them. Each function here gives what the operation's float64 form gives, to float32's budget; where numbers lie so far out
that these short forms overflow or vanish, the caller's own form computes the block.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["BLOCK", "gelu", "gelu_slope", "gelu_tanh", "gelu_tanh_slope", "in_blocks", "mish_slope", "sigmoid", "silu",
           "silu_slope"]  # fmt: skip

BLOCK = 16_384  # 64 or 128 KiB: larger arrays come from the operating system, page by page
Curve = Callable[[Any], Any]


def in_blocks(careful: Curve, x: Any, short: Curve | None = None, within: float = 80.0) -> Any:
    """The curve of an array, block by block; in float32 by its short form, where all of a block lies within ±`within`."""
    if x.dtype.char not in "fd":
        return careful(x)
    if x.dtype.char == "d":
        short = None
    if x.size <= BLOCK or not x.flags.c_contiguous:
        return _block(careful, x, short, within)
    y = np.empty_like(x)
    flat, out = x.reshape(-1), y.reshape(-1)
    for start in range(0, x.size, BLOCK):
        out[start : start + BLOCK] = _block(careful, flat[start : start + BLOCK], short, within)
    return y


def _block(careful: Curve, x: Any, short: Curve | None, within: float) -> Any:
    if short is None or not x.ndim or not x.size:
        return careful(x)
    if x.min() > -within and x.max() < within:  # not so of a NaN
        return short(x)
    return careful(x)


def sigmoid(x: Any) -> Any:
    """1/(1 + e⁻ˣ)."""
    y = np.negative(x)
    np.exp(y, out=y)
    y += 1
    return np.divide(1, y, out=y)


def silu(x: Any) -> Any:
    """x/(1 + e⁻ˣ)."""
    y = np.negative(x)
    np.exp(y, out=y)
    y += 1
    return np.divide(x, y, out=y)


def _logistic_slope(u: Any, growth: Any) -> Any:
    """The slope of x·σ(u), σ·(1 + x·u′·(1 − σ)), with 1 − σ = e⁻ᵘ·σ; `u` is written over."""
    e = np.negative(u, out=u)
    np.exp(e, out=e)
    s = e + 1
    np.divide(1, s, out=s)
    e *= s
    e *= growth
    e += 1
    e *= s
    return e


def silu_slope(x: Any) -> Any:
    return _logistic_slope(x.copy(), x)


_STEEPNESS, _CUBIC = 2 * math.sqrt(2 / math.pi), 0.044715


def gelu_tanh(x: Any) -> Any:
    """x·σ(u), u = 2√(2/π)·(x + 0.044715x³)."""
    u = x * x
    u *= -_STEEPNESS * _CUBIC
    u -= _STEEPNESS
    u *= x
    np.exp(u, out=u)
    u += 1
    return np.divide(x, u, out=u)


def gelu_tanh_slope(x: Any) -> Any:
    square = x * x
    u = square * (_STEEPNESS * _CUBIC)
    u += _STEEPNESS
    u *= x
    square *= 3 * _STEEPNESS * _CUBIC
    square += _STEEPNESS
    square *= x
    return _logistic_slope(u, square)


def mish_slope(x: Any) -> Any:
    """n/d + 4x·eˣ(1 + eˣ)/d², n = eˣ(eˣ + 2), d = n + 2; divided by d at once, for d² may overflow."""
    t = np.exp(x)
    n = t + 2
    n *= t
    r = n + 2
    np.divide(1, r, out=r)
    n *= r
    second = t + 1
    second *= t
    second *= r
    second *= r
    second *= x
    second *= 4
    second += n
    return second


# erfcx(z)·(1 + 2z) as a polynomial in (z − 2)/(z + 2), for 0 ≤ z ≤ 11: off by 2·10⁻⁸ at most (least squares, reweighted
# until the largest relative error is as small as it gets: Lawson 1961)
_ERFCX = [
    1.2769783983665137, -0.09276401735480805, -0.16603176585939158, 0.16405601036198403, -0.05420047333607205,
    -0.008061939623142325, 0.008617536560422372, 0.0013110377222703034, -0.001213303030149347, -0.0003906807816126457,
]  # fmt: skip


def _normal_share(x: Any) -> tuple[Any, Any]:
    """The share of a standard normal below x, and exp(−x²/2)."""
    z = np.abs(x)
    e = z * z
    e *= -0.5
    np.exp(e, out=e)
    z *= math.sqrt(0.5)
    t = z - 2
    below = z + 2
    t /= below
    z *= 2
    z += 1
    y = t * _ERFCX[-1]
    for c in _ERFCX[-2:0:-1]:
        y += c
        y *= t
    y += _ERFCX[0]
    y *= e
    y /= z
    y *= 0.5
    right = np.logical_not(np.signbit(x)).astype(x.dtype)  # a choice by signs that follow no pattern is slow
    right -= np.copysign(y, x, out=y)
    return right, e


def gelu(x: Any) -> Any:
    """x·Φ(x)."""
    share, _ = _normal_share(x)
    share *= x
    return share


def gelu_slope(x: Any) -> Any:
    """Φ(x) + x·φ(x)."""
    share, e = _normal_share(x)
    e *= x
    e *= math.sqrt(0.5 / math.pi)
    e += share
    return e
