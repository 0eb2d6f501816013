"""The loader: a dataset in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from openbook.errors import DTypeError, InputError
from openbook.utils.data.collate import default_collate, default_convert
from openbook.utils.data.dataset import rows_of
from openbook.utils.data.sampler import BatchSampler, RandomSampler, Seed, SequentialSampler

__all__ = ["DataLoader"]


class DataLoader:
    """Go through a dataset in batches of tensors; each `for` over it is one time through, shuffled anew if `shuffle`.

    `generator` is a seed or a NumPy generator for the order; without one, that of `openbook.manual_seed`. The same seed gives
    the same batches. `sampler` or `batch_sampler` say another order. `collate_fn` makes a batch of a list of examples.
    `batch_size=None` gives the examples one by one. Whole tensors (`TensorDataset`, and its subsets) are indexed batch by
    batch, not example by example. Everything happens in this process and its memory: `num_workers` is 0, and `pin_memory`
    changes nothing.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        generator: Seed = None,
    ):
        _workers(num_workers)
        _one_order(batch_size, shuffle, sampler, batch_sampler, drop_last)
        _examples(dataset, sampler is not None or batch_sampler is not None)
        self.dataset, self.num_workers, self.pin_memory, self.generator = dataset, num_workers, pin_memory, generator
        self.drop_last = drop_last
        if sampler is None:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        self.sampler = sampler
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size, self.batch_sampler = batch_size, batch_sampler
        one_by_one = self.batch_sampler is None
        self.collate_fn = collate_fn or (default_convert if one_by_one else default_collate)

    def __iter__(self) -> Iterator[Any]:
        if self.batch_sampler is None:
            return (self.collate_fn(self.dataset[index]) for index in self.sampler)
        rows = rows_of(self.dataset) if self.collate_fn is default_collate else None
        if rows is None:
            return (self.collate_fn([self.dataset[index] for index in batch]) for batch in self.batch_sampler)
        batches = self.batch_sampler
        arrays = batches.arrays() if isinstance(batches, BatchSampler) else batches
        return (rows.batch(batch) for batch in arrays)

    def __len__(self) -> int:
        """How many batches there are."""
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]


def _examples(dataset: Any, chosen: bool) -> None:
    """Check that there are examples to be had by number, and how many, unless others choose the numbers."""
    if not hasattr(dataset, "__getitem__") or not (chosen or hasattr(dataset, "__len__")):
        raise DTypeError(
            f"a dataset has a length and gives examples by number, and {type(dataset).__name__} does not",
            where="DataLoader",
            do="make a list of it, or a Dataset with __getitem__ and __len__",
        )
    if hasattr(dataset, "__len__") and not len(dataset):
        raise InputError("the dataset is empty", where="DataLoader", do="give one with examples")


def _workers(num_workers: int) -> None:
    if num_workers != 0:
        raise InputError(
            f"num_workers={num_workers}, and all examples are loaded in this process",
            where="DataLoader",
            do="pass num_workers=0; put data that fits into memory into a TensorDataset, which loads whole batches at once",
        )


def _one_order(batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any, drop_last: bool) -> None:
    """Check that the order is not said twice."""
    said: list[str] = []
    if sampler is not None and shuffle:
        said = ["sampler", "shuffle"]
    elif batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
        said = ["batch_sampler", "batch_size, shuffle, sampler or drop_last"]
    elif batch_size is None and drop_last:
        said = ["batch_size=None", "drop_last"]
    if said:
        raise InputError(
            f"{said[0]} leaves nothing for {said[1]} to say", where="DataLoader", do=f"leave out {said[1]}"
        )
