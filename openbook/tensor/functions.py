"""Functions under PyTorch's names: every method as a function, and those that join or pair tensors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.ops.op import OPS, dispatch
from openbook.tensor.create import as_tensor, cat
from openbook.tensor.curves import cumulative_trapezoid, gradient, trapezoid, trapz
from openbook.tensor.draws import bernoulli, multinomial, normal, poisson, randint_like
from openbook.tensor.methods import Methods
from openbook.tensor.tensor import Tensor

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "bernoulli",
    "block_diag",
    "broadcast_shapes",
    "broadcast_tensors",
    "bucketize",
    "cartesian_prod",
    "cdist",
    "column_stack",
    "combinations",
    "concat",
    "concatenate",
    "cross",
    "cumulative_trapezoid",
    "dstack",
    "einsum",
    "gradient",
    "hstack",
    "isin",
    "kron",
    "meshgrid",
    "method_as_function",
    "multinomial",
    "normal",
    "pdist",
    "poisson",
    "randint_like",
    "searchsorted",
    "std_mean",
    "tensordot",
    "trapezoid",
    "trapz",
    "tril_indices",
    "triu_indices",
    "unravel_index",
    "var_mean",
    "vstack",
    "where",
]

# What is a tensor's own affair, not an operation on it.
_NOT_FUNCTIONS = {"changed_in_place"}


def method_as_function(name: str) -> Any:
    """The method of that name as a function whose first argument is the tensor; None if there is no such method."""
    method = None if name.startswith("_") or name in _NOT_FUNCTIONS else getattr(Methods, name, None)
    if not callable(method):
        return None

    on_arrays = name in OPS and OPS[name].elementwise

    def function(input: Any, *arguments: Any, **options: Any) -> Any:
        if on_arrays and not any(hasattr(x, "__openbook_apply__") for x in (input, *arguments, *options.values())):
            return dispatch(OPS[name], (input, *arguments), options)  # arrays in, arrays out
        x = input if hasattr(input, "__openbook_apply__") else as_tensor(input)
        return getattr(x, name)(*arguments, **options)

    function.__name__, function.__doc__ = name, method.__doc__
    return function


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """One of two values, by a condition; the places where it holds if no values are given."""
    if input is None and other is None:
        return as_tensor(condition).nonzero(as_tuple=True)
    return word.where(condition, input, other)


def einsum(equation: str, *operands: Any) -> Any:
    """Einstein's sum: "ij,jk->ik" is the matrix product. Letters left out of the result are summed over.

    Without "->" the result names, in order, the letters that occur once; "..." stands for axes that are not named.
    """
    if not isinstance(equation, str):
        raise InputError("einsum starts with its equation", do='write einsum("ij,jk->ik", a, b)')
    tensors = operands[0] if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else operands
    return word.einsum(*tensors, subscripts=_spelled_out(equation.replace(" ", ""), tensors))


def _spelled_out(equation: str, operands: Sequence[Any]) -> str:
    """The equation with its result, and with letters for the axes behind "..."."""
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise InputError(f"einsum {equation!r} names {len(terms)} tensors, and there are {len(operands)}")
    free = [c for c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in equation]
    hidden = [
        max(0, x.ndim - len(t.replace("...", ""))) if "..." in t else 0 for t, x in zip(terms, operands, strict=True)
    ]
    dots = "".join(free[: max(hidden)])
    terms = [t.replace("...", dots[len(dots) - n :]) for t, n in zip(terms, hidden, strict=True)]
    for term, x in zip(terms, operands, strict=True):
        if len(term) != x.ndim:
            raise ShapeError(
                f"einsum names {len(term)} axes ({term!r}) of shape {tuple(x.shape)}", where=repr(equation)
            )
    if not arrow:
        every = "".join(terms)
        right = "..." * bool(dots) + "".join(sorted(c for c in set(every) - set(dots) if every.count(c) == 1))
    return ",".join(terms) + "->" + right.replace("...", dots)


def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Sums of products over the last axes of one and the first of another, or over the axes named."""
    if isinstance(dims, int):
        of_a, of_b = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        of_a, of_b = ([d % x.ndim for d in np.atleast_1d(ds).tolist()] for ds, x in zip(dims, (a, b), strict=True))
    left = [i for i in range(a.ndim) if i not in of_a]
    right = [i for i in range(b.ndim) if i not in of_b]
    for i, j in zip(of_a, of_b, strict=True):  # an axis of length 1 is summed with any
        if a.shape[i] == 1 != b.shape[j]:
            b = b.sum(j, keepdim=True)
        elif b.shape[j] == 1 != a.shape[i]:
            a = a.sum(i, keepdim=True)
    if [a.shape[i] for i in of_a] != [b.shape[i] for i in of_b]:
        raise ShapeError(f"tensordot sums axes of different lengths: {tuple(a.shape)} and {tuple(b.shape)}")
    size = math.prod(a.shape[i] for i in of_a)
    rows = word.permute(a, axes=(*left, *of_a)).reshape(
        -1 if a.numel() and size else math.prod(a.shape[i] for i in left), size
    )
    columns = word.permute(b, axes=(*of_b, *right)).reshape(size, math.prod(b.shape[i] for i in right))
    return (rows @ columns).reshape(*(a.shape[i] for i in left), *(b.shape[i] for i in right))


