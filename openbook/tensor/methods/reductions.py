"""Many entries to fewer: sums, extremes with their places, order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from openbook.errors import DTypeError, InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor.promotion import default_float

if TYPE_CHECKING:
    from openbook.tensor.tensor import Tensor

__all__ = ["Placed", "Reductions"]

Dim = int | tuple[int, ...] | list[int] | None


class Placed(NamedTuple):
    """Entries, and where along the axis they stood."""

    values: Any
    indices: Any


class Extremes(NamedTuple):
    """The smallest and the largest."""

    min: Any
    max: Any


class Reductions:
    """Methods that give fewer entries than they are given, and those that put entries in order."""

    __slots__ = ()

    shape: tuple[int, ...]
    dtype: np.dtype
    ndim: int

    def sum(self, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
        """The sum along `dim`, or of all entries."""
        x = self._counting() if dtype is None else self.to(dtype)  # type: ignore[attr-defined]
        return word.total(x, axis=self._axes(dim), keepdims=keepdim)

    def mean(self, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
        """The average along `dim`, or of all entries."""
        x = self._real("mean") if dtype is None else self.to(dtype)  # type: ignore[attr-defined]
        return word.mean(x, axis=self._axes(dim), keepdims=keepdim)

    def prod(self, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
        """The product along `dim`, or of all entries."""
        x = self._counting() if dtype is None else self.to(dtype)  # type: ignore[attr-defined]
        return word.prod(x, axis=self._axes(dim), keepdims=keepdim)

    def var(
        self, dim: Dim = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
    ) -> Tensor:
        """The variance: squared distances from the mean, added and divided by n − correction (1 unless told)."""
        dim, unbiased = (None, dim) if isinstance(dim, bool) else (dim, unbiased)
        degrees = _correction(unbiased, correction)
        return word.var(self._real("var"), axis=self._axes(dim), correction=degrees, keepdims=keepdim)

    def std(
        self, dim: Dim = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
    ) -> Tensor:
        """The standard deviation: the root of the variance."""
        dim, unbiased = (None, dim) if isinstance(dim, bool) else (dim, unbiased)
        degrees = _correction(unbiased, correction)
        return word.std(self._real("std"), axis=self._axes(dim), correction=degrees, keepdims=keepdim)

    def norm(self, p: Any = 2, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """The length in the sense of p; "fro" is 2."""
        if p == "nuc":
            return word.singular_values(self).sum(-1)
        power = 2.0 if p in (None, "fro") else float(p)
        return word.norm(self._real("norm"), p=power, axis=self._axes(dim), keepdims=keepdim)

    def dist(self, other: Any, p: Any = 2) -> Tensor:
        """The length of the difference, in the sense of p."""
        return (self - other).norm(p)

    def renorm(self, p: Any, dim: int, maxnorm: float) -> Tensor:
        """With each slice along `dim` whose p-norm exceeds `maxnorm` shortened to it."""
        axis = self._axis(dim)  # type: ignore[attr-defined]
        length = self.norm(p, [i for i in range(self.ndim) if i != axis], True)
        shorter = maxnorm / (length + 1e-7)  # PyTorch's guard
        return word.mul(self, word.where(length > maxnorm, shorter, 1.0))

    def logsumexp(self, dim: Dim = -1, keepdim: bool = False) -> Tensor:
        """The logarithm of the sum of exponentials, without overflow."""
        return word.logsumexp(self._float(), axis=self._axes(dim), keepdims=keepdim)

    def softmax(self, dim: int = -1, dtype: Any = None) -> Tensor:
        """Logits to probabilities along `dim`."""
        return word.softmax(self._real("softmax") if dtype is None else self.to(dtype), axis=dim)  # type: ignore[attr-defined]

    def log_softmax(self, dim: int = -1, dtype: Any = None) -> Tensor:
        """Logits to log-probabilities along `dim`."""
        return word.log_softmax(self._real("log_softmax") if dtype is None else self.to(dtype), axis=dim)  # type: ignore[attr-defined]

    # --- extremes ----------------------------------------------------------------------------------------------

    def amax(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """The largest entries along `dim`; entries that tie share the gradient."""
        return word.amax(self, axis=self._axes(dim), keepdims=keepdim)

    def amin(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """The smallest entries along `dim`; entries that tie share the gradient."""
        return word.amin(self, axis=self._axes(dim), keepdims=keepdim)

    def aminmax(self, *, dim: int | None = None, keepdim: bool = False) -> tuple[Tensor, Tensor]:
        """The smallest and the largest."""
        return Extremes(self.amin(dim, keepdim), self.amax(dim, keepdim))

    def max(self, dim: Any = None, keepdim: bool = False) -> Any:
        """The largest entry; along `dim`, (values, indices); of two tensors, the larger entry by entry."""
        if hasattr(dim, "shape"):
            return word.maximum(self, dim)
        return self.amax() if dim is None else self._at(word.argmax(self, axis=dim, keepdims=True), dim, keepdim)

    def min(self, dim: Any = None, keepdim: bool = False) -> Any:
        """The smallest entry; along `dim`, (values, indices); of two tensors, the smaller entry by entry."""
        if hasattr(dim, "shape"):
            return word.minimum(self, dim)
        return self.amin() if dim is None else self._at(word.argmin(self, axis=dim, keepdims=True), dim, keepdim)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Where the largest entry is: the first of several."""
        return word.argmax(self._not_truths("argmax"), axis=dim, keepdims=keepdim)

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Where the smallest entry is: the first of several."""
        return word.argmin(self._not_truths("argmin"), axis=dim, keepdims=keepdim)

    def median(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The lower median; along `dim`, (values, indices). NaN if any entry is."""
        if dim is None:
            return word.middle_entry(self._not_truths("median"))
        if self.ndim == 0:
            return self.kthvalue(1, dim, keepdim)
        order = word.argsort(self, axis=dim)
        n = self.shape[dim]
        place = _pick(order, dim, (n - 1) // 2)
        last = _pick(order, dim, n - 1)
        if self.dtype.kind == "f":  # NaN is sorted last
            place = word.where(word.isnan(word.gather(self, last, axis=dim)), last, place)
        return self._at(place, dim, keepdim)

    def kthvalue(self, k: int, dim: int = -1, keepdim: bool = False) -> Placed:
        """The k-th smallest entry along `dim` (from 1), and where it is."""
        n = self.shape[dim] if self.ndim else 1
        if not 1 <= k <= n:
            raise InputError(f"there is no entry number {k} of {n}", where="kthvalue")
        return self._at(_pick(word.argsort(self, axis=dim), dim, k - 1), dim, keepdim)

    def _at(self, places: Any, dim: int, keepdim: bool) -> Placed:
        """The entries at places that were found with their axis kept."""
        if self.ndim == 0:
            return Placed(self, word.reshape(places, shape=()))
        values = word.gather(self, places, axis=dim)
        if keepdim:
            return Placed(values, places)
        return Placed(values.squeeze(dim), places.squeeze(dim))

    # --- order -------------------------------------------------------------------------------------------------

    def argsort(self, dim: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
        """The places of the entries in order; ties stay as they stand, whatever `stable` says."""
        return word.argsort(self, axis=dim, descending=descending)

    def sort(self, dim: int = -1, descending: bool = False, stable: bool = True) -> Placed:
        """The entries in order, and where they stood."""
        places = word.argsort(self, axis=dim, descending=descending)
        return Placed(word.gather(self, places, axis=dim) if self.ndim else self, places)

    def msort(self) -> Tensor:
        """The entries in order along the first axis."""
        return self.sort(0).values

    def topk(self, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Placed:
        """The k largest (or smallest) entries along `dim`, in order, and where they stood."""
        n = self.shape[dim] if self.ndim else 1
        if not 0 <= k <= n:
            raise InputError(f"there are not {k} entries along an axis of length {n}", where="topk")
        places = word.argsort(self, axis=dim, descending=largest)
        if self.ndim == 0:
            return Placed(self.reshape(1)[:k].reshape(()), places)  # type: ignore[attr-defined]
        chosen = places[(slice(None),) * (dim % self.ndim) + (slice(0, k),)]
        return Placed(word.gather(self, chosen, axis=dim), chosen)

    # --- verdicts ----------------------------------------------------------------------------------------------

    def any(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """Whether any entry is not zero."""
        return self._verdict(word.any(self, axis=self._axes(dim), keepdims=keepdim))

    def all(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """Whether no entry is zero."""
        return self._verdict(word.all(self, axis=self._axes(dim), keepdims=keepdim))

    def _verdict(self, found: Any) -> Any:
        """A truth value; of uint8, in which PyTorch once kept these, a uint8 as there."""
        return found.to(np.uint8) if self.dtype == np.uint8 else found

    def count_nonzero(self, dim: Dim = None) -> Tensor:
        """How many entries are not zero."""
        return word.count_nonzero(self, axis=self._axes(dim))

    def _axes(self, dim: Dim) -> Any:
        """PyTorch's `dim` as an axis: an empty list means all, and a single number has the axes 0 and −1."""
        dims = () if dim is None else (dim,) if isinstance(dim, int) else tuple(int(d) for d in dim)
        axes = tuple(self._axis(d) for d in dims)  # type: ignore[attr-defined]
        if len(set(axes)) < len(axes):
            raise ShapeError(f"dim={dim} names an axis twice", do="name each once")
        if self.ndim == 0:
            return ()
        return axes[0] if isinstance(dim, int) else axes or None

    def _counting(self) -> Any:
        """Small whole numbers as int64, in which they are added up."""
        return self.to(np.int64) if self.dtype.kind == "u" else self  # type: ignore[attr-defined]

    def _not_truths(self, name: str) -> Any:
        if self.dtype.kind == "b":
            raise DTypeError(f"{name} is not of truth values", do="cast them to numbers first")
        return self

    def _real(self, name: str) -> Any:
        if self.dtype.kind != "f":
            raise DTypeError(f"{name} is of real numbers, not {self.dtype}", do="call .float() first")
        return self

    def _float(self) -> Any:
        return self if self.dtype.kind == "f" else self.to(default_float())  # type: ignore[attr-defined]


def _pick(places: Any, dim: int, k: int) -> Any:
    """The k-th of ordered places, with its axis kept."""
    return places[(slice(None),) * (dim % places.ndim) + (slice(k, k + 1),)] if places.ndim else places


def _correction(unbiased: bool | None, correction: Any) -> float:
    if unbiased is not None and correction is not None:
        raise InputError("unbiased= and correction= say the same thing twice", where="var or std")
    return float(unbiased) if unbiased is not None else 1.0 if correction is None else float(correction)
