"""Tensors by rule: all zeros, all ones, evenly spaced, or drawn from the generator that `manual_seed` seeds.

Each takes, as PyTorch's do, `dtype` (the default one if left out), `device` (the CPU) and `requires_grad`; the random ones
also a `generator`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from openbook.tensor.create import as_tensor, generator, tensor
from openbook.tensor.devices import require_cpu
from openbook.tensor.promotion import default_float
from openbook.tensor.tensor import Tensor

__all__ = [
    "arange", "empty", "empty_like", "eye", "full", "full_like", "linspace", "logspace", "ones", "ones_like", "rand",
    "rand_like", "randint", "randn", "randn_like", "randperm", "scalar_tensor", "zeros", "zeros_like",
]  # fmt: skip

_SHARED = [
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
    for name, default in (("device", None), ("requires_grad", False), ("pin_memory", False))
]


def factory(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Let a function that makes tensors take what all of PyTorch's do; memory is of one kind, pinned or not."""

    @wraps(make)
    def placed(
        *given: Any, device: Any = None, requires_grad: bool = False, pin_memory: bool = False, **options: Any
    ) -> Tensor:
        require_cpu(device)
        made = make(*given, **options)
        return made.requires_grad_() if requires_grad else made

    signature = inspect.signature(make)
    own = list(signature.parameters.values())
    placed.__signature__ = signature.replace(parameters=[*own, *_SHARED])  # type: ignore[attr-defined]
    return placed


def _kind(dtype: Any) -> Any:
    return default_float() if dtype is None else dtype


def _shape(shape: tuple[Any, ...], size: Any = None) -> tuple[int, ...]:
    """The lengths, given one by one, as one sequence, or by the name `size`."""
    if size is not None:
        return (size,) if isinstance(size, int) else tuple(size)
    return tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], Sequence) else shape


# --- one value -------------------------------------------------------------------------------------------------------


@factory
def zeros(*shape: Any, size: Any = None, dtype: Any = None) -> Tensor:
    """All zeros."""
    return Tensor(np.zeros(_shape(shape, size), _kind(dtype)))


@factory
def ones(*shape: Any, size: Any = None, dtype: Any = None) -> Tensor:
    """All ones."""
    return Tensor(np.ones(_shape(shape, size), _kind(dtype)))


@factory
def empty(*shape: Any, size: Any = None, dtype: Any = None) -> Tensor:
    """Space for entries that will be written; zeros until then."""
    return Tensor(np.zeros(_shape(shape, size), _kind(dtype)))


@factory
def full(size: Any, fill_value: Any, *, dtype: Any = None) -> Tensor:
    """The same value everywhere."""
    return Tensor(np.full(_shape((), size), fill_value, tensor(fill_value).dtype if dtype is None else dtype))


@factory
def scalar_tensor(s: Any, *, dtype: Any = None) -> Tensor:
    """A single number, real unless a dtype says otherwise."""
    return Tensor(np.asarray(s, _kind(dtype)))


@factory
def zeros_like(input: Tensor, *, dtype: Any = None) -> Tensor:
    """All zeros, in the shape and dtype of the input."""
    return Tensor(np.zeros(input.shape, dtype or input.dtype))


@factory
def ones_like(input: Tensor, *, dtype: Any = None) -> Tensor:
    """All ones, in the shape and dtype of the input."""
    return Tensor(np.ones(input.shape, dtype or input.dtype))


@factory
def empty_like(input: Tensor, *, dtype: Any = None) -> Tensor:
    """Space in the shape and dtype of the input; zeros until it is written to."""
    return Tensor(np.zeros(input.shape, dtype or input.dtype))


@factory
def full_like(input: Tensor, fill_value: Any, *, dtype: Any = None) -> Tensor:
    """The same value everywhere, in the shape and dtype of the input."""
    return Tensor(np.full(input.shape, fill_value, dtype or input.dtype))


# --- rows of numbers -------------------------------------------------------------------------------------------------


@factory
def eye(n: int, m: int | None = None, *, dtype: Any = None) -> Tensor:
    """The identity matrix, or n rows and m columns of it."""
    return Tensor(np.eye(n, m, dtype=_kind(dtype)))


@factory
def arange(*limits: Any, start: Any = None, end: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """Evenly spaced numbers, by start, end (not included) and step."""
    bounds = [*limits, *(value for value in (start, end) if value is not None)]
    if step is not None:
        bounds = [0, *bounds, step] if len(bounds) == 1 else [*bounds, step]
    values = np.arange(*bounds)
    return Tensor(values.astype(as_tensor(values.tolist()).dtype if dtype is None else dtype))


@factory
def linspace(start: Any, end: Any, steps: int, *, dtype: Any = None) -> Tensor:
    """`steps` numbers from start to end, both included."""
    return Tensor(np.linspace(float(start), float(end), steps).astype(_kind(dtype)))


@factory
def logspace(start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None) -> Tensor:
    """`steps` powers of `base`, their exponents evenly spaced from start to end."""
    return Tensor(np.logspace(float(start), float(end), steps, base=base).astype(_kind(dtype)))


# --- draws -----------------------------------------------------------------------------------------------------------


def _source(given: Any) -> Any:
    return generator() if given is None else given


@factory
def randn(*shape: Any, size: Any = None, generator: Any = None, dtype: Any = None) -> Tensor:
    """Draws from the normal distribution."""
    return Tensor(np.asarray(_source(generator).standard_normal(_shape(shape, size))).astype(_kind(dtype)))


@factory
def rand(*shape: Any, size: Any = None, generator: Any = None, dtype: Any = None) -> Tensor:
    """Draws from the uniform distribution on [0, 1)."""
    return Tensor(np.asarray(_source(generator).random(_shape(shape, size))).astype(_kind(dtype)))


@factory
def randn_like(input: Tensor, *, generator: Any = None, dtype: Any = None) -> Tensor:
    """Draws from the normal distribution, in the shape and dtype of the input."""
    return randn(*input.shape, generator=generator, dtype=dtype or input.dtype)


@factory
def rand_like(input: Tensor, *, generator: Any = None, dtype: Any = None) -> Tensor:
    """Draws from the uniform distribution on [0, 1), in the shape and dtype of the input."""
    return rand(*input.shape, generator=generator, dtype=dtype or input.dtype)


@factory
def randint(low: Any = None, high: Any = None, size: Any = None, *, generator: Any = None, dtype: Any = None) -> Tensor:
    """Whole numbers from low (0 if one number is left out) to high, which is not included."""
    if size is None:  # randint(6, (3,))
        low, high, size = None, low, high
    elif high is None:  # randint(6, size=(3,))
        low, high = None, low
    drawn = _source(generator).integers(0 if low is None else low, high, _shape((), size))
    return Tensor(np.asarray(drawn).astype(np.int64 if dtype is None else dtype))


@factory
def randperm(n: int, *, generator: Any = None, dtype: Any = None) -> Tensor:
    """The numbers below n in random order."""
    return Tensor(_source(generator).permutation(n).astype(np.int64 if dtype is None else dtype))
