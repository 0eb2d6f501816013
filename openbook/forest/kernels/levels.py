"""The nodes of a tree level by level."""

from __future__ import annotations

from openbook.forest.kernels.jit import grower, u64

__all__ = ["by_depth"]

_0, _1, _2 = u64(0), u64(1), u64(2)


@grower
def by_depth(left, right, order, splits, leaves, inner):
    """Write the nodes into `order`, level by level, the two children of a node side by side; of these the ones that are split
    into `splits`, the others into `leaves`. `inner` tells of each place which it is. All are as long as `left`."""
    known, split, leaf = _1, _0, _0
    order[0] = 0
    for k in range(u64(len(left))):  # what was written on the way is read here
        node = u64(order[k])
        is_split = left[node] >= 0
        inner[k], splits[split], leaves[leaf] = is_split, node, node
        if is_split:
            order[known], order[known + _1] = left[node], right[node]
        known, split, leaf = known + _2 * u64(is_split), split + u64(is_split), leaf + u64(not is_split)
