"""Where the nodes of a tree stand in memory: near those that a row passes before and after them.

Behind a node's two children comes all that is below the one with more nodes below it, then what is below the other. Half of a
row's steps then end in a line of memory that the step before has brought; in a tree whose nodes stand level by level, each
step leads further away than the last.
"""

from __future__ import annotations

from numba import types

from openbook.forest.kernels.jit import u64, while_held

__all__ = ["lay_out"]

_1, _2, _32, _33 = u64(1), u64(2), u64(32), u64(33)
_NAN = u64(0x7FF8 << 48)


def _read(kind: types.Type) -> types.Array:
    return types.Array(kind, 1, "C", readonly=True)


_WORDS, _NUMBERS = types.Array(types.uint64, 1, "C"), types.Array(types.uint32, 1, "C")
_LINKS, _KINDS = _read(types.int32), _read(types.boolean)


@while_held([types.void(_LINKS, _LINKS, _read(types.uint64), _KINDS, _read(types.uint32), types.uint64, _NUMBERS, _NUMBERS,
                        _WORDS, _NUMBERS, _NUMBERS)])  # fmt: skip
def lay_out(left, feature, threshold, missing_left, which, start, below, place, nodes, numbers, leaves):
    """Write one tree's nodes from number `start` on, as `walk.py` reads them; of each the number it has in its tree into
    `numbers`, and `which` row of values a leaf has into `leaves`.

    Children have larger numbers than their parents, and the right one follows the left. `below` and `place` are room for as
    many nodes as the tree has.
    """
    for k in range(u64(len(left))):
        node = u64(len(left)) - _1 - k
        below[node] = 0
        if left[node] >= 0:
            below[node] = below[u64(left[node])] + below[u64(left[node]) + _1] + 2
    place[0], below[0] = start, u64(start) + _1  # once a node has its place, `below` says where its children begin
    for node in range(u64(len(left))):
        at, child = u64(place[node]), u64(below[node])
        numbers[at], leaves[at] = node, which[node]
        if left[node] < 0:
            nodes[at << _1], nodes[(at << _1) | _1] = _NAN | u64(which[node]), at | (_1 << _32)
            continue
        nodes[at << _1] = threshold[node]
        nodes[(at << _1) | _1] = child | (u64(missing_left[node]) << _32) | (u64(feature[node]) << _33)
        a, b = u64(left[node]), u64(left[node]) + _1
        place[a], place[b] = child, child + _1
        if below[a] >= below[b]:
            below[a], below[b] = child + _2, child + _2 + u64(below[a])
        else:
            below[a], below[b] = child + _2 + u64(below[b]), child + _2
