"""Entries put into chosen places: overwritten, added to, multiplied, or kept if larger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor.methods.indexing import places_of, slices_along, valued

if TYPE_CHECKING:
    from openbook.tensor.tensor import Tensor

__all__ = ["Scattering"]

_REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


class Scattering:
    """Methods that put entries into chosen places of a copy."""

    __slots__ = ()

    shape: tuple[int, ...]
    dtype: np.dtype
    ndim: int

    def scatter(self, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Tensor:
        """With the places along `dim` that `index` names overwritten by `src` (or one value).

        `reduce` "add" or "multiply" puts it together with what is there.
        """
        source = value if src is None else src
        if reduce is not None:
            if reduce not in ("add", "multiply"):
                raise InputError(f"scatter knows no reduce={reduce!r}", do='choose "add" or "multiply"')
            return self._scatter_value(dim, index, source, "sum" if reduce == "add" else "prod")
        places = np.asarray(places_of(index).data)
        if self.ndim == 0:
            return word.overwrite(self, valued(source, self).reshape(()), index=())
        if hasattr(source, "shape") and source.ndim and tuple(source.shape) != places.shape:
            source = source[tuple(slice(0, n) for n in places.shape)]
        return word.overwrite(self, valued(source, self), index=_grid(places, dim % self.ndim))

    def _scatter_value(self, dim: int, index: Any, source: Any, reduce: str) -> Tensor:
        if not getattr(source, "ndim", 0):
            source = valued(source, self)
            source = word.broadcast_to(source, shape=tuple(index.shape))
        return self.scatter_reduce(dim, index, source, reduce)

    def scatter_add(self, dim: int, index: Any, src: Any) -> Tensor:
        """With the entries of `src` added at the places along `dim` that `index` names."""
        return word.scatter_add(self, places_of(index), src, axis=dim)

    def scatter_reduce(self, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Tensor:
        """With all that lands in a place made into one: by "sum", "prod", "mean", "amax" or "amin".

        What stands there before takes part, unless `include_self=False`; where nothing lands it stays.
        """
        if reduce not in _REDUCTIONS:
            raise InputError(f"scatter_reduce knows no reduce={reduce!r}", do=f"choose one of {', '.join(_REDUCTIONS)}")
        places = places_of(index)
        landed = word.scatter_add(
            np.zeros(self.shape, np.int64), np.asarray(places.data), np.ones(places.shape, np.int64), axis=dim
        )
        start: Any = self if include_self else word.where(landed > 0, _neutral(reduce, self.dtype), self)
        if reduce == "prod":
            return word.scatter_prod(start, places, src, axis=dim)
        if reduce in ("amax", "amin"):
            return word.scatter_extreme(start, places, src, axis=dim, largest=reduce == "amax")
        total = word.scatter_add(start, places, src, axis=dim)
        if reduce == "sum":
            return total
        counts = np.maximum(landed + include_self, 1)
        return total / counts.astype(self.dtype) if self.dtype.kind == "f" else word.floor_divide(total, counts)

    def index_reduce(self, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True) -> Tensor:
        """With slices of `source` put together, at places along `dim`, by "prod", "mean", "amax" or "amin"."""
        if reduce not in _REDUCTIONS[1:]:
            raise InputError(f"index_reduce knows no reduce={reduce!r}", do="choose prod, mean, amax or amin")
        places = places_of(index).reshape(-1)
        if self.ndim == 0:
            return self.scatter_reduce(0, places, source.reshape(-1), reduce, include_self=include_self)
        column = places.reshape([-1 if i == dim % self.ndim else 1 for i in range(self.ndim)])
        return self.scatter_reduce(dim, column.expand(*source.shape), source, reduce, include_self=include_self)

    def put(self, index: Any, source: Any, accumulate: bool = False) -> Tensor:
        """With the entries at places counted through all of them in a row overwritten (or added to)."""
        flat: Any = self.reshape(-1)  # type: ignore[attr-defined]
        places = places_of(index).reshape(-1)
        return flat.index_put((places,), source.reshape(-1), accumulate).reshape(self.shape)

    def select_scatter(self, src: Any, dim: int, index: int) -> Tensor:
        """With one slice along `dim` replaced by `src`: what `select` takes, put back."""
        return word.overwrite(self, valued(src, self), index=slices_along(self, dim, int(index)))

    def slice_scatter(
        self, src: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
    ) -> Tensor:
        """With every `step`-th slice along `dim` from `start` to `end` replaced by those of `src`."""
        return word.overwrite(self, valued(src, self), index=slices_along(self, dim, slice(start, end, step)))

    def diagonal_scatter(self, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
        """With a diagonal replaced by `src`: what `diagonal` takes, put back."""
        places = np.arange(int(np.prod(self.shape))).reshape(self.shape).diagonal(offset, dim1, dim2)
        if tuple(src.shape) != places.shape:
            raise ShapeError(f"the diagonal has shape {places.shape}, not {tuple(src.shape)}", where="diagonal_scatter")
        flat: Any = self.reshape(-1)  # type: ignore[attr-defined]
        return word.overwrite(flat, valued(src.reshape(-1), self), index=places.reshape(-1)).reshape(self.shape)


def _neutral(reduce: str, dtype: np.dtype) -> Any:
    """What changes nothing when put together with others."""
    if reduce in ("sum", "mean", "prod"):
        return np.asarray(reduce == "prod", dtype)
    if dtype.kind == "f":
        return np.asarray(-np.inf if reduce == "amax" else np.inf, dtype)
    if dtype.kind == "b":
        return np.asarray(reduce == "amin")
    return np.asarray(np.iinfo(dtype).min if reduce == "amax" else np.iinfo(dtype).max, dtype)


def _grid(places: np.ndarray, axis: int) -> tuple[np.ndarray, ...]:
    """The places along one axis opened along the others, so that they name single entries."""
    return tuple(
        places if i == axis else np.arange(n).reshape((-1,) + (1,) * (places.ndim - 1 - i))
        for i, n in enumerate(places.shape)
    )
