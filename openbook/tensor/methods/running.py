"""Running totals, differences and areas along an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.ops import vocabulary as word
from openbook.tensor.methods.reductions import Placed

if TYPE_CHECKING:
    from openbook.tensor.tensor import Tensor

__all__ = ["Running"]


class Running:
    """Methods whose result at each place is made of the entries so far, or of neighbours."""

    __slots__ = ()

    shape: tuple[int, ...]
    dtype: np.dtype
    ndim: int

    def cumsum(self, dim: int, *, dtype: Any = None) -> Tensor:
        """Running sums along `dim`."""
        return word.cumsum(self._counting() if dtype is None else self.to(dtype), axis=dim)  # type: ignore[attr-defined]

    def cumprod(self, dim: int, *, dtype: Any = None) -> Tensor:
        """Running products along `dim`."""
        return word.cumprod(self._counting() if dtype is None else self.to(dtype), axis=dim)  # type: ignore[attr-defined]

    def diff(self, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
        """Differences of neighbours along `dim`, n times; with entries put before and after first if given."""
        if n == 0:
            return self  # type: ignore[return-value]
        parts = [part for part in (prepend, self, append) if part is not None]
        x: Any = self if len(parts) == 1 else word.cat(*parts, axis=dim)
        before = (slice(None),) * (dim % self.ndim)
        for _ in range(n):
            later, earlier = x[(*before, slice(1, None))], x[(*before, slice(None, -1))]
            x = later ^ earlier if x.dtype == np.bool_ else later - earlier
        return x

    def logcumsumexp(self, dim: int) -> Tensor:
        """The logarithms of the running sums of exponentials along `dim`, without overflow."""
        return word.logcumsumexp(self._float(), axis=self._axis(dim))  # type: ignore[attr-defined]

    def cummax(self, dim: int) -> Placed:
        """The largest entry so far along `dim`, and where it stands: the last of equals."""
        return self._so_far(word.cummax_place, dim)

    def cummin(self, dim: int) -> Placed:
        """The smallest entry so far along `dim`, and where it stands: the last of equals."""
        return self._so_far(word.cummin_place, dim)

    def _so_far(self, place: Any, dim: int) -> Placed:
        places = place(self, axis=self._axis(dim))  # type: ignore[attr-defined]
        return Placed(word.gather(self, places, axis=dim) if self.ndim else self, places)
