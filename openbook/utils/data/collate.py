"""Examples put together into a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import DTypeError, InputError, ShapeError
from openbook.tensor.create import stack
from openbook.tensor.tensor import Tensor

__all__ = ["default_collate", "default_convert"]


def default_collate(batch: Sequence[Any]) -> Any:
    """Examples as one: arrays and tensors stacked, numbers in a tensor, texts as they are; what holds them, part by part.

    Python floats become float64, and tuples lists, as in PyTorch.
    """
    if not batch:
        raise InputError("there are no examples to put together", where="default_collate")
    first = batch[0]
    if isinstance(first, Tensor):
        return _stacked(batch)
    if isinstance(first, np.ndarray):
        _same_shapes([value.shape for value in batch])
        return Tensor(_numeric(np.stack(batch)))
    if isinstance(first, (np.generic, int, float)):
        return Tensor(_numeric(np.asarray(batch)))
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return _like(first, {key: default_collate([example[key] for example in batch]) for key in first})
    if isinstance(first, Sequence):
        return _columns(first, batch)
    raise DTypeError(
        f"examples of {type(first).__name__} cannot be put into a batch",
        where="default_collate",
        do="pass a collate_fn of your own, or let the dataset give tensors, arrays, numbers, texts, tuples or dicts",
    )


def default_convert(data: Any) -> Any:
    """One example with its arrays as tensors; what holds them, part by part; numbers and texts as they are."""
    if isinstance(data, (np.ndarray, np.generic)):
        return Tensor(_numeric(np.asarray(data)))
    if isinstance(data, Mapping):
        return _like(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return [default_convert(value) for value in data]
    return data


def _columns(first: Any, batch: Sequence[Any]) -> Any:
    """Rows turned into columns, and each collated; a list, or the named tuple that the rows were."""
    lengths = {len(example) for example in batch}
    if len(lengths) > 1:
        raise ShapeError(f"examples of {sorted(lengths)} parts cannot be put into a batch", where="default_collate")
    columns = [default_collate(column) for column in zip(*batch, strict=True)]
    return type(first)(*columns) if isinstance(first, tuple) and hasattr(first, "_fields") else columns


def _like(first: Mapping[Any, Any], parts: dict[Any, Any]) -> Any:
    """The parts in a mapping of the kind of the first example's, where that can be made from a dict."""
    try:
        return type(first)(parts)  # type: ignore[call-arg]
    except TypeError:
        return parts


def _stacked(batch: Sequence[Tensor]) -> Tensor:
    _same_shapes([tensor.shape for tensor in batch])
    if any(tensor.requires_grad for tensor in batch):
        return stack(batch)
    return Tensor(np.stack([tensor.data for tensor in batch]))


def _numeric(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "biuf":
        raise DTypeError(
            f"arrays of {array.dtype} are no tensors", where="the examples of a dataset", do="encode them as numbers"
        )
    return array


def _same_shapes(shapes: list[tuple[int, ...]]) -> None:
    if len(set(shapes)) > 1:
        raise ShapeError(
            f"examples of shapes {sorted(set(shapes))} cannot be stacked",
            where="default_collate",
            do="bring them to one shape, or pass a collate_fn that does",
        )
