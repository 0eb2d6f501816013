"""The records that a tree is grown from, of the rows drawn for it."""

from __future__ import annotations

from openbook.forest.kernels.jit import grower, u64

__all__ = ["take_rows"]

_0, _1 = u64(0), u64(1)


@grower
def take_rows(counts, once, labels, parts, rows, values, own_parts):
    """Write down the rows that weigh something, what their records say (see `rows.py`, `grow.py`), and their parts; returns how
    many they are.

    `once` is what a record says of the weight of a row drawn once, `labels` what it says beside, or None, as `parts` may be.
    `counts` says how often each row was drawn; None: once.
    """
    known = _0
    for row in range(u64(len(once))):
        drawn = _1 if counts is None else u64(counts[row])
        weight = once[row] * drawn
        rows[known], values[known] = row, weight if labels is None else weight | labels[row]
        if parts is not None:
            own_parts[known] = parts[row] if counts is None else parts[row] * counts[row]
        known += u64(weight != _0)
    return known
