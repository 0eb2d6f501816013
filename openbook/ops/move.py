"""Operations that put the same entries elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import ShapeError
from openbook.ops.along import Along, all_stacked, shifted
from openbook.ops.op import Op, apply
from openbook.ops.vocabulary import (
    flip,
    gather_entries,
    overwrite,
    permute,
    reshape,
    roll,
    scatter_entries,
    total,
    tril,
    triu,
)


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum the axes along which entries of `shape` were repeated."""
    if tuple(g.shape) == tuple(shape):
        return g
    added = g.ndim - len(shape)
    repeated = tuple(i + added for i, n in enumerate(shape) if n == 1 and g.shape[i + added] != 1)
    summed = total(g, axis=tuple(range(added)) + repeated)
    return summed if summed.shape == tuple(shape) else reshape(summed, shape=tuple(shape))


class Move(Op):
    """The family of moves: entries keep their values. `aliases`: the result looks at the same memory where it can."""

    formula = "x"
    aliases = True


class Reshape(Move):
    """The same entries in another shape."""

    formula = "x"

    @staticmethod
    def forward(x, *, shape):
        try:
            return np.reshape(x, shape)
        except ValueError as problem:
            raise ShapeError(f"shape {np.shape(x)} with {np.size(x)} entries cannot become {tuple(shape)}") from problem

    @staticmethod
    def gradient(g, y, x, *, shape):
        return reshape(g, shape=tuple(x.shape))

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        x = inputs[0]
        shape = parameters["shape"]
        if size == 0 and -1 in shape:  # nothing to work the missing length out from
            shape = np.broadcast_to(0, x.shape[1:]).reshape(shape).shape
        return apply(cls, x, shape=(size, *shape))


class Permute(Move):
    """The axes in another order."""

    formula = "x"

    @staticmethod
    def forward(x, *, axes):
        return np.transpose(x, axes)

    @staticmethod
    def gradient(g, y, x, *, axes):
        order = tuple(a % max(1, x.ndim) for a in axes)
        return permute(g, axes=tuple(order.index(i) for i in range(len(order))))

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        ndim = inputs[0].ndim - 1
        return apply(cls, inputs[0], axes=(0, *(a % max(1, ndim) + 1 for a in parameters["axes"])))


class BroadcastTo(Move):
    """Entries repeated to fill a larger shape."""

    name = "broadcast_to"
    formula = "x"

    @staticmethod
    def forward(x, *, shape):
        try:
            return np.broadcast_to(x, shape)
        except ValueError as problem:
            raise ShapeError(f"shape {np.shape(x)} cannot be repeated to fill {tuple(shape)}") from problem

    @staticmethod
    def gradient(g, y, x, *, shape):
        return sum_to(g, tuple(np.shape(x)))

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        x, shape = inputs[0], tuple(parameters["shape"])
        deep = reshape(x, shape=(size, *(1,) * (len(shape) + 1 - x.ndim), *x.shape[1:]))
        return apply(cls, deep, shape=(size, *shape))


class GetItem(Move):
    """Some of the entries, by NumPy's rules of indexing."""

    formula = "x"

    @staticmethod
    def forward(x, *, index):
        found = x[index]
        if type(found) is np.ndarray or not isinstance(x, np.ndarray):
            return found
        return x[(*index, ...) if isinstance(index, tuple) else (index, ...)]  # a single entry, still looking at x

    @staticmethod
    def gradient(g, y, x, *, index):
        return scatter_entries(g, index=index, shape=tuple(x.shape))

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        if _is_parted(parameters["index"]):
            return super().batched(size, inputs, stacked, parameters)
        return apply(cls, inputs[0], index=_in_each_case(parameters["index"]))


def _in_each_case(index: Any) -> Any:
    """The index into every case of a stack."""
    return (slice(None), *(index if isinstance(index, tuple) else (index,)))


