"""Rows drawn with replacement: the very ones of NumPy's `default_rng(seed).integers(0, rows, size)`, without a pass to count them.

Bits come from PCG64 (O'Neill 2014: XSL-RR, 128 bits of state), numbers below a bound from the upper half of a product (Lemire
2019), 32 bits at a time.
"""

from __future__ import annotations

from openbook.forest.kernels.jit import grower, inlined, u64, upper_half

__all__ = ["draw"]

_HIGH, _LOW = u64(0x2360ED051FC65DA4), u64(0x4385DF649FCCF645)  # the multiplier
_0, _1, _32, _58, _63, _64 = u64(0), u64(1), u64(32), u64(58), u64(63), u64(64)
_2_TO_32, _LOWER = u64(2**32), u64(2**32 - 1)


@grower
def draw(words, rows, size, drawn, counts):
    """Draw `size` of so many rows: into `drawn`, in the order of drawing, or, if that is None, their `counts` by row.

    `words` are the seed, as `numpy.random.SeedSequence` spreads it over four words.
    """
    if counts is not None:
        counts[:] = 0
    odd_high, odd_low = (words[2] << _1) | (words[3] >> _63), (words[3] << _1) | _1
    low = odd_low + words[1]
    high, low = stepped(odd_high + words[0] + u64(low < odd_low), low, odd_high, odd_low)
    refused = (_2_TO_32 - rows) % rows  # a product whose lower half is smaller would favour its row
    known, later, halves = _0, _0, _0
    while known < size:
        if halves == _0:
            high, low = stepped(high, low, odd_high, odd_low)
            turn, bits = high >> _58, high ^ low
            bits = (bits >> turn) | (bits << ((_64 - turn) & _63))
            now, later, halves = bits & _LOWER, bits >> _32, _1
        else:
            now, halves = later, _0
        product = now * rows
        if product & _LOWER >= refused:
            if counts is not None:
                counts[product >> _32] += 1
            if drawn is not None:
                drawn[known] = product >> _32
            known += _1


@inlined
def stepped(high, low, odd_high, odd_low):
    """The state after this one: its product with the multiplier, and an odd number added."""
    high = upper_half(low, _LOW) + high * _LOW + low * _HIGH + odd_high
    low *= _LOW
    return high + u64(low + odd_low < low), low + odd_low
