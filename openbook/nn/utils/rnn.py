"""Sequences of different lengths: padded to one length, or packed without padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from openbook.errors import DTypeError, InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor import Tensor

__all__ = [
    "PackedSequence", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence", "pad_sequence",
    "unpack_sequence", "unpad_sequence",
]  # fmt: skip


class _Packed(NamedTuple):
    data: Any
    batch_sizes: Any
    sorted_indices: Any = None
    unsorted_indices: Any = None


class PackedSequence(_Packed):
    """Sequences time step by time step without padding: what RNN, GRU and LSTM take and give.

    `data` (entries, …) holds the first entries of all sequences, then the second ones of those that have one, and so on,
    longest sequence first; `batch_sizes` says how many there are at each step. `sorted_indices` and `unsorted_indices` lead
    from the order the sequences were given in to longest first, and back. Make one with `pack_sequence` or
    `pack_padded_sequence`.
    """

    __slots__ = ()

    def __new__(
        cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None, unsorted_indices: Any = None
    ) -> PackedSequence:
        if batch_sizes is None:
            raise InputError(
                "a packed sequence is made of data and batch sizes", do="call pack_sequence or pack_padded_sequence"
            )
        if unsorted_indices is None and sorted_indices is not None:
            unsorted_indices = Tensor(np.argsort(sorted_indices.data))
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with its data converted, as `Tensor.to` does."""
        return PackedSequence(self.data.to(*args, **kwargs), *self[1:])

    def double(self) -> PackedSequence:
        """The same with data in float64."""
        return self.to(np.float64)

    def float(self) -> PackedSequence:
        """The same with data in float32."""
        return self.to(np.float32)

    def cpu(self) -> PackedSequence:
        """The same: everything is on the CPU."""
        return self


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences (time, …) in one tensor (longest, batch, …), or (batch, longest, …) with `batch_first`."""
    given = list(sequences)
    if not given:
        raise InputError("no sequences were given", where="pad_sequence")
    if padding_side not in ("right", "left"):
        raise InputError(
            f"padding_side={padding_side!r} is unknown", where="pad_sequence", do='choose "right" or "left"'
        )
    if len({sequence.shape[1:] for sequence in given}) > 1:
        raise ShapeError(
            f"the sequences have shapes {[s.shape for s in given]}", where="pad_sequence",
            do="only their first axes may differ",
        )  # fmt: skip
    longest = max(len(sequence) for sequence in given)
    rows = [_padded(sequence, longest - len(sequence), padding_value, padding_side) for sequence in given]
    return word.stack(*rows, axis=0 if batch_first else 1)


def _padded(sequence: Any, missing: int, value: float, side: str) -> Any:
    if not missing:
        return sequence
    widths = (0, missing) if side == "right" else (missing, 0)
    return word.pad(sequence, widths=(widths, *((0, 0),) * (sequence.ndim - 1)), value=value)


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The way back of `pad_sequence`: each sequence (time, …) in its own length."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [rows[i][:length] for i, length in enumerate(_lengths(lengths, len(rows), rows.shape[1]))]


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack a padded batch (time, batch, …), or (batch, time, …) with `batch_first`, given the sequences' lengths.

    With `enforce_sorted`, they must come longest first; without it, they are sorted, and remember their places.
    """
    if input.ndim < 2:
        raise ShapeError(f"a padded batch has two axes or more, not shape {input.shape}", where="pack_padded_sequence")
    x = input.transpose(0, 1) if batch_first else input
    sizes = _lengths(lengths, x.shape[1], x.shape[0])
    order = None
    if enforce_sorted:
        if (np.diff(sizes) > 0).any():
            raise InputError(
                f"the lengths {sizes.tolist()} do not fall", where="pack_padded_sequence",
                do="sort the batch by length, or pass enforce_sorted=False",
            )  # fmt: skip
    else:
        order = np.argsort(-sizes, kind="stable")
        x, sizes = x[:, order], sizes[order]
    steps, batch = _places(sizes)
    data = x[steps, batch]
    return PackedSequence(data, Tensor(np.bincount(steps)), None if order is None else Tensor(order))


def _places(lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Step and row of every entry of sequences, longest first, in packed order."""
    there = np.arange(lengths.max())[:, None] < lengths
    return np.nonzero(there)  # type: ignore[return-value]


def _lengths(lengths: Any, count: int, longest: int) -> np.ndarray:
    sizes = np.asarray(lengths.data if isinstance(lengths, Tensor) else lengths)
    if sizes.dtype.kind not in "iu":
        raise DTypeError(f"lengths are whole numbers, not {sizes.dtype}")
    if sizes.shape != (count,) or (sizes < 1).any() or (sizes > longest).any():
        raise InputError(
            f"the lengths {sizes.tolist()} do not fit {count} sequences of at most {longest} steps",
            do="give one from 1 on for each sequence",
        )
    return sizes.astype(np.int64)


def pack_sequence(sequences: Sequence[Any], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (time, …) of different lengths; with `enforce_sorted` they must come longest first."""
    given = list(sequences)
    return pack_padded_sequence(pad_sequence(given), [len(s) for s in given], enforce_sorted=enforce_sorted)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The way back of `pack_padded_sequence`: the padded batch and the lengths, in the order they were given in.

    Padded to `total_length` steps where that is given.
    """
    sizes = np.asarray(sequence.batch_sizes.data)
    lengths = (sizes[:, None] > np.arange(sizes[0])).sum(axis=0)
    longest = len(sizes) if total_length is None else total_length
    if longest < len(sizes):
        raise InputError(
            f"total_length={longest} is below the longest sequence's {len(sizes)}", where="pad_packed_sequence"
        )
    steps, batch = _places(lengths)
    where = np.full((longest, sizes[0]), len(steps))  # the row of padding stands behind all entries
    where[steps, batch] = np.arange(len(steps))
    if sequence.unsorted_indices is not None:
        order = sequence.unsorted_indices.data
        where, lengths = where[:, order], lengths[order]
    filled = word.pad(sequence.data, widths=((0, 1), *((0, 0),) * (sequence.data.ndim - 1)), value=padding_value)
    return filled[where.T if batch_first else where], Tensor(lengths)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The way back of `pack_sequence`: the sequences in the order they were given in."""
    return unpad_sequence(*pad_packed_sequence(packed_sequences))
