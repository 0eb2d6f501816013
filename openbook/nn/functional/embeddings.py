"""Rows of a table, looked up by number, one by one or in bags."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor.tensor import Tensor

__all__ = ["embedding", "embedding_bag", "one_hot"]


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of `weight` (entries, features) at whole numbers of any shape; row `padding_idx` gets no gradient.

    With `max_norm`, rows looked up that are longer (in the sense of `norm_type`) are shortened first, in `weight` itself.
    With `scale_grad_by_freq` each row's gradient is divided by how often it was looked up.
    """
    if sparse:
        raise InputError("gradients are dense arrays", where="embedding", do="leave sparse=True out")
    if padding_idx is not None:
        rows = weight.shape[0]
        if not -rows <= padding_idx < rows:
            raise InputError(f"padding_idx={padding_idx} is not one of the {rows} rows", where="embedding")
        padding_idx %= rows
    if max_norm is not None:
        _shorten(weight, np.unique(np.asarray(input.data)), max_norm, norm_type)
    options = {} if padding_idx is None else {"padding_idx": padding_idx}
    found = word.embedding(weight, input, **options)
    return _by_frequency(found, np.asarray(input.data)) if scale_grad_by_freq else found


def _shorten(weight: Any, rows: np.ndarray, max_norm: float, norm_type: float) -> None:
    """Rows that are too long, shortened where they lie."""
    lengths = Tensor(weight.data[rows]).norm(norm_type, dim=-1, keepdim=True).data
    factors = np.where(lengths > max_norm, max_norm / (lengths + 1e-7), 1.0).astype(weight.dtype)  # PyTorch's guard
    weight.data[rows] *= factors
    weight.changed_in_place()


def _by_frequency(found: Any, numbers: np.ndarray) -> Any:
    """The same values, whose gradient is divided by how often each number occurs."""
    counts = np.bincount(numbers.reshape(-1), minlength=1)[numbers] if numbers.size else np.ones(numbers.shape)
    share = (1 / counts).astype(found.dtype).reshape(*numbers.shape, *(1,) * (found.ndim - numbers.ndim))
    fixed = found.detach()
    return fixed + (found - fixed) * share


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """The "sum", "mean" or "max" of the rows of each bag: a row of numbers (B, N), or all in a row, bags from `offsets` on.

    `per_sample_weights` (mode "sum") multiplies the rows; the row `padding_idx` is left out. An empty bag gives zeros.
    """
    if mode not in ("sum", "mean", "max"):
        raise InputError(f"embedding_bag has no mode {mode!r}", do='choose "sum", "mean" or "max"')
    if per_sample_weights is not None and mode != "sum":
        raise InputError(f"rows are weighted in mode sum, not {mode!r}", where="embedding_bag")
    bags, count = _bags(input, offsets, include_last_offset)
    numbers = np.asarray(input.data).reshape(-1)
    rows = embedding(Tensor(numbers), weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
    if per_sample_weights is not None:
        rows = rows * word.reshape(per_sample_weights, shape=(-1, 1))
    if padding_idx is not None:
        kept = np.nonzero(numbers != padding_idx % weight.shape[0])[0]
        rows, bags = word.gather_entries(rows, index=kept), bags[kept]
    if mode == "max":
        index = Tensor(np.broadcast_to(bags[:, None], rows.shape))
        return Tensor(np.zeros((count, rows.shape[1]), rows.dtype)).scatter_reduce(
            0, index, rows, "amax", include_self=False
        )
    total = word.embedding_rows(rows, bags, count=count)
    if mode == "sum":
        return total
    sizes = np.maximum(np.bincount(bags, minlength=count), 1)
    return total / sizes[:, None].astype(total.dtype)


def _bags(input: Any, offsets: Any, include_last_offset: bool) -> tuple[np.ndarray, int]:
    """Which bag each number belongs to, and how many there are."""
    if input.ndim == 2:
        if offsets is not None:
            raise InputError("the rows of an input (B, N) are its bags", where="embedding_bag", do="leave offsets out")
        return np.repeat(np.arange(input.shape[0]), input.shape[1]), input.shape[0]
    if input.ndim != 1 or offsets is None:
        raise ShapeError(
            "embedding_bag takes numbers (B, N), or all in a row with offsets", do="give the bags' offsets"
        )
    starts = np.asarray(offsets.data)
    if include_last_offset:
        starts = starts[:-1]
    return np.searchsorted(starts, np.arange(input.shape[0]), "right") - 1, len(starts)


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """A 1 at each class and 0 elsewhere, int64, with the classes along a new last axis."""
    if num_classes == -1:
        if not math.prod(tensor.shape):
            raise InputError("there is no largest class to count by", where="one_hot", do="pass num_classes")
        num_classes = int(tensor.max()) + 1
    return word.embedding(Tensor(np.eye(num_classes, dtype=np.int64)), tensor)