def _is_parted(index: Any) -> bool:
    """Whether arrays in an index stand apart: NumPy puts their axes first then, before the stack's."""
    parts = index if isinstance(index, tuple) else (index,)
    if not any(isinstance(p, (np.ndarray, list)) for p in parts):
        return False
    places = [i for i, p in enumerate(parts) if isinstance(p, (np.ndarray, list, int, np.integer))]
    return places != list(range(places[0], places[-1] + 1))


class Scatter(Op):
    """Entries put into their places in an array of zeros; what lands in one place is added up."""

    formula = "x"

    @staticmethod
    def forward(x, *, index, shape):
        x = np.asarray(x)
        out = np.zeros(shape, dtype=x.dtype)
        if _is_basic(index):
            out[index] = x
        else:
            np.add.at(out, index, x)
        return out

    @staticmethod
    def gradient(g, y, x, *, index, shape):
        return gather_entries(g, index=index)

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        if _is_parted(parameters["index"]):
            return super().batched(size, inputs, stacked, parameters)
        return apply(cls, inputs[0], index=_in_each_case(parameters["index"]), shape=(size, *parameters["shape"]))


def _is_basic(index: Any) -> bool:
    """Whether an index names every entry at most once: numbers, slices, one mask."""
    parts = index if isinstance(index, tuple) else (index,)
    kinds = (int, np.integer, slice, type(None), type(...))
    return all(isinstance(p, kinds) or (isinstance(p, np.ndarray) and p.dtype == bool) for p in parts) and (
        sum(isinstance(p, np.ndarray) for p in parts) <= 1
    )


class Overwrite(Op):
    """An array with some of its entries replaced by others: what assignment to entries makes."""

    formula = "value"
    reads = (frozenset(), frozenset())

    @staticmethod
    def forward(x, value, *, index):
        out = np.array(x)
        try:
            out[index] = value
        except ValueError as problem:
            raise ShapeError(f"entries of shape {np.shape(value)} do not fit: {problem}") from problem
        return out

    @staticmethod
    def gradient(g, y, x, value, *, index):
        return lambda: overwrite(g, np.zeros((), g.dtype), index=index), lambda: _fit(
            gather_entries(g, index=index), value
        )

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        if _is_parted(parameters["index"]):
            return super().batched(size, inputs, stacked, parameters)
        x, value = inputs
        (x,) = all_stacked(size, (x,), stacked[:1])
        place = _in_each_case(parameters["index"])
        if stacked[1]:
            depth = len(np.empty(x.shape[1:])[parameters["index"]].shape)
            value = reshape(value, shape=(size, *(1,) * (depth + 1 - value.ndim), *value.shape[1:]))
        return apply(cls, x, value, index=place)


def _fit(g: Any, value: Any) -> Any:
    """Axes of length 1 that the assigned value had in front of those it fills."""
    extra = np.ndim(value) - g.ndim
    return reshape(g, shape=(1,) * extra + tuple(g.shape)) if extra > 0 else g


class Cat(Along):
    """Arrays joined along an axis they have."""

    formula = "x"

    @staticmethod
    def forward(*arrays, axis=0):
        arrays = tuple(a for a in arrays if a.shape != (0,)) or arrays[:1]  # PyTorch lets empty vectors join anything
        try:
            return np.concatenate(arrays, axis=axis)
        except ValueError as problem:
            shapes = ", ".join(str(np.shape(a)) for a in arrays)
            raise ShapeError(f"arrays of shapes {shapes} cannot be joined along axis {axis}") from problem

    @staticmethod
    def gradient(g, y, *arrays, axis=0):
        if any(a.shape == (0,) for a in arrays) and g.ndim != 1:
            rest = iter(Cat.gradient(g, y, *(a for a in arrays if a.shape != (0,)), axis=axis))
            return tuple(None if a.shape == (0,) else next(rest) for a in arrays)
        ends = np.cumsum([a.shape[axis] for a in arrays]).tolist()
        before = (slice(None),) * (axis % g.ndim)
        return tuple(
            gather_entries(g, index=(*before, slice(end - a.shape[axis], end)))
            for a, end in zip(arrays, ends, strict=True)
        )


