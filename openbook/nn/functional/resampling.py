"""Images in other sizes and at other places: interpolation, grids, channels turned into pixels and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn.functional.arguments import per_axis
from openbook.nn.functional.pooling import adaptive_average
from openbook.ops import vocabulary as word

__all__ = [
    "channel_shuffle", "interpolate", "pixel_shuffle", "pixel_unshuffle", "upsample", "upsample_bilinear",
    "upsample_nearest",
]  # fmt: skip

_AXES = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}
_MODES = ("nearest", "nearest-exact", "area", *_AXES)


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """(N, C, *spatial) in another size: by nearest entries, straight lines, cubic curves, or means of areas.

    `mode` is "nearest", "nearest-exact", "linear" (one axis), "bilinear" or "bicubic" (two), "trilinear" (three) or "area".
    With `align_corners` the first and last entries stay where they are, else entries are the middles of cells. A
    `scale_factor` says where entries lie, unless `recompute_scale_factor` takes that from the sizes. `antialias` ("bilinear"
    and "bicubic") widens the curves where the result is smaller.
    """
    axes = input.ndim - 2
    _require_mode(mode, axes, align_corners, antialias)
    wanted, factors = _sizes(input, axes, size, scale_factor)
    if mode == "area":
        return adaptive_average(input, wanted)
    if recompute_scale_factor:
        factors = (None,) * axes
    for axis, (count, factor) in enumerate(zip(wanted, factors, strict=True), 2):
        if mode.startswith("nearest"):
            places = _nearest(input.shape[axis], count, factor, 0.5 if mode == "nearest-exact" else 0.0)
            input = word.gather_entries(input, index=(slice(None),) * axis + (places,))
        else:
            weights = _weights(mode, input.shape[axis], count, factor, bool(align_corners), antialias)
            input = along_axis(input, axis, weights.astype(input.dtype))
    return input


def _require_mode(mode: str, axes: int, align_corners: bool | None, antialias: bool) -> None:
    if mode not in _MODES:
        raise InputError(f"interpolate has no mode {mode!r}", do=f"choose one of {', '.join(_MODES)}")
    if axes < 1 or _AXES.get(mode, axes) != axes:
        raise ShapeError(
            f"interpolation {mode!r} is of {_AXES.get(mode, 'one or more')} spatial axes, and there are {axes}",
            do="give (N, C, …) and the mode of its number of axes",
        )
    if align_corners is not None and mode not in _AXES:
        raise InputError(f"align_corners says nothing in mode {mode!r}", do="leave it out")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise InputError(f"antialias is of bilinear and bicubic, not of mode {mode!r}", do="leave it out")


def _sizes(x: Any, axes: int, size: Any, scale_factor: Any) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """The wanted sizes, and the factors they were given by (None where they were given themselves)."""
    if (size is None) == (scale_factor is None):
        raise InputError("interpolate takes either size or scale_factor", do="give one of the two")
    if size is not None:
        return per_axis(size, axes, "size", least=1), (None,) * axes
    factors = tuple(scale_factor) if isinstance(scale_factor, tuple | list) else (scale_factor,) * axes
    if len(factors) != axes:
        raise ShapeError(f"scale_factor has {len(factors)} numbers for {axes} axes: {scale_factor!r}")
    return tuple(math.floor(n * f) for n, f in zip(x.shape[2:], factors, strict=True)), factors


def _nearest(size: int, count: int, factor: Any, offset: float) -> np.ndarray:
    steps = np.arange(count)
    if factor is None and not offset:
        places = steps * size // count
    else:
        places = ((steps + offset) * (size / count if factor is None else 1 / factor)).astype(np.int64)
    return np.minimum(places, size - 1)


def along_axis(x: Any, axis: int, weights: np.ndarray) -> Any:
    """Every line along an axis times a matrix (out, in)."""
    last = (*(a for a in range(x.ndim) if a != axis), axis)
    back = tuple(int(a) for a in np.argsort(last))
    return word.permute(word.linear(word.permute(x, axes=last), weights), axes=back)


def _weights(mode: str, size: int, count: int, factor: Any, align_corners: bool, antialias: bool) -> np.ndarray:
    """How much of each of `size` entries goes into each of `count`: a matrix of rows that add up to 1."""
    if align_corners:
        scale = (size - 1) / (count - 1) if count > 1 else 0.0
    else:
        scale = size / count if factor is None else 1 / factor
    if antialias:
        return _smoothed(_cubic(-0.5) if mode == "bicubic" else _hat, 2 if mode == "bicubic" else 1, size, count, scale)
    steps = np.arange(count)
    at = steps * scale if align_corners else (steps + 0.5) * scale - 0.5
    if mode == "bicubic":
        curve, taps = _cubic(-0.75), range(-1, 3)
    else:
        curve, taps, at = _hat, range(2), np.maximum(at, 0)
    floor = np.floor(at)
    weights = np.zeros((count, size))
    for tap in taps:  # beyond the edge the last entry goes on
        np.add.at(weights, (steps, np.clip(floor + tap, 0, size - 1).astype(int)), curve(floor + tap - at))
    return weights


def _hat(t: np.ndarray) -> np.ndarray:
    return np.maximum(1 - np.abs(t), 0)


def _cubic(a: float) -> Any:
    """The curve of cubic convolution (Keys 1981); its parameter is the slope at 1."""

    def curve(t: np.ndarray) -> np.ndarray:
        t = np.abs(t)
        near = ((a + 2) * t - (a + 3)) * t * t + 1
        far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
        return np.where(t <= 1, near, np.where(t < 2, far, 0.0))

    return curve


def _smoothed(curve: Any, reach: int, size: int, count: int, scale: float) -> np.ndarray:
    """The curve as wide as the step between results where that is longer than one between entries."""
    wide = max(scale, 1.0)
    weights = np.zeros((count, size))
    for i in range(count):
        middle = scale * (i + 0.5)
        first = max(int(middle - reach * wide + 0.5), 0)
        last = min(int(middle + reach * wide + 0.5), size)
        row = curve((np.arange(first, last) - middle + 0.5) / wide)
        weights[i, first:last] = row / row.sum()
    return weights


def upsample(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Any:
    """The older name of `interpolate`."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate` by the nearest entries."""
    return interpolate(input, size, scale_factor)


