"""The ranks of a column's values: the rows in order, by radix (least significant digit first), then one walk over them.

A double's bits, with the negative ones turned over, stand in the order of the numbers. Counted from the smallest and shifted
up, their upper half tells nearly all values of a column apart: so that half is sorted by digits, and what it leaves in
disorder by insertion; only where this is too much (values in clusters) the lower half is sorted by digits as well.
"""

from __future__ import annotations

import numpy as np

from openbook.forest.kernels.jit import grower, inlined, inner, u64

__all__ = ["DIGITS", "RADIX", "rank_values"]

DIGITS, RADIX = 6, 2048
_BITS = u64(11)
_ALL_DIGITS, _UPPER = np.int64(0), np.int64(3)  # where to begin; typed: a literal would be compiled for on its own
_WORTH_MOVING = 4  # places, for each row on average: then digits are faster
_SIGN, _TOP, _ONES, _0, _1 = u64(2**63), u64(63), u64(2**64 - 1), u64(0), u64(1)
_INFINITE = u64(0x7FF << 52)


@grower
def rank_values(bits, keys, rows, spare_keys, spare_rows, counts, rank, first_row, upto):
    """Rank the doubles of which these are the bits, into `rank`; returns how many are different, NaN apart.

    Equal numbers, and so both zeros, share a rank; NaN comes after all others. `first_row[r]` is one row of rank r, `upto[r]`
    how many rows have no higher rank. `keys` to `spare_rows` are as long as `bits`, `counts` is (DIGITS, RADIX).
    """
    known = take_known(bits, keys, rows)
    spread(keys, known)
    in_spare = by_digits(keys, rows, spare_keys, spare_rows, known, counts, _UPPER)
    if in_spare:
        keys, rows, spare_keys, spare_rows = spare_keys, spare_rows, keys, rows
    if not by_insertion(keys, rows, known) and by_digits(
        keys, rows, spare_keys, spare_rows, known, counts, _ALL_DIGITS
    ):
        keys, rows = spare_keys, spare_rows
    different = np.int64(0)
    for k in range(u64(known)):
        row = rows[k]
        if k == _0 or keys[k] != keys[k - _1]:
            first_row[different] = row
            different += 1
        rank[row], upto[different - 1] = different - 1, k + _1
    if known < len(bits):
        for row in range(u64(len(bits))):
            if bits[row] & ~_SIGN > _INFINITE:
                rank[row] = different
    return different


@inlined
def take_known(bits, keys, rows):
    """The keys of all numbers, and their rows; returns how many there are."""
    known = _0
    for row in range(u64(len(bits))):
        b = bits[row]
        b *= u64(b != _SIGN)  # minus zero is zero
        keys[known], rows[known] = b ^ (_SIGN | (b >> _TOP) * _ONES), row  # without a branch that half of them take
        known += u64(b & ~_SIGN <= _INFINITE)
    return np.int64(known)


@inlined
def spread(keys, known):
    """Count the keys from the smallest, and shift them up so far that the largest has its highest bit set."""
    low, high = _ONES, _0
    for k in range(u64(known)):
        low, high = min(low, keys[k]), max(high, keys[k])
    shift, high = _0, high - low if known else _0
    while high != _0 and high >> (_TOP - shift) == _0:
        shift += _1
    for k in range(u64(known)):
        keys[k] = (keys[k] - low) << shift


@inner
def by_digits(keys, rows, to_keys, to_rows, known, counts, least):
    """Sort by the digits from `least` on; returns whether the sorted ones are where those for `to` were."""
    counts[:] = 0
    for k in range(u64(known)):
        key = keys[k]
        for digit in range(least, DIGITS):
            counts[digit, (key >> (_BITS * u64(digit))) & u64(RADIX - 1)] += 1
    moved = False
    for digit in range(least, DIGITS):
        shift, places = _BITS * u64(digit), counts[digit]
        if known == 0 or places[(keys[0] >> shift) & u64(RADIX - 1)] == known:
            continue
        before = 0
        for value in range(RADIX):
            before, places[value] = before + places[value], before
        for k in range(u64(known)):
            key = keys[k]
            value = (key >> shift) & u64(RADIX - 1)
            to = u64(places[value])
            places[value] += 1
            to_keys[to], to_rows[to] = key, rows[k]
        keys, rows, to_keys, to_rows = to_keys, to_rows, keys, rows
        moved = not moved
    return moved


@inlined
def by_insertion(keys, rows, known):
    """Move every key to its place among those before it; False, with some still astray, where that would take long."""
    left = _WORTH_MOVING * known
    for k in range(1, known):
        key, row, at = keys[k], rows[k], k
        while at > 0 and keys[at - 1] > key:
            keys[at], rows[at] = keys[at - 1], rows[at - 1]
            at -= 1
        keys[at], rows[at] = key, row
        left -= k - at
        if left < 0:
            return False
    return True
