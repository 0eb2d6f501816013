"""Rows through a whole forest, in blocks over threads; every row adds up its trees in the same order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from openbook.forest.tree import Tree

__all__ = ["leaf_values", "leaves_of", "vote_shares"]

_BLOCK = 4096


def leaves_of(trees: Sequence[Tree], X: np.ndarray, threads: int = 1) -> np.ndarray:
    """The leaf in which each row ends, for every tree (rows, trees)."""
    from openbook.forest.kernels.walk import leaves

    out = np.empty((len(trees), len(X)), np.int64)

    def block(rows: slice) -> None:
        for t, tree in enumerate(trees):
            leaves(X[rows], tree.feature, tree.threshold, tree.left, tree.right, tree.missing_left, out[t, rows])

    _in_blocks(block, trees, X, threads)
    return out.T


def leaf_values(trees: Sequence[Tree], X: np.ndarray, threads: int = 1) -> np.ndarray:
    """The mean over the trees of class fractions, or of mean targets, in each row's leaf."""
    shares = [t.value / t.value.sum(axis=1, keepdims=True) if t.value.shape[1] > 1 else t.value for t in trees]
    return _averaged(trees, shares, X, threads)


def vote_shares(trees: Sequence[Tree], X: np.ndarray, threads: int = 1) -> np.ndarray:
    """The share of trees in which each class is the largest of the row's leaf (the first, where classes tie)."""
    votes = [np.eye(t.value.shape[1])[np.argmax(t.value, axis=1)] for t in trees]
    return _averaged(trees, votes, X, threads)


def _averaged(trees: Sequence[Tree], values: Sequence[np.ndarray], X: np.ndarray, threads: int) -> np.ndarray:
    from openbook.forest.kernels.walk import add_values, leaves

    out = np.zeros((len(X), values[0].shape[1]))

    def block(rows: slice) -> None:
        found = np.empty(len(X[rows]), np.int64)
        for tree, value in zip(trees, values, strict=True):
            leaves(X[rows], tree.feature, tree.threshold, tree.left, tree.right, tree.missing_left, found)
            add_values(found, value, out[rows])

    _in_blocks(block, trees, X, threads)
    return out / len(trees)


def _in_blocks(work: Callable[[slice], None], trees: Sequence[Tree], X: np.ndarray, threads: int) -> None:
    for tree in trees:
        tree.validate(X.shape[1])
    blocks = [slice(i, i + _BLOCK) for i in range(0, len(X), _BLOCK)]
    if threads <= 1 or len(blocks) <= 1:
        for rows in blocks:
            work(rows)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, blocks))
