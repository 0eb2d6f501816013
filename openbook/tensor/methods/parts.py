"""Parts of tensors: slices, halves, windows, triangles. All but the triangles are views."""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.ops import vocabulary as word

if TYPE_CHECKING:
    from openbook.tensor.tensor import Tensor

__all__ = ["Parts"]


class Parts:
    """Methods that take a tensor apart along its axes."""

    __slots__ = ()

    shape: tuple[int, ...]
    ndim: int
    _axis: Callable[[Any], int]

    def narrow(self, dim: int, start: int, length: int) -> Tensor:
        """`length` entries along `dim` from `start` on."""
        axis = self._axis(dim)
        start = int(start) % max(1, self.shape[axis]) if start < 0 else int(start)
        if length < 0 or start + length > self.shape[axis]:
            raise ShapeError(f"{length} entries from {start} on do not fit into an axis of length {self.shape[axis]}")
        return self[(slice(None),) * axis + (slice(start, start + length),)]  # type: ignore[index]

    def select(self, dim: int, index: int) -> Tensor:
        """One entry along `dim`, whose axis goes."""
        return self[(slice(None),) * self._axis(dim) + (int(index),)]  # type: ignore[index]

    def split(self, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]:
        """In parts of a size (the last may be smaller), or of the sizes given."""
        axis = self._axis(dim)
        n = self.shape[axis]
        if isinstance(split_size, int):
            if split_size < 1 and n:
                raise InputError(f"parts of {split_size} entries cannot be cut", where="split", do="give 1 or more")
            starts = range(0, max(n, 1), max(1, split_size))
            return tuple(self.narrow(axis, s, min(split_size, n - s)) for s in starts)
        if builtins.sum(split_size) != n:
            raise ShapeError(f"parts of {tuple(split_size)} do not add up to the axis's {n}", where="split")
        ends = np.cumsum(split_size)
        return tuple(self.narrow(axis, int(e - s), s) for e, s in zip(ends, split_size, strict=True))

    def chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
        """In at most `chunks` equal parts (the last may be smaller)."""
        if chunks < 1:
            raise InputError(f"{chunks} parts cannot be cut", where="chunk", do="give 1 or more")
        n = self.shape[self._axis(dim)]
        if n == 0:
            return (self,) * chunks  # type: ignore[return-value]
        return self.split(-(-n // chunks), dim)

    def tensor_split(self, sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
        """In parts as equal as can be, or cut at the given places."""
        axis = self._axis(dim)
        n = self.shape[axis]
        if hasattr(sections, "tolist"):
            sections = sections.tolist()
        if isinstance(sections, int):
            small, more = divmod(n, sections)
            cuts = list(np.cumsum([small + (i < more) for i in range(sections)])[:-1])
        else:
            cuts = [min(max(0, c if c >= 0 else c + n), n) for c in np.asarray(sections).tolist()]
        bounds = [0, *(int(c) for c in cuts), n]
        pairs = itertools.pairwise(bounds)
        return tuple(self.narrow(axis, a, max(0, b - a)) for a, b in pairs)

    def unbind(self, dim: int = 0) -> tuple[Tensor, ...]:
        """The slices along `dim`, one by one."""
        return tuple(self.select(dim, i) for i in range(self.shape[self._axis(dim)]))

    def tril(self, diagonal: int = 0) -> Tensor:
        """What lies on and below a diagonal; 0 elsewhere."""
        return word.tril(self, diagonal=diagonal)

    def triu(self, diagonal: int = 0) -> Tensor:
        """What lies on and above a diagonal; 0 elsewhere."""
        return word.triu(self, diagonal=diagonal)

    def split_with_sizes(self, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
        """In parts of the sizes given."""
        return self.split(tuple(split_sizes), dim)

    def hsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]:
        """In parts side by side: equal ones, or cut at the given places."""
        return self._split_evenly("hsplit", indices_or_sections, 0 if self.ndim == 1 else 1, 1)

    def vsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]:
        """In parts one below the other: equal ones, or cut at the given places."""
        return self._split_evenly("vsplit", indices_or_sections, 0, 2)

    def dsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]:
        """In parts one behind the other (along the third axis): equal ones, or cut at the given places."""
        return self._split_evenly("dsplit", indices_or_sections, 2, 3)

    def _split_evenly(self, name: str, cuts: Any, axis: int, least: int) -> tuple[Tensor, ...]:
        if self.ndim < least:
            raise ShapeError(f"{name} is of {least} axes and more, not of shape {tuple(self.shape)}")
        if isinstance(cuts, int) and (cuts < 1 or self.shape[axis] % cuts):
            raise ShapeError(f"an axis of length {self.shape[axis]} has no {cuts} equal parts", where=name)
        return self.tensor_split(cuts, axis)

    def unfold(self, dimension: int, size: int, step: int) -> Tensor:
        """Every `step`-th window of `size` entries along an axis, on a new last axis; a view."""
        axis = self._axis(dimension)
        if size > (self.shape[axis] if self.ndim else 1) or size < 0 or step < 1:
            raise ShapeError(f"windows of {size} in steps of {step} do not fit into shape {tuple(self.shape)}")
        if self.ndim == 0:
            return self.reshape(1)[:size]  # type: ignore[attr-defined]
        last = self.movedim(axis, -1)  # type: ignore[attr-defined]
        return word.windows(last, kernel=(size,), stride=(step,), dilation=(1,)).movedim(-2, axis)