def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate` by straight lines between aligned corners."""
    return interpolate(input, size, scale_factor, "bilinear", True)


# --- channels and pixels ---------------------------------------------------------------------------------------------


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """(…, C·r², H, W) as (…, C, H·r, W·r): channels laid out as pixels (Shi et al. 2016)."""
    r = upscale_factor
    *lead, channels, height, width = input.shape
    if r < 1 or channels % (r * r):
        raise ShapeError(f"{channels} channels are no multiple of {r}², of which pixel_shuffle makes pixels")
    n = len(lead)
    parts = word.reshape(input, shape=(*lead, channels // (r * r), r, r, height, width))
    parts = word.permute(parts, axes=(*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return word.reshape(parts, shape=(*lead, channels // (r * r), height * r, width * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """(…, C, H·r, W·r) as (…, C·r², H, W): the way back of `pixel_shuffle`."""
    r = downscale_factor
    *lead, channels, height, width = input.shape
    if r < 1 or height % r or width % r:
        raise ShapeError(f"{height} × {width} pixels are no multiple of {r}", where="pixel_unshuffle")
    n = len(lead)
    parts = word.reshape(input, shape=(*lead, channels, height // r, r, width // r, r))
    parts = word.permute(parts, axes=(*range(n), n, n + 2, n + 4, n + 1, n + 3))
    return word.reshape(parts, shape=(*lead, channels * r * r, height // r, width // r))


def channel_shuffle(input: Any, groups: int) -> Any:
    """The channels (axis 1) dealt out to `groups` in turn (Zhang et al. 2018)."""
    rows, channels, *rest = input.shape
    if groups < 1 or channels % groups:
        raise ShapeError(f"{channels} channels cannot be dealt out to {groups} groups", where="channel_shuffle")
    parts = word.reshape(input, shape=(rows, groups, channels // groups, *rest))
    parts = word.permute(parts, axes=(0, 2, 1, *range(3, parts.ndim)))
    return word.reshape(parts, shape=tuple(input.shape))
