"""The loader: a dataset in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice, repeat
from typing import Any

import numpy as np

from openbook.errors import DTypeError, InputError
from openbook.utils.data.collate import default_collate, default_convert
from openbook.utils.data.dataset import IterableDataset, rows_of
from openbook.utils.data.sampler import BatchSampler, RandomSampler, Seed, SequentialSampler

__all__ = ["DataLoader", "get_worker_info"]


class DataLoader:
    """Go through a dataset in batches of tensors; each `for` over it is one time through, shuffled anew if `shuffle`.

    `generator` is a seed or a NumPy generator for the order; without one, that of `openbook.manual_seed`. The same seed gives
    the same batches. `sampler` or `batch_sampler` say another order. `collate_fn` makes a batch of a list of examples.
    `batch_size=None` gives the examples one by one. Whole tensors (`TensorDataset`, and its subsets) are indexed batch by
    batch, not example by example. An `IterableDataset` is taken as it comes.

    Everything happens in this process and its memory, whatever `num_workers` says: no worker is started, the batches are the
    same, and `worker_init_fn` is not called. What says how workers and their memory are run (`pin_memory`,
    `persistent_workers`, `prefetch_factor`, `timeout`, `multiprocessing_context`, `in_order`) changes nothing.
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
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Seed = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ):
        _workers(num_workers, timeout, prefetch_factor, persistent_workers)
        _one_order(batch_size, shuffle, sampler, batch_sampler, drop_last)
        self.dataset, self.num_workers, self.pin_memory, self.generator = dataset, num_workers, pin_memory, generator
        self.drop_last, self.timeout, self.worker_init_fn = drop_last, timeout, worker_init_fn
        self.multiprocessing_context, self.prefetch_factor = multiprocessing_context, prefetch_factor
        self.persistent_workers, self.pin_memory_device, self.in_order = persistent_workers, pin_memory_device, in_order
        if isinstance(dataset, IterableDataset):
            _no_order(shuffle, sampler, batch_sampler)
            sampler = _Endless()
        else:
            _examples(dataset, sampler is not None or batch_sampler is not None)
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
        if isinstance(self.dataset, IterableDataset):
            return self._as_they_come()
        if self.batch_sampler is None:
            return (self.collate_fn(self.dataset[index]) for index in self.sampler)
        rows = rows_of(self.dataset) if self.collate_fn is default_collate else None
        if rows is None:
            return (self.collate_fn([self.dataset[index] for index in batch]) for batch in self.batch_sampler)
        batches = self.batch_sampler
        arrays = batches.arrays() if isinstance(batches, BatchSampler) else batches
        return (rows.batch(batch) for batch in arrays)

    def _as_they_come(self) -> Iterator[Any]:
        """The examples of an iterable dataset, one by one or `batch_size` at a time."""
        examples = iter(self.dataset)
        if self.batch_size is None:
            yield from map(self.collate_fn, examples)
            return
        while batch := list(islice(examples, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.collate_fn(batch)

    def __len__(self) -> int:
        """How many batches there are; of an iterable dataset, as many as its own length makes."""
        if isinstance(self.dataset, IterableDataset):
            count, size = len(self.dataset), self.batch_size or 1  # type: ignore[arg-type]
            return count // size if self.drop_last else -(-count // size)
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


class _Endless:
    """The sampler of examples without numbers: it has nothing to say."""

    def __iter__(self) -> Iterator[None]:
        return repeat(None)


def get_worker_info() -> None:
    """None, as PyTorch says in the main process: there are no worker processes here."""


def _no_order(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    """Check that nobody asks for an order of examples that come as they come."""
    said = {"shuffle": bool(shuffle), "sampler": sampler is not None, "batch_sampler": batch_sampler is not None}
    if any(said.values()):
        raise InputError(
            f"the examples of an IterableDataset come as they come, and {', '.join(n for n, s in said.items() if s)} asks "
            "for another order",
            where="DataLoader",
            do="shuffle in the dataset's __iter__, or give a Dataset with __getitem__ and __len__",
        )


def _workers(num_workers: Any, timeout: Any, prefetch_factor: Any, persistent_workers: Any) -> None:
    """Check what PyTorch checks of options that change nothing here."""
    if isinstance(num_workers, bool) or not isinstance(num_workers, (int, np.integer)) or num_workers < 0:
        raise InputError(f"num_workers={num_workers!r} is no whole number from 0 on", where="DataLoader")
    if timeout < 0:
        raise InputError(f"timeout={timeout} is negative", where="DataLoader")
    if num_workers == 0 and (prefetch_factor is not None or persistent_workers):
        raise InputError(
            "prefetch_factor and persistent_workers are about workers, and num_workers is 0",
            where="DataLoader",
            do="leave them out",
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
