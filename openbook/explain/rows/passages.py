"""A row's way through trees, whoever grew them: what each turn changed, added up by the feature that decided it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["BOOKED_NOTE", "Passage", "changes", "means_from_below"]

BOOKED_NOTE = (
    "What a feature adds is what the splits on it changed along this row's own paths (Saabas 2014). It adds up exactly; "
    "it depends on the order of the splits, shares nothing between features that say the same, and is no cause."
)


@dataclass(frozen=True, eq=False)
class Passage:
    """From root to leaf: the feature that decided each turn (turns,), and what every node holds (turns + 1, outputs).

    `words` puts the turns into words, when somebody asks.
    """

    features: Sequence[int]
    held: np.ndarray
    words: Callable[[], tuple[str, ...]]

    @property
    def leaf(self) -> np.ndarray:
        return self.held[-1]


def changes(passages: Sequence[Passage], values: Sequence[np.ndarray], features: int) -> np.ndarray:
    """What each tree's turns on each feature changed (features, trees); of a single tree, what each turn did (features, turns).

    `values[t]` (turns + 1,) is the number asked about, at every node of passage t.
    """
    steps = [np.diff(v) for v in values]
    place = (
        np.arange(len(steps[0])) if len(passages) == 1 else np.repeat(np.arange(len(passages)), [len(s) for s in steps])
    )
    columns = max(1, len(place)) if len(passages) == 1 else len(passages)
    booked = np.zeros((features, columns))
    turned = np.array([f for p in passages for f in p.features], np.intp)
    np.add.at(booked, (turned, place), np.concatenate(steps))
    return booked


def means_from_below(left: np.ndarray, right: np.ndarray, leaf_values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """What each node's leaves come to on average over the training rows below it; parents come before their children.

    Boosted trees keep no such number, or one from before their leaves were corrected.
    """
    means, first, second, count = leaf_values.tolist(), left.tolist(), right.tolist(), rows.tolist()
    for node in range(len(means) - 1, -1, -1):
        a, b = first[node], second[node]
        if a > 0:
            means[node] = (means[a] * count[a] + means[b] * count[b]) / (count[a] + count[b])
    return np.asarray(means)
