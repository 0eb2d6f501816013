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
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from openbook.forest.fixed import FixedPoint

__all__ = ["UNSEEN", "Bag", "first_component", "placed"]

UNSEEN = -1  # the place of a level that a tree has not seen: its rows go where missing values go
_FEW = 64  # levels or columns: so few products of each with each are quickly made
_RESIDUAL = 1e-12  # of the largest eigenvalue


class _Part(NamedTuple):
    """What each row of a tree has of one output: a whole number of `step`s, in the column of its group (None: the only one)."""

    group: np.ndarray | None
    value: np.ndarray
    width: int
    step: float

    @classmethod
    def of(cls, fixed: FixedPoint, classes: int, rows: np.ndarray, times: np.ndarray, weight: np.ndarray) -> _Part:
        """The weight of each class (of two, the second's), or Σ w·y; `classes` is 0 for numbers."""
        if not classes:
            return cls(None, fixed.weighted[rows] * times, 1, fixed.target_step)
        if classes > 2:
            return cls(fixed.code[rows], weight, classes, 1.0)
        return cls(None, weight * (fixed.code[rows] == 1), 1, 1.0)


@dataclass(frozen=True, eq=False)
class Bag:
    """The rows of one tree (their numbers, and their weights in fixed point), and what they have of each output."""

    rows: np.ndarray
    weight: np.ndarray
    parts: Sequence[_Part]

    @classmethod
    def of(cls, outputs: Sequence[tuple[FixedPoint, int]], counts: np.ndarray | None) -> Bag:
        """From every output's target and its number of classes (0: numbers); a row was drawn `counts` times (None: once)."""
        each = outputs[0][0].weight
        whole = each if counts is None else each * counts
        rows = np.flatnonzero(whole)
        weight, times = whole[rows], np.ones(1, np.int64) if counts is None else counts[rows]
        return cls(rows, weight, [_Part.of(fixed, classes, rows, times, weight) for fixed, classes in outputs])

    def orders(self, codes: np.ndarray, levels: Sequence[int], least: int) -> list[np.ndarray]:
        """For each category the places of its levels, `UNSEEN` where the bag has fewer than `least` rows of one.

        Equals stand by code. `codes` (categories, all rows) are 0 … levels − 1, and `levels` for missing ones.
        """
        if sum(part.width for part in self.parts) > 1:  # all tables of levels and classes at once may be large
            return [self._orders(codes[k : k + 1], levels[k : k + 1], least)[0] for k in range(len(levels))]
        return self._orders(codes, levels, least)

    def _orders(self, codes: np.ndarray, levels: Sequence[int], least: int) -> list[np.ndarray]:
        begins = np.cumsum([0, *(count + 1 for count in levels)])
        category = np.repeat(np.arange(len(levels)), np.diff(begins))
        sums = [self._sums(part, codes, begins) for part in self.parts]
        enough = sums[0][:, 0] >= least
        enough[begins[1:] - 1] = False  # missing is no level
        seen = np.flatnonzero(enough)
        held, category = sums[0][seen, 1].astype(np.float64), category[seen]
        means = np.concatenate(
            [s[seen, 2:] / held[:, None] * p.step for s, p in zip(sums, self.parts, strict=True)], axis=1
        )
        score = means[:, 0] if means.shape[1] == 1 else first_component(means, held)
        places = np.full(begins[-1], UNSEEN, np.int16)
        places[seen[np.lexsort((score, category))]] = np.arange(len(seen)) - np.searchsorted(category, category)
        return [places[begin : end - 1] for begin, end in pairwise(begins)]

    def _sums(self, part: _Part, codes: np.ndarray, begins: np.ndarray) -> np.ndarray:
        """Rows, weight, and what there is of each column of an output, by level (levels and missing, 2 + columns)."""
        from openbook.forest.kernels.categories import add_by_level

        sums = np.zeros((begins[-1], 2 + part.width), np.int64)
        add_by_level(codes, begins, self.rows, self.weight, part.group, part.value, sums)
        return sums


def first_component(means: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Where each row of `means` (levels, columns) stands along the direction in which they vary most, up to a constant.

    The largest entry of that direction is positive. Where there are more than 64 levels and more than 64 columns, it is found
    by Lanczos's iteration, to a relative residual of 1e-12: 10,000 levels of 1,000 classes take half a second for each tree.
    """
    if len(means) < 2:
        return np.zeros(len(means))
    centred = means - np.einsum("l,lc->c", weight / weight.sum(), means)
    scaled = np.sqrt(weight)[:, None] * centred
    direction = _longest(scaled) if min(scaled.shape) <= _FEW else _longest_of_many(scaled)
    return np.einsum("lc,c->l", means, direction * np.sign(direction[np.argmax(np.abs(direction))]))


def _longest(rows: np.ndarray) -> np.ndarray:
    """The direction along which rows (levels, columns) have the largest sum of squares, up to a factor."""
    if len(rows) >= rows.shape[1]:
        return np.linalg.eigh(np.einsum("lc,ld->cd", rows, rows))[1][:, -1]
    return np.einsum("l,lc->c", np.linalg.eigh(np.einsum("lc,mc->lm", rows, rows))[1][:, -1], rows)


def _longest_of_many(rows: np.ndarray) -> np.ndarray:
    """The same by Lanczos's iteration with full reorthogonalisation (Golub & Van Loan 2013, section 10.3), from a fixed start.

    Each step costs two products of `rows` with a vector; some 40 to 100 are needed. By einsum, because BLAS gives other bits
    on two threads than on one.
    """
    image: np.ndarray = np.random.default_rng(0).normal(size=rows.shape[1])
    basis, inner, beside = np.empty((0, len(image))), np.empty(0), np.empty(0)  # of the tridiagonal matrix
    while True:
        basis = np.vstack([basis, image / _length(image)])
        image = np.einsum("l,lc->c", np.einsum("lc,c->l", rows, basis[-1]), rows)
        inner = np.append(inner, np.einsum("c,c->", image, basis[-1]))
        for _ in range(2):  # once leaves as much as rounding has brought in
            image -= np.einsum("k,kc->c", np.einsum("kc,c->k", basis, image), basis)
        values, vectors = np.linalg.eigh(np.diag(inner) + np.diag(beside, 1) + np.diag(beside, -1))
        residual = _length(image) * abs(vectors[-1, -1])
        if residual <= _RESIDUAL * values[-1] or len(basis) == len(image):
            return np.einsum("k,kc->c", vectors[:, -1], basis)
        beside = np.append(beside, _length(image))


def _length(vector: np.ndarray) -> float:
    return float(np.sqrt(np.einsum("c,c->", vector, vector)))


def placed(order: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The places of levels as floats; NaN for a level not seen, or unknown, and where the code is missing."""
    known = (codes >= 0) & (codes < len(order))
    place = order[np.where(known, codes, 0).astype(np.intp)] if len(order) else np.zeros(len(codes))
    return np.where(known & (place != UNSEEN), place, np.nan)
