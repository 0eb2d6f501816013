"""Entries drawn anew, in place, from the generator that `manual_seed` seeds or another."""

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

    def uniform_(self, from_: float = 0.0, to: float = 1.0, *, generator: Any = None, **renamed: float) -> Tensor:
        """Draws from the uniform distribution on [from, to)."""
        low = renamed.pop("from", from_)  # a word of Python, which only ** can pass
        if renamed or not low <= to:
            raise InputError(f"no interval goes from {low} to {to}", where="uniform_", do="pass from_ <= to")
        return self._drawn(_source(generator).uniform(low, to, self.shape))

    def normal_(self, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Tensor:
        """Draws from a normal distribution."""
        return self._drawn(_source(generator).normal(mean, std, self.shape))

    def log_normal_(self, mean: float = 1.0, std: float = 2.0, *, generator: Any = None) -> Tensor:
        """The exponentials of draws from a normal distribution."""
        return self._drawn(_source(generator).lognormal(mean, std, self.shape))

    def exponential_(self, lambd: float = 1.0, *, generator: Any = None) -> Tensor:
        """Waiting times of something that happens `lambd` times in one unit."""
        return self._drawn(_source(generator).exponential(1 / lambd, self.shape))

    def cauchy_(self, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None) -> Tensor:
        """Draws from a Cauchy distribution."""
        return self._drawn(median + sigma * _source(generator).standard_cauchy(self.shape))

    def geometric_(self, p: float, *, generator: Any = None) -> Tensor:
        """How many tries it takes, each succeeding with probability p."""
        return self._drawn(_source(generator).geometric(p, self.shape))

    def bernoulli_(self, p: Any = 0.5, *, generator: Any = None) -> Tensor:
        """Ones with probability p (one for all, or for each entry), zeros else."""
        shares = np.asarray(getattr(p, "data", p))
        if np.any(~((shares >= 0) & (shares <= 1))):
            raise InputError("probabilities lie in [0, 1]", where="bernoulli_")
        return self._drawn(_source(generator).random(self.shape) < shares)

    def random_(self, from_: int = 0, to: int | None = None, *, generator: Any = None) -> Tensor:
        """Whole numbers from `from_` (0 if one number is given) to `to`, which is not included."""
        low, high = (0, from_) if to is None else (from_, to)
        return self._drawn(_source(generator).integers(low, high, self.shape))

    def bernoulli(self, p: float | None = None) -> Tensor:
        """Ones with the probabilities of the entries (or all with probability p), zeros else; a new tensor."""
        from openbook.tensor.draws import bernoulli

        return bernoulli(self, p)

    def multinomial(self, num_samples: int, replacement: bool = False) -> Tensor:
        """Places drawn from each row with probabilities in proportion to its entries."""
        from openbook.tensor.draws import multinomial

        return multinomial(self, num_samples, replacement)

    def _drawn(self: Any, values: Any) -> Tensor:
        return self.copy_(np.asarray(values).astype(self.dtype))


def _source(given: Any) -> Any:
    """The generator that was given, or the one that `manual_seed` seeds."""
    from openbook.tensor.create import generator  # which is made of tensors itself

    return generator() if given is None else given
