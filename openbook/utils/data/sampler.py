"""Samplers: in which order a dataset is gone through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Any

import numpy as np

from openbook.errors import DTypeError, InputError
from openbook.tensor.create import generator as default_generator

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "Seed",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
    "generator_of",
]

Seed = int | np.random.Generator | None


def generator_of(seed: Seed) -> np.random.Generator:
    """A NumPy generator from a seed, itself if it is one; the one that `openbook.manual_seed` seeds, if none is given."""
    if seed is None:
        return default_generator()
    if isinstance(seed, np.random.Generator):
        return seed
    if isinstance(seed, (int, np.integer)):
        return np.random.default_rng(int(seed))
    raise DTypeError(
        f"generator must be a seed or a NumPy generator, not {type(seed).__name__}",
        do="pass a whole number, or numpy.random.default_rng(seed)",
    )


class Sampler:
    """Subclasses say in `__iter__` which examples come, by number, and in `__len__` how many."""

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("a sampler says in `__iter__` which examples come")


class _Ordered(Sampler):
    """Samplers that know the whole order at once: subclasses say it in `order`."""

    def order(self) -> np.ndarray:
        """The numbers of the examples, as they come this time."""
        raise TypeError("a sampler of this kind says its order in `order`")

    def __iter__(self) -> Iterator[int]:
        return iter(self.order().tolist())


class SequentialSampler(_Ordered):
    """From first to last."""

    def __init__(self, data_source: Sized):
        self.data_source = data_source

    def order(self) -> np.ndarray:
        return np.arange(len(self.data_source))

    def __len__(self) -> int:
        return len(self.data_source)


class _Random(_Ordered):
    """Samplers that draw.

    A seed starts a generator once: each time through is another order, and all of them are the same from the same seed.
    """

    def __init__(self, generator: Seed):
        self.generator = None if generator is None else generator_of(generator)

    def _generator(self) -> np.random.Generator:
        return generator_of(self.generator)


class RandomSampler(_Random):
    """In random order: every example once, or `num_samples` of them, with `replacement` independently of each other.

    `generator` is a seed or a NumPy generator; without one, that of `openbook.manual_seed`.
    """

    def __init__(
        self, data_source: Sized, replacement: bool = False, num_samples: int | None = None, generator: Seed = None
    ):
        super().__init__(generator)
        if num_samples is not None:
            _count("num_samples", num_samples, "RandomSampler")
        self.data_source, self.replacement, self._num_samples = data_source, replacement, num_samples

    @property
    def num_samples(self) -> int:
        """How many examples come."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def order(self) -> np.ndarray:
        count, wanted, random = len(self.data_source), self.num_samples, self._generator()
        if not count:
            raise InputError("there is nothing to draw from", where="RandomSampler", do="give a dataset with examples")
        if self.replacement:
            return random.integers(0, count, wanted)
        return np.concatenate([random.permutation(count) for _ in range(-(-wanted // count))])[:wanted]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(_Random):
    """These examples, in random order."""

    def __init__(self, indices: Sequence[int], generator: Seed = None):
        super().__init__(generator)
        self.indices = indices

    def order(self) -> np.ndarray:
        return self._generator().permutation(np.asarray(self.indices, np.int64))

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(_Random):
    """Examples drawn in proportion to their weights: `num_samples` of them, without `replacement` each at most once."""

    def __init__(self, weights: Sequence[float], num_samples: int, replacement: bool = True, generator: Seed = None):
        super().__init__(generator)
        self.weights = np.asarray(weights, np.float64)
        self.num_samples, self.replacement = _count("num_samples", num_samples, "WeightedRandomSampler"), replacement
        where = "WeightedRandomSampler"
        if self.weights.ndim != 1 or not np.isfinite(self.weights).all() or (self.weights < 0).any():
            raise InputError("weights must be a row of finite numbers, none of them negative", where=where)
        drawable = np.count_nonzero(self.weights)
        if drawable < (1 if replacement else num_samples):
            raise InputError(
                f"{num_samples} examples cannot be drawn from {drawable} with positive weight",
                where=where,
                do="draw fewer, or with replacement",
            )

    def order(self) -> np.ndarray:
        shares = self.weights / self.weights.sum()
        return self._generator().choice(len(shares), self.num_samples, self.replacement, shares)

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """The numbers that a sampler gives, `batch_size` at a time; the last, shorter batch is left out with `drop_last`."""

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool = False):
        self.sampler, self.drop_last = sampler, drop_last
        self.batch_size = _count("batch_size", batch_size, "BatchSampler")

    def __iter__(self) -> Iterator[list[Any]]:
        numbers = iter(self.sampler)
        while batch := list(islice(numbers, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def arrays(self) -> Iterator[Any]:
        """The batches, as arrays where the sampler knows its whole order at once."""
        if not isinstance(self.sampler, _Ordered) or type(self).__iter__ is not BatchSampler.__iter__:
            yield from self
            return
        if type(self.sampler).__iter__ is not _Ordered.__iter__:
            yield from self
            return
        order = self.sampler.order()
        full = len(order) - len(order) % self.batch_size if self.drop_last else len(order)
        for start in range(0, full, self.batch_size):
            yield order[start : start + self.batch_size]

    def __len__(self) -> int:
        count = len(self.sampler)  # type: ignore[arg-type]
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)


def _count(name: str, value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise InputError(f"{name}={value!r} is no whole number from 1 on", where=where)
    return int(value)
