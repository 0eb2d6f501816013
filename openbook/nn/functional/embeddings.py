"""Rows of a table, looked up by number."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import DTypeError, InputError
from openbook.ops import vocabulary as word
from openbook.tensor.create import as_tensor
from openbook.tensor.tensor import Tensor

__all__ = ["embedding", "one_hot"]


def _numbers(name: str, input: Any) -> np.ndarray:
    numbers = as_tensor(input).data
    if numbers.dtype.kind not in "iu":
        raise DTypeError(f"{name} looks up whole numbers, not {numbers.dtype}", do="cast them to int64")
    return numbers


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """The rows of `weight` (entries, features) at whole numbers of any shape; row `padding_idx` gets no gradient."""
    numbers, rows = _numbers("embedding", input), weight.shape[0]
    if numbers.size and (numbers.min() < 0 or numbers.max() >= rows):
        wrong = numbers.min() if numbers.min() < 0 else numbers.max()
        raise InputError(f"{wrong} is not one of the {rows} rows of the embedding", do="number the entries from 0")
    if padding_idx is None:
        return word.embedding(weight, input)
    if not -rows <= padding_idx < rows:
        raise InputError(f"padding_idx={padding_idx} is not one of the {rows} rows", where="embedding")
    return word.embedding(weight, input, padding_idx=padding_idx % rows)


def one_hot(tensor: Any, num_classes: int = -1) -> Tensor:
    """A 1 at each class and 0 elsewhere, int64, with the classes along a new last axis."""
    numbers = _numbers("one_hot", tensor)
    if not numbers.size and num_classes < 1:
        raise InputError("no classes to count", where="one_hot", do="pass num_classes")
    classes = int(numbers.max()) + 1 if num_classes == -1 else num_classes
    if numbers.size and (numbers.min() < 0 or numbers.max() >= classes):
        raise InputError(
            f"classes run from 0 to {classes - 1}, not {numbers.min()} to {numbers.max()}", where="one_hot"
        )
    return Tensor(np.equal(numbers[..., None], np.arange(classes)).astype(np.int64))
