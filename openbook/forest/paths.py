"""The nodes that rows pass on their way down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.forest.tree import Tree

__all__ = ["decision_paths"]


def decision_paths(trees: Sequence[Tree], leaves: np.ndarray) -> tuple[Any, np.ndarray]:
    """From the leaf of each row in each tree (rows, trees): a sparse matrix (rows, all nodes) that is 1 where a row passes,
    and where each tree's nodes begin among the columns."""
    from scipy.sparse import csr_matrix, hstack

    passed = [_ancestors(tree)[leaves[:, t]] for t, tree in enumerate(trees)]
    starts = np.cumsum([0, *(len(tree) for tree in trees)])
    return csr_matrix(hstack(passed)), starts


def _ancestors(tree: Tree) -> Any:
    """A sparse matrix (nodes, nodes): the nodes on the way to each node, itself included."""
    from scipy.sparse import csr_matrix

    parents, own = tree.parents, np.arange(len(tree))
    below, above, at = [own], [own], own
    while len(at):
        own = own[parents[at] >= 0]
        at = parents[at][parents[at] >= 0]
        below.append(own)
        above.append(at)
    rows, columns = np.concatenate(below), np.concatenate(above)
    made = csr_matrix((np.ones(len(rows), np.int64), (rows, columns)), shape=(len(tree), len(tree)))
    made.sort_indices()
    return made
