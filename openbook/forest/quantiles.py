"""Quantile regression forests (Meinshausen 2006): the targets in a row's leaves, not only their mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.forest.base import Callback, TreeBased
from openbook.forest.parameters import one_of, within
from openbook.forest.prediction import Walk, leaves_of
from openbook.forest.training import Growth, Target
from openbook.forest.tree import Tree

__all__ = ["LeafTargets", "Quantiles"]


@dataclass(frozen=True, eq=False)
class LeafTargets:
    """For every tree the drawn rows in the order of their leaves: `code` is the rank of a row's target among the different
    `numbers`, `share` its part of the leaf. Leaf i of tree t has those from `starts[t][i]` up to `starts[t][i + 1]`."""

    numbers: np.ndarray
    code: list[np.ndarray]
    share: list[np.ndarray]
    starts: list[np.ndarray]

    @classmethod
    def of(
        cls,
        trees: Sequence[Tree],
        seeds: Sequence[int],
        sample: Callable[[int], np.ndarray | None],
        X: Any,
        target: Target,
    ) -> LeafTargets:
        numbers, codes = np.unique(target.y, return_inverse=True)
        made = cls(numbers, [], [], [])
        for tree, seed in zip(trees, seeds, strict=True):
            drawn = sample(seed)
            made._add(tree, target.weight if drawn is None else target.weight * drawn, X, codes)
        return made

    def _add(self, tree: Tree, weight: np.ndarray, X: Any, codes: np.ndarray) -> None:
        leaf = leaves_of(Walk.of([tree], X.shape[1]), X)[:, 0]
        rows = np.flatnonzero(weight)
        order = rows[np.argsort(leaf[rows], kind="stable")]
        whole = np.bincount(leaf[rows], weight[rows], len(tree))
        self.code.append(codes[order].astype(np.int32))
        self.share.append(weight[order] / whole[leaf[order]])
        self.starts.append(np.searchsorted(leaf[order], np.arange(len(tree) + 1)))

    def quantiles(self, leaves: np.ndarray, q: np.ndarray) -> np.ndarray:
        """Of each row (rows, q), from its leaf in every tree (rows, trees): the first target up to and with which there is a
        share of q or more."""
        found = np.empty((len(leaves), len(q)))
        for row, own in enumerate(leaves):
            spans = [slice(self.starts[t][leaf], self.starts[t][leaf + 1]) for t, leaf in enumerate(own)]
            codes = np.concatenate([self.code[t][span] for t, span in enumerate(spans)])
            shares = np.concatenate([self.share[t][span] for t, span in enumerate(spans)])
            order = np.argsort(codes, kind="stable")
            upto = np.cumsum(shares[order])
            wanted = q * upto[-1] * (1 - 1e-12)  # shares such as thirds do not add up to the last bit
            found[row] = self.numbers[codes[order][np.minimum(np.searchsorted(upto, wanted), len(upto) - 1)]]
        return found


@dataclass(eq=False, repr=False, kw_only=True)
class Quantiles(TreeBased):
    """What a forest of numbers can say beside the mean."""

    keep_targets: bool = False

    def _grow(self, X: Any, targets: tuple[Target, ...], growth: Growth, callback: Callback | None) -> None:
        super()._grow(X, targets, growth, callback)
        if not self.keep_targets:
            return
        if len(targets) > 1:
            raise InputError("quantiles are of one output", where="keep_targets", do="fit one forest for each output")
        X = X.tocsr() if hasattr(X, "tocsr") else X
        targets = self._drawing(targets)
        self.leaf_targets_ = LeafTargets.of(self.trees_, self.seeds_, self._sampling(targets), X, targets[0])

    def predict_quantiles(self, X: Any, q: Any = (0.05, 0.5, 0.95)) -> np.ndarray:
        """The quantiles of the targets that fell into a row's leaves (rows, q), or (rows,) for a single q.

        A training row weighs the mean over the trees of its share of the leaf (Meinshausen 2006, equation 6). Needs
        `keep_targets=True` when fitting; several outputs are an InputError.
        """
        X = self.encoded(X)
        if not hasattr(self, "leaf_targets_"):
            raise InputError("the forest does not know the targets in its leaves", do="fit with keep_targets=True")
        wanted = np.array([within("q", float(each), 0.0, 1.0) for each in np.atleast_1d(q)])
        found = self.leaf_targets_.quantiles(leaves_of(self._walk(), X, self._threads()), wanted)
        return found if np.ndim(q) else found[:, 0]

    def predict_interval(self, X: Any, coverage: float = 0.9, by: str = "leaves") -> np.ndarray:
        """Between what two numbers a row's target lies with this probability (rows, 2).

        "leaves": quantiles of the targets in its leaves (needs `keep_targets=True`). "out_of_bag": the prediction, plus
        quantiles of what out-of-bag predictions missed by (Zhang et al. 2020; needs `oob_score=True`); every row's interval
        is then equally wide, and holds `coverage` also where leaves are small.
        """
        tail = (1 - within("coverage", coverage, 0.0, 1.0)) / 2
        if one_of("by", by, ("leaves", "out_of_bag")) == "leaves":
            return self.predict_quantiles(X, (tail, 1 - tail))
        residuals = getattr(self, "oob_residuals_", None)
        if residuals is None or residuals.ndim > 1:
            raise InputError("there are no out-of-bag residuals of one output", do="fit with oob_score=True")
        missed = np.nanquantile(residuals, (tail, 1 - tail))
        return self.predict(X)[:, None] + missed
