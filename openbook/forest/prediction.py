"""Rows through a whole forest; every row adds up its trees in the same order, however many threads there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from weakref import finalize

import numpy as np

from openbook.forest.at_once import means_of_few
from openbook.forest.columns import is_sparse
from openbook.forest.kept import KeptTrees
from openbook.forest.leaves import Leaves
from openbook.forest.orders import UNSEEN
from openbook.forest.ranks import Ranks
from openbook.forest.tree import Tree

__all__ = ["Walk", "leaf_values", "leaves_of", "means_at_once", "vote_shares", "walk_of"]

_BLOCK = 16384  # rows that one thread takes at a time, all trees for each
_WORTH_THREADS = 500_000  # rows × trees
_WORTH_RANKS = 100_000  # rows × trees: below, ranking the forest's thresholds costs more than it saves
_WORTH_SORTING = 32  # trees: with fewer, to sort the rows costs more than it saves
_RANKED_BLOCK = 131_072  # rows: the trees are read once for all of them


@dataclass(frozen=True, eq=False)
class Walk:
    """The nodes of all trees one after the other, as `kernels/walk.py` reads them; tree t begins at `starts[t]`.

    `nodes` has two words for each, and `numbers` says which of its tree's nodes it is. `levels` is what trees with categories
    look codes up in. Starts, nodes and the values of leaves are parts of `words` (`kernels/walk_few.py`).
    """

    words: np.ndarray
    nodes: np.ndarray
    starts: np.ndarray
    numbers: np.ndarray
    leaves: Leaves
    n_features: int
    levels: Levels | None = None

    @classmethod
    def of(cls, trees: Sequence[Tree], n_features: int, widths: tuple[int, ...] | None = None) -> Walk:
        """Every tree is validated first; a damaged one raises ModelError. Without `widths`, several columns of values are
        the classes of one output."""
        trees = [t.validate(n_features).side_by_side() for t in trees]
        if widths is None:
            widths = trees[0].value.shape[1:] if trees[0].value.shape[1] > 1 else ()
        starts = np.cumsum([0, *(len(t) for t in trees)])
        leaves, numbers = Leaves.of(trees, widths), np.empty(starts[-1], np.uint32)
        words, own_starts, nodes, values = _in_one(n_features, starts, leaves.values)
        leaves = replace(leaves, values=values, which=_lay_out(trees, starts, leaves.which, nodes, numbers))
        return cls(words, nodes, own_starts, numbers, leaves, n_features, Levels.of(trees))

    @property
    def thresholds(self) -> np.ndarray:
        return self.nodes[::2].view(np.float64)

    @property
    def child(self) -> np.ndarray:
        return self.nodes[1::2] & np.uint64(0xFFFFFFFF)

    @property
    def missing_left(self) -> np.ndarray:
        return (self.nodes[1::2] >> np.uint64(32)) & np.uint64(1) != 0

    @property
    def feature(self) -> np.ndarray:
        return self.nodes[1::2] >> np.uint64(33)

    @property
    def is_leaf(self) -> np.ndarray:
        return self.child == np.arange(len(self.nodes) // 2, dtype=np.uint64)

    @cached_property
    def at_once(self) -> Callable[[Any], np.ndarray | None]:
        """What `leaf_values` says of a few plain rows; None where anything is to be checked, said or made first, or taken apart
        after."""
        if self.levels is not None or len(self.leaves.widths) > 1:
            return lambda X: None
        return means_of_few(self.words, self.leaves.values.shape[1])

    @cached_property
    def ranks(self) -> Ranks | None:
        """The same nodes for large batches, made when the first comes."""
        return Ranks.of(self)

    @cached_property
    def votes(self) -> np.ndarray:
        """What `leaves.values` vote for."""
        return self.leaves.votes()


@dataclass(frozen=True, eq=False)
class Levels:
    """The places of all levels in all trees, as `kernels/walk_levels.py` reads them. No tree knows more levels of a category
    than `most` says."""

    features: np.ndarray
    places: np.ndarray
    begins: np.ndarray

    @property
    def most(self) -> np.ndarray:
        return np.diff(self.begins, axis=1).max(axis=0)

    @classmethod
    def of(cls, trees: Sequence[Tree]) -> Levels | None:
        """None where no tree knows of a category."""
        features = np.array(sorted({f for tree in trees for f in tree.orders}), np.int64)
        if not len(features):
            return None
        none = np.empty(0, np.int16)
        orders = [tree.orders.get(int(f), none) for tree in trees for f in features]
        ends = np.cumsum([0, *(len(order) for order in orders)])
        begins = np.lib.stride_tricks.sliding_window_view(ends, len(features) + 1)[:: len(features)]
        joined = np.concatenate(orders)
        return cls(features, np.where(joined == UNSEEN, np.nan, joined).astype(np.float32), begins.copy())


def _in_one(n_features: int, starts: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, ...]:
    """All `words` of a walk, with room for its nodes; where each tree starts, the nodes, and the values: parts of them."""
    from openbook.forest.kernels.walk_few import HEAD

    begin = HEAD + len(starts) - 1
    end = begin + 2 * int(starts[-1])
    words = np.empty(end + values.size, np.uint64)
    words[:begin] = n_features, len(starts) - 1, values.shape[1], end, *starts[:-1]
    words[end:] = np.ascontiguousarray(values).reshape(-1).view(np.uint64)
    return words, words[HEAD:begin], words[begin:end], words[end:].view(np.float64).reshape(values.shape)


def _lay_out(
    trees: Sequence[Tree], starts: np.ndarray, which: np.ndarray, nodes: np.ndarray, numbers: np.ndarray
) -> np.ndarray:
    """Write down all trees' nodes and their numbers; returns `which` row of values each has now."""
    from openbook.forest.kernels.layout import lay_out

    below, place = np.empty((2, max(map(len, trees))), np.uint32)
    moved = np.empty_like(which)
    for tree, start in zip(trees, starts[:-1], strict=True):
        left, feature = (np.ascontiguousarray(array, np.int32) for array in (tree.left, tree.feature))
        threshold = np.ascontiguousarray(tree.threshold, np.float64).view(np.uint64)
        lay_out(left, feature, threshold, np.ascontiguousarray(tree.missing_left, np.bool_),
                which[start : start + len(tree)], start, below, place, nodes, numbers, moved)  # fmt: skip
    return moved


