"""A module's state: its parameters and buffers by name, out and in again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from openbook.errors import DTypeError, InputError, ShapeError
from openbook.tensor.tensor import Tensor

__all__ = ["IncompatibleKeys", "State"]


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(strict=False)` left alone: names the state lacked, and names nobody here has."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class State:
    """The part of a Module that saves and loads."""

    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _unsaved: set[str]

    def _entries(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """Everything in the state by dotted name; a tensor that stands in two places has two names."""
        for name, value in (*self._parameters.items(), *self._buffers.items()):
            if value is not None and name not in self._unsaved:
                yield prefix + name, value
        for name, child in self._modules.items():
            if child is not None:
                yield from child._entries(f"{prefix}{name}.")

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> dict[str, Tensor]:
        """The parameters and buffers by dotted name, sharing memory; keys and layouts are PyTorch's.

        Detached, unless `keep_vars`.
        """
        return {name: value if keep_vars else value.detach() for name, value in self._entries(prefix)}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Take over parameters and buffers by name: tensors (PyTorch's too) or arrays.

        Nothing is changed unless all names, shapes and dtypes fit. With `strict=False` names may be missing or
        unexpected; they are given back.
        """
        if not isinstance(state_dict, Mapping):
            raise DTypeError(f"a state is a dictionary by name, not {type(state_dict).__name__}")
        own = dict(self._entries())
        missing = [name for name in own if name not in state_dict]
        unexpected = [name for name in state_dict if name not in own]
        if strict and (missing or unexpected):
            raise InputError(
                f"the state does not fit {type(self).__name__}: missing {missing or 'nothing'}, unexpected "
                f"{unexpected or 'nothing'}",
                do="build the same module that the state was saved from, or pass strict=False",
            )
        arrays = {name: _array(name, value) for name, value in state_dict.items() if name in own}
        self._require_fit(own, arrays)
        for name, array in arrays.items():
            own[name].data[...] = array
            own[name].changed_in_place()
        return IncompatibleKeys(missing, unexpected)

    def _require_fit(self, own: Mapping[str, Tensor], arrays: Mapping[str, np.ndarray]) -> None:
        wrong = [
            f"{name} has shape {own[name].shape}, the state {array.shape}"
            for name, array in arrays.items()
            if array.shape != own[name].shape
        ]
        if wrong:
            raise ShapeError(
                f"the state does not fit {type(self).__name__}: {'; '.join(wrong)}",
                do="build the same module that the state was saved from",
            )
        lossy = [
            f"{name} is {own[name].dtype}, the state {array.dtype}"
            for name, array in arrays.items()
            if not np.can_cast(array.dtype, own[name].dtype, "same_kind")
        ]
        if lossy:
            raise DTypeError(f"the state does not fit {type(self).__name__}: {'; '.join(lossy)}")


def _array(name: str, value: Any) -> np.ndarray:
    """The entries of our tensor, another library's, or an array."""
    if isinstance(value, Tensor):
        return value.data
    try:
        return np.asarray(value.detach() if hasattr(value, "detach") else value)
    except (TypeError, ValueError, RuntimeError) as problem:
        raise DTypeError(f"{name} in the state is no array of numbers: {problem}") from problem