def kron(input: Any, other: Any) -> Any:
    """Every entry of one times the whole of the other, side by side."""
    a, b = input, other
    ndim = max(a.ndim, b.ndim)
    of_a = (1,) * (ndim - a.ndim) + tuple(a.shape)
    of_b = (1,) * (ndim - b.ndim) + tuple(b.shape)
    product = a.reshape([n for size in of_a for n in (size, 1)]) * b.reshape([n for size in of_b for n in (1, size)])
    return product.reshape([m * n for m, n in zip(of_a, of_b, strict=True)])


def cross(input: Any, other: Any, dim: int = -1) -> Any:
    """The vector at right angles to two vectors of length 3."""
    shape = np.broadcast_shapes(input.shape, other.shape)
    if shape[dim] != 3:
        raise ShapeError(f"the cross product is of vectors of length 3, not {shape[dim]}")
    a, b = input.expand(*shape), other.expand(*shape)
    first = a.roll(-1, dim) * b.roll(-2, dim)
    return first - a.roll(-2, dim) * b.roll(-1, dim)


def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str | None = None) -> Any:
    """The distances between all rows of one and all rows of the other; always from differences, whatever the mode."""
    return (x1.unsqueeze(-2) - x2.unsqueeze(-3)).norm(p, dim=-1)


def pdist(input: Any, p: float = 2.0) -> Any:
    """The distances between all pairs of different rows, each pair once."""
    if input.ndim != 2:
        raise ShapeError(f"pdist is of rows, not of shape {tuple(input.shape)}")
    first, second = np.triu_indices(input.shape[0], 1)
    return (input[first] - input[second]).norm(p, dim=-1)


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """All expanded to one shape."""
    shape = np.broadcast_shapes(*(t.shape for t in tensors))
    return tuple(t.expand(*shape) for t in tensors)


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape that shapes are broadcast to."""
    sizes = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    try:
        return np.broadcast_shapes(*sizes)
    except ValueError as problem:
        raise ShapeError(f"shapes {', '.join(map(str, sizes))} cannot be broadcast together") from problem


def cartesian_prod(*tensors: Any) -> Any:
    """All ways to take one entry of each vector: a row each, the last changing fastest."""
    if len(tensors) == 1:
        return tensors[0]
    return word.stack(*(grid.reshape(-1) for grid in meshgrid(*tensors)), axis=-1)


def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """All choices of r entries of a vector, in the order they stand: a row each."""
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = np.array(list(choose(range(input.shape[0]), r)), np.int64)
    return input[places.reshape(-1, r)] if r else input[:0]


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each entry is among others."""
    found = np.isin(as_tensor(elements).data, as_tensor(test_elements).data, assume_unique=assume_unique, invert=invert)
    return Tensor(np.asarray(found))


def std_mean(
    input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> Any:
    """The standard deviation and the mean."""
    axes = None if isinstance(dim, bool) else dim
    return input.std(dim, unbiased, keepdim, correction=correction), input.mean(axes, keepdim)


def var_mean(
    input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
) -> Any:
    """The variance and the mean."""
    axes = None if isinstance(dim, bool) else dim
    return input.var(dim, unbiased, keepdim, correction=correction), input.mean(axes, keepdim)


def unravel_index(indices: Any, shape: Any) -> tuple[Tensor, ...]:
    """Places counted through all entries in a row, as a place along each axis."""
    places = as_tensor(indices).data
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    wrapped = np.where(places < 0, places + math.prod(sizes), places)
    return tuple(Tensor(np.asarray(axis, np.int64)) for axis in np.unravel_index(wrapped, sizes))


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Any, ...]:
    """The coordinates of all points of a grid."""
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    if indexing not in ("ij", "xy"):
        raise InputError(f"meshgrid knows indexing 'ij' and 'xy', not {indexing!r}")
    swapped = indexing == "xy" and len(given) > 1
    order = [1, 0, *range(2, len(given))] if swapped else list(range(len(given)))
    shape = [given[i].numel() for i in order]
    grids = []
    for i, t in enumerate(given):
        column = [1] * len(given)
        column[order.index(i)] = -1
        grids.append(t.reshape(*column).expand(*shape))
    return tuple(grids)


