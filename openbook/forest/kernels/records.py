"""The records that a tree is grown from, of the rows drawn for it."""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import inner, u64
from openbook.forest.kernels.rows import ID_BITS, PART, WEIGHT

__all__ = ["CLASS_BITS", "take_rows"]

CLASS_BITS = u64(16)  # above the place of a row; its weight comes above them, where there are many classes
_0, _1 = u64(0), u64(1)


@inner
def take_rows(counts, tree, once, labels, parts, rows, values, own_parts, sums):
    """Write down the rows that weigh something, what their records say (see `rows.py`), their parts, and the `sums` of all
    (`room.py: Nodes`); returns how many rows they are.

    `once` is what a record says of the weight of a row drawn once, `labels` what it says beside, or None, as `parts` may be.
    `counts[tree]` says how often each row was drawn; None: once.
    """
    known, whole, part = _0, _0, np.int64(0)
    sums[:] = 0
    for row in range(u64(len(once))):
        drawn = _1 if counts is None else u64(counts[tree, row])
        value = once[row] * drawn
        rows[known] = row
        whole += value
        weighs = value != _0
        if labels is not None:
            sums[labels[row] >> ID_BITS] += np.int64(value >> (ID_BITS + CLASS_BITS))
            value |= labels[row]
        if parts is not None:
            own_parts[known] = parts[row] * np.int64(drawn)
            part += own_parts[known]
        values[known] = value
        known += u64(weighs)
    if labels is None:
        if parts is None:  # the sums of such records have room in a record
            sums[0], sums[1] = (whole >> ID_BITS) & WEIGHT, whole >> PART
        if parts is not None:
            sums[0], sums[1] = whole >> ID_BITS, part
    return np.int64(known)
