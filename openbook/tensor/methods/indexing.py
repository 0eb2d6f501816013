"""Entries by their places: indexing, gathering, scattering, masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import DTypeError, GraphError, InputError, ShapeError
from openbook.ops import vocabulary as word

if TYPE_CHECKING:
    from openbook.tensor.tensor import Tensor

__all__ = ["Indexing", "places_of", "plain_index", "slices_along", "valued"]


def plain_index(index: Any) -> Any:
    """An index with arrays for the tensors in it."""
    if isinstance(index, tuple):
        return tuple(plain_index(i) for i in index)
    if isinstance(index, list):
        return np.asarray([plain_index(i) for i in index], dtype=None if index else np.int64)
    if hasattr(index, "level"):
        raise GraphError(
            "inside vmap each case has places of its own, which this kind of index cannot hold",
            do="index the first axis alone, or use gather",
        )
    return index.data if hasattr(index, "__openbook_apply__") else index


class Indexing:
    """Methods that choose entries, or put entries into chosen places."""

    __slots__ = ()

    shape: tuple[int, ...]
    dtype: np.dtype
    ndim: int

    def __getitem__(self, index: Any) -> Tensor:
        """Basic indices (numbers, slices, None, …) give a view; arrays of places and masks a copy, as in PyTorch."""
        if hasattr(index, "level"):  # a place for each case of a stack, under vmap
            return word.embedding(self, index)
        try:
            return word.gather_entries(self, index=plain_index(index))
        except IndexError as problem:
            raise PlaceError(f"{problem} (the shape is {tuple(self.shape)})", where="indexing") from problem

    def gather(self, dim: int, index: Any) -> Tensor:
        """Along `dim`, the entries at the places in `index`, which has the result's shape."""
        return word.gather(self, places_of(index), axis=dim)

    def take_along_dim(self, indices: Any, dim: int | None = None) -> Tensor:
        """`gather`, with the other axes broadcast; of all entries in a row without `dim`."""
        if dim is None:
            return word.gather(self.reshape(-1), places_of(indices).reshape(-1), axis=0)  # type: ignore[attr-defined]
        axis = dim % self.ndim
        places = places_of(indices)
        places = word.where(word.less(places, 0), places + self.shape[axis], places)
        lead = np.broadcast_shapes(*([*s[:axis], 1, *s[axis + 1 :]] for s in (self.shape, places.shape)))
        shape = [*lead[:axis], places.shape[axis], *lead[axis + 1 :]]
        mine = [*lead[:axis], self.shape[axis], *lead[axis + 1 :]]
        return word.gather(self.expand(*mine), places.expand(*shape), axis=axis)  # type: ignore[attr-defined]

    def take(self, index: Any) -> Tensor:
        """The entries at places counted through all of them in a row."""
        return self.reshape(-1)[places_of(index)]  # type: ignore[attr-defined]

    def index_select(self, dim: int, index: Any) -> Tensor:
        """Slices along `dim`, by their places."""
        axis = dim % max(1, self.ndim)
        places = places_of(index)
        if self.ndim == 0:
            return self  # type: ignore[return-value]
        return self[(slice(None),) * axis + (places.reshape(-1),)]

    def index_add(self, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Tensor:
        """With slices of `source` added at places along `dim`."""
        places = np.asarray(places_of(index).data).reshape(-1)
        if self.ndim == 0:
            return word.add(self, source.sum() * alpha)
        added = word.scatter_entries(
            source if alpha == 1 else source * alpha, index=slices_along(self, dim, places), shape=tuple(self.shape)
        )
        return word.add(self, added)

    def index_copy(self, dim: int, index: Any, source: Any) -> Tensor:
        """With slices at places along `dim` overwritten by those of `source`."""
        places = np.asarray(places_of(index).data).reshape(-1)
        if self.ndim == 0:
            return word.overwrite(self, source.reshape(()), index=())
        return word.overwrite(self, source, index=slices_along(self, dim, places))

    def index_fill(self, dim: int, index: Any, value: Any) -> Tensor:
        """With slices at places along `dim` set to one value."""
        places = np.asarray(places_of(index).data).reshape(-1)
        filled = np.zeros(self.shape, bool)
        filled[slices_along(self, dim, places) if self.ndim else ()] = True  # a place named twice is filled once
        return word.where(filled, valued(value, self), self)

    def index_put(self, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
        """With the entries at an index overwritten (or added to)."""
        place = plain_index(tuple(indices))
        if accumulate:
            shape = np.empty(self.shape, np.bool_)[place].shape
            return word.add(self, word.scatter_entries(values.expand(*shape), index=place, shape=tuple(self.shape)))
        return word.overwrite(self, values, index=place)

    def masked_fill(self, mask: Any, value: Any) -> Tensor:
        """With the entries where the mask is true set to one value."""
        if getattr(mask, "dtype", None) != np.bool_:
            raise DTypeError(
                f"a mask holds truth values, not {getattr(mask, 'dtype', type(mask))}", where="masked_fill"
            )
        return word.where(mask, valued(value, self), self)

    def masked_select(self, mask: Any) -> Tensor:
        """The entries where the mask is true, in a row."""
        shape = np.broadcast_shapes(self.shape, mask.shape)
        return self.expand(*shape)[mask.expand(*shape)]  # type: ignore[attr-defined]

    def masked_scatter(self, mask: Any, source: Any) -> Tensor:
        """With the entries where the mask is true replaced by those of `source`, in order."""
        shape = np.broadcast_shapes(self.shape, mask.shape)
        chosen = np.broadcast_to(np.asarray(mask.data), shape)
        values = source.reshape(-1)[: int(chosen.sum())]
        return word.overwrite(self.expand(*shape), values, index=chosen)  # type: ignore[attr-defined]

    def where(self, condition: Any, other: Any) -> Tensor:
        """These entries where the condition holds, the other's elsewhere."""
        return word.where(condition, self, other)

    def nonzero(self, as_tuple: bool = False) -> Any:
        """The places of the entries that are not zero: a row each, or an array for each axis."""
        values = np.asarray(self.data)  # type: ignore[attr-defined]
        found = np.nonzero(np.atleast_1d(values))
        if as_tuple:
            return tuple(self._plain(axis) for axis in found)
        return self._plain(np.stack(found, axis=1) if values.ndim else np.zeros((len(found[0]), 0), np.int64))

    argwhere = nonzero

    def unique_consecutive(
        self, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
    ) -> Any:
        """Without the entries (or slices along `dim`) that equal the one before them."""
        values = np.asarray(self.data)  # type: ignore[attr-defined]
        rows = values.reshape(-1) if dim is None else np.moveaxis(values, dim, 0)
        flat = rows.reshape(len(rows), -1) if rows.size else rows.reshape(len(rows), 0)
        fresh = np.concatenate([np.ones(min(1, len(rows)), bool), np.any(flat[1:] != flat[:-1], axis=1)])
        inverse = np.cumsum(fresh) - 1
        kept = rows[fresh] if dim is None else np.moveaxis(rows[fresh], 0, dim)
        counts = np.bincount(inverse, minlength=int(fresh.sum())) if len(rows) else np.zeros(0, np.int64)
        inverse = inverse.reshape(values.shape) if dim is None else inverse
        found = [kept, *([inverse] if return_inverse else []), *([counts] if return_counts else [])]
        return tuple(map(self._plain, found)) if len(found) > 1 else self._plain(kept)

    def unique(
        self, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
    ) -> Any:
        """The different entries in order, and if asked for which of them each entry is, and how often each occurs."""
        options: dict[str, Any] = {"return_inverse": return_inverse, "return_counts": return_counts, "axis": dim}
        found = np.unique(self.data, **options)  # type: ignore[attr-defined]
        return tuple(map(self._plain, found)) if isinstance(found, tuple) else self._plain(found)

    def bincount(self, weights: Any = None, minlength: int = 0) -> Tensor:
        """How often each whole number from 0 on occurs."""
        values = np.asarray(self.data)  # type: ignore[attr-defined]
        if values.ndim != 1 or values.dtype.kind not in "iu" or (values.size and values.min() < 0):
            raise InputError("bincount counts whole numbers from 0 on, in one row")
        counted = None if weights is None else np.asarray(weights.data)
        return self._plain(np.bincount(values, counted, minlength))

    def diagonal(self, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
        """The entries on a diagonal of the plane of two axes, on a last axis of their own."""
        a, b = dim1 % self.ndim, dim2 % self.ndim
        if a == b:
            raise ShapeError("a diagonal needs two different axes", where="diagonal")
        moved = self.movedim((a, b), (self.ndim - 2, self.ndim - 1))  # type: ignore[attr-defined]
        return word.diagonal_entries(moved, offset=offset)

    def diag_embed(self, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
        """Matrices with the last axis's entries on a diagonal, 0 elsewhere."""
        n = self.shape[-1] + abs(offset)
        i = np.arange(self.shape[-1])
        place = (..., i + max(0, -offset), i + max(0, offset))
        square = word.scatter_entries(self, index=place, shape=(*self.shape[:-1], n, n))
        ndim = square.ndim
        return square if (dim1, dim2) == (-2, -1) else square.movedim((ndim - 2, ndim - 1), (dim1 % ndim, dim2 % ndim))

    def diag(self, diagonal: int = 0) -> Tensor:
        """A vector on the diagonal of a matrix, or the diagonal of a matrix as a vector."""
        if self.ndim not in (1, 2):
            raise ShapeError(f"diag is of vectors and matrices, and this has {self.ndim} axes")
        return self.diag_embed(diagonal) if self.ndim == 1 else self.diagonal(diagonal).clone()  # a copy, as PyTorch's

    def diagflat(self, offset: int = 0) -> Tensor:
        """All entries in a row on the diagonal of a matrix."""
        return self.reshape(-1).diag_embed(offset)  # type: ignore[attr-defined]

    def trace(self) -> Tensor:
        """The sum of a matrix's diagonal."""
        if self.ndim != 2:
            raise ShapeError(f"the trace is of a matrix, and this has {self.ndim} axes")
        return self.diagonal().sum()

    @staticmethod
    def _plain(data: Any) -> Any:
        from openbook.tensor.tensor import Tensor

        return Tensor(np.asarray(data))


class PlaceError(ShapeError, IndexError):
    """An index that names no entry."""


def places_of(index: Any) -> Any:
    """An index as a tensor of whole numbers."""
    from openbook.tensor.tensor import Tensor

    places = index if hasattr(index, "__openbook_apply__") else Tensor(np.asarray(index))
    if places.dtype.kind not in "iu":
        raise DTypeError(f"places are whole numbers, not {places.dtype}", do="cast them to int64")
    return places


def slices_along(x: Any, dim: int, places: Any) -> tuple[Any, ...]:
    """The index of places along one axis."""
    return (slice(None),) * (dim % x.ndim) + (places,)


def valued(value: Any, x: Any) -> Any:
    """A value in the dtype of the entries it is put among."""
    if hasattr(value, "__openbook_apply__"):
        return value if value.dtype == x.dtype else value.to(x.dtype)
    return np.asarray(value, dtype=x.dtype)
