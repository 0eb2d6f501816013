"""Tensors from numbers, from rules, and from the random generator that `manual_seed` seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import DTypeError, ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor.promotion import result_type
from openbook.tensor.tensor import Tensor

__all__ = [
    "arange",
    "as_tensor",
    "cat",
    "empty",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "generator",
    "linspace",
    "load",
    "logspace",
    "manual_seed",
    "ones",
    "ones_like",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "save",
    "stack",
    "tensor",
    "zeros",
    "zeros_like",
]

_random: np.random.Generator | None = None  # made when it is first asked for: NumPy loads its generators as late


def manual_seed(seed: int) -> np.random.Generator:
    """Start the random generator behind `randn`, initial weights and dropout from a seed."""
    global _random
    _random = np.random.default_rng(seed)
    return _random


def generator() -> np.random.Generator:
    """The generator that `manual_seed` seeds."""
    global _random
    if _random is None:
        _random = np.random.default_rng()
    return _random


def _default_dtype(data: Any) -> Any:
    """Python floats become float32, as in PyTorch; arrays keep their dtype."""
    if isinstance(data, (np.ndarray, np.generic)):
        return data.dtype
    array = np.asarray(data)
    return np.dtype(np.float32) if array.dtype == np.float64 else array.dtype


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False, name: str = "") -> Tensor:
    """A new tensor with a copy of the data: numbers, nested lists, arrays.

    Python floats become float32, integers int64. Raises ShapeError for ragged lists, DTypeError for text.
    """
    if isinstance(data, Tensor):
        data = data.data
    try:
        array = np.array(data, dtype=dtype or _default_dtype(data))
    except ValueError as problem:
        raise ShapeError(f"these rows are no array: {problem}", do="give every row the same length") from problem
    if array.dtype.kind not in "biuf":
        raise DTypeError(f"tensors hold numbers, not {array.dtype}", do="encode text as numbers first")
    return Tensor(array, requires_grad, name)


def as_tensor(data: Any, dtype: Any = None) -> Tensor:
    """A tensor, without a copy where none is needed."""
    if isinstance(data, Tensor):
        return data if dtype is None or data.dtype == dtype else data.to(dtype)
    return from_numpy(data) if isinstance(data, np.ndarray) and dtype in (None, data.dtype) else tensor(data, dtype)


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor that shares the array's memory."""
    return Tensor(array)


def _shape(shape: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], Sequence) else shape


def zeros(*shape: Any, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """All zeros."""
    return Tensor(np.zeros(_shape(shape), dtype), requires_grad)


def ones(*shape: Any, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """All ones."""
    return Tensor(np.ones(_shape(shape), dtype), requires_grad)


def empty(*shape: Any, dtype: Any = np.float32) -> Tensor:
    """Space for entries that will be written; zeros until then."""
    return zeros(*shape, dtype=dtype)


def full(size: Sequence[int], fill_value: Any, dtype: Any = None) -> Tensor:
    """The same value everywhere."""
    return Tensor(np.full(tuple(size), fill_value, dtype or _default_dtype(fill_value)))


def zeros_like(input: Tensor, dtype: Any = None) -> Tensor:
    """All zeros, in the shape and dtype of the input."""
    return Tensor(np.zeros(input.shape, dtype or input.dtype))


def ones_like(input: Tensor, dtype: Any = None) -> Tensor:
    """All ones, in the shape and dtype of the input."""
    return Tensor(np.ones(input.shape, dtype or input.dtype))


def full_like(input: Tensor, fill_value: Any, dtype: Any = None) -> Tensor:
    """The same value everywhere, in the shape and dtype of the input."""
    return Tensor(np.full_like(input.data, fill_value, dtype=dtype))


def randn_like(input: Tensor) -> Tensor:
    """Draws from the normal distribution, in the shape and dtype of the input."""
    return randn(*input.shape, dtype=input.dtype)


def rand_like(input: Tensor) -> Tensor:
    """Draws from the uniform distribution on [0, 1), in the shape and dtype of the input."""
    return rand(*input.shape, dtype=input.dtype)


def eye(n: int, m: int | None = None, dtype: Any = np.float32) -> Tensor:
    """The identity matrix."""
    return Tensor(np.eye(n, m, dtype=dtype))


def arange(*limits: Any, end: Any = None, dtype: Any = None) -> Tensor:
    """Evenly spaced numbers, by start, end (not included) and step."""
    limits = limits if end is None else (*limits, end)
    values = np.arange(*limits)
    return Tensor(values.astype(dtype or _default_dtype(values.tolist())))


def linspace(start: Any, end: Any, steps: int, dtype: Any = np.float32) -> Tensor:
    """`steps` numbers from start to end, both included."""
    return Tensor(np.linspace(float(start), float(end), steps).astype(dtype))


def logspace(start: Any, end: Any, steps: int, base: float = 10.0, dtype: Any = np.float32) -> Tensor:
    """`steps` powers of `base`, their exponents evenly spaced from start to end."""
    return Tensor(np.logspace(float(start), float(end), steps, base=base).astype(dtype))


def randn(*shape: Any, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """Draws from the normal distribution."""
    return Tensor(generator().standard_normal(_shape(shape)).astype(dtype), requires_grad)


def rand(*shape: Any, dtype: Any = np.float32, requires_grad: bool = False) -> Tensor:
    """Draws from the uniform distribution on [0, 1)."""
    return Tensor(generator().random(_shape(shape)).astype(dtype), requires_grad)


def randint(low: int, high: Any, size: Any = None, dtype: Any = np.int64) -> Tensor:
    """Whole numbers from low (0 if one number is left out) to high, which is not included."""
    if size is None:
        low, high, size = 0, low, high
    return Tensor(generator().integers(low, high, tuple(size)).astype(dtype))


def randperm(n: int) -> Tensor:
    """The numbers below n in random order."""
    return Tensor(generator().permutation(n))


def _alike(tensors: Sequence[Any]) -> Sequence[Any]:
    """All in the dtype that they come to by PyTorch's rule."""
    if len({x.dtype for x in tensors}) < 2:
        return tensors
    dtype = result_type([np.empty(1, x.dtype) for x in tensors])
    return [x.to(dtype) for x in tensors]


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors along an axis they have."""
    return word.cat(*_alike(tensors), axis=dim)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors along a new axis."""
    return word.stack(*_alike(tensors), axis=dim)


def save(state: Mapping[str, Any], path: Any) -> None:
    """Write named tensors (a `state_dict()`) to a safetensors file, which PyTorch's users read with safetensors.torch."""
    from openbook.files import save_arrays

    save_arrays(state, path)


def load(path: Any) -> dict[str, Tensor]:
    """Named tensors from a safetensors file, for `load_state_dict`; a pickle is refused, for it may run code."""
    from openbook.files import load_arrays

    return {name: Tensor(array) for name, array in load_arrays(path).items()}
