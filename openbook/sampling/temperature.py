"""Temperature: logits divided by T before the softmax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.record import Brief, Explains

__all__ = ["Tempered", "checked_logits", "softmax", "temper"]


def checked_logits(logits: Any) -> np.ndarray:
    """Logits as float64; −∞ marks what cannot be drawn. An InputError for NaN, +∞, or nothing possible."""
    z = np.asarray(logits, dtype=np.float64)
    if z.ndim == 0 or z.shape[-1] == 0:
        raise ShapeError("there are no logits", where="the last axis", do="give one number for each token")
    if np.isnan(z).any() or np.isposinf(z).any():
        raise InputError("a logit is NaN or +∞", where="the logits", do="find where it was born; −∞ is allowed")
    if np.isneginf(z).all(axis=-1).any():
        raise InputError("every token is impossible", where="the logits", do="leave at least one logit finite")
    return z


def softmax(logits: Any, temperature: float = 1.0) -> np.ndarray:
    """softmax(z/T) along the last axis, in float64.

    T = 0 is the limit: the largest logit takes all, equal ones share; T = ∞ makes all possible tokens equally likely.
    """
    z = checked_logits(logits)
    if not temperature >= 0:
        raise InputError(f"a temperature is zero or more, not {temperature}", where="temperature")
    top = z.max(axis=-1, keepdims=True)
    if temperature == 0:
        e = (z == top).astype(np.float64)
    elif np.isinf(temperature):
        e = np.isfinite(z).astype(np.float64)
    else:
        e = np.exp((z - top) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


@dataclass(frozen=True, eq=False, repr=False)
class Tempered(Brief, Explains):
    """Probabilities of one row of logits at one temperature, and what `n` draws are expected to give."""

    logits: np.ndarray
    temperature: float
    p: np.ndarray
    n: int
    tokens: tuple[str, ...]

    @property
    def expected(self) -> np.ndarray:
        """Expected counts, n·p."""
        return self.n * self.p

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation of the counts, √(n·p·(1 − p))."""
        return np.sqrt(self.n * self.p * (1 - self.p))

    @property
    def entropy(self) -> float:
        """How undecided the distribution is, in bits."""
        known = self.p[self.p > 0]
        return float(-np.sum(known * np.log2(known)))


def temper(logits: Any, temperature: float = 1.0, n: int = 10, tokens: Sequence[str] | None = None) -> Tempered:
    """The distribution of one row of logits at a temperature, with the counts that n draws are expected to give."""
    z = checked_logits(logits)
    if z.ndim != 1:
        raise ShapeError(f"one row of logits is wanted, not shape {z.shape}", where="temper", do="pass logits[row]")
    names = tuple(tokens) if tokens is not None else _letters(len(z))
    if len(names) != len(z):
        raise ShapeError(f"{len(z)} logits have {len(names)} tokens", where="tokens")
    return Tempered(z, float(temperature), softmax(z, temperature), int(n), names)


def _letters(n: int) -> tuple[str, ...]:
    return tuple("abcdefghijklmnopqrstuvwxyz"[:n]) if n <= 26 else tuple(map(str, range(n)))
