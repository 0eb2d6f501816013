"""Connectionist temporal classification: sequences whose alignment is unknown (Graves et al. 2006)."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn.functional.losses import reduced
from openbook.ops import vocabulary as word
from openbook.tensor.tensor import Tensor

__all__ = ["ctc_loss"]


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """Minus the log-probability of all ways to spell each target in time, with blanks between.

    `log_probs` (T, N, C) or (T, C) come from log_softmax; `targets` are (N, S), or all in a row. The mean is of each loss
    divided by its target's length. With `zero_infinity` a target too long for its input costs 0 instead of ∞.
    """
    alone = log_probs.ndim == 2
    x = word.reshape(log_probs, shape=(log_probs.shape[0], 1, log_probs.shape[1])) if alone else log_probs
    times, lengths = _whole(input_lengths), _whole(target_lengths)
    rows = _padded(_whole(targets), lengths, x.shape[1], blank)
    if len(times) != x.shape[1] or (times.size and times.max() > x.shape[0]):
        raise ShapeError(
            f"{len(times)} lengths up to {times.max(initial=0)} do not fit {tuple(x.shape)}", where="ctc_loss"
        )
    losses = -_log_likelihood(x, rows, times, lengths, blank)
    if zero_infinity:
        losses = word.where(word.eq(losses, np.inf), 0.0, losses)
    if reduction == "mean":
        losses = losses / np.maximum(lengths, 1).astype(x.dtype)
    return reduced("ctc_loss", word.reshape(losses, shape=()) if alone and reduction == "none" else losses, reduction)


def _whole(x: Any) -> np.ndarray:
    return np.atleast_1d(np.asarray(getattr(x, "data", x), np.int64))


def _padded(targets: np.ndarray, lengths: np.ndarray, count: int, blank: int) -> np.ndarray:
    """The targets in rows, filled with blanks."""
    if len(lengths) != count:
        raise ShapeError(f"there are {count} inputs and {len(lengths)} target lengths", where="ctc_loss")
    rows = np.full((count, int(lengths.max(initial=0))), blank)
    starts = np.cumsum(lengths) - lengths
    for i, n in enumerate(lengths):
        rows[i, :n] = targets[i, :n] if targets.ndim == 2 else targets[starts[i] : starts[i] + n]
        if np.any(rows[i, :n] == blank):
            raise InputError(f"target {i} holds the blank, {blank}", where="ctc_loss", do="name another class as blank")
    return rows


def _log_likelihood(x: Any, rows: np.ndarray, times: np.ndarray, lengths: np.ndarray, blank: int) -> Any:
    """The forward recursion over states blank, first, blank, second, …, blank: logarithms of what reaches each."""
    count, width = rows.shape[0], 2 * rows.shape[1] + 1
    states = np.full((count, width), blank)
    states[:, 1::2] = rows
    skips = np.zeros((count, width), bool)  # from one letter to the next, unless they are the same
    skips[:, 3::2] = rows[:, 1:] != rows[:, :-1]
    index = Tensor(states)
    begins = np.where(np.arange(width) < 2, 0.0, -np.inf).astype(x.dtype)
    alpha = word.where(np.arange(width) < 2, word.gather(x[0], index, axis=1), begins)
    for t in range(1, x.shape[0]):
        one = word.logaddexp(alpha, _moved(alpha, 1))
        every = word.logaddexp(one, word.where(skips, _moved(alpha, 2), -np.inf)) if width > 2 else one
        alpha = word.where((times > t)[:, None], every + word.gather(x[t], index, axis=1), alpha)
    last = np.stack([2 * lengths, np.maximum(2 * lengths - 1, 0)], axis=1)
    ends = word.gather(alpha, Tensor(last), axis=1)
    whole, letter = ends[:, 0], ends[:, 1]
    reached = word.where(lengths > 0, word.logaddexp(whole, letter), whole)
    return word.where(times > 0, reached, np.where(lengths > 0, -np.inf, 0.0).astype(x.dtype))


def _moved(alpha: Any, places: int) -> Any:
    kept = word.gather_entries(alpha, index=(slice(None), slice(0, max(0, alpha.shape[1] - places))))
    return word.pad(kept, widths=((0, 0), (alpha.shape[1] - kept.shape[1], 0)), value=-np.inf)
