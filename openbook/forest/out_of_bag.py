"""What a forest learns from the rows that its trees have not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.forest.bootstrap import Bootstrap
from openbook.forest.prediction import Walk, leaf_values
from openbook.forest.tree import Tree

__all__ = ["oob_importances", "oob_means"]


def oob_means(
    trees: Sequence[Tree], seeds: Sequence[int], bootstrap: Bootstrap, X: Any, widths: tuple[int, ...]
) -> np.ndarray:
    """For every row the mean over the trees that have not drawn it (rows, all classes or outputs); NaN if there is none."""
    rows, features = X.shape
    total, seen = np.zeros((rows, trees[0].value.shape[1])), np.zeros((rows, 1))
    X = X.tocsr() if hasattr(X, "tocsr") else X
    for tree, seed in zip(trees, seeds, strict=True):
        out = bootstrap.left_out(seed)
        total[out] += leaf_values(Walk.of([tree], features, widths), X[out])
        seen[out] += 1
    with np.errstate(invalid="ignore"):
        return total / seen


def oob_importances(
    forest: Any, X: Any, y: np.ndarray, bootstrap: Bootstrap, repeats: int, random_state: int
) -> np.ndarray:
    """How much worse a tree predicts its unseen rows with one feature shuffled among them, on average (features,)."""
    random, worse = np.random.default_rng(random_state), np.zeros(X.shape[1])
    for tree, seed in zip(forest.estimators_, forest.seeds_, strict=True):
        out = bootstrap.left_out(seed)
        if not len(out):
            continue
        rows = X[out].toarray() if hasattr(X, "toarray") else X[out].copy()
        before = forest._losses(tree, rows, y[out])
        for f in np.unique(tree.tree_.feature[~tree.tree_.is_leaf]):  # shuffling any other changes nothing
            kept = rows[:, f].copy()
            for _ in range(repeats):
                rows[:, f] = random.permutation(kept)
                worse[f] += (forest._losses(tree, rows, y[out]) - before) / repeats
            rows[:, f] = kept
    return worse / len(forest.trees_)
