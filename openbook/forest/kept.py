"""The trees of a forest as it keeps them: level by level, without what follows from the rest, in the least room that is exact.

Level by level, the children of split k are nodes 1 + 2k and 2 + 2k: one bit for each node says all about its children. What a
node holds is the sum of what its children hold, for rows and for weights of classes: then the leaves' say it all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple, overload

import numpy as np

from openbook.forest.least import least, single
from openbook.forest.tree import LEAF, Splits, Tree

__all__ = ["WORTH_PACKING", "KeptTree", "KeptTrees", "Levels"]

WORTH_PACKING = 1024  # nodes: what packing smaller trees would save is not worth the time


class Levels(NamedTuple):
    """The nodes of a tree level by level: all in `order`, `splits` and `leaves` of these; `inner` says which place is a split."""

    order: np.ndarray
    splits: np.ndarray
    leaves: np.ndarray
    inner: np.ndarray

    @classmethod
    def of(cls, left: np.ndarray, right: np.ndarray) -> Levels:
        """From the children of each node."""
        from openbook.forest.kernels.levels import by_depth

        size = len(left)
        order, splits, leaves = np.empty((3, size), np.intp)
        inner = np.empty(size, np.bool_)
        by_depth(left, right, order, splits, leaves, inner)
        return cls(order, splits[: size // 2], leaves[: size // 2 + 1], inner)


@dataclass(frozen=True, eq=False)
class KeptTree:
    """One tree, packed. `split` has a bit for each of `size` nodes; `feature` to `gain` have an entry for each split.

    `value`, `weight` and `samples` are those of the leaves, or of all nodes where these are no sums. `weight` is None where
    it is the sum of a node's values.
    """

    size: int
    split: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray
    gain: np.ndarray
    value: np.ndarray
    weight: np.ndarray | None
    samples: np.ndarray
    orders: Mapping[int, np.ndarray]

    @classmethod
    def of(cls, tree: Tree) -> KeptTree:
        levels = Levels.of(tree.left, tree.right)
        splits = Splits(
            *(array[levels.splits] for array in (tree.feature, tree.threshold, tree.missing_left, tree.gain))
        )
        is_sum = np.array_equal(tree.weight, _sum(tree.value))
        return cls.packed(
            levels, splits, _of_leaves(tree.value, tree, levels), None if is_sum else _of_leaves(tree.weight, tree, levels),
            _of_leaves(tree.samples, tree, levels), tree.orders,
        )  # fmt: skip

    @classmethod
    def packed(
        cls, levels: Levels, splits: Splits, value: np.ndarray, weight: np.ndarray | None, samples: np.ndarray,
        orders: Mapping[int, np.ndarray],
    ) -> KeptTree:  # fmt: skip
        """From what it holds, level by level, in any dtype."""
        return cls(
            len(levels.order), np.packbits(levels.inner), least(splits.feature), single(splits.threshold),
            np.packbits(splits.missing_left), single(splits.gain), least(value), None if weight is None else least(weight),
            least(samples), orders,
        )  # fmt: skip

    def spread(self) -> Tree:
        """The tree again, with its nodes level by level."""
        inner = _bits(self.split, self.size)
        splits = np.cumsum(inner)
        left = np.where(inner, 2 * splits - 1, LEAF).astype(np.int32)
        value = _of_nodes(self.value, inner, splits, np.float64)
        weight = _sum(value) if self.weight is None else _of_nodes(self.weight, inner, splits, np.float64)
        return Tree(
            feature=_of_splits(self.feature, inner, LEAF, np.int32),
            threshold=_of_splits(self.threshold, inner, 0, np.float64),
            left=left,
            right=np.where(inner, left + 1, LEAF).astype(np.int32),
            missing_left=_of_splits(_bits(self.missing_left, len(self.feature)), inner, False, np.bool_),
            value=value,
            weight=weight,
            samples=_of_nodes(self.samples, inner, splits, np.int64),
            gain=_of_splits(self.gain, inner, 0, np.float64),
            orders=self.orders,
        )

    @property
    def nbytes(self) -> int:
        """The memory its arrays take."""
        held = (self.split, self.feature, self.threshold, self.missing_left, self.gain, self.value, self.samples)
        arrays = [*held, *self.orders.values(), *([] if self.weight is None else [self.weight])]
        return sum(array.nbytes for array in arrays)


class KeptTrees(Sequence[Tree]):
    """The trees of a forest, in the order in which they were added. Large ones are packed, and each time that somebody asks
    for one it is spread out anew: to change its arrays changes nothing here."""

    def __init__(self, trees: Iterable[Tree] = ()):
        self.held: list[KeptTree | Tree] = []
        for tree in trees.held if isinstance(trees, KeptTrees) else trees:
            self.append(tree)

    def append(self, tree: Tree | KeptTree) -> None:
        """Add a tree."""
        self.held.append(KeptTree.of(tree) if isinstance(tree, Tree) and len(tree) >= WORTH_PACKING else tree)

    @property
    def nbytes(self) -> int:
        """The memory that the arrays of all trees take."""
        return sum(map(self.nbytes_of, range(len(self))))

    def nbytes_of(self, place: int) -> int:
        """The memory that the arrays of one tree take."""
        return self.held[place].nbytes

    def __len__(self) -> int:
        return len(self.held)

    def __iter__(self) -> Iterator[Tree]:
        return map(_spread, self.held)

    @overload
    def __getitem__(self, place: int) -> Tree: ...
    @overload
    def __getitem__(self, place: slice) -> list[Tree]: ...
    def __getitem__(self, place: int | slice) -> Tree | list[Tree]:
        found = self.held[place]
        return [_spread(kept) for kept in found] if isinstance(found, list) else _spread(found)


def _spread(kept: KeptTree | Tree) -> Tree:
    return kept.spread() if isinstance(kept, KeptTree) else kept


def _bits(packed: np.ndarray, count: int) -> np.ndarray:
    return np.unpackbits(packed, count=count).view(np.bool_)


def _sum(value: np.ndarray) -> np.ndarray:
    """The sum over the columns; NumPy's own takes several times as long where they are few."""
    return reduce(np.add, value.T)


