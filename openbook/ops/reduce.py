"""Operations that make many entries into fewer."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.ops.along import Along, Axes, axes_of, count_of, kept_shape
from openbook.ops.op import case_by_case
from openbook.ops.vocabulary import (
    absolute,
    broadcast_to,
    cumprod,
    eq,
    exp,
    flip,
    gather_entries,
    mean,
    pad,
    permute,
    power,
    reshape,
    sign,
    total,
    where,
)


def spread(g: Any, shape: tuple[int, ...], axis: Axes) -> Any:
    """A cotangent of the reduced shape, given to every entry of the shape it came from."""
    return broadcast_to(reshape(g, shape=kept_shape(shape, axis)), shape=tuple(shape))


FEW = 8192  # as long as so few are multiplied at a time, a product with ones is faster than a reduction, on one thread
_ONES = {kind: np.ones(FEW, kind) for kind in "fd"}


def sum_of_all(x: np.ndarray) -> Any:
    """All entries of an array together."""
    if x.size <= FEW and x.dtype.char in _ONES:
        return x.ravel().dot(_ONES[x.dtype.char][: x.size])
    return np.add.reduce(x, axis=None)


def sum_along_rows(x: np.ndarray) -> np.ndarray:
    """The entries of every row of a matrix together."""
    if x.size <= FEW and x.dtype.char in _ONES:
        return x.dot(_ONES[x.dtype.char][: x.shape[1]])
    return np.add.reduce(x, axis=1)


def sum_of_rows(x: Any) -> Any:
    """The rows of a matrix together; of an array or a Tensor."""
    if type(x) is not np.ndarray:
        return total(x, axis=0)
    if x.dtype.char not in _ONES or x.shape[1] > FEW // 16:
        return np.add.reduce(x, axis=0)
    ones = _ONES[x.dtype.char]
    if x.size <= FEW:
        return ones[: len(x)].dot(x)
    count = FEW // x.shape[1]
    result = ones[:count].dot(x[:count])
    for start in range(count, len(x), count):
        part = x[start : start + count]
        result += ones[: len(part)].dot(part)
    return result


class Sum(Along):
    """All entries together, along some axes or all."""

    formula = "sum(x)"

    @staticmethod
    def forward(x, *, axis=None, keepdims=False):
        if not keepdims and (axis is None or (axis == 0 and x.ndim == 2)):
            return sum_of_all(x) if axis is None else sum_of_rows(x)
        return np.add.reduce(x, axis=axis, keepdims=keepdims)

    @staticmethod
    def gradient(g, y, x, *, axis=None, keepdims=False):
        return spread(g, x.shape, axis)


class Mean(Along):
    """The average of the entries, along some axes or all."""

    formula = "mean(x)"

    @staticmethod
    def forward(x, *, axis=None, keepdims=False):
        if x.dtype.kind != "f" or x.size == 0:
            with np.errstate(invalid="ignore"):  # the mean of nothing is NaN
                mean = np.asarray(np.sum(x, axis=axis, keepdims=keepdims) / np.float64(count_of(x.shape, axis)))
            return mean.astype(x.dtype) if x.dtype.kind == "f" else mean
        return np.add.reduce(x, axis=axis, keepdims=keepdims) / x.dtype.type(count_of(x.shape, axis))

    @staticmethod
    def gradient(g, y, x, *, axis=None, keepdims=False):
        return spread(g / count_of(x.shape, axis), x.shape, axis)


class Prod(Along):
    """All entries multiplied, along some axes or all."""

    formula = "prod(x)"

    @staticmethod
    def forward(x, *, axis=None, keepdims=False):
        return np.multiply.reduce(x, axis=axis, keepdims=keepdims)

    @staticmethod
    def gradient(g, y, x, *, axis=None, keepdims=False):
        return spread(g, x.shape, axis) * product_of_the_others(x, axes_of(axis, x.ndim))


def product_of_the_others(x: Any, axes: tuple[int, ...]) -> Any:
    """For every entry the product of all others that are multiplied with it; y/x would be 0/0 where one is zero."""
    if not axes or count_of(x.shape, axes) == 0:
        return x * 0 + 1
    order = (*(a for a in range(x.ndim) if a not in axes), *axes)
    moved = permute(x, axes=order)
    rows = reshape(moved, shape=(*moved.shape[: x.ndim - len(axes)], count_of(x.shape, axes)))
    before = _exclusive(rows)
    after = flip(_exclusive(flip(rows, axis=-1)), axis=-1)
    return permute(reshape(before * after, shape=moved.shape), axes=tuple(int(i) for i in np.argsort(order)))


def _exclusive(rows: Any) -> Any:
    """Running products up to, and without, each entry."""
    shorter = gather_entries(rows, index=(..., slice(None, -1)))
    return cumprod(pad(shorter, widths=((0, 0),) * (rows.ndim - 1) + ((1, 0),), value=1.0), axis=-1)


class Var(Along):
    """The mean squared distance from the mean, with n − correction for n (Bessel's correction is 1)."""

    formula = "sum((x - mean(x))**2) / (n - correction)"

    @staticmethod
    def forward(x, *, axis=None, correction=1, keepdims=False):
        d = x - np.mean(x, axis=axis, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):  # a single entry has no variance: 0/0
            return np.add.reduce(d * d, axis=axis, keepdims=keepdims) / x.dtype.type(_degrees(x, axis, correction))

    @staticmethod
    def gradient(g, y, x, *, axis=None, correction=1, keepdims=False):
        d = x - mean(x, axis=axis, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            return spread(g, x.shape, axis) * d * np.divide(2.0, _degrees(x, axis, correction)).astype(x.dtype)


def _degrees(x: Any, axis: Axes, correction: float) -> float:
    return max(0.0, count_of(x.shape, axis) - correction)


class Std(Along):
    """The square root of the variance; where nothing varies its slope is taken as 0, as PyTorch does."""

    formula = "sqrt(sum((x - mean(x))**2) / (n - correction))"

    @staticmethod
    def forward(x, *, axis=None, correction=1, keepdims=False):
        return np.sqrt(Var.forward(x, axis=axis, correction=correction, keepdims=keepdims))

    @staticmethod
    def gradient(g, y, x, *, axis=None, correction=1, keepdims=False):
        still = eq(y, 0)
        slope = where(still, 0.0, g / where(still, 1.0, y))
        d = x - mean(x, axis=axis, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            return spread(slope, x.shape, axis) * d * np.divide(1.0, _degrees(x, axis, correction)).astype(x.dtype)


class Extreme(Along):
    """The family of max and min: entries that tie share the slope equally, as PyTorch's amax and amin do."""

    @staticmethod
    def gradient(g, y, x, *, axis=None, keepdims=False):
        chosen = eq(x, spread(y, x.shape, axis))
        share = total(chosen, axis=axis, keepdims=True)
        return spread(g, x.shape, axis) * (chosen / share)


def _require_entries(name: str, x: Any, axis: Axes) -> None:
    if count_of(x.shape, axis) == 0:
        raise InputError(f"{name} of no entries: the axis has length 0", do="leave empty arrays out")


class Amax(Extreme):
    """The largest entry, along some axes or all."""

    formula = "max(x)"

    @staticmethod
    def forward(x, *, axis=None, keepdims=False):
        _require_entries("max", x, axis)
        return np.max(x, axis=axis, keepdims=keepdims)


class Amin(Extreme):
    """The smallest entry, along some axes or all."""

    formula = "min(x)"

    @staticmethod
    def forward(x, *, axis=None, keepdims=False):
        _require_entries("min", x, axis)
        return np.min(x, axis=axis, keepdims=keepdims)


class MiddleEntry(Extreme):
    """The lower median of all entries: half of them are no larger; NaN if any is."""

    name = "middle_entry"
    formula = "median(x)"

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        return case_by_case(cls, size, inputs, stacked, parameters)  # it is of all entries

    @staticmethod
    def forward(x, *, axis=None, keepdims=False):
        _require_entries("median", x, axis)
        flat = np.sort(x, axis=None)
        return flat[-1] if flat[-1] != flat[-1] else flat[(flat.size - 1) // 2]


class LogSumExp(Along):
    """The logarithm of the sum of the exponentials, without overflow."""

    formula = "log(sum(exp(x)))"

    @staticmethod
    def forward(x, *, axis=-1, keepdims=False):
        top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
        top = np.where(np.isfinite(top), top, np.zeros_like(top))
        with np.errstate(divide="ignore"):  # every entry −inf: the log of an empty sum
            y = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
        return y if keepdims else np.squeeze(y, axis=axis)

    @staticmethod
    def gradient(g, y, x, *, axis=-1, keepdims=False):
        return spread(g, x.shape, axis) * exp(x - spread(y, x.shape, axis))


class Norm(Along):
    """The length of a vector in the sense of p: (Σ|x|ᵖ)^(1/p); the largest |x| for p = ∞, how many are not 0 for p = 0."""

    formula = "sum(abs(x)**p)**(1/p)"

    @staticmethod
    def forward(x, *, p=2.0, axis=None, keepdims=False):
        a = np.abs(x)
        if p == 2:  # scaled by the largest, so that squares neither overflow nor vanish
            top = np.max(a, axis=axis, keepdims=True, initial=0)
            top = np.where((top > 0) & np.isfinite(top), top, np.ones_like(top))
            y = np.sqrt(np.sum(np.square(a / top), axis=axis, keepdims=True)) * top
            return y if keepdims else np.squeeze(y, axis=axes_of(axis, x.ndim))
        if np.isinf(p):
            return np.max(a, axis=axis, keepdims=keepdims) if p > 0 else np.min(a, axis=axis, keepdims=keepdims)
        if p == 0:
            return np.sum(a != 0, axis=axis, keepdims=keepdims).astype(x.dtype)
        return np.power(np.sum(np.power(a, p), axis=axis, keepdims=keepdims), 1 / p)

    @staticmethod
    def gradient(g, y, x, *, p=2.0, axis=None, keepdims=False):
        if p == 0:
            return spread(g * 0, x.shape, axis)
        length = spread(y, x.shape, axis)
        if np.isinf(p):
            a = absolute(x)
            chosen = eq(a, length)
            return spread(g, x.shape, axis) * sign(x) * (chosen / total(chosen, axis=axis, keepdims=True))
        if p == 1:
            return spread(g, x.shape, axis) * sign(x)
        nothing = eq(length, 0)
        safe = where(nothing, 1.0, length)
        if p == 2:
            return spread(g, x.shape, axis) * where(nothing, 0.0, x / safe)
        at_zero = eq(x, 0)
        a = where(at_zero, 1.0, absolute(x))
        slope = where(at_zero, 0.0, sign(x) * power(a, p - 1))
        return spread(g, x.shape, axis) * where(nothing, 0.0, slope * power(safe, 1 - p))


class _Verdict(Along):
    """Reductions to a truth value or a position: nothing to differentiate."""

    differentiable = False


class Any_(_Verdict):
    """Whether any entry is not zero."""

    name = "any"
    formula = "any(x)"

    @staticmethod
    def forward(x, *, axis=None, keepdims=False):
        return np.any(x, axis=axis, keepdims=keepdims)


class All(_Verdict):
    """Whether no entry is zero."""

    formula = "all(x)"

    @staticmethod
    def forward(x, *, axis=None, keepdims=False):
        return np.all(x, axis=axis, keepdims=keepdims)


class CountNonzero(_Verdict):
    """How many entries are not zero."""

    name = "count_nonzero"
    formula = "sum(x != 0)"

    @staticmethod
    def forward(x, *, axis=None):
        return np.asarray(np.count_nonzero(x, axis=axis), dtype=np.int64)
