"""Random numbers of several distributions, from the generator that `manual_seed` seeds."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.tensor.create import as_tensor, generator
from openbook.tensor.factories import randint
from openbook.tensor.promotion import default_float
from openbook.tensor.tensor import Tensor

__all__ = ["bernoulli", "multinomial", "normal", "poisson", "randint_like"]


def bernoulli(input: Any, p: float | None = None) -> Tensor:
    """Ones with the probabilities of the entries (or all with probability `p`), zeros else."""
    x = as_tensor(input).data
    shares = x if p is None else np.full(x.shape, p)
    if np.any(~((shares >= 0) & (shares <= 1))):
        raise InputError("probabilities lie in [0, 1]", where="bernoulli")
    return Tensor(np.asarray(generator().random(x.shape) < shares).astype(x.dtype))


def normal(mean: Any, std: Any = 1.0, size: Any = None, *, dtype: Any = None) -> Tensor:
    """Draws from normal distributions: one for each entry of `mean` and `std`, or `size` from one."""
    if size is not None:
        return Tensor(generator().normal(float(mean), float(std), tuple(size)).astype(dtype or default_float()))
    kinds = [x.dtype for x in (mean, std) if hasattr(x, "dtype")]
    if not kinds:
        raise ShapeError("two numbers do not say how many to draw", where="normal", do="pass size=")
    centres, spreads = (np.asarray(getattr(x, "data", x)) for x in (mean, std))
    if np.any(spreads < 0):
        raise InputError("a standard deviation is negative", where="normal")
    return Tensor(np.asarray(generator().normal(centres, spreads)).astype(dtype or np.result_type(*kinds)))


def multinomial(input: Any, num_samples: int, replacement: bool = False) -> Tensor:
    """Places drawn from each row with probabilities in proportion to its entries, which need not add up to 1."""
    weights = np.asarray(as_tensor(input).data, np.float64)
    if weights.ndim not in (1, 2):
        raise ShapeError(f"multinomial draws from rows, not from shape {weights.shape}")
    rows = np.atleast_2d(weights)
    possible = np.count_nonzero(rows, axis=1)
    if num_samples < 1 or not np.isfinite(rows).all() or np.any(rows < 0) or np.any(possible == 0):
        raise InputError("weights are finite, not negative, and not all 0; at least one is drawn", where="multinomial")
    if replacement:
        shares = np.cumsum(rows, axis=1)
        draws = generator().random((len(rows), num_samples)) * shares[:, -1:]
        found = np.stack([np.searchsorted(s, d, "right") for s, d in zip(shares, draws, strict=True)])
    else:
        if num_samples > possible.min():
            raise InputError(
                f"{num_samples} different places cannot be drawn from {possible.min()} that are possible",
                where="multinomial",
                do="pass replacement=True",
            )
        with np.errstate(divide="ignore"):  # the first to arrive of clocks that tick at these rates
            arrivals = generator().exponential(size=rows.shape) / rows
        found = np.argsort(arrivals, axis=1, kind="stable")[:, :num_samples]
    return Tensor(found.reshape(*weights.shape[:-1], num_samples).astype(np.int64))


def poisson(input: Any) -> Tensor:
    """Counts, drawn from Poisson distributions whose means are the entries."""
    x = as_tensor(input).data
    return Tensor(np.asarray(generator().poisson(x)).astype(x.dtype))


def randint_like(input: Any, low: int, high: Any = None, *, dtype: Any = None) -> Tensor:
    """Whole numbers from low (0 if one number is left out) to high, in the shape and dtype of the input."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, tuple(input.shape), dtype=dtype or input.dtype)
