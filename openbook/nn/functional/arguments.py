"""What the functions here share: reading sizes, and passing on what was given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openbook.errors import DTypeError, ShapeError

__all__ = ["given", "per_axis", "require_axes"]


def given(*inputs: Any) -> tuple[Any, ...]:
    """The inputs up to the last that is not None: what is left out does not enter the graph."""
    last = max((i for i, value in enumerate(inputs) if value is not None), default=-1)
    return inputs[: last + 1]


def per_axis(value: Any, axes: int, name: str, least: int | None = None) -> tuple[int, ...]:
    """A whole number for each spatial axis, from one for all or one each; a ShapeError below `least`."""
    numbers = tuple(value) if isinstance(value, Sequence) else (value,) * axes
    if len(numbers) == 1:
        numbers *= axes
    if not all(isinstance(n, int) and not isinstance(n, bool) for n in numbers):
        raise DTypeError(f"{name} is a whole number for each axis, not {value!r}")
    if len(numbers) != axes:
        raise ShapeError(f"{name} has {len(numbers)} numbers for {axes} axes: {value!r}")
    if least is not None and min(numbers) < least:
        raise ShapeError(f"{name}={value!r} is below {least}")
    return numbers


def require_axes(name: str, x: Any, spatial: int) -> bool:
    """Whether x (N, C, *spatial) lacks its batch axis; a ShapeError where it has neither form."""
    if x.ndim not in (spatial + 1, spatial + 2):
        raise ShapeError(
            f"{name} takes (batch, channels, {spatial} spatial axes), or the same without batch, not shape {x.shape}",
            do="add or join axes with reshape",
        )
    return x.ndim == spatial + 1
