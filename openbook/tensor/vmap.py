"""One case written, a whole stack computed: `vmap` hands functions a stack of cases that looks like a single one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import numpy as np

from openbook.errors import GraphError, InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.ops.op import Op
from openbook.tensor.create import as_tensor
from openbook.tensor.methods import Methods
from openbook.tensor.tensor import Tensor

__all__ = ["Cases", "levels_of", "peeled", "regrouped", "spread_over_cases", "ungrouped", "vmap", "wrapped"]

# The stacks being worked on now, outermost first: (level, number of cases).
_levels: ContextVar[tuple[tuple[int, int], ...]] = ContextVar("openbook_vmap_levels", default=())
_numbers = itertools.count(1)


class Cases(Methods):
    """Many cases that look like one: `value` has them on its first axis, `shape` leaves that axis out.

    `level` tells nested stacks apart; operations work on the innermost first. Each family of operations says in `batched`
    how it is done for all cases at once.
    """

    __slots__ = ("level", "value")
    __array_ufunc__ = None
    __array__: Any = None

    def __init__(self, value: Any, level: int):
        self.value = value
        self.level = level

    def __openbook_apply__(self, op: type[Op], inputs: tuple[Any, ...], parameters: dict[str, Any]) -> Cases:
        level = max(x.level for x in inputs if isinstance(x, Cases))
        stacked = tuple(isinstance(x, Cases) and x.level == level for x in inputs)
        values = tuple(x.value if s else _array(x) for x, s in zip(inputs, stacked, strict=True))
        size = next(v.shape[0] for v, s in zip(values, stacked, strict=True) if s)
        return Cases(op.batched(size, values, stacked, parameters), level)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape[1:])

    @property
    def dtype(self) -> np.dtype:
        return self.value.dtype

    @property
    def ndim(self) -> int:
        return self.value.ndim - 1

    @property
    def requires_grad(self) -> bool:
        return self.value.requires_grad

    @property
    def node(self) -> Any:
        return self.value.node

    def detach(self) -> Cases:
        return Cases(self.value.detach(), self.level)

    def requires_grad_(self, requires_grad: bool = True) -> Cases:
        self.value.requires_grad_(requires_grad)
        return self

    def __len__(self) -> int:
        if not self.shape:
            raise ShapeError("a single number has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def _refuse(self, *_: Any) -> Any:
        raise GraphError(
            "inside vmap a value stands for many cases, so it has no single number to look at or to branch on",
            do="use openbook.where(condition, a, b) for choices, and look at values outside vmap",
        )

    __bool__ = __float__ = __int__ = __index__ = item = tolist = numpy = _refuse
    _become: Any = _refuse
    __setitem__ = backward = _refuse

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"{self.value.shape[0]} cases of shape {self.shape} (inside vmap)"


def _array(x: Any) -> Any:
    return np.asarray(x) if isinstance(x, (bool, int, float)) else x


def vmap(
    f: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, *, chunk_size: int | None = None
) -> Callable[..., Any]:
    """The function that does for a stack of cases what f does for one: `vmap(grad(loss))` gives per-example gradients.

    `in_dims` names for each argument (or each leaf of a nested one) the axis of the cases, None where all cases share it;
    `out_dims` where they stand in the results. Arguments given by name have their cases on the first axis, as in PyTorch.
    `chunk_size` limits how many cases are computed at once, to save memory. Nests, and mixes with grad, jvp and jacobian.
    """
    if chunk_size is not None:
        return _in_chunks(f, in_dims, out_dims, chunk_size)

    def stacked(*arguments: Any, **named: Any) -> Any:
        if named:
            return vmap(lambda xs, others: f(*xs, **others), (in_dims, 0) if arguments else (None, 0), out_dims)(
                arguments, named
            )
        axes = in_dims if isinstance(in_dims, (tuple, list)) else (in_dims,) * len(arguments)
        if len(axes) != len(arguments):
            raise InputError(f"in_dims names {len(axes)} axes for {len(arguments)} arguments", where="vmap")
        sizes: list[int] = []
        for argument, axis in zip(arguments, axes, strict=True):
            _map(lambda x, a: sizes.append(_size(x, a)) if a is not None else None, argument, axis)
        if not sizes:
            raise InputError("no argument has an axis of cases", where="vmap", do="name one in in_dims")
        if len(set(sizes)) > 1:
            raise ShapeError(f"the arguments have different numbers of cases: {sorted(set(sizes))}", where="vmap")
        level = next(_numbers)
        with _working_on(level, sizes[0]):
            inside = (
                _map(lambda x, a: _enter(x, a, level), argument, axis)
                for argument, axis in zip(arguments, axes, strict=True)
            )
            result = f(*inside)
            return _map(lambda x, a: _leave(x, a, level, sizes[0]), result, out_dims)

    return stacked


def _in_chunks(f: Callable[..., Any], in_dims: Any, out_dims: Any, chunk_size: int) -> Callable[..., Any]:
    """`vmap` of some cases after the others, and the results joined."""
    if chunk_size < 1:
        raise InputError(f"chunk_size is a number of cases, at least 1, not {chunk_size}", where="vmap")

    def stacked(*arguments: Any) -> Any:
        axes = in_dims if isinstance(in_dims, (tuple, list)) else (in_dims,) * len(arguments)
        sizes: list[int] = []
        _map(lambda x, a: sizes.append(_size(x, a)) if a is not None else None, tuple(arguments), axes)
        parts = []
        for start in range(0, max([*sizes, 1]), chunk_size):
            chunk = _map(partial(_narrowed, start=start, length=chunk_size), tuple(arguments), axes)
            parts.append(vmap(f, in_dims, out_dims)(*chunk))
        return parts[0] if len(parts) == 1 else _joined(parts, out_dims)

    return stacked


def _narrowed(x: Any, axis: int | None, *, start: int, length: int) -> Any:
    if axis is None:
        return x
    x = x if isinstance(x, Cases) else as_tensor(x)
    return x.narrow(axis, start, min(length, x.shape[axis] - start))


def _joined(parts: list[Any], axis: Any) -> Any:
    """Results of the same form, joined leaf by leaf along the axis of cases."""
    first = parts[0]
    if isinstance(first, dict):
        return {k: _joined([p[k] for p in parts], axis[k] if isinstance(axis, dict) else axis) for k in first}
    if isinstance(first, (tuple, list)):
        axes = axis if isinstance(axis, (tuple, list)) else (axis,) * len(first)
        joined = [_joined([p[i] for p in parts], a) for i, a in enumerate(axes)]
        return type(first)(*joined) if hasattr(first, "_fields") else type(first)(joined)
    return word.cat(*parts, axis=axis)


@contextmanager
def _working_on(level: int, size: int) -> Iterator[None]:
    token = _levels.set((*_levels.get(), (level, size)))
    try:
        yield
    finally:
        _levels.reset(token)


def _map(f: Callable[[Any, Any], Any], x: Any, axis: Any) -> Any:
    """f on every leaf of nested tuples, lists and dicts; an axis for each, or one for all."""
    if isinstance(x, dict):
        return {k: _map(f, v, axis[k] if isinstance(axis, dict) else axis) for k, v in x.items()}
    if isinstance(x, (tuple, list)):
        axes = axis if isinstance(axis, (tuple, list)) else (axis,) * len(x)
        parts = [_map(f, v, a) for v, a in zip(x, axes, strict=True)]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    return f(x, axis)


def _size(x: Any, axis: int) -> int:
    shape = np.shape(x) if not hasattr(x, "shape") else x.shape
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(f"there is no axis {axis} of cases in shape {tuple(shape)}", where="vmap")
    return shape[axis]


def _enter(x: Any, axis: int | None, level: int) -> Any:
    if axis is None:
        return x
    x = x if isinstance(x, Cases) else as_tensor(x)
    return Cases(x if axis == 0 else x.movedim(axis, 0), level)


def _leave(x: Any, axis: int, level: int, size: int) -> Any:
    if isinstance(x, Cases) and x.level == level:
        value = x.value
    else:  # the same for all cases
        x = x if isinstance(x, Cases) else as_tensor(x)
        value = word.broadcast_to(x, shape=(size, *x.shape))
    return value if axis == 0 else value.movedim(0, axis)


def spread_over_cases(x: Any) -> Any:
    """x as cases of every stack being worked on: a gradient in it is then a gradient for each case."""
    done = set()
    y = x
    while isinstance(y, Cases):
        done.add(y.level)
        y = y.value
    for level, size in reversed(_levels.get()):
        if level not in done:
            x = _insert(x, level, size)
    return x


def _insert(x: Any, level: int, size: int) -> Any:
    """Repeated over one more stack, below the levels that are deeper."""
    if isinstance(x, Cases) and x.level > level:
        return Cases(_insert_below(x.value, level, size), x.level)
    return Cases(word.broadcast_to(x, shape=(size, *x.shape)), level)


def _insert_below(value: Any, level: int, size: int) -> Any:
    """The same where a deeper stack has its cases on the first axis of `value`."""
    if isinstance(value, Cases) and value.level > level:
        return Cases(_insert_below(value.value, level, size), value.level)
    return Cases(word.broadcast_to(value, shape=(size, *value.shape)), level)


def peeled(x: Any) -> Tensor:
    """The tensor that holds all cases of all stacks."""
    while isinstance(x, Cases):
        x = x.value
    return x


def wrapped(value: Tensor, like: Any) -> Any:
    """A tensor as cases of the same stacks as `like`."""
    levels = []
    while isinstance(like, Cases):
        levels.append(like.level)
        like = like.value
    result: Any = value
    for level in reversed(levels):
        result = Cases(result, level)
    return result


def levels_of(x: Any) -> list[int]:
    """The stacks x has cases of, outermost first, which is also the order of their axes in the tensor that holds them."""
    levels = []
    while isinstance(x, Cases):
        levels.append(x.level)
        x = x.value
    return levels[::-1]


def ungrouped(x: Any, levels: list[int], sizes: tuple[int, ...]) -> Any:
    """x with the cases of these stacks on its leading axes, repeated if it had none; still cases of every other stack."""
    own, tensor = levels_of(x), peeled(x)
    if own == levels:
        return tensor
    others, shared = [n for n in own if n not in levels], [n for n in levels if n in own]
    rest = range(len(own), tensor.ndim)
    tensor = word.permute(tensor, axes=(*(own.index(n) for n in (*others, *shared)), *rest))
    front = tuple(tensor.shape[: len(others)])
    kept = tuple(n if level in own else 1 for level, n in zip(levels, sizes, strict=True))
    shape = tuple(tensor.shape[len(own) :])
    if shared != levels:
        tensor = word.reshape(tensor, shape=(*front, *kept, *shape))
        tensor = word.broadcast_to(tensor, shape=(*front, *sizes, *shape))
    return _grouped(tensor, others)


def regrouped(x: Any, levels: list[int]) -> Any:
    """The same back: leading axes as cases of these stacks, besides those it has cases of already."""
    own, tensor = levels_of(x), peeled(x)
    if not own:
        return _grouped(tensor, levels)
    together = [*own, *levels]
    rest = range(len(together), tensor.ndim)
    order = sorted(together)
    return _grouped(word.permute(tensor, axes=(*(together.index(n) for n in order), *rest)), order)


def _grouped(tensor: Any, levels: list[int]) -> Any:
    for level in levels:
        tensor = Cases(tensor, level)
    return tensor
