"""The rows a diagnosis looks at: arrays, read from whatever the user trains on, without disturbing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from openbook.errors import DTypeError, InputError, ShapeError

__all__ = ["Sample", "read_sample"]


@dataclass(frozen=True, eq=False)
class Sample:
    """Inputs (arrays with a row for each example), their targets, and how many rows there were to choose from."""

    inputs: tuple[np.ndarray, ...]
    targets: np.ndarray
    batch_size: int
    rows_given: int

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def thinned(self) -> bool:
        """Whether there are more rows than these."""
        return self.rows_given > len(self)

    @property
    def features(self) -> np.ndarray | None:
        """The first input as a matrix in float64, a column for each feature; None for whole numbers (tokens)."""
        first = self.inputs[0]
        if first.dtype.kind != "f" or not first.size:
            return None
        return first.reshape(len(first), -1).astype(np.float64)

    def take(self, rows: Any) -> Sample:
        """Some of the rows."""
        return replace(self, inputs=tuple(x[rows] for x in self.inputs), targets=self.targets[rows])

    def parts(self, seed: int = 0, held_out: float = 0.3) -> tuple[Sample, Sample]:
        """The rows in two parts, drawn by a seed: to learn from, and to measure on."""
        order = np.random.default_rng(seed).permutation(len(self))
        cut = max(1, round(len(self) * held_out))
        return self.take(np.sort(order[cut:])), self.take(np.sort(order[:cut]))

    def batches(self, seed: int, steps: int) -> Iterator[Sample]:
        """So many batches, shuffled anew each time through."""
        random = np.random.default_rng(seed)
        size = min(self.batch_size, len(self))
        order, at = random.permutation(len(self)), 0
        for _ in range(steps):
            if at + size > len(order):
                order, at = random.permutation(len(self)), 0
            yield self.take(order[at : at + size]) if size < len(self) else self
            at += size


def read_sample(data: Any, rows: int, batch_size: int | None, dtype: np.dtype) -> Sample:
    """`data` is (X, y), with X an array or tensor (or a tuple of several), or a loader of such batches.

    A loader's examples are taken from its dataset by number: its order, and the generator behind it, are not touched.
    Raises InputError for data that could only be read once.
    """
    if isinstance(data, (tuple, list)) and len(data) >= 2 and not _is_batches(data):
        inputs = data[0] if isinstance(data[0], tuple) else data[:-1]
        found = _sample([_array(x) for x in inputs], _array(data[-1]), batch_size, rows)
    else:
        found = _from_loader(data, rows, batch_size)
    return replace(
        found,
        inputs=tuple(_cast(x, dtype) for x in found.inputs),
        targets=_cast(found.targets, dtype),
    )


def _is_batches(data: Any) -> bool:
    """A list of batches, each with inputs and targets, is not one batch."""
    return isinstance(data, list) and all(isinstance(b, (tuple, list)) and len(b) >= 2 for b in data)


def _sample(inputs: Sequence[np.ndarray], targets: np.ndarray, batch_size: int | None, rows: int) -> Sample:
    lengths = {x.shape[0] if x.ndim else 0 for x in (*inputs, targets)}
    if len(lengths) != 1 or lengths == {0}:
        raise ShapeError(
            f"inputs and targets have {' and '.join(str(x.shape) for x in (*inputs, targets))} entries",
            where="diagnose(data=…)",
            do="give every input and the targets the same number of rows, at least one",
        )
    n = lengths.pop()
    whole = Sample(tuple(inputs), targets, batch_size or min(n, 128), n)
    return whole if n <= rows else whole.take(np.linspace(0, n - 1, rows).astype(np.int64))


def _from_loader(loader: Any, rows: int, batch_size: int | None) -> Sample:
    dataset: Any = getattr(loader, "dataset", None)
    collate = getattr(loader, "collate_fn", None)
    size = batch_size or getattr(loader, "batch_size", None)
    if hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__") and collate is not None and size:
        n = len(dataset)
        chosen = range(n) if n <= rows else np.linspace(0, n - 1, rows).astype(int).tolist()
        *inputs, targets = _batch(collate([dataset[i] for i in chosen]))
        return Sample(tuple(map(_array, inputs)), _array(targets), size, n)
    if iter(loader) is loader:
        raise InputError(
            "these batches could be read only once, and you would not have them any more",
            where="diagnose(data=…)",
            do="pass a DataLoader, a list of batches, or the arrays (X, y)",
        )
    batches = [_batch(b) for b in islice(iter(loader), rows)]
    if not batches:
        raise InputError("there are no batches to look at", where="diagnose(data=…)")
    columns = [np.concatenate([_array(b[i]) for b in batches]) for i in range(len(batches[0]))]
    return _sample(columns[:-1], columns[-1], size or len(_array(batches[0][-1])), rows)


def _batch(batch: Any) -> list[Any]:
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        raise DTypeError(
            f"a batch is (inputs, targets), not {type(batch).__name__}",
            where="diagnose(data=…)",
            do="pass the arrays themselves: data=(X, y)",
        )
    return [*batch[0], *batch[1:]] if isinstance(batch[0], tuple) else list(batch)


def _array(value: Any) -> np.ndarray:
    if hasattr(value, "detach"):
        value = value.detach()
        value = value.cpu() if hasattr(value, "cpu") else value
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise DTypeError(f"diagnose reads numbers, not {array.dtype}", where="data", do="encode text as numbers first")
    return array


def _cast(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Real numbers in the model's floats, others as int64 (bool stays)."""
    if array.dtype.kind == "f":
        return array.astype(dtype)
    return array if array.dtype.kind == "b" else array.astype(np.int64)