class Stack(Along):
    """Arrays joined along a new axis."""

    formula = "x"
    grows = True

    @staticmethod
    def forward(*arrays, axis=0):
        try:
            return np.stack(arrays, axis=axis)
        except ValueError as problem:
            shapes = ", ".join(str(np.shape(a)) for a in arrays)
            raise ShapeError(f"arrays of different shapes ({shapes}) cannot be stacked") from problem

    @staticmethod
    def gradient(g, y, *arrays, axis=0):
        before = (slice(None),) * (axis % g.ndim)
        return tuple(gather_entries(g, index=(*before, i)) for i in range(len(arrays)))


class Flip(Along):
    """The entries in the opposite order, along some axes."""

    formula = "x"

    @staticmethod
    def forward(x, *, axis):
        return np.ascontiguousarray(np.flip(x, axis))

    @staticmethod
    def gradient(g, y, x, *, axis):
        return flip(g, axis=axis)


class Roll(Along):
    """The entries moved on by some places, along some axes; what leaves at the end comes back at the start."""

    formula = "x"

    @staticmethod
    def forward(x, *, shifts, axis=None):
        return np.roll(x, shifts, axis)

    @staticmethod
    def gradient(g, y, x, *, shifts, axis=None):
        back = -shifts if isinstance(shifts, int) else tuple(-s for s in shifts)
        return roll(g, shifts=back, axis=axis)

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        x, axis = inputs[0], parameters.get("axis")
        if axis is None:
            flat = apply(cls, reshape(x, shape=(size, -1)), shifts=parameters["shifts"], axis=1)
            return reshape(flat, shape=tuple(x.shape))
        return apply(cls, x, shifts=parameters["shifts"], axis=shifted(axis, x.ndim - 1))


class _Triangle(Op):
    """Matrices with one side of a diagonal set to 0; `diagonal` counts from the main one, upwards."""

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        return apply(cls, inputs[0], **parameters)


class Tril(_Triangle):
    """What lies on and below a diagonal."""

    formula = "where(i >= j, x, 0)"

    @staticmethod
    def forward(x, *, diagonal=0):
        return np.tril(x, diagonal)

    @staticmethod
    def gradient(g, y, x, *, diagonal=0):
        return tril(g, diagonal=diagonal)


class Triu(_Triangle):
    """What lies on and above a diagonal."""

    formula = "where(i <= j, x, 0)"

    @staticmethod
    def forward(x, *, diagonal=0):
        return np.triu(x, diagonal)

    @staticmethod
    def gradient(g, y, x, *, diagonal=0):
        return triu(g, diagonal=diagonal)


class Pad(Op):
    """Entries of one value around an array: `widths` holds (before, after) for each axis."""

    formula = "x"

    @staticmethod
    def forward(x, *, widths, value=0.0):
        shape = tuple(n + a + b for n, (a, b) in zip(x.shape, widths, strict=True))
        out = np.full(shape, value, x.dtype)
        out[tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, widths, strict=True))] = x
        return out

    @staticmethod
    def gradient(g, y, x, *, widths, value=0.0):
        return gather_entries(g, index=tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, widths, strict=True)))

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        return apply(cls, inputs[0], **{**parameters, "widths": ((0, 0), *parameters["widths"])})


class Cast(Op):
    """The same numbers in another dtype; always a copy."""

    formula = "x"

    @staticmethod
    def forward(x, *, dtype):
        return np.array(x, dtype=dtype)

    @staticmethod
    def gradient(g, y, x, *, dtype):
        return g  # the caller gives a cotangent the dtype of what it belongs to

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        return apply(cls, inputs[0], **parameters)
