"""Images looked at through a grid of places (Jaderberg et al. 2015)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor.tensor import Tensor

__all__ = ["affine_grid", "grid_sample"]


def affine_grid(theta: Any, size: Sequence[int], align_corners: bool | None = None) -> Any:
    """The grid (N, *spatial, axes) of places that the affine maps `theta` (N, axes, axes + 1) take an output of `size` to."""
    spatial = tuple(size[2:])
    if len(spatial) not in (2, 3) or tuple(theta.shape) != (size[0], len(spatial), len(spatial) + 1):
        raise ShapeError(
            f"maps of shape {tuple(theta.shape)} do not fit an output of {tuple(size)}", where="affine_grid"
        )
    lines = [np.linspace(-1, 1, n) * (1 if align_corners else (n - 1) / n) if n > 1 else np.zeros(1) for n in spatial]
    axes = np.meshgrid(*lines, indexing="ij")[::-1]  # places name the last axis first
    points = np.stack([*axes, np.ones(spatial)], axis=-1).reshape(1, -1, len(spatial) + 1).astype(theta.dtype)
    return word.reshape(word.matmul(Tensor(points), word.swap(theta)), shape=(size[0], *spatial, len(spatial)))


def grid_sample(
    input: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Any:
    """The entries of (N, C, *spatial) at the places of `grid` (N, *out, axes): (N, C, *out).

    Places run from −1 to 1 across the image (its corners' middles with `align_corners`, else their outer edges), last axis
    first. Between entries `mode` is "bilinear", "nearest" or "bicubic" (two axes); outside there are "zeros", the "border",
    or the image's "reflection".
    """
    axes = input.ndim - 2
    _require(input, grid, mode, padding_mode, axes)
    flat = word.reshape(input, shape=(*input.shape[:2], math.prod(input.shape[2:])))
    sampler = _Sampler(flat, tuple(input.shape[2:]), padding_mode, bool(align_corners))
    places = [
        sampler.scaled(word.reshape(grid[..., axes - 1 - i], shape=(input.shape[0], -1 if grid.numel() else 0)), i)
        for i in range(axes)
    ]
    found = {"bilinear": sampler.straight, "nearest": sampler.nearest, "bicubic": sampler.cubic}[mode](places)
    return word.reshape(found, shape=(*input.shape[:2], *grid.shape[1:-1]))


def _require(x: Any, grid: Any, mode: str, padding_mode: str, axes: int) -> None:
    if mode not in ("bilinear", "nearest", "bicubic") or padding_mode not in ("zeros", "border", "reflection"):
        raise InputError(
            f"grid_sample knows no mode {mode!r} with padding_mode {padding_mode!r}",
            do="choose bilinear, nearest or bicubic; zeros, border or reflection",
        )
    if axes not in (2, 3) or grid.ndim != axes + 2 or grid.shape[-1] != axes or grid.shape[0] != x.shape[0]:
        raise ShapeError(
            f"a grid of shape {tuple(grid.shape)} does not fit an image of {tuple(x.shape)}",
            where="grid_sample",
            do="give (N, C, H, W) and (N, H, W, 2), or (N, C, D, H, W) and (N, D, H, W, 3)",
        )
    if mode == "bicubic" and axes != 2:
        raise InputError("bicubic sampling is of two axes", where="grid_sample", do="use bilinear")


class _Sampler:
    """Entries of flattened images (N, C, H·W) at real places, one array (N, P) for each axis."""

    def __init__(self, flat: Any, sizes: tuple[int, ...], padding: str, align_corners: bool):
        self.flat, self.sizes, self.padding, self.align = flat, sizes, padding, align_corners

    def scaled(self, place: Any, axis: int) -> Any:
        """From −1…1 to the numbers of the entries."""
        n = self.sizes[axis]
        return (place + 1) * ((n - 1) / 2) if self.align else ((place + 1) * n - 1) / 2

    def inside(self, place: Any, axis: int) -> Any:
        """A place brought into the image, unless there are zeros outside."""
        n = self.sizes[axis]
        if self.padding == "reflection":
            place = self._reflected(place, *((0, 2 * (n - 1)) if self.align else (-1, 2 * n - 1)))
        if self.padding == "zeros":
            return place
        free = word.logical_and(word.greater(place, 0), word.less(place, n - 1))  # at the ends there is no slope
        return word.where(free, place, word.clamp(place.detach(), min=0.0, max=float(n - 1)))

    def _reflected(self, place: Any, twice_low: int, twice_high: int) -> Any:
        if twice_low == twice_high:
            return place * 0
        low, span = twice_low / 2, (twice_high - twice_low) / 2
        away = word.absolute(place - low)
        turns = word.floor(away / span)
        rest = word.fmod(away, span)
        return word.where(word.eq(word.fmod(turns, 2), 0), rest + low, span - rest + low)

    def entries(self, whole: list[Any]) -> Any:
        """The entries (N, C, P) at whole numbers; 0 outside."""
        known: Any = None
        number: Any = 0
        for place, n in zip(whole, self.sizes, strict=True):
            values = np.asarray(place.detach().data)
            within = (values >= 0) & (values <= n - 1)
            known = within if known is None else known & within
            number = number * n + np.where(within, values, 0).astype(np.int64)
        rows, channels = self.flat.shape[:2]
        number = np.where(known, number, 0)
        index = Tensor(np.broadcast_to(number[:, None], (rows, channels, number.shape[-1])))
        return word.gather(self.flat, index, axis=-1) * known[:, None].astype(self.flat.dtype)

    def straight(self, places: list[Any]) -> Any:
        places = [self.inside(p, i) for i, p in enumerate(places)]
        lows = [word.floor(p.detach()) for p in places]
        total: Any = 0
        for corner in itertools.product((0, 1), repeat=len(places)):
            weight: Any = 1
            for up, place, low in zip(corner, places, lows, strict=True):
                weight = weight * ((place - low) if up else (low + 1 - place))
            total = total + self.entries([low + up for up, low in zip(corner, lows, strict=True)]) * weight.unsqueeze(1)
        return total

    def nearest(self, places: list[Any]) -> Any:
        return self.entries([word.round(self.inside(p, i).detach()) for i, p in enumerate(places)])

    def cubic(self, places: list[Any]) -> Any:
        lows = [word.floor(p.detach()) for p in places]
        weights = [_cubic_weights(p - low) for p, low in zip(places, lows, strict=True)]
        total: Any = 0
        for i, j in itertools.product(range(4), repeat=2):
            taps = [self.inside(low + (k - 1), axis) for axis, (low, k) in enumerate(zip(lows, (i, j), strict=True))]
            total = total + self.entries(taps) * (weights[0][i] * weights[1][j]).unsqueeze(1)
        return total


def _cubic_weights(t: Any) -> list[Any]:
    """Of the four entries around a place, t past the second: cubic convolution (Keys 1981) with slope −¾."""
    a = -0.75

    def near(x: Any) -> Any:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: Any) -> Any:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]
