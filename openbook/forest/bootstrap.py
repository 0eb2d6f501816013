"""Which rows a tree of a forest is grown from: drawn with replacement, again from the same seed whenever asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Bootstrap"]


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """`size` draws among `rows` rows; a row's chance is in proportion to `weight` (None: all alike)."""

    rows: int
    size: int
    weight: np.ndarray | None = None

    def drawn(self, seed: int) -> np.ndarray:
        """The numbers of the drawn rows, in the order of drawing."""
        random = np.random.default_rng(seed)
        if self.weight is None:
            return random.integers(0, self.rows, self.size)
        return random.choice(self.rows, self.size, p=self.weight / self.weight.sum())

    def counts(self, seed: int) -> np.ndarray:
        """How often each row is drawn (rows,)."""
        return np.bincount(self.drawn(seed), minlength=self.rows)

    def left_out(self, seed: int) -> np.ndarray:
        """The rows that are not drawn: out of this tree's bag."""
        return np.flatnonzero(self.counts(seed) == 0)