# Of a model, by its number (a weak reference to it takes far longer): its trees, the list behind them, how long that was, and
# its walk. A plain tuple, and a list whose length takes no call of Python's: of a single row's time that is some percent each.
_walks: dict[int, tuple[Sequence[Tree], list[Any], int, Walk, Callable[[Any], np.ndarray | None]]] = {}


def walk_of(model: object, trees: Sequence[Tree], n_features: int, widths: tuple[int, ...]) -> Walk:
    """A model's trees ready to be walked: made once, and again when the model is fitted anew or has more trees."""
    if id(model) not in _walks:
        finalize(model, _walks.pop, id(model), None).atexit = False
    elif _walks[id(model)][0] is trees and len(trees) == _walks[id(model)][2]:
        return _walks[id(model)][3]
    walk = Walk.of(trees, n_features, widths)
    held: Any = trees.held if isinstance(trees, KeptTrees) else trees
    _walks[id(model)] = trees, held, len(trees), walk, walk.at_once
    return walk


def means_at_once(model: object, X: Any) -> np.ndarray | None:
    """What `Walk.at_once` says, of a model whose trees have been walked before, which knows no names and takes means."""
    try:
        trees, held, count, _, at_once = _walks[id(model)]
    except KeyError:
        return None
    own = model.__dict__
    if (
        own["trees_"] is not trees
        or len(held) != count
        or "feature_names_in_" in own
        or own.get("voting", "soft") != "soft"
    ):
        return None
    return at_once(X)


