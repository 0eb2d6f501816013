"""Drawing tokens, and holding the counts against what was expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.record import Brief, Explains
from openbook.sampling.temperature import Tempered, checked_logits, temper
from openbook.sampling.truncate import truncate

__all__ = ["Draws", "draw"]

_LEAST_EXPECTED = 5.0  # a chi-square bin with fewer expected draws is pooled with its neighbours


@dataclass(frozen=True, eq=False, repr=False)
class Draws(Brief, Explains):
    """Drawn tokens (by number), how often each came, and how surprising those counts are.

    `logits` as they were given; `rules` what left tokens out of them, in order: top_k, top_p, min_p.
    """

    tempered: Tempered
    drawn: np.ndarray
    counts: np.ndarray
    chi_square: float
    degrees: int
    p_value: float
    logits: np.ndarray
    rules: Mapping[str, float]


def draw(
    logits: Any,
    n: int = 1,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    seed: int | None = None,
    tokens: Any = None,
) -> Draws:
    """Draw n tokens independently from softmax(z/T) after truncation, by inverting the distribution.

    The same seed gives the same tokens. `chi_square` compares the counts with the expected ones (Pearson 1900), tokens
    expected fewer than five times pooled.
    """
    if n < 1:
        raise InputError(f"n={n} draws nothing", where="n", do="draw one at least")
    kept = truncate(logits, temperature, top_k, top_p, min_p)
    tempered = temper(kept, temperature, n, tokens)
    edges = np.cumsum(tempered.p)
    u = np.random.default_rng(seed).random(n) * edges[-1]
    drawn = np.searchsorted(edges, u, side="right")
    counts = np.bincount(drawn, minlength=len(tempered.p))
    rules = {"top_k": top_k, "top_p": top_p, "min_p": min_p}
    asked = {rule: setting for rule, setting in rules.items() if setting is not None}
    found = _chi_square(counts, tempered.expected)
    return Draws(tempered, drawn, counts, *found, checked_logits(logits), asked)


def _chi_square(counts: np.ndarray, expected: np.ndarray) -> tuple[float, int, float]:
    from scipy.stats import chi2

    possible = expected > 0
    observed, wanted = counts[possible], expected[possible]
    rare = wanted < _LEAST_EXPECTED
    if rare.any():
        observed = np.append(observed[~rare], observed[rare].sum())
        wanted = np.append(wanted[~rare], wanted[rare].sum())
    value, degrees = float(np.sum((observed - wanted) ** 2 / wanted)), len(wanted) - 1
    return value, degrees, float(chi2.sf(value, degrees)) if degrees > 0 else 1.0