def atleast_1d(*tensors: Any) -> Any:
    """Single numbers as vectors of one."""
    found = tuple(t.reshape(1) if t.ndim == 0 else t for t in _given(tensors))
    return found[0] if len(tensors) == 1 and hasattr(tensors[0], "ndim") else found


def atleast_2d(*tensors: Any) -> Any:
    """Vectors as matrices of one row."""
    found = tuple(t if t.ndim >= 2 else t.reshape(1, -1) for t in _given(tensors))
    return found[0] if len(tensors) == 1 and hasattr(tensors[0], "ndim") else found


def atleast_3d(*tensors: Any) -> Any:
    """Vectors as (1, n, 1), matrices with a third axis of length 1."""
    found = tuple(t if t.ndim >= 3 else atleast_2d(t).unsqueeze(-1) for t in _given(tensors))
    return found[0] if len(tensors) == 1 and hasattr(tensors[0], "ndim") else found


def concat(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Joined along an axis they have: `cat` under another name."""
    return cat(tensors, dim)


concatenate = concat


def hstack(tensors: Sequence[Any]) -> Any:
    """Joined side by side."""
    parts = _given((atleast_1d(*tensors),) if len(tensors) > 1 else (tuple(tensors),))
    parts = tuple(atleast_1d(t) for t in parts)
    return word.cat(*parts, axis=0 if parts[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Any]) -> Any:
    """Joined one below the other."""
    return word.cat(*(atleast_2d(t) for t in tensors), axis=0)


def dstack(tensors: Sequence[Any]) -> Any:
    """Joined along the third axis."""
    deep = (t if t.ndim >= 3 else atleast_2d(t).unsqueeze(-1) for t in tensors)
    return word.cat(*deep, axis=2)


def column_stack(tensors: Sequence[Any]) -> Any:
    """Vectors as the columns of a matrix; matrices side by side."""
    return word.cat(*(t.reshape(-1, 1) if t.ndim < 2 else t for t in tensors), axis=1)


def block_diag(*tensors: Any) -> Any:
    """Matrices along the diagonal of one large matrix."""
    blocks = [atleast_2d(t) for t in tensors]
    width = sum(b.shape[1] for b in blocks)
    rows, before = [], 0
    for b in blocks:
        rows.append(word.pad(b, widths=((0, 0), (before, width - before - b.shape[1])), value=0.0))
        before += b.shape[1]
    return word.cat(*rows, axis=0)


def searchsorted(
    sorted_sequence: Any, input: Any, *, out_int32: bool = False, right: bool = False, side: str | None = None,
    sorter: Any = None,
) -> Tensor:  # fmt: skip
    """Where values would have to be put to keep each last axis sorted."""
    if side not in (None, "left", "right") or (side == "left" and right):
        raise InputError(f"side={side!r} and right={right} contradict each other", where="searchsorted")
    if sorter is not None:
        sorted_sequence = word.gather(as_tensor(sorted_sequence), sorter, axis=-1)
    right = right or side == "right"
    dtype = np.int32 if out_int32 else np.int64
    edges, found = as_tensor(sorted_sequence).data, as_tensor(input).data
    end: Any = "right" if right else "left"
    if edges.ndim == 1:
        return Tensor(np.asarray(np.searchsorted(edges, found, end), dtype))
    lines = math.prod(edges.shape[:-1])
    pairs = zip(
        edges.reshape(lines, -1 if edges.size else 0), found.reshape(lines, -1 if found.size else 0), strict=True
    )
    rows = [np.searchsorted(line, values, end) for line, values in pairs]
    return Tensor(np.reshape(rows, found.shape).astype(dtype))


def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """Between which boundaries each value lies."""
    return searchsorted(boundaries, input, right=right, out_int32=out_int32)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = np.int64) -> Tensor:
    """The places on and below a diagonal: rows first, columns second."""
    return Tensor(np.stack(np.tril_indices(row, offset, col)).astype(dtype))


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = np.int64) -> Tensor:
    """The places on and above a diagonal: rows first, columns second."""
    return Tensor(np.stack(np.triu_indices(row, offset, col)).astype(dtype))


def _given(tensors: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
