"""The levels of a category in the order of the target, so that a tree splits them as it splits numbers.

Of all ways to part levels in two, the best one for two classes, or for squared errors, is found among the cuts of that order
(Fisher 1958; Breiman et al. 1984, section 4.2.2). To order once for each tree is as good as in every node (Wright & König
2019). More classes, and several outputs, are ordered by the first principal component of what the levels hold (Coppersmith,
Hong & Hosking 1999). Only the rows that a tree was given count, so its out-of-bag rows stay unseen.

A level of which a tree has a few rows only would stand where chance puts it, and a useless category of thousands of levels
would look like the best of features. So such levels go where missing values go.
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
    """The rows of one tree (their numbers, and their weights in fixed point), and what each output has of them: the class
    codes and how many classes there are; or, of numbers, weighted targets, in units of the float given."""

    rows: np.ndarray
    weight: np.ndarray
    outputs: Sequence[tuple[np.ndarray, int | float]]

    @classmethod
    def of(cls, outputs: Sequence[tuple[FixedPoint, int]], counts: np.ndarray | None) -> Bag:
        """From every output's target and its number of classes (0: numbers); a row was drawn `counts` times (None: once)."""
        each = outputs[0][0].weight
        rows = np.flatnonzero(each if counts is None else each * counts)
        times = 1 if counts is None else counts[rows]
        found = [
            (fixed.code[rows], classes) if classes else (fixed.weighted[rows] * times, fixed.target_step)
            for fixed, classes in outputs
        ]
        return cls(rows, (each[rows] * times).astype(np.float64), found)

    def order(self, codes: np.ndarray, levels: int, least: int) -> np.ndarray:
        """The place of each level (levels,), `UNSEEN` where the bag has fewer than `least` rows of it; equals stand by code.

        `codes` (all rows,) are 0 … levels − 1, and `levels` for missing ones.
        """
        own = codes[self.rows]
        held = np.bincount(own, self.weight, levels + 1)[:levels]
        seen = np.flatnonzero(np.bincount(own, minlength=levels + 1)[:levels] >= least)
        means = np.concatenate([self._sums(o, own, levels)[seen] for o in self.outputs], axis=1) / held[seen, None]
        score = means[:, 0] if means.shape[1] == 1 else first_component(means, held[seen])
        places = np.full(levels, UNSEEN, np.int16)
        places[seen[np.argsort(score, kind="stable")]] = np.arange(len(seen))
        return places

    def _sums(self, output: tuple[np.ndarray, int | float], own: np.ndarray, levels: int) -> np.ndarray:
        """What each level has of one output (levels, columns): the weight of each class (of two, the second's), or Σ w·y."""
        values, kind = output
        if isinstance(kind, float):
            return np.bincount(own, values, levels + 1)[:levels, None] * kind
        if kind > 2:
            return np.bincount(own * kind + values, self.weight, (levels + 1) * kind).reshape(levels + 1, kind)[:levels]
        return np.bincount(own, self.weight * (values == 1), levels + 1)[:levels, None]


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
