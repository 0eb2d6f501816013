"""The list of slow, obvious twins, by the name of the operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

TWINS: dict[str, Callable[..., Any]] = {}


def twin(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a twin: a function of an mpmath context, the inputs (real ones as arrays of its numbers) and the options."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        TWINS.update(dict.fromkeys(names, function))
        return function

    return register


def filled(shape: tuple[int, ...], entry: Callable[[tuple[int, ...]], Any]) -> np.ndarray:
    """An array of objects, entry by entry."""
    out = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        out[place] = entry(place)
    return out


def normal(axis: Any, ndim: int) -> tuple[int, ...]:
    """Axes counted from 0; all for None."""
    axes = range(ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return tuple(a % max(1, ndim) for a in axes) if ndim else ()


def fibres(x: np.ndarray, axis: Any) -> Iterator[tuple[tuple[Any, ...], list[Any]]]:
    """Each list of entries that lie along the axes, and the index that takes it out."""
    axes = normal(axis, x.ndim)
    for place in np.ndindex(*(1 if i in axes else n for i, n in enumerate(x.shape))):
        index = tuple(slice(None) if i in axes else k for i, k in enumerate(place))
        yield index, list(np.asarray(x[index], dtype=object).ravel())


def reduced(x: np.ndarray, axis: Any, keepdims: bool, fold: Callable[[list[Any]], Any]) -> np.ndarray:
    """One number for each fibre."""
    axes = normal(axis, x.ndim)
    out = np.empty(tuple(1 if i in axes else n for i, n in enumerate(x.shape)), dtype=object)
    for index, entries in fibres(x, axis):
        out[tuple(0 if isinstance(i, slice) else i for i in index)] = fold(entries)
    return out if keepdims else out.reshape(tuple(n for i, n in enumerate(x.shape) if i not in axes))


def along(x: np.ndarray, axis: Any, change: Callable[[list[Any]], list[Any]]) -> np.ndarray:
    """Each fibre replaced by another of the same length."""
    out = np.empty(x.shape, dtype=object)
    for index, entries in fibres(x, axis):
        new = np.empty(len(entries), dtype=object)
        new[:] = change(entries)
        out[index] = new.reshape(np.shape(x[index]))
    return out


def places_of(shape: tuple[int, ...], index: Any) -> np.ndarray:
    """The numbers of the entries that an index names, counted through an array of that shape."""
    return np.asarray(np.arange(int(np.prod(shape, dtype=int))).reshape(shape)[index])
