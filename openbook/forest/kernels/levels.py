"""The nodes of a tree level by level."""

from __future__ import annotations

from openbook.forest.kernels.jit import grower

__all__ = ["by_depth"]


@grower
def by_depth(left, right, order):
    """Write the nodes into `order`, level by level, the two children of a node side by side."""
    order[0], known = 0, 1
    for k in range(len(order)):  # what was written on the way is read here
        node = order[k]
        if left[node] >= 0:
            order[known], order[known + 1] = left[node], right[node]
            known += 2
