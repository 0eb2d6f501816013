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

__all__ = ["UNSEEN", "Categories", "first_component", "placed"]

UNSEEN = -1  # the place of a level that a tree has not seen: its rows go where missing values go
_FEW = 64  # levels or columns: so few products of each with each are quickly made
_RESIDUAL = 1e-12  # of the largest eigenvalue
Outputs = Sequence[tuple[FixedPoint, int]]  # a target, and its number of classes (0: numbers)


@dataclass(frozen=True, eq=False)
class Categories:
    """The levels of all categories in one line: those of category k from `begins[k]` on, and after them its missing values.

    `stand` (categories, rows) says where in that line a row stands.
    """

    begins: np.ndarray
    stand: np.ndarray

    @classmethod
    def of(cls, codes: np.ndarray, levels: Sequence[int]) -> Categories:
        """From the codes of all rows (categories, rows): 0 … levels − 1, or NaN where missing."""
        begins = np.cumsum([0, *(count + 1 for count in levels)])
        known = np.where(np.isnan(codes), np.reshape(levels, (-1, 1)), codes)
        return cls(begins, (known + begins[:-1, None]).astype(np.uint32))

    def places(self, outputs: Outputs, rows: np.ndarray, counts: np.ndarray, least: int) -> np.ndarray:
        """The places of all levels, `UNSEEN` where a tree has fewer than `least` rows of one, and of what is missing.

        The tree has drawn each of its `rows` `counts[row]` times. Equals stand by code.
        """
        few = len(outputs) == 1 and outputs[0][1] <= 2
        step = len(self.stand) if few else 1  # all tables of levels and classes at once may be large
        return np.concatenate([
            self._only(slice(k, k + step))._places(outputs, rows, counts, least) for k in range(0, len(self.stand), step)
        ])  # fmt: skip

    def _only(self, some: slice) -> Categories:
        begins = self.begins[some.start : some.stop + 1]
        stand = self.stand[some] - np.uint32(begins[0]) if some.start else self.stand[some]
        return Categories(begins - begins[0], stand)

    def _places(self, outputs: Outputs, rows: np.ndarray, counts: np.ndarray, least: int) -> np.ndarray:
        weight = outputs[0][0].weight
        sums = [self._sums(fixed, classes, weight, rows, counts) for fixed, classes in outputs]
        enough = sums[0][:, 0] >= least
        enough[self.begins[1:] - 1] = False  # missing is no level
        seen = np.flatnonzero(enough)
        category = np.repeat(np.arange(len(self.stand)), np.diff(self.begins))[seen]
        held = (sums[0][seen, 1:].sum(axis=1) if outputs[0][1] else sums[0][seen, 1]).astype(np.float64)
        means = np.concatenate(
            [s[seen, 1 if classes > 2 else 2 :] / held[:, None] * fixed.target_step
             for s, (fixed, classes) in zip(sums, outputs, strict=True)], axis=1,
        )  # fmt: skip
        score = means[:, 0] if means.shape[1] == 1 else first_component(means, held)
        places = np.full(self.begins[-1], UNSEEN, np.int16)
        places[seen[np.lexsort((score, category))]] = np.arange(len(seen)) - np.searchsorted(category, category)
        return places

    def _sums(
        self, fixed: FixedPoint, classes: int, weight: np.ndarray, rows: np.ndarray, counts: np.ndarray
    ) -> np.ndarray:
        """By level: its rows, and the weight of each class; for numbers their weight and Σ w·y."""
        from openbook.forest.kernels.categories import add_by_level

        sums = np.zeros((self.begins[-1], 1 + max(classes, 2)), np.int64)
        add_by_level(self.stand, rows, counts, weight, fixed.code if classes else None, fixed.weighted, sums)
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