def _paired(children: np.ndarray) -> np.ndarray:
    """The sums of two siblings each."""
    return children[::2] + children[1::2]


def _of_leaves(array: np.ndarray, tree: Tree, levels: Levels) -> np.ndarray:
    """The entries of leaves, if those of all other nodes are the sums of their children's; else of all nodes."""
    splits = levels.splits
    adds_up = np.array_equal(array[tree.left[splits]] + array[tree.right[splits]], array[splits])
    return array[levels.leaves if adds_up else levels.order]


def _of_nodes(kept: np.ndarray, inner: np.ndarray, splits: np.ndarray, dtype: type) -> np.ndarray:
    """The entries of all nodes (`splits` counts the splits up to each), from those of the leaves if there are no others."""
    if len(kept) == len(inner):
        return kept.astype(dtype)
    whole: np.ndarray = np.empty((len(inner), *kept.shape[1:]), dtype)
    whole[~inner] = kept
    for begin, end, below in reversed(_levels(splits)):
        whole[begin:end][inner[begin:end]] = _paired(whole[end:below])
    return whole


def _levels(splits: np.ndarray) -> list[tuple[int, int, int]]:
    """Where each level but the last begins and ends, and where the one below it ends."""
    levels, begin, end = [], 0, 1
    while (below := 1 + 2 * int(splits[end - 1])) > end:
        levels.append((begin, end, below))
        begin, end = end, below
    return levels


def _of_splits(kept: np.ndarray, inner: np.ndarray, of_leaf: float, dtype: type) -> np.ndarray:
    whole: np.ndarray = np.full(len(inner), of_leaf, dtype)
    whole[inner] = kept
    return whole
