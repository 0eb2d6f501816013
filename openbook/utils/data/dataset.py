"""Datasets: things with a length, whose examples are found by number."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.tensor.create import as_tensor
from openbook.tensor.tensor import Tensor
from openbook.utils.data.sampler import Seed, generator_of

__all__ = [
    "ChainDataset", "ConcatDataset", "Dataset", "IterableDataset", "StackDataset", "Subset", "TensorDataset",
    "random_split", "rows_of",
]  # fmt: skip


class Dataset:
    """Subclasses say in `__getitem__` what example a number stands for, and in `__len__` how many there are.

    Without a length, the loader needs a sampler that says which examples come.
    """

    def __getitem__(self, index: Any) -> Any:
        raise TypeError("a dataset says in `__getitem__` what example a number stands for")

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """Examples that come one after the other, and cannot be found by number: subclasses say in `__iter__` which.

    The loader takes them as they come: it shuffles nothing, and a dataset that wants another order each time sees to that
    in `__iter__`.
    """

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("an iterable dataset says in `__iter__` which examples come")

    def __getitem__(self, index: Any) -> Any:
        raise InputError(
            f"the examples of {type(self).__name__} come one after the other, and have no numbers", do="loop over it"
        )

    def __add__(self, other: Any) -> ChainDataset:  # type: ignore[override]
        return ChainDataset([self, other])


class ChainDataset(IterableDataset):
    """Iterable datasets one after the other, as one."""

    def __init__(self, datasets: Iterable[Any]):
        self.datasets = list(datasets)

    def __iter__(self) -> Iterator[Any]:
        for dataset in self.datasets:
            yield from dataset

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self.datasets)


class TensorDataset(Dataset):
    """Tensors (or arrays) that belong together row by row."""

    def __init__(self, *tensors: Any):
        if not tensors:
            raise InputError("no tensors were given", where="TensorDataset")
        self.tensors: tuple[Tensor, ...] = tuple(as_tensor(tensor) for tensor in tensors)
        for i, tensor in enumerate(self.tensors):
            if not tensor.shape:
                raise ShapeError(f"tensor {i} is a single number, and has no rows", where="TensorDataset")
        lengths = [len(tensor) for tensor in self.tensors]
        if len(set(lengths)) > 1:
            raise ShapeError(
                f"the tensors have {lengths} rows", where="TensorDataset", do="give tensors of equal length"
            )

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset):
    """Some examples of a dataset, in an order of their own."""

    def __init__(self, dataset: Any, indices: Sequence[int]):
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> Any:
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset):
    """Datasets one after the other, as one."""

    def __init__(self, datasets: Iterable[Any]):
        self.datasets = list(datasets)
        if not self.datasets:
            raise InputError("no datasets were given", where="ConcatDataset")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise InputError("examples without numbers cannot be joined by number", do="use ChainDataset")
        self.cumulative_sizes = list(accumulate(len(dataset) for dataset in self.datasets))

    def __getitem__(self, index: int) -> Any:
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"example {index} of {len(self)}")
        which = bisect_right(self.cumulative_sizes, place)
        return self.datasets[which][place - (self.cumulative_sizes[which - 1] if which else 0)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


class StackDataset(Dataset):
    """Datasets side by side: example n is a tuple of theirs, or a dictionary where they were given by name."""

    def __init__(self, *args: Any, **kwargs: Any):
        if bool(args) == bool(kwargs):
            raise InputError(
                "datasets are given one after the other, or all by name", where="StackDataset", do="choose one way"
            )
        self.datasets: Any = args or kwargs
        lengths = [len(dataset) for dataset in args or kwargs.values()]
        if len(set(lengths)) > 1:
            raise ShapeError(f"the datasets have {lengths} examples", where="StackDataset", do="give equally long ones")

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __len__(self) -> int:
        return len(next(iter(self.datasets.values())) if isinstance(self.datasets, dict) else self.datasets[0])


def random_split(dataset: Any, lengths: Sequence[float], generator: Seed = None) -> list[Subset]:
    """Part a dataset at random into subsets of these lengths, or of these shares of it (what is left over goes to the first).

    `generator` is a seed or a NumPy generator; without one, that of `openbook.manual_seed`.
    """
    sizes = _sizes(len(dataset), lengths)
    order = generator_of(generator).permutation(len(dataset)).tolist()
    ends = list(accumulate(sizes))
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, ends, strict=True)]


def _sizes(count: int, lengths: Sequence[float]) -> list[int]:
    if any(length < 0 for length in lengths):
        raise InputError(f"lengths={list(lengths)} has a negative one", where="random_split")
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        sizes = [math.floor(count * share) for share in lengths]
        for i in range(count - sum(sizes)):
            sizes[i % len(sizes)] += 1
        return sizes
    if sum(lengths) != count or any(length != int(length) for length in lengths):
        raise InputError(
            f"lengths={list(lengths)} do not add up to the {count} examples, nor as shares to 1", where="random_split"
        )
    return [int(length) for length in lengths]


class Rows:
    """Whole tensors, and which of their rows a dataset consists of (None: all, in order)."""

    def __init__(self, tensors: tuple[Tensor, ...], indices: np.ndarray | None = None):
        self.tensors, self.indices = tensors, indices

    def part(self, indices: Any) -> Rows:
        """Some of these rows, by number."""
        numbers = np.asarray(indices) if len(indices) else np.empty(0, np.intp)
        return Rows(self.tensors, numbers if self.indices is None else self.indices[numbers])

    def batch(self, indices: Any) -> list[Tensor]:
        """Some of these rows as new tensors, as collating them one by one would give them."""
        chosen = self.part(indices).indices
        assert chosen is not None
        return [t[chosen] if t.requires_grad else Tensor(np.take(t.data, chosen, axis=0)) for t in self.tensors]


def rows_of(dataset: Any) -> Rows | None:
    """The whole tensors behind a dataset; None where there are none, or a subclass says what its examples are."""
    if isinstance(dataset, Subset) and type(dataset).__getitem__ is Subset.__getitem__:
        rows = rows_of(dataset.dataset)
        return None if rows is None else rows.part(dataset.indices)
    if isinstance(dataset, TensorDataset) and type(dataset).__getitem__ is TensorDataset.__getitem__:
        return Rows(dataset.tensors)
    return None
