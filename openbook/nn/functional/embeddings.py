"""Rows of a table, looked up by number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.ops import vocabulary as word
from openbook.tensor.tensor import Tensor

__all__ = ["embedding", "one_hot"]


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """The rows of `weight` (entries, features) at whole numbers of any shape; row `padding_idx` gets no gradient."""
    if padding_idx is None:
        return word.embedding(weight, input)
    rows = weight.shape[0]
    if not -rows <= padding_idx < rows:
        raise InputError(f"padding_idx={padding_idx} is not one of the {rows} rows", where="embedding")
    return word.embedding(weight, input, padding_idx=padding_idx % rows)


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """A 1 at each class and 0 elsewhere, int64, with the classes along a new last axis."""
    if num_classes == -1:
        if not math.prod(tensor.shape):
            raise InputError("there is no largest class to count by", where="one_hot", do="pass num_classes")
        num_classes = int(tensor.max()) + 1
    return word.embedding(Tensor(np.eye(num_classes, dtype=np.int64)), tensor)
