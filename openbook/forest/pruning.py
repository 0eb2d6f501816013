"""Trees made smaller: fewest questions for the most gain.

Because every node draws from its own seed, a node's split does not depend on when it is made. So growing best first, as
`max_leaf_nodes` asks for, is to grow everything and to keep the best; and the gains say what pruning costs.
"""

from __future__ import annotations

import heapq

import numpy as np

from openbook.forest.tree import LEAF, Tree

__all__ = ["best_leaves", "made_smaller", "prune", "pruning_path"]


def made_smaller(tree: Tree, most: int | None, alpha: float) -> Tree:
    """The tree of at most `most` leaves (None: of any number), pruned where a leaf more gains at most `alpha` (0: nowhere)."""
    if most is not None:
        tree = best_leaves(tree, most)
    return prune(tree, alpha) if alpha > 0 else tree


def best_leaves(tree: Tree, most: int) -> Tree:
    """The tree of at most so many leaves that splits, one by one, the leaf that gains most."""
    split, waiting = np.zeros(len(tree), bool), [(-tree.gain[0], 0)]
    leaves = 1
    while waiting and leaves < most:
        _, node = heapq.heappop(waiting)
        if tree.left[node] == LEAF:
            continue
        split[node] = True
        leaves += 1
        for child in (int(tree.left[node]), int(tree.right[node])):
            heapq.heappush(waiting, (-tree.gain[child], child))
    return _cut(tree, split)


def prune(tree: Tree, alpha: float) -> Tree:
    """Minimal cost-complexity pruning (Breiman et al. 1984, chapter 3): subtrees that gain at most `alpha` a leaf are cut."""
    split = ~tree.is_leaf
    for strength, node, _ in _weakest_first(tree):
        if strength > alpha:
            break
        split[node] = False
    return _cut(tree, split)


def pruning_path(tree: Tree, impurity: float) -> tuple[np.ndarray, np.ndarray]:
    """The alphas at which the tree shrinks, and the impurity of its leaves after each step; `impurity` is the root's."""
    whole = tree.weight[0]
    alphas, impurities = [0.0], [impurity - float(tree.gain[~tree.is_leaf].sum()) / whole]
    for strength, _, lost in _weakest_first(tree):
        alphas.append(max(strength, alphas[-1]))
        impurities.append(impurities[-1] + lost / whole)
    return np.array(alphas), np.array(impurities)


def _below(tree: Tree) -> tuple[np.ndarray, np.ndarray]:
    """For every node: the gain of all splits from it on, and how many leaves it has below."""
    gain, leaves = np.where(tree.is_leaf, 0.0, tree.gain), np.ones(len(tree))
    for node in np.flatnonzero(~tree.is_leaf)[::-1]:
        left, right = tree.left[node], tree.right[node]
        gain[node] += gain[left] + gain[right]
        leaves[node] = leaves[left] + leaves[right]
    return gain, leaves


def _weakest_first(tree: Tree) -> list[tuple[float, int, float]]:
    """The nodes that pruning makes leaves, in turn; with the gain of what is cut, for each leaf fewer and in all."""
    gain, leaves = _below(tree)
    parent, whole = tree.parents, tree.weight[0]
    alive = ~tree.is_leaf

    def strength(node: int) -> float:
        return float(gain[node] / (leaves[node] - 1) / whole)

    waiting = [(strength(int(node)), int(node)) for node in np.flatnonzero(alive)]
    heapq.heapify(waiting)
    order = []
    while waiting:
        found, node = heapq.heappop(waiting)
        if not alive[node] or found != strength(node):
            continue
        lost, fewer = float(gain[node]), leaves[node] - 1
        order.append((found, node, lost))
        _fell(tree, alive, node)
        above = node
        while above != LEAF:
            gain[above] -= lost
            leaves[above] -= fewer
            if alive[above]:
                heapq.heappush(waiting, (strength(above), above))
            above = int(parent[above])
    return order


def _fell(tree: Tree, alive: np.ndarray, node: int) -> None:
    below = [node]
    while below:
        node = below.pop()
        if alive[node]:
            alive[node] = False
            below += [int(tree.left[node]), int(tree.right[node])]


def _cut(tree: Tree, split: np.ndarray) -> Tree:
    """The tree in which only these nodes are split; the others become leaves, and what was below them is gone."""
    order, left = [0], np.full(len(tree), LEAF, np.int32)
    for node in order:  # grows on the way
        if split[node]:
            left[node] = len(order)
            order += [int(tree.left[node]), int(tree.right[node])]
    kept = {name: getattr(tree, name)[order].copy() for name in Tree._by_node()}
    kept["left"] = left[order]
    leaf = kept["left"] == LEAF
    kept["right"] = np.where(leaf, LEAF, kept["left"] + 1).astype(np.int32)
    kept["feature"][leaf], kept["threshold"][leaf], kept["gain"][leaf], kept["missing_left"][leaf] = (
        LEAF,
        0.0,
        0.0,
        False,
    )
    return Tree(**kept, orders=tree.orders)