def leaves_of(walk: Walk, X: Any, threads: int = 1) -> np.ndarray:
    """The leaf in which each row ends, for every tree (rows, trees)."""
    if is_sparse(X):
        return np.concatenate([leaves_of(walk, rows, threads) for rows in _spread_out(X)])
    return walk.numbers[_arrived(walk, X, threads) + walk.starts.astype(np.intp)].astype(np.int64)


def _arrived(walk: Walk, X: np.ndarray, threads: int = 1) -> np.ndarray:
    """How far behind the first node of its tree each row's leaf stands (rows, trees)."""
    flat, (n, width) = np.ascontiguousarray(X).reshape(-1), X.shape
    leaves = np.empty((len(walk.starts), n), np.int64)

    def block(begin: int, end: int) -> None:
        _walk_down(walk, flat, width, begin, end, None, None, leaves)

    _in_blocks(block, n, _BLOCK, threads if n * len(walk.starts) >= _WORTH_THREADS else 1)
    return leaves.T


def leaf_values(walk: Walk, X: Any, threads: int = 1) -> np.ndarray:
    """The mean over the trees of class fractions, or of mean targets, in each row's leaf."""
    return _averaged(walk, walk.leaves.values, X, threads)


def vote_shares(walk: Walk, X: Any, threads: int = 1) -> np.ndarray:
    """The share of trees in which each class is the largest of the row's leaf (the first, where classes tie)."""
    return _averaged(walk, walk.votes, X, threads)


def _averaged(walk: Walk, values: np.ndarray, X: Any, threads: int) -> np.ndarray:
    if is_sparse(X):
        return np.concatenate([_averaged(walk, values, rows, threads) for rows in _spread_out(X)])
    X = np.ascontiguousarray(X)
    flat, (n, width) = X.reshape(-1), X.shape
    work = n * len(walk.starts)
    sums = np.zeros((n, values.shape[1]))
    ranks = walk.ranks if work >= _WORTH_RANKS else None

    def block(begin: int, end: int) -> None:
        if ranks is None:
            _walk_down(walk, flat, width, begin, end, values, sums, None)
        elif len(walk.starts) < _WORTH_SORTING:
            ranks.add_up(X[begin:end], values, walk, sums[begin:end])
        else:
            order = _by_likeness(walk, X[begin:end]) + begin
            found = np.zeros((end - begin, values.shape[1]))
            ranks.add_up(np.take(X, order, axis=0), values, walk, found)
            sums[order] = found

    _in_blocks(block, n, _BLOCK if ranks is None else _RANKED_BLOCK, threads if work >= _WORTH_THREADS else 1)
    return sums / len(walk.starts)


def _by_likeness(walk: Walk, X: np.ndarray) -> np.ndarray:
    """The rows in the order of their leaves in the first tree. Rows that end near each other there do so in other trees: side
    by side they are at the same nodes, and arrive at about the same time."""
    leaf = _arrived(replace(walk, starts=walk.starts[:1]), X)[:, 0]
    return np.argsort((leaf >> max(0, int(leaf.max()).bit_length() - 16)).astype(np.uint16), kind="stable")


def _walk_down(
    walk: Walk, X: np.ndarray, width: int, begin: int, end: int, values: Any, sums: Any, leaves: Any
) -> None:
    """These rows of flat X through all trees: `values` of their leaves added up into `sums`, or the leaves themselves."""
    if walk.levels is None:
        from openbook.forest.kernels.walk import walk_rows

        walk_rows(X, width, begin, end, walk.nodes, walk.starts, values, sums, leaves)
    else:
        from openbook.forest.kernels.walk_levels import walk_levels

        levels = walk.levels
        walk_levels(X, width, begin, end, walk.nodes, walk.starts, levels.features, levels.places, levels.begins, values, sums,
                    leaves)  # fmt: skip


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
