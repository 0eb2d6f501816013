"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from openbook.errors import InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All entries of all parameters, one after the other; gradients flow back to them."""
    flat = [word.reshape(p, shape=(-1,)) for p in parameters]
    if not flat:
        raise InputError("there are no parameters to join", where="parameters_to_vector")
    return word.cat(*flat, axis=0)


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write a vector back into parameters, in place; its length must be that of all of them together."""
    owners = list(parameters)
    total = sum(p.data.size for p in owners)
    if vec.shape != (total,):
        raise ShapeError(f"the parameters have {total} entries, the vector has shape {vec.shape}")
    start = 0
    for p in owners:
        p.data[...] = vec.data[start : start + p.data.size].reshape(p.shape)
        p.changed_in_place()
        start += p.data.size
