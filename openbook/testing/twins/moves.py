"""Moves: every entry carried to its place, one by one."""

from __future__ import annotations

import numpy as np

from openbook.testing.twins.registry import filled, normal, places_of, twin


@twin("reshape")
def reshape(m, x, *, shape):
    known = int(np.prod([n for n in shape if n != -1], dtype=int))
    sizes = tuple(x.size // known if n == -1 else n for n in shape)
    entries = iter(x.flat)
    return filled(sizes, lambda place: next(entries))


@twin("permute")
def permute(m, x, *, axes):
    axes = normal(axes, x.ndim) if x.ndim else ()
    sizes = tuple(x.shape[a] for a in axes)
    return filled(sizes, lambda place: x[tuple(place[axes.index(i)] for i in range(x.ndim))])


@twin("broadcast_to")
def broadcast_to(m, x, *, shape):
    skip = len(shape) - x.ndim
    return filled(tuple(shape), lambda p: x[tuple(0 if n == 1 else i for i, n in zip(p[skip:], x.shape, strict=True))])


@twin("getitem")
def getitem(m, x, *, index):
    flat, places = list(x.flat), places_of(x.shape, index)
    return filled(places.shape, lambda place: flat[places[place]])


@twin("scatter")
def scatter(m, x, *, index, shape):
    flat, places = [m.mpf(0)] * int(np.prod(shape, dtype=int)), places_of(shape, index)
    for place in np.ndindex(*x.shape):
        flat[places[place]] += x[place]
    return filled(tuple(shape), lambda place: flat[np.ravel_multi_index(place, shape) if place else 0])


@twin("overwrite")
def overwrite(m, x, value, *, index):
    out = list(x.flat)
    places = places_of(x.shape, index)
    spread = broadcast_to(m, value, shape=places.shape)
    for place in np.ndindex(*places.shape):
        out[places[place]] = spread[place]
    return reshape(m, np.array(out, dtype=object), shape=x.shape)


@twin("cat")
def cat(m, *arrays, axis=0):
    arrays = tuple(a for a in arrays if a.shape != (0,)) or arrays[:1]
    axis %= arrays[0].ndim
    slices = [np.take(a, i, axis) for a in arrays for i in range(a.shape[axis])]
    sizes = list(arrays[0].shape)
    sizes[axis] = len(slices)
    return filled(tuple(sizes), lambda p: slices[p[axis]][p[:axis] + p[axis + 1 :]])


@twin("stack")
def stack(m, *arrays, axis=0):
    axis %= arrays[0].ndim + 1
    sizes = (*arrays[0].shape[:axis], len(arrays), *arrays[0].shape[axis:])
    return filled(sizes, lambda p: arrays[p[axis]][p[:axis] + p[axis + 1 :]])


@twin("flip")
def flip(m, x, *, axis):
    axes = normal(axis, x.ndim)
    return filled(x.shape, lambda p: x[tuple(n - 1 - i if a in axes else i for a, (i, n) in _counted(p, x.shape))])


@twin("roll")
def roll(m, x, *, shifts, axis=None):
    if axis is None:
        flat = list(x.flat)
        return reshape(m, np.array(flat[-shifts % len(flat) :] + flat[: -shifts % len(flat)]), shape=x.shape)
    pairs = [(axis, shifts)] if isinstance(axis, int) else list(zip(axis, shifts, strict=True))
    moved = {a % x.ndim: s for a, s in pairs}
    return filled(x.shape, lambda p: x[tuple((i - moved.get(a, 0)) % n for a, (i, n) in _counted(p, x.shape))])


def _counted(place, shape):
    return enumerate(zip(place, shape, strict=True))


@twin("tril")
def tril(m, x, *, diagonal=0):
    return filled(x.shape, lambda p: x[p] if p[-1] <= p[-2] + diagonal else m.mpf(0))


@twin("triu")
def triu(m, x, *, diagonal=0):
    return filled(x.shape, lambda p: x[p] if p[-1] >= p[-2] + diagonal else m.mpf(0))


@twin("diagonal_part")
def diagonal_part(m, x):
    return filled(x.shape, lambda p: x[p] if p[-1] == p[-2] else m.mpf(0))


@twin("pad")
def pad(m, x, *, widths, value=0.0):
    sizes = tuple(n + a + b for n, (a, b) in zip(x.shape, widths, strict=True))

    def entry(place):
        inside = tuple(i - a for i, (a, _) in zip(place, widths, strict=True))
        here = all(0 <= i < n for i, n in zip(inside, x.shape, strict=True))
        return x[inside] if here else m.mpf(value)

    return filled(sizes, entry)


@twin("cast")
def cast(m, x, *, dtype):
    return x.copy()


@twin("gather")
def gather(m, x, index, *, axis):
    axis %= max(1, x.ndim)
    return filled(index.shape, lambda p: x[(*p[:axis], index[p], *p[axis + 1 :])] if x.ndim else x[()])


@twin("scatter_add")
def scatter_add(m, x, index, src, *, axis):
    axis %= x.ndim
    out = x.copy()
    for p in np.ndindex(*index.shape):
        out[(*p[:axis], index[p], *p[axis + 1 :])] += src[p]
    return out


@twin("windows")
def windows(m, x, *, kernel, stride, dilation):
    n = len(kernel)
    lead = x.shape[: x.ndim - n]
    sizes = x.shape[x.ndim - n :]
    places = tuple((s - d * (k - 1) - 1) // t + 1 for s, k, t, d in zip(sizes, kernel, stride, dilation, strict=True))

    def entry(p):
        start, offset = p[len(lead) : len(lead) + n], p[len(lead) + n :]
        inside = tuple(i * t + o * d for i, o, t, d in zip(start, offset, stride, dilation, strict=True))
        return x[p[: len(lead)] + inside]

    return filled((*lead, *places, *kernel), entry)


@twin("fold")
def fold(m, x, *, sizes, kernel, stride, dilation):
    n = len(kernel)
    lead = x.shape[: x.ndim - 2 * n]
    out = filled((*lead, *sizes), lambda p: m.mpf(0))
    for p in np.ndindex(*x.shape):
        start, offset = p[len(lead) : len(lead) + n], p[len(lead) + n :]
        inside = tuple(i * t + o * d for i, o, t, d in zip(start, offset, stride, dilation, strict=True))
        out[p[: len(lead)] + inside] += x[p]
    return out


@twin("embedding")
def embedding(m, weight, indices, *, padding_idx=None):
    """The row `padding_idx` learns nothing: it stands where it stands, however little its numbers move."""

    def entry(p):
        row = int(indices[p[: indices.ndim]])
        number = weight[(row, *p[indices.ndim :])]
        return m.mpf(float(number)) if row == padding_idx else number

    return filled((*indices.shape, *weight.shape[1:]), entry)


@twin("embedding_rows")
def embedding_rows(m, g, indices, *, count, padding_idx=None):
    out = filled((count, *g.shape[indices.ndim :]), lambda p: m.mpf(0))
    for p in np.ndindex(*g.shape):
        row = int(indices[p[: indices.ndim]])
        if row != padding_idx:
            out[(row, *p[indices.ndim :])] += g[p]
    return out
