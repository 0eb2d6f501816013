"""What describes many entries: quantiles, modes, counts, covariances, and sums that leave NaN out."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import DTypeError, InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor.methods.reductions import Dim, Placed

if TYPE_CHECKING:
    from openbook.tensor.tensor import Tensor

__all__ = ["Statistics"]

_INTERPOLATIONS = ("linear", "lower", "higher", "nearest", "midpoint")


class Statistics:
    """Methods that describe samples."""

    __slots__ = ()

    shape: tuple[int, ...]
    dtype: np.dtype
    ndim: int

    # --- without NaN -------------------------------------------------------------------------------------------

    def nansum(self, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
        """The sum of what is not NaN, along `dim` or of all entries."""
        numbers: Any = word.where(word.isnan(self), 0.0, self) if _real(self) else self
        return numbers.sum(dim, keepdim, dtype=dtype)

    def nanmean(self, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
        """The average of what is not NaN, along `dim` or of all entries."""
        counted = word.logical_not(word.isnan(self)).sum(dim, keepdim)
        return self.nansum(dim, keepdim, dtype=dtype) / counted

    def nanmedian(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The lower median of what is not NaN; along `dim`, (values, indices)."""
        if dim is None:
            if not _real(self):
                return self.median()  # type: ignore[attr-defined]
            flat: Any = self.reshape(-1)  # type: ignore[attr-defined]
            numbers = flat[word.logical_not(word.isnan(flat))]
            return word.middle_entry(numbers if numbers.shape[0] else flat)
        if self.ndim == 0:
            return self.kthvalue(1, dim, keepdim)  # type: ignore[attr-defined]
        order = word.argsort(self, axis=dim)  # NaN is sorted last
        counts = word.logical_not(word.isnan(self)).sum(dim, True)
        middle = word.floor_divide(word.clamp(counts - 1, min=0, max=None), 2)
        return self._at(word.gather(order, middle, axis=dim), dim, keepdim)  # type: ignore[attr-defined]

    # --- order -------------------------------------------------------------------------------------------------

    def quantile(
        self, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
    ) -> Tensor:
        """The number below which a share `q` of the entries lies, along `dim` or of all; several q come first.

        Between two entries, `interpolation` says what counts: "linear", "lower", "higher", "nearest" or "midpoint".
        """
        return _quantile(self, q, dim, keepdim, interpolation, False)

    def nanquantile(
        self, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
    ) -> Tensor:
        """`quantile` of what is not NaN."""
        return _quantile(self, q, dim, keepdim, interpolation, True)

    def mode(self, dim: int = -1, keepdim: bool = False) -> Placed:
        """The most frequent entry along `dim` (the smallest of several), and the last place where it stands."""
        if self.ndim == 0:
            return Placed(self, word.argmax(self))
        order = word.argsort(self, axis=dim)
        rows = np.moveaxis(np.asarray(word.gather(self, order, axis=dim).data), dim, -1)
        last = _last_of_longest_run(rows)
        end = self._plain(np.moveaxis(last[..., None], -1, dim))  # type: ignore[attr-defined]
        return self._at(word.gather(order, end, axis=dim), dim, keepdim)  # type: ignore[attr-defined]

    def histc(self, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
        """How many entries lie in each of `bins` intervals from min to max (of the entries' own, if both are 0)."""
        values = np.asarray(self.data).reshape(-1)  # type: ignore[attr-defined]
        low, high = float(min), float(max)
        if low == high and values.size:
            low, high = float(values.min()), float(values.max())
        if low == high:
            low, high = low - 1, high + 1
        if not np.isfinite([low, high]).all() or low > high:
            raise InputError(f"no intervals lie from {low} to {high}", where="histc", do="give finite min below max")
        inside = values[(values >= low) & (values <= high)].astype(np.float64)
        place = np.minimum(((inside - low) / (high - low) * bins).astype(np.int64), bins - 1)
        return self._plain(np.bincount(place, minlength=bins).astype(self.dtype))  # type: ignore[attr-defined]

    # --- covariances -------------------------------------------------------------------------------------------

    def cov(self, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Tensor:
        """How the variables (rows) vary together over the observations (columns); `fweights` say how often each occurs."""
        if self.ndim > 2:
            raise ShapeError(f"cov is of variables × observations, not of shape {tuple(self.shape)}", where="cov")
        x: Any = self if self.ndim == 2 else self.reshape(1, -1)  # type: ignore[attr-defined]
        weights = _weights(fweights, aweights)
        count = x.shape[1] if weights is None else weights.sum()
        mean = x.sum(1, True) / count if weights is None else (x * weights).sum(1, True) / count
        lost: Any = correction
        if aweights is not None and weights is not None and correction:
            lost = correction * (weights * aweights).sum() / count
        off = x - mean
        product = (off if weights is None else off * weights) @ off.mT
        degrees = count - lost
        return (product / (degrees.clamp(0) if hasattr(degrees, "clamp") else max(degrees, 0))).squeeze()

    def corrcoef(self) -> Tensor:
        """Pearson's correlation of the variables (rows), each with each."""
        c: Any = self.cov()
        if c.ndim == 0:
            return c / c
        spread = c.diagonal().sqrt()
        return (c / spread.unsqueeze(1) / spread).clamp(-1.0, 1.0)


def _real(x: Any) -> bool:
    return x.dtype.kind == "f"


def _weights(frequencies: Any, importances: Any) -> Any:
    given = [w for w in (frequencies, importances) if w is not None]
    return None if not given else given[0] if len(given) == 1 else given[0] * given[1]


def _last_of_longest_run(rows: np.ndarray) -> np.ndarray:
    """In sorted rows, where the longest run of equals ends (the first such run)."""
    n = rows.shape[-1]
    fresh = np.concatenate([np.ones((*rows.shape[:-1], 1), bool), rows[..., 1:] != rows[..., :-1]], axis=-1)
    start = np.maximum.accumulate(np.where(fresh, np.arange(n), 0), axis=-1)
    return np.argmax(np.arange(n) - start, axis=-1)


def _quantile(x: Any, q: Any, dim: int | None, keepdim: bool, interpolation: str, without_nan: bool) -> Any:
    if interpolation not in _INTERPOLATIONS:
        raise InputError(f"quantile knows no interpolation {interpolation!r}", do=f"choose one of {_INTERPOLATIONS}")
    if not _real(x):
        raise DTypeError(f"quantiles are of real numbers, not {x.dtype}", do="call .float() first")
    shares = np.asarray(getattr(q, "data", q), x.dtype)
    if shares.ndim > 1 or np.any(~((shares >= 0) & (shares <= 1))):
        raise InputError("q is a share from 0 to 1, or several in a row", where="quantile")
    flat = x.reshape(-1) if dim is None else x if x.ndim else x.reshape(1)
    axis = 0 if dim is None else dim % max(1, flat.ndim)
    if not flat.shape[axis]:
        raise InputError("there are no quantiles of no entries", where="quantile")
    given = q.reshape(-1) if getattr(q, "requires_grad", False) else shares.reshape(-1)  # q has a slope of its own
    found = _at_shares(flat.movedim(axis, -1).sort(-1).values, given, interpolation, without_nan)
    if keepdim:
        kept = [1 if dim is None or i == axis else n for i, n in enumerate(x.shape)]
        return found.reshape(*kept) if not shares.ndim else found.movedim(-1, 0).reshape(found.shape[-1], *kept)
    return found.movedim(-1, 0) if shares.ndim else found.squeeze(-1)


def _at_shares(rows: Any, shares: Any, interpolation: str, without_nan: bool) -> Any:
    """Entries of sorted rows at shares of their length, NaN last; NaN for a row that holds one, unless left out."""
    n = rows.shape[-1]
    numbers = word.logical_not(word.isnan(rows)).sum(-1, True)
    if without_nan:
        ranks = word.clamp((numbers - 1).to(rows.dtype), min=0, max=None) * shares
    else:
        ranks = word.where(word.less(numbers, n), float(n - 1), (shares * (n - 1)).astype(rows.dtype))
    if interpolation in ("lower", "higher", "nearest"):
        rounded = {"lower": word.floor, "higher": word.ceil, "nearest": word.round}[interpolation](ranks)
        return word.gather(rows, rounded.to(np.int64), axis=-1)
    below = word.floor(ranks)
    weight = 0.5 if interpolation == "midpoint" else ranks - below
    low = word.gather(rows, below.to(np.int64), axis=-1)
    high = word.gather(rows, word.ceil(ranks).to(np.int64), axis=-1)
    return low.lerp(high, builtins.float(weight) if isinstance(weight, builtins.float) else weight)
