"""Rows through a whole forest; every row adds up its trees in the same order, however many threads there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from openbook.forest.columns import is_sparse
from openbook.forest.ranks import Ranks
from openbook.forest.tree import Tree

__all__ = ["Walk", "leaf_values", "leaves_of", "vote_shares", "walk_of"]

_BLOCK = 16384  # rows that one thread takes at a time, all trees for each
_WORTH_THREADS = 500_000  # rows × trees
_FEW_ROWS = 8
_WORTH_RANKS = 100_000  # rows × trees: below, ranking the forest's thresholds costs more than it saves
_RANKED_BLOCK = 131_072  # rows: the trees are read once for all of them


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
    n_features: int
    widths: tuple[int, ...]

    @classmethod
    def of(cls, trees: Sequence[Tree], n_features: int, widths: tuple[int, ...] | None = None) -> Walk:
        """Every tree is validated first; a damaged one raises ModelError. Without `widths`, several columns of values are
        the classes of one output."""
        trees = [t.validate(n_features).side_by_side() for t in trees]
        starts = np.cumsum([0, *(len(t) for t in trees)]).astype(np.uint64)
        parts = [_nodes(tree, start) for tree, start in zip(trees, starts[:-1], strict=True)]
        values = np.ascontiguousarray(np.concatenate([t.value for t in trees]), dtype=np.float64)
        if widths is None:
            widths = values.shape[1:] if values.shape[1] > 1 else ()
        shares = [part / part.sum(axis=1, keepdims=True) for part in _outputs(values, widths)]
        return cls(np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]), starts[:-1],
                   np.concatenate(shares, axis=1) if shares else values, n_features, widths)  # fmt: skip

    @cached_property
    def ranks(self) -> Ranks | None:
        """The same nodes for large batches, made when the first comes."""
        return Ranks.of(self, self.n_features)

    @property
    def votes(self) -> np.ndarray:
        outputs = _outputs(self.shares, self.widths or self.shares.shape[1:])
        return np.concatenate([np.eye(part.shape[1])[np.argmax(part, axis=1)] for part in outputs], axis=1)


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
    from openbook.forest.kernels.walk import walk_rows

    if is_sparse(X):
        return np.concatenate([leaves_of(walk, rows, threads) for rows in _spread_out(X)])
    flat, (n, width) = np.ascontiguousarray(X).reshape(-1), X.shape
    leaves = np.empty((len(walk.starts), n), np.int64)

    def block(begin: int, end: int) -> None:
        walk_rows(flat, width, begin, end, walk.thresholds, walk.links, walk.starts, None, None, leaves)

    _in_blocks(block, n, _BLOCK, threads if n * len(walk.starts) >= _WORTH_THREADS else 1)
    return leaves.T


def leaf_values(walk: Walk, X: Any, threads: int = 1) -> np.ndarray:
    """The mean over the trees of class fractions, or of mean targets, in each row's leaf."""
    return _averaged(walk, walk.shares, X, threads)


def vote_shares(walk: Walk, X: Any, threads: int = 1) -> np.ndarray:
    """The share of trees in which each class is the largest of the row's leaf (the first, where classes tie)."""
    return _averaged(walk, walk.votes, X, threads)


def _averaged(walk: Walk, values: np.ndarray, X: Any, threads: int) -> np.ndarray:
    from openbook.forest.kernels.walk import walk_rows, walk_trees

    if is_sparse(X):
        return np.concatenate([_averaged(walk, values, rows, threads) for rows in _spread_out(X)])
    X = np.ascontiguousarray(X)
    flat, (n, width) = X.reshape(-1), X.shape
    work = n * len(walk.starts)
    sums = np.zeros((n, values.shape[1]))
    nodes = walk.thresholds, walk.links, walk.starts
    ranks = walk.ranks if work >= _WORTH_RANKS else None

    def block(begin: int, end: int) -> None:
        if ranks is None or not ranks.add_up(X[begin:end], values, walk.starts, sums[begin:end]):
            walk_rows(flat, width, begin, end, *nodes, values, sums, None)

    if n < _FEW_ROWS:
        walk_trees(flat, width, 0, n, *nodes, values, sums)
    else:
        _in_blocks(block, n, _BLOCK if ranks is None else _RANKED_BLOCK, threads if work >= _WORTH_THREADS else 1)
    return sums / len(walk.starts)


def _in_blocks(work: Callable[[int, int], None], rows: int, size: int, threads: int) -> None:
    """Call `work(begin, end)` for blocks of rows, `size` at most; each thread has its share."""
    size = max(1, min(size, -(-rows // threads)))
    blocks = [(begin, min(begin + size, rows)) for begin in range(0, rows, size)]
    if threads == 1:
        for block in blocks:
            work(*block)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda block: work(*block), blocks))


def _spread_out(X: Any) -> Iterator[np.ndarray]:
    """A sparse table as dense blocks of rows."""
    return (X[begin : begin + _BLOCK].toarray() for begin in range(0, X.shape[0], _BLOCK))
