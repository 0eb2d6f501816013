"""The family of operations along axes: what they share is how a stack of cases moves their axes one place on."""

from __future__ import annotations

import math
from typing import Any

from openbook.ops.op import OPS, Op, apply

__all__ = ["Along", "Axes", "all_stacked", "axes_of", "count_of", "kept_shape", "shifted"]

Axes = int | tuple[int, ...] | None


def axes_of(axis: Axes, ndim: int) -> tuple[int, ...]:
    """The axes as numbers from 0; all of them for None."""
    if axis is None:
        return tuple(range(ndim))
    if ndim == 0:
        return ()
    return tuple(a % ndim for a in ((axis,) if isinstance(axis, int) else axis))


def count_of(x: Any, axis: Axes) -> int:
    """How many entries lie along the axes."""
    return math.prod(x.shape[a] for a in axes_of(axis, x.ndim))


def kept_shape(shape: tuple[int, ...], axis: Axes) -> tuple[int, ...]:
    """The shape with 1 where entries are summed away."""
    gone = set(axes_of(axis, len(shape))) if shape else set()
    return tuple(1 if i in gone else n for i, n in enumerate(shape))


def shifted(axis: Axes, ndim: int) -> Axes:
    """The axes of one case, as axes of a stack of cases."""
    axes = tuple(a + 1 for a in axes_of(axis, ndim))
    return axes[0] if isinstance(axis, int) else axes


def all_stacked(size: int, inputs: tuple[Any, ...], stacked: tuple[bool, ...]) -> tuple[Any, ...]:
    """Every input with the cases on its first axis; what all cases share is repeated (in a view)."""
    return tuple(
        x if s else apply(OPS["broadcast_to"], x, shape=(size, *x.shape)) for x, s in zip(inputs, stacked, strict=True)
    )


class Along(Op):
    """Operations with a parameter `axis` that counts the axes of their inputs; `grows` if the output has one more."""

    grows = False

    @classmethod
    def batched(cls, size: int, inputs: tuple[Any, ...], stacked: tuple[bool, ...], parameters: dict[str, Any]) -> Any:
        inputs = all_stacked(size, inputs, stacked)
        ndim = inputs[0].ndim - 1
        axis = parameters.get("axis", cls.options.get("axis"))
        if ndim == 0 and not cls.grows:  # an axis of a single number
            return super().batched(size, inputs, (True,) * len(inputs), parameters)
        return apply(cls, *inputs, **{**parameters, "axis": shifted(axis, ndim + cls.grows)})
