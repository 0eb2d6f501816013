"""All first derivatives of a function, and all second ones: many products with the Jacobian, computed as one stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.ops import vocabulary as word
from openbook.tensor.pull import Point, differentiable
from openbook.tensor.tensor import Tensor
from openbook.tensor.transforms import Argnums, Linear, parted, places_of
from openbook.tensor.trees import map_leaves
from openbook.tensor.vmap import vmap

__all__ = ["hessian", "jacfwd", "jacobian", "jacrev"]


def jacobian(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, chunk_size: int | None = None
) -> Callable[..., Any]:
    """The function that gives all first derivatives of f, of shape `f(x).shape + x.shape`: a cotangent for each entry of
    f(x), all carried back as one stack.

    `argnums` names the argument, or several; arguments and values may be nested, and the result then has the form of the
    value, with that of the arguments in each place. `chunk_size` limits how many rows are carried at once, to save memory.
    """
    _require_chunk(chunk_size)

    def at(*arguments: Any) -> Any:
        places = places_of(argnums, len(arguments), "jacobian")
        point = Point(arguments, places)
        with point.turn():
            result, extra = parted(f(*point.arguments), has_aux, "jacobian")
            values = differentiable(result, "jacobian")
        connected = point.connected(values)
        rows = iter([_rows(point, values, i, connected, chunk_size) for i in range(len(values))])

        def form(y: Any) -> Any:
            found = iter(next(rows))
            parts = tuple(map_leaves(lambda x: next(found), point.arguments[k]) for k in places)
            return parts[0] if isinstance(argnums, int) else parts

        jacobians = map_leaves(form, result)
        extra = point.settled(extra)
        point.rest()
        return (jacobians, extra) if has_aux else jacobians

    return at


jacrev = jacobian


def _rows(point: Point, values: list[Any], i: int, connected: bool, chunk_size: int | None) -> list[Any]:
    """The derivatives of one value by every variable."""
    value = values[i]
    shape = tuple(value.shape)

    def pull(seed: Any) -> tuple[Any, ...]:
        return tuple(point.pulled([value], [seed], connected, retain=True))

    if shape == ():
        found: Any = [g.unsqueeze(0) for g in pull(Tensor(np.ones((), value.dtype)))]
    else:
        found = _stacked(pull, shape, value.dtype, chunk_size, len(point.variables))
    if found is None:
        return [Tensor(np.zeros(shape + tuple(v.shape), value.dtype)) for v in point.variables]
    return [g.reshape(shape + tuple(v.shape)) for g, v in zip(found, point.variables, strict=True)]


def _stacked(
    carry: Callable[[Any], Any], shape: tuple[int, ...], dtype: Any, chunk_size: int | None, count: int
) -> Any:
    """`carry` of every unit vector of a shape, stacked on a first axis; None where there are none."""
    parts = [vmap(carry)(units) for units in _units(shape, dtype, chunk_size)]
    if not parts:
        return None
    if len(parts) == 1:
        return list(parts[0])
    return [word.cat(*(part[k] for part in parts), axis=0) for k in range(count)]


def _units(shape: tuple[int, ...], dtype: Any, chunk_size: int | None) -> Iterator[Tensor]:
    size = prod(shape)
    step = chunk_size or max(size, 1)
    for start in range(0, size, step):
        stop = min(start + step, size)
        rows = np.zeros((stop - start, size), dtype)
        rows[np.arange(stop - start), np.arange(start, stop)] = 1
        yield Tensor(rows.reshape(stop - start, *shape))


def jacfwd(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, chunk_size: int | None = None
) -> Callable[..., Any]:
    """`jacobian` column by column: a direction for each entry of x, all carried forward as one stack.

    For functions of few numbers that give many.
    """
    _require_chunk(chunk_size)

    def at(*arguments: Any) -> Any:
        places = places_of(argnums, len(arguments), "jacfwd")
        point = Point(arguments, places)
        with point.turn():
            result, extra = parted(f(*point.arguments), has_aux, "jacfwd")
            values = differentiable(result, "jacfwd")
        connected = point.connected(values)
        linear = Linear(point, values)
        columns = [_columns(linear, point, i, connected, chunk_size) for i in range(len(point.variables))]
        numbers = iter(range(len(values)))

        def form(y: Any) -> Any:
            k = next(numbers)
            found = iter(column[k] for column in columns)
            parts = tuple(map_leaves(lambda x: next(found), point.arguments[n]) for n in places)
            return parts[0] if isinstance(argnums, int) else parts

        jacobians = map_leaves(form, result)
        extra = point.settled(extra)
        point.rest()
        return (jacobians, extra) if has_aux else jacobians

    return at


def _columns(linear: Linear, point: Point, i: int, connected: bool, chunk_size: int | None) -> list[Any]:
    """The derivatives of every value by one variable."""
    variable = point.variables[i]
    shape = tuple(variable.shape)
    others = [Tensor(np.zeros(tuple(v.shape), v.dtype)) for v in point.variables]

    def push(direction: Any) -> tuple[Any, ...]:
        return tuple(linear.pushed([*others[:i], direction, *others[i + 1 :]], connected))

    found = _stacked(push, shape, variable.dtype, chunk_size, len(linear.values))
    if found is None:
        return [Tensor(np.zeros(tuple(y.shape) + shape, variable.dtype)) for y in linear.values]
    return [_last(g, y, shape) for g, y in zip(found, linear.values, strict=True)]


def _last(g: Any, value: Any, shape: tuple[int, ...]) -> Any:
    """The axis of directions behind those of the value, in the shape of the variable."""
    return g.movedim(0, -1).reshape(tuple(value.shape) + shape)


def hessian(f: Callable[..., Any], argnums: Argnums = 0, *, chunk_size: int | None = None) -> Callable[..., Any]:
    """The function that gives all second derivatives of f, of shape `f(x).shape + x.shape + x.shape`."""
    return jacobian(jacobian(f, argnums), argnums, chunk_size=chunk_size)


def _require_chunk(chunk_size: int | None) -> None:
    if chunk_size is not None and chunk_size < 1:
        raise InputError(f"chunk_size is a number of rows, at least 1, not {chunk_size}", where="jacobian")
