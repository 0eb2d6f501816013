"""The trees of a forest as it keeps them: level by level, without what follows from the rest, in the least room that is exact.

Level by level, the children of split k are nodes 1 + 2k and 2 + 2k: one bit for each node says all about its children. What a
node holds is the sum of what its children hold, for rows and for weights of classes: then the leaves' say it all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import overload

import numpy as np

from openbook.forest.packing import least
from openbook.forest.tree import LEAF, Tree

__all__ = ["KeptTree", "KeptTrees"]

_WORTH_IT = 1024  # nodes: what packing smaller trees would save is not worth the time


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
        from openbook.forest.kernels.levels import by_depth

        order = np.empty(len(tree), np.intp)
        by_depth(tree.left, tree.right, order)
        inner = tree.left[order] != LEAF
        places = np.flatnonzero(inner), np.flatnonzero(~inner)
        splits, value, weight = order[places[0]], tree.value[order], tree.weight[order]
        return cls(
            len(tree), np.packbits(inner), least(tree.feature[splits]), _single(tree.threshold[splits]),
            np.packbits(tree.missing_left[splits]), _single(tree.gain[splits]), _of_leaves(value, *places),
            None if np.array_equal(weight, _sum(value)) else _of_leaves(weight, *places),
            _of_leaves(tree.samples[order], *places), tree.orders,
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
        self._kept: list[KeptTree | Tree] = []
        for tree in trees._kept if isinstance(trees, KeptTrees) else trees:
            self.append(tree)

    def append(self, tree: Tree | KeptTree) -> None:
        """Add a tree."""
        self._kept.append(KeptTree.of(tree) if isinstance(tree, Tree) and len(tree) >= _WORTH_IT else tree)

    @property
    def nbytes(self) -> int:
        """The memory that the arrays of all trees take."""
        return sum(map(self.nbytes_of, range(len(self))))

    def nbytes_of(self, place: int) -> int:
        """The memory that the arrays of one tree take."""
        return self._kept[place].nbytes

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Tree]:
        return map(_spread, self._kept)

    @overload
    def __getitem__(self, place: int) -> Tree: ...
    @overload
    def __getitem__(self, place: slice) -> list[Tree]: ...
    def __getitem__(self, place: int | slice) -> Tree | list[Tree]:
        found = self._kept[place]
        return [_spread(kept) for kept in found] if isinstance(found, list) else _spread(found)


def _spread(kept: KeptTree | Tree) -> Tree:
    return kept.spread() if isinstance(kept, KeptTree) else kept


def _bits(packed: np.ndarray, count: int) -> np.ndarray:
    return np.unpackbits(packed, count=count).view(np.bool_)


def _single(array: np.ndarray) -> np.ndarray:
    """The same numbers in single precision, if that holds them."""
    with np.errstate(over="ignore"):
        single = array.astype(np.float32)
    return single if np.array_equal(single, array) else array


def _sum(value: np.ndarray) -> np.ndarray:
    """The sum over the columns; NumPy's own takes several times as long where they are few."""
    return reduce(np.add, value.T)


def _paired(children: np.ndarray) -> np.ndarray:
    """The sums of two siblings each."""
    return children[::2] + children[1::2]


def _of_leaves(array: np.ndarray, splits: np.ndarray, leaves: np.ndarray) -> np.ndarray:
    """The entries of leaves, if those of all other nodes are the sums of their children's."""
    return least(array[leaves] if np.array_equal(_paired(array[1:]), array[splits]) else array)


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
