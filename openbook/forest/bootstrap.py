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
        if self.weight is not None:
            return np.random.default_rng(seed).choice(self.rows, self.size, p=self.weight / self.weight.sum())
        drawn = np.empty(self.size, np.int64)
        self._draw(seed, drawn, None)
        return drawn

    def counts(self, seed: int) -> np.ndarray:
        """How often each row is drawn (rows,)."""
        if self.weight is not None:
            return np.bincount(self.drawn(seed), minlength=self.rows)
        counts = np.empty(self.rows, np.int64)
        self._draw(seed, None, counts)
        return counts

    def _draw(self, seed: int, drawn: np.ndarray | None, counts: np.ndarray | None) -> None:
        from openbook.forest.kernels.draws import draw

        draw(
            np.random.SeedSequence(seed).generate_state(4, np.uint64),
            np.uint64(self.rows),
            np.uint64(self.size),
            drawn,
            counts,
        )

    def left_out(self, seed: int) -> np.ndarray:
        """The rows that are not drawn: out of this tree's bag."""
        return np.flatnonzero(self.counts(seed) == 0)
