"""Rows through a whole forest; every row adds up its trees in the same order, however many threads there are."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from openbook.forest.columns import is_sparse
from openbook.forest.tree import Tree

__all__ = ["Walk", "leaf_values", "leaves_of", "vote_shares", "walk_of"]

_BLOCK = 16384  # rows that one thread takes at a time, all trees for each
_WORTH_THREADS = 500_000  # rows × trees
_FEW_ROWS = 8


@dataclass(frozen=True, eq=False)
class Walk:
    """The nodes of all trees one after the other, as `kernels/walk.py` reads them; tree t begins at `starts[t]`.

    `shares` (nodes, classes) are class fractions or mean targets, `votes` 1 for a node's largest class (the first, where
    classes tie); with several outputs these stand side by side. `widths` says how many classes each output has; it is empty
    for numbers.
    """

    thresholds: np.ndarray
    links: np.ndarray
    starts: np.ndarray
    shares: np.ndarray
    widths: tuple[int, ...]

    @classmethod
    def of(cls, trees: Sequence[Tree], n_features: int, widths: tuple[int, ...] = ()) -> Walk:
        """Every tree is validated first; a damaged one raises ModelError."""
        trees = [t.validate(n_features).side_by_side() for t in trees]
        starts = np.cumsum([0, *(len(t) for t in trees)]).astype(np.uint64)
        parts = [_nodes(tree, start) for tree, start in zip(trees, starts[:-1], strict=True)]
        values = np.ascontiguousarray(np.concatenate([t.value for t in trees]), dtype=np.float64)
        shares = [part / part.sum(axis=1, keepdims=True) for part in _outputs(values, widths)]
        return cls(np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]), starts[:-1],
                   np.concatenate(shares, axis=1) if shares else values, widths)  # fmt: skip

    @property
    def votes(self) -> np.ndarray:
        largest = [np.eye(part.shape[1])[np.argmax(part, axis=1)] for part in _outputs(self.shares, self.widths)]
        return np.concatenate(largest, axis=1)


def _outputs(values: np.ndarray, widths: tuple[int, ...]) -> list[np.ndarray]:
    """The columns of each output's classes."""
    return np.split(values, np.cumsum(widths)[:-1], axis=1) if widths else []


def _nodes(tree: Tree, start: np.uint64) -> tuple[np.ndarray, np.ndarray]:
    leaf = tree.is_leaf
    own = np.arange(len(tree))
    child = np.where(leaf, own, tree.left).astype(np.uint64) + start
    feature = np.where(leaf, 0, tree.feature).astype(np.uint64)
    missing_left = (leaf | tree.missing_left).astype(np.uint64)
    return np.where(leaf, np.inf, tree.threshold), child | (missing_left << 32) | (feature << 33)


_walks: WeakKeyDictionary[object, tuple[Sequence[Tree], Walk]] = WeakKeyDictionary()


def walk_of(model: object, trees: Sequence[Tree], n_features: int, widths: tuple[int, ...]) -> Walk:
    """A model's trees ready to be walked: made once, and again when the model is fitted anew or has more trees."""
    known = _walks.get(model)
    if known is None or known[0] is not trees or len(known[1].starts) != len(trees):
        known = _walks[model] = (trees, Walk.of(trees, n_features, widths))
    return known[1]


def leaves_of(walk: Walk, X: Any, threads: int = 1) -> np.ndarray:
    """The leaf in which each row ends, for every tree (rows, trees)."""
    leaves = np.empty((len(walk.starts), X.shape[0]), np.int64)
    _run(walk, X, None, None, leaves, threads)
    return leaves.T


def leaf_values(walk: Walk, X: Any, threads: int = 1) -> np.ndarray:
    """The mean over the trees of class fractions, or of mean targets, in each row's leaf."""
    return _averaged(walk, walk.shares, X, threads)


def vote_shares(walk: Walk, X: Any, threads: int = 1) -> np.ndarray:
    """The share of trees in which each class is the largest of the row's leaf (the first, where classes tie)."""
    return _averaged(walk, walk.votes, X, threads)


def _averaged(walk: Walk, values: np.ndarray, X: Any, threads: int) -> np.ndarray:
    sums = np.zeros((X.shape[0], values.shape[1]))
    _run(walk, X, values, sums, None, threads)
    return sums / len(walk.starts)


def _run(
    walk: Walk,
    X: Any,
    values: np.ndarray | None,
    sums: np.ndarray | None,
    leaves: np.ndarray | None,
    threads: int,
) -> None:
    from openbook.forest.kernels.walk import walk_rows, walk_trees

    if is_sparse(X):
        _run_sparse(walk, X, values, sums, leaves, threads)
        return
    flat, (n, width) = np.ascontiguousarray(X).reshape(-1), X.shape
    if n < _FEW_ROWS and values is not None:
        walk_trees(flat, width, 0, n, walk.thresholds, walk.links, walk.starts, values, sums)
        return

    parallel = threads > 1 and n * len(walk.starts) >= _WORTH_THREADS
    size = min(_BLOCK, -(-n // threads)) if parallel else _BLOCK

    def block(begin: int) -> None:
        end = min(begin + size, n)
        walk_rows(flat, width, begin, end, walk.thresholds, walk.links, walk.starts, values, sums, leaves)

    if not parallel:
        for begin in range(0, n, size):
            block(begin)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(block, range(0, n, size)))


def _run_sparse(
    walk: Walk, X: Any, values: np.ndarray | None, sums: np.ndarray | None, leaves: np.ndarray | None, threads: int
) -> None:
    """The same, a block of rows spread out at a time."""
    for begin in range(0, X.shape[0], _BLOCK):
        rows = X[begin : begin + _BLOCK].toarray()
        found = None if leaves is None else np.empty((len(leaves), len(rows)), np.int64)
        _run(walk, rows, values, None if sums is None else sums[begin : begin + len(rows)], found, threads)
        if leaves is not None:
            leaves[:, begin : begin + len(rows)] = found
