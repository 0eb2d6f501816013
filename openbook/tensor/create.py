"""Tensors from numbers, from rules, and from the random generator that `manual_seed` seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import DTypeError, ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor.devices import require_cpu
from openbook.tensor.promotion import default_float, result_type
from openbook.tensor.tensor import Tensor

__all__ = [
    "as_tensor",
    "cat",
    "from_numpy",
    "generator",
    "load",
    "manual_seed",
    "save",
    "stack",
    "tensor",
]

_random: Any = None  # made when it is first asked for: NumPy loads its generators as late


def manual_seed(seed: int) -> np.random.Generator:
    """Start the random generator behind `randn`, initial weights and dropout from a seed."""
    return generator().manual_seed(seed)


def generator() -> Any:
    """The generator that `manual_seed` seeds."""
    global _random
    if _random is None:
        from openbook.tensor.generators import Generator

        _random = Generator()
    return _random


def _default_dtype(data: Any) -> Any:
    """Python floats get the default dtype, as in PyTorch; arrays keep theirs."""
    if isinstance(data, (np.ndarray, np.generic)):
        return data.dtype
    array = np.asarray(data)
    return default_float() if array.dtype == np.float64 else array.dtype


def tensor(
    data: Any,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    name: str = "",
) -> Tensor:
    """A new tensor with a copy of the data: numbers, nested lists, arrays.

    Python floats become float32, integers int64. Raises ShapeError for ragged lists, DTypeError for text.
    """
    require_cpu(device)
    if isinstance(data, Tensor):
        data = data.data
    try:
        array = np.array(data, dtype=dtype or _default_dtype(data))
    except ValueError as problem:
        raise ShapeError(f"these rows are no array: {problem}", do="give every row the same length") from problem
    if array.dtype.kind not in "biuf":
        raise DTypeError(f"tensors hold numbers, not {array.dtype}", do="encode text as numbers first")
    return Tensor(array, requires_grad, name)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor, without a copy where none is needed."""
    require_cpu(device)
    if isinstance(data, Tensor):
        return data if dtype is None or data.dtype == dtype else data.to(dtype)
    return from_numpy(data) if isinstance(data, np.ndarray) and dtype in (None, data.dtype) else tensor(data, dtype)


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor that shares the array's memory."""
    return Tensor(array)


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


def save(model_or_state: Any, path: Any) -> None:
    """Write a model, or named tensors (a `state_dict()`), to a safetensors file: nothing in it runs code.

    Models are our trees, forests and linear models, and nets made of modules of `openbook.nn`; forests go to ONNX where
    the name ends in .onnx. A state is read by PyTorch's users with safetensors.torch. The file is replaced whole or not at
    all. Raises ModelError for what cannot be written, FileError where the file cannot.
    """
    from openbook.files import save_arrays, save_model

    if isinstance(model_or_state, Mapping):
        save_arrays(model_or_state, path)
    else:
        save_model(model_or_state, path)


def load(path: Any) -> Any:
    """The model that `save` wrote, or named tensors from any other safetensors file, for `load_state_dict`.

    All of a model is validated before it is used. Raises FileError saying what is wrong; a pickle is refused, for it may
    run code.
    """
    from openbook.files import load_file

    found = load_file(path)
    return {name: Tensor(array) for name, array in found.items()} if type(found) is dict else found
