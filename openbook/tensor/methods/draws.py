"""Entries drawn anew, in place, from the generator that `manual_seed` seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import InputError

if TYPE_CHECKING:
    from openbook.tensor.tensor import Tensor

__all__ = ["Draws"]


class Draws:
    """Methods that fill a tensor with random numbers, and return it."""

    __slots__ = ()

    shape: tuple[int, ...]
    dtype: np.dtype

    def uniform_(self, from_: float = 0.0, to: float = 1.0, **renamed: float) -> Tensor:
        """Draws from the uniform distribution on [from, to)."""
        low = renamed.pop("from", from_)  # a word of Python, which only ** can pass
        if renamed or not low <= to:
            raise InputError(f"no interval goes from {low} to {to}", where="uniform_", do="pass from_ <= to")
        return self._drawn(_generator().uniform(low, to, self.shape))

    def normal_(self, mean: float = 0.0, std: float = 1.0) -> Tensor:
        """Draws from a normal distribution."""
        return self._drawn(_generator().normal(mean, std, self.shape))

    def log_normal_(self, mean: float = 1.0, std: float = 2.0) -> Tensor:
        """The exponentials of draws from a normal distribution."""
        return self._drawn(_generator().lognormal(mean, std, self.shape))

    def exponential_(self, lambd: float = 1.0) -> Tensor:
        """Waiting times of something that happens `lambd` times in one unit."""
        return self._drawn(_generator().exponential(1 / lambd, self.shape))

    def cauchy_(self, median: float = 0.0, sigma: float = 1.0) -> Tensor:
        """Draws from a Cauchy distribution."""
        return self._drawn(median + sigma * _generator().standard_cauchy(self.shape))

    def geometric_(self, p: float) -> Tensor:
        """How many tries it takes, each succeeding with probability p."""
        return self._drawn(_generator().geometric(p, self.shape))

    def bernoulli_(self, p: Any = 0.5) -> Tensor:
        """Ones with probability p (one for all, or for each entry), zeros else."""
        shares = np.asarray(getattr(p, "data", p))
        if np.any(~((shares >= 0) & (shares <= 1))):
            raise InputError("probabilities lie in [0, 1]", where="bernoulli_")
        return self._drawn(_generator().random(self.shape) < shares)

    def _drawn(self: Any, values: Any) -> Tensor:
        return self.copy_(np.asarray(values).astype(self.dtype))


def _generator() -> np.random.Generator:
    from openbook.tensor.create import generator  # which is made of tensors itself

    return generator()
