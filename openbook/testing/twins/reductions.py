"""Reductions and orders, one fibre after the other."""

from __future__ import annotations

from functools import reduce

import numpy as np

from openbook.testing.twins.registry import along, reduced, twin


@twin("prod")
def prod(m, x, *, axis=None, keepdims=False):
    return reduced(x, axis, keepdims, lambda entries: reduce(lambda a, b: a * b, entries, m.mpf(1)))


@twin("sum")
def total(m, x, *, axis=None, keepdims=False):
    return reduced(x, axis, keepdims, lambda entries: sum(entries, m.mpf(0)))


@twin("mean")
def mean(m, x, *, axis=None, keepdims=False):
    return reduced(x, axis, keepdims, lambda entries: sum(entries) / len(entries) if entries else m.nan)


def _variance(m, entries, correction):
    if not entries:
        return m.nan
    centre = sum(entries) / len(entries)
    return sum((e - centre) ** 2 for e in entries) / (len(entries) - correction)


@twin("var")
def var(m, x, *, axis=None, correction=1, keepdims=False):
    return reduced(x, axis, keepdims, lambda entries: _variance(m, entries, correction))


@twin("std")
def std(m, x, *, axis=None, correction=1, keepdims=False):
    return reduced(x, axis, keepdims, lambda entries: m.sqrt(_variance(m, entries, correction)))


@twin("amax")
def amax(m, x, *, axis=None, keepdims=False):
    return reduced(x, axis, keepdims, max)


@twin("amin")
def amin(m, x, *, axis=None, keepdims=False):
    return reduced(x, axis, keepdims, min)


@twin("middle_entry")
def middle_entry(m, x, *, axis=None, keepdims=False):
    return reduced(x, None, False, lambda entries: sorted(entries)[(len(entries) - 1) // 2])


@twin("logsumexp")
def logsumexp(m, x, *, axis=-1, keepdims=False):
    def of(entries):
        return m.log(sum(map(m.exp, entries))) if entries else -m.inf

    return reduced(x, axis, keepdims, of)


@twin("norm")
def norm(m, x, *, p=2.0, axis=None, keepdims=False):
    def of(entries):
        sizes = [abs(e) for e in entries]
        if p == 0:
            return m.mpf(int(sum(s != 0 for s in sizes)))
        if np.isinf(p):
            return max(sizes) if p > 0 else min(sizes)
        power = sum((s ** m.mpf(p) for s in sizes), m.mpf(0))
        return power ** (1 / m.mpf(p))

    return reduced(x, axis, keepdims, of)


@twin("any")
def any_(m, x, *, axis=None, keepdims=False):
    return reduced(x, axis, keepdims, lambda entries: any(e != 0 for e in entries))


@twin("all")
def all_(m, x, *, axis=None, keepdims=False):
    return reduced(x, axis, keepdims, lambda entries: all(e != 0 for e in entries))


@twin("count_nonzero")
def count_nonzero(m, x, *, axis=None):
    return reduced(x, axis, False, lambda entries: sum(e != 0 for e in entries))


@twin("argmax")
def argmax(m, x, *, axis=None, keepdims=False):
    return reduced(x, axis, keepdims, lambda entries: entries.index(max(entries)))


@twin("argmin")
def argmin(m, x, *, axis=None, keepdims=False):
    return reduced(x, axis, keepdims, lambda entries: entries.index(min(entries)))


@twin("argsort")
def argsort(m, x, *, axis=-1, descending=False):
    """Insertion: each entry's place behind those that come before it."""

    def of(entries):
        order: list[int] = []
        for i, e in enumerate(entries):
            after = (k for k, j in enumerate(order) if (entries[j] < e if descending else entries[j] > e))
            order.insert(next(after, len(order)), i)
        return order

    return along(x, axis, of)


@twin("cumsum")
def cumsum(m, x, *, axis):
    return along(x, axis, lambda entries: [sum(entries[: k + 1], m.mpf(0)) for k in range(len(entries))])


@twin("cumprod")
def cumprod(m, x, *, axis):
    return along(x, axis, lambda e: [reduce(lambda a, b: a * b, e[: k + 1]) for k in range(len(e))])


@twin("softmax")
def softmax(m, x, *, axis=-1):
    def of(entries):
        powers = [m.exp(e) for e in entries]
        return [p / sum(powers) for p in powers]

    return along(x, axis, of)


@twin("log_softmax")
def log_softmax(m, x, *, axis=-1):
    def of(entries):
        whole = m.log(sum(map(m.exp, entries))) if entries else 0
        return [e - whole for e in entries]

    return along(x, axis, of)


@twin("standardize")
def standardize(m, x, *, axis, eps=1e-5):
    def of(entries):
        centre = sum(entries) / max(1, len(entries))
        scale = m.sqrt(_variance(m, entries, 0) + m.mpf(eps))
        return [(e - centre) / scale for e in entries]

    return along(x, axis, of)


@twin("rms_standardize")
def rms_standardize(m, x, *, axis, eps=1e-5):
    def of(entries):
        scale = m.sqrt(sum(e * e for e in entries) / max(1, len(entries)) + m.mpf(eps))
        return [e / scale for e in entries]

    return along(x, axis, of)
