"""Mistakes to plant in an operation: what the tests cannot find there, they could not find anywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["IN_CHAINS", "MISTAKES", "plant"]


def _one_place_on(x: Any) -> Any:
    """Every entry where the next one belongs: an index that is off by one."""
    x = np.asarray(x)
    return np.roll(x.ravel(), 1).reshape(x.shape)


MISTAKES: dict[str, Callable[[Any], Any]] = {
    "1.001 times as much": lambda x: x * np.asarray(x).dtype.type(1.001),
    "a turned sign": lambda x: -x,
    "off by one": _one_place_on,
}


def _first_of_the_repeated(g: Any, shape: tuple[int, ...]) -> Any:
    """In place of the sum over what broadcasting repeated, one of its terms: an unbroadcast that is missing."""
    if tuple(g.shape) == tuple(shape):
        return g
    g = g[(0,) * (g.ndim - len(shape))]
    return g[tuple(slice(0, 1) if n == 1 else slice(None) for n in shape)]


def _not_at_all(g: Any, shape: tuple[int, ...]) -> Any:
    return g


# In the one place where broadcasting is undone, for every operation: openbook.tensor.autograd.sum_to.
IN_CHAINS = {"one term instead of the sum": _first_of_the_repeated, "no sum": _not_at_all}


def plant(function: Callable[..., Any], mistake: Callable[[Any], Any]) -> Callable[..., Any]:
    """The function with a mistake in what it gives: in every array of a tuple, in what is computed later, in Tensors."""

    def mistaken(*arguments: Any, **options: Any) -> Any:
        return _in_each(function(*arguments, **options), mistake)

    return mistaken


def _in_each(result: Any, mistake: Callable[[Any], Any]) -> Any:
    if isinstance(result, tuple):
        return tuple(_in_each(part, mistake) for part in result)
    if result is None:
        return None
    if hasattr(result, "__openbook_apply__"):
        return _in_a_tensor(result, mistake)
    if callable(result):
        return lambda: _in_each(result(), mistake)
    if np.asarray(result).dtype.kind == "b":  # there is no 1.001 of yes
        return ~np.asarray(result) if mistake is not _one_place_on else mistake(result)
    if np.asarray(result).dtype.kind in "iu" and mistake is MISTAKES["1.001 times as much"]:
        return np.asarray(result) + 1
    return mistake(result)


def _in_a_tensor(x: Any, mistake: Callable[[Any], Any]) -> Any:
    if mistake is _one_place_on:
        return x.reshape(-1).roll(1).reshape(x.shape)
    return x * 1.001 if mistake is MISTAKES["1.001 times as much"] else -x
