"""The levels of a category in the order of the target, so that a tree splits them as it splits numbers.

Of all ways to part levels in two, the best one for two classes, or for squared errors, is found among the cuts of that order
(Fisher 1958; Breiman et al. 1984, section 4.2.2). To order once for each tree is as good as in every node (Wright & König
2019). More classes, and several outputs, are ordered by the first principal component of what the levels hold (Coppersmith,
Hong & Hosking 1999). Only the rows that a tree was given count, so its out-of-bag rows stay unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from openbook.forest.fixed import FixedPoint

__all__ = ["UNSEEN", "Bag", "first_component", "placed"]

UNSEEN = -1  # the place of a level that a tree has not seen: its rows go where missing values go


@dataclass(frozen=True, eq=False)
class Bag:
    """The rows of one tree: their `weight` (whole numbers; 0 where not drawn), what is learnt in fixed point, how often each
    row was drawn (None: once)."""

    weight: np.ndarray
    outputs: Sequence[tuple[FixedPoint, int]]
    counts: np.ndarray | None

    @classmethod
    def of(cls, outputs: Sequence[tuple[FixedPoint, int]], counts: np.ndarray | None) -> Bag:
        """From every output's target and its number of classes (0: numbers)."""
        weight = outputs[0][0].weight
        return cls(weight if counts is None else weight * counts, outputs, counts)

    def order(self, codes: np.ndarray, levels: int) -> np.ndarray:
        """The place of each level (levels,), `UNSEEN` where the bag has none of it; equals stand by their codes.

        `codes` (rows,) are 0 … levels − 1, and `levels` for missing ones.
        """
        held = np.bincount(codes, self.weight, levels + 1)[:levels]
        seen = np.flatnonzero(held)
        means = np.concatenate([self._means(o, codes, levels, held, seen) for o in self.outputs], axis=1)
        score = means[:, 0] if means.shape[1] == 1 else first_component(means, held[seen])
        places = np.full(levels, UNSEEN, np.int16)
        places[seen[np.argsort(score, kind="stable")]] = np.arange(len(seen))
        return places

    def _means(
        self, output: tuple[FixedPoint, int], codes: np.ndarray, levels: int, held: np.ndarray, seen: np.ndarray
    ) -> np.ndarray:
        """What the seen levels hold of one output: class shares (of two classes, the second's), or the mean target."""
        fixed, classes = output
        if classes > 2:
            sums = np.bincount(codes * classes + fixed.code, self.weight, (levels + 1) * classes)
            return sums.reshape(levels + 1, classes)[seen] / held[seen, None]
        if classes:
            part, unit = self.weight * (fixed.code == 1), 1.0
        else:
            part, unit = fixed.weighted if self.counts is None else fixed.weighted * self.counts, fixed.target_step
        return (np.bincount(codes, part, levels + 1)[seen] / held[seen] * unit)[:, None]


def first_component(means: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Where each row of `means` (levels, columns) stands along the direction in which they vary most, up to a constant.

    The largest entry of that direction is positive.
    """
    if len(means) < 2:
        return np.zeros(len(means))
    centred = means - np.einsum("l,lc->c", weight / weight.sum(), means)
    scaled = np.sqrt(weight)[:, None] * centred
    if len(means) >= means.shape[1]:
        direction = np.linalg.eigh(np.einsum("lc,ld->cd", scaled, scaled))[1][:, -1]
    else:
        direction = np.einsum("l,lc->c", np.linalg.eigh(np.einsum("lc,mc->lm", scaled, scaled))[1][:, -1], scaled)
    return np.einsum("lc,c->l", means, direction * np.sign(direction[np.argmax(np.abs(direction))]))


def placed(order: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The places of levels as floats; NaN for a level not seen, or unknown, and where the code is missing."""
    known = (codes >= 0) & (codes < len(order))
    place = order[np.where(known, codes, 0).astype(np.intp)] if len(order) else np.zeros(len(codes))
    return np.where(known & (place != UNSEEN), place, np.nan)
