"""Nested tuples, lists and dicts of tensors, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from openbook.errors import ShapeError

__all__ = ["leaves_of", "map_leaves", "pairs"]


def map_leaves(f: Callable[[Any], Any], x: Any) -> Any:
    """f on every leaf of nested tuples, lists and dicts; None stays None. A list of plain numbers is one leaf: an array."""
    if x is None:
        return None
    if isinstance(x, dict):
        return type(x)((k, map_leaves(f, v)) for k, v in x.items())
    if _is_nested(x):
        parts = [map_leaves(f, v) for v in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    return f(x)


def leaves_of(x: Any) -> Iterator[Any]:
    """All leaves, in order."""
    if isinstance(x, dict):
        x = tuple(x.values())
    if x is None:
        return
    if _is_nested(x):
        for part in x:
            yield from leaves_of(part)
    else:
        yield x


def pairs(x: Any, y: Any, where: str) -> Iterator[tuple[Any, Any]]:
    """The leaves of two things of the same form, side by side."""
    if isinstance(x, dict) and isinstance(y, dict) and x.keys() == y.keys():
        for k in x:
            yield from pairs(x[k], y[k], where)
    elif _is_nested(x):
        if not isinstance(y, (tuple, list)) or len(x) != len(y):
            raise ShapeError(f"{_form(y)} has not the form of {_form(x)}", where=where)
        for a, b in zip(x, y, strict=True):
            yield from pairs(a, b, where)
    elif isinstance(x, dict):
        raise ShapeError(f"{_form(y)} has not the form of {_form(x)}", where=where)
    elif x is not None:
        yield x, y


def _is_nested(x: Any) -> bool:
    if isinstance(x, tuple):
        return True
    return isinstance(x, list) and any(
        hasattr(v, "__openbook_apply__") or isinstance(v, (np.ndarray, dict, tuple)) or v is None for v in x
    )


def _form(x: Any) -> str:
    if isinstance(x, dict):
        return f"a dict of {', '.join(map(str, x))}"
    return f"a {type(x).__name__} of {len(x)}" if isinstance(x, (tuple, list)) else f"a {type(x).__name__}"
