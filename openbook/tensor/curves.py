"""Areas under and slopes of curves that are known at points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor.create import as_tensor
from openbook.tensor.promotion import default_float

__all__ = ["cumulative_trapezoid", "gradient", "trapezoid", "trapz"]


def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The area under y along an axis, by trapezoids; between points `dx` (1) apart, or at places `x`."""
    return _trapezoids(y, x, dx, dim).sum(dim)


def trapz(y: Any, x: Any = None, *, dx: float = 1, dim: int = -1) -> Any:
    """The older name of `trapezoid`."""
    return trapezoid(y, x, dx=None if x is not None else dx, dim=dim)


def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The running areas under y along an axis, by trapezoids."""
    return _trapezoids(y, x, dx, dim).cumsum(dim)


def _trapezoids(y: Any, x: Any, dx: Any, dim: int) -> Any:
    if x is not None and dx is not None:
        raise InputError("x= and dx= say the same thing twice", where="trapezoid", do="leave one out")
    axis = dim % y.ndim
    if x is not None:
        x = x if x.ndim > 1 or y.ndim == 1 else x.reshape([-1 if i == axis else 1 for i in range(y.ndim)])
        along = axis if x.ndim == y.ndim else dim % x.ndim if dim >= 0 else dim
        width = _part(x, along, slice(1, None)) - _part(x, along, slice(None, -1))
    else:
        width = 1 if dx is None else dx
    return (_part(y, axis, slice(1, None)) + _part(y, axis, slice(None, -1))) * 0.5 * width


def _part(x: Any, axis: int, part: Any) -> Any:
    return x[(slice(None),) * (axis % x.ndim) + (part,)]


def gradient(input: Any, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> tuple[Any, ...]:
    """The slopes along each axis in `dim` (all), by second-order differences; at the edges of order `edge_order`.

    `spacing` is one distance (1 unless given), one for each axis, or the places of the points along each axis.
    """
    if edge_order not in (1, 2):
        raise InputError(f"edge_order is 1 or 2, not {edge_order}", where="gradient")
    axes = range(input.ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
    given = list(spacing) if isinstance(spacing, Sequence) else [spacing] * len(axes)
    if len(given) != len(axes):
        raise ShapeError(
            f"gradient has {len(given)} spacings for {len(axes)} axes", do="give one for each, or one number"
        )
    return tuple(_slope(input, d % input.ndim, s, edge_order) for d, s in zip(axes, given, strict=True))


def _slope(x: Any, axis: int, spacing: Any, edge_order: int) -> Any:
    n = x.shape[axis]
    if n < edge_order + 1:
        raise ShapeError(f"a slope of order {edge_order} needs {edge_order + 1} points, and the axis has {n}")
    gaps = _gaps(spacing, n, x.dtype)
    rows = x.movedim(axis, -1)
    first, last = (rows[..., 1:2] - rows[..., :1]) / gaps[:1], (rows[..., -1:] - rows[..., -2:-1]) / gaps[-1:]
    if edge_order == 2:
        first, last = _edge(rows, gaps), _edge(rows.flip(-1), -gaps[::-1])
    before, after = gaps[:-1], gaps[1:]
    weights = (
        -after / (before * (before + after)),
        (after - before) / (before * after),
        before / (after * (before + after)),
    )
    middle = rows[..., :-2] * weights[0] + rows[..., 1:-1] * weights[1] + rows[..., 2:] * weights[2]
    return word.cat(first, middle, last, axis=-1).movedim(-1, axis)


def _edge(rows: Any, gaps: np.ndarray) -> Any:
    """The slope at the first point, from the parabola through the first three."""
    a, b = gaps[:1], gaps[1:2]
    return (
        rows[..., :1] * (-(2 * a + b) / (a * (a + b)))
        + rows[..., 1:2] * ((a + b) / (a * b))
        - rows[..., 2:3] * (a / (b * (a + b)))
    )


def _gaps(spacing: Any, n: int, dtype: np.dtype) -> np.ndarray:
    real = dtype if dtype.kind == "f" else default_float()
    if getattr(spacing, "ndim", 0):
        places = np.asarray(as_tensor(spacing).data, real)
        if places.shape != (n,):
            raise ShapeError(f"{places.shape[0]} places do not fit an axis of length {n}", where="gradient")
        return np.diff(places)
    return np.full(n - 1, 1.0 if spacing is None else float(spacing), real)
