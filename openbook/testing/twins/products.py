"""Products: sums over every index, written out."""

from __future__ import annotations

import numpy as np

from openbook.testing.twins.registry import filled, twin


def _dot(m, a, b):
    return sum((p * q for p, q in zip(a, b, strict=True)), m.mpf(0))


@twin("matmul")
def matmul(m, x, y):
    a = x[None, :] if x.ndim == 1 else x
    b = y[:, None] if y.ndim == 1 else y
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])

    def entry(p):
        left = _picked(a, p[:-2])[p[-2]]
        right = _picked(b, p[:-2])[:, p[-1]]
        return _dot(m, left, right)

    out = filled((*lead, a.shape[-2], b.shape[-1]), entry)
    out = out[..., 0, :] if x.ndim == 1 else out
    return np.asarray(out[..., 0] if y.ndim == 1 else out, dtype=object)


def _picked(stack, place):
    """The matrix of a stack at a place of the broadcast stack."""
    lead = stack.shape[:-2]
    place = place[len(place) - len(lead) :]
    return stack[tuple(0 if n == 1 else i for i, n in zip(place, lead, strict=True))]


@twin("linear")
def linear(m, x, W, b=None):
    def entry(p):
        return _dot(m, x[p[:-1]], W[p[-1]]) + (0 if b is None else b[p[-1]])

    return filled((*x.shape[:-1], W.shape[0]), entry)


@twin("einsum")
def einsum(m, *arrays, subscripts):
    terms, result = subscripts.split("->")
    names = terms.split(",")
    size = {c: n for a, t in zip(arrays, names, strict=True) for c, n in zip(t, a.shape, strict=True)}
    letters = "".join(size)
    out = filled(tuple(size[c] for c in result), lambda p: m.mpf(0))
    for place in np.ndindex(*size.values()):
        at = dict(zip(letters, place, strict=True))
        product = m.mpf(1)
        for a, t in zip(arrays, names, strict=True):
            product *= a[tuple(at[c] for c in t)]
        out[tuple(at[c] for c in result)] += product
    return out


@twin("convolution")
def convolution(m, x, W, b=None, *, stride, padding, dilation, groups=1):
    kernel, sizes = W.shape[2:], x.shape[2:]
    places = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True)
    )
    share = W.shape[0] // groups

    def entry(place):
        row, channel, *start = place
        first = channel // share * W.shape[1]
        total = m.mpf(0) if b is None else b[channel]
        for c, *offset in np.ndindex(*W.shape[1:]):
            at = [i * s + o * d - p for i, o, s, p, d in zip(start, offset, stride, padding, dilation, strict=True)]
            if all(0 <= i < n for i, n in zip(at, sizes, strict=True)):
                total += W[(channel, c, *offset)] * x[(row, first + c, *at)]
        return total

    return filled((x.shape[0], W.shape[0], *places), entry)
