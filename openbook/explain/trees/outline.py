"""Which nodes of a tree are shown: all to some depth, and the way of one row to its end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from openbook.errors import InputError
from openbook.forest.tree import LEAF, Tree

__all__ = ["Outline", "outline"]


@dataclass(frozen=True, eq=False)
class Outline:
    """`nodes` are shown, each before its children, the left one first; `level` counts the decisions before every node,
    `below` the nodes under it, `leaves` the leaves among them; `path` is the way of the row, from the root to its leaf."""

    tree: Tree
    nodes: tuple[int, ...]
    level: np.ndarray
    below: np.ndarray
    leaves: np.ndarray
    path: tuple[int, ...] = ()

    def children(self, node: int) -> tuple[int, int] | None:
        """The two children shown, if any are."""
        left, right = int(self.tree.left[node]), int(self.tree.right[node])
        return (left, right) if left in self._shown else None

    def is_leaf(self, node: int) -> bool:
        return bool(self.tree.left[node] == LEAF)

    def is_folded(self, node: int) -> bool:
        """Whether what is below this node is left out."""
        return self.children(node) is None and not self.is_leaf(node)

    @cached_property
    def _shown(self) -> frozenset[int]:
        return frozenset(self.nodes)

    @property
    def depth(self) -> int:
        """How deep the nodes shown reach."""
        return int(self.level[list(self.nodes)].max())

    @property
    def is_whole(self) -> bool:
        return len(self.nodes) == len(self.tree)


def outline(
    tree: Tree, max_depth: int | None = None, row: np.ndarray | None = None, most: int | None = None
) -> Outline:
    """Show nodes to `max_depth`, by default as deep as `most` nodes allow (None: all), and the way of the row."""
    if max_depth is not None and (isinstance(max_depth, bool) or max_depth != int(max_depth) or max_depth < 0):
        raise InputError(f"max_depth={max_depth!r} is no depth", where="max_depth", do="give 0, 1, 2, … or None")
    level, below, leaves = _measured(tree)
    if max_depth is None:
        max_depth = _deepest(level, most)
    path: tuple[int, ...] = ()
    if row is not None:
        turns, leaf = tree.path(row)
        path = (*(turn.node for turn in turns), leaf)
    return Outline(tree, _in_order(tree, level, max_depth, set(path)), level, below, leaves, path)


def _measured(tree: Tree) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    level, below, leaves = (np.zeros(len(tree), np.int64) for _ in range(3))
    inner = np.flatnonzero(~tree.is_leaf)
    for node in inner:
        level[[tree.left[node], tree.right[node]]] = level[node] + 1
    leaves[tree.is_leaf] = 1
    for node in inner[::-1]:
        pair = [tree.left[node], tree.right[node]]
        below[node] = below[pair].sum() + 2
        leaves[node] = leaves[pair].sum()
    return level, below, leaves


def _deepest(level: np.ndarray, most: int | None) -> int:
    if most is None:
        return int(level.max())
    within = np.flatnonzero(np.cumsum(np.bincount(level)) <= most)
    return int(within.max(initial=0))


def _in_order(tree: Tree, level: np.ndarray, max_depth: int, path: set[int]) -> tuple[int, ...]:
    shown, waiting = [], [0]
    while waiting:
        node = waiting.pop()
        shown.append(node)
        if tree.left[node] != LEAF and (level[node] < max_depth or node in path):
            waiting += [int(tree.right[node]), int(tree.left[node])]
    return tuple(shown)
