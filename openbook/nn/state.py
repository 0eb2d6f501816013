"""A module's state: its parameters and buffers by name, out and in again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from openbook.errors import DTypeError, InputError, ShapeError
from openbook.nn.hooks import Hooks, RemovableHandle
from openbook.tensor.tensor import Tensor

__all__ = ["IncompatibleKeys", "State"]

EXTRA = "_extra_state"  # the name under which PyTorch keeps what `get_extra_state` gives


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(strict=False)` left alone: names the state lacked, and names nobody here has."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class _StateHooks:
    """Functions called when a module's state is saved or loaded, by kind."""

    def __init__(self) -> None:
        self.saving: dict[int, Callable[..., Any]] = {}
        self.saved: dict[int, Callable[..., Any]] = {}
        self.loading: dict[int, Callable[..., Any]] = {}
        self.loaded: dict[int, Callable[..., Any]] = {}


class State:
    """The part of a Module that saves and loads."""

    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _unsaved: set[str]
    _state_hooks: _StateHooks | None = None

    # --- out ---------------------------------------------------------------------------------------------------

    def _own_entries(self) -> Iterator[tuple[str, Tensor]]:
        """This module's own parameters and saved buffers."""
        for name, value in (*self._parameters.items(), *self._buffers.items()):
            if value is not None and name not in self._unsaved:
                yield name, value

    def _levels(self, prefix: str = "") -> Iterator[tuple[str, State]]:
        """This module and all below it with the prefixes of their names; one that stands in two places comes twice."""
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child._levels(f"{prefix}{name}.")

    def _keeps_extra(self) -> bool:
        return type(self).get_extra_state is not State.get_extra_state

    def get_extra_state(self) -> Any:
        """What else belongs to the state, if a subclass says so: saved under "_extra_state", loaded by `set_extra_state`."""
        raise InputError(f"{type(self).__name__} has no extra state", do="define get_extra_state(self) in your module")

    def set_extra_state(self, state: Any) -> None:
        """Take over what `get_extra_state` gave."""
        raise InputError(
            f"{type(self).__name__} cannot load an extra state", do="define set_extra_state(self, state) in your module"
        )

    def state_dict(
        self, *, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """The parameters and buffers by dotted name, sharing memory; keys and layouts are PyTorch's.

        Detached, unless `keep_vars`; put into `destination` where one is given.
        """
        found = {} if destination is None else destination
        hooks = self._state_hooks or _NONE
        for before in list(hooks.saving.values()):
            before(self, prefix, keep_vars)
        for name, value in self._own_entries():
            found[prefix + name] = value if keep_vars else value.detach()
        if self._keeps_extra():
            found[prefix + EXTRA] = self.get_extra_state()
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(destination=found, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for after in list(hooks.saved.values()):
            if after(self, found, prefix, {}) is not None:
                raise InputError(
                    "a state_dict hook gave something back", do="change the state it was handed, and return nothing"
                )
        return found

    # --- in ----------------------------------------------------------------------------------------------------

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Take over parameters and buffers by name: tensors (PyTorch's too) or arrays.

        Nothing is changed unless all names, shapes and dtypes fit. With `strict=False` names may be missing or
        unexpected; they are given back. With `assign` the module gets new parameters that share the state's memory and have
        its dtypes (make optimisers after that); without, values are copied into those it has.
        """
        if not isinstance(state_dict, Mapping):
            raise DTypeError(f"a state is a dictionary by name, not {type(state_dict).__name__}")
        state, levels = dict(state_dict), list(self._levels())
        missing, unexpected = self._prepare(state, levels)
        keys = IncompatibleKeys(missing, unexpected)
        listening = any(level._state_hooks and level._state_hooks.loaded for _, level in levels)
        if not listening:  # a hook may forgive; nobody else
            self._require_names(keys, strict)
        self._take(state, levels, assign)
        for _, level in reversed(levels):
            for hook in list((level._state_hooks or _NONE).loaded.values()):
                hook(level, keys)
        self._require_names(keys, strict)
        return keys

    def _prepare(self, state: dict[str, Any], levels: list[tuple[str, State]]) -> tuple[list[str], list[str]]:
        """Let hooks change the state; then the names that it lacks, and those that nobody has."""
        missing: list[str] = []
        unexpected: list[str] = []
        problems: list[str] = []
        for prefix, level in levels:
            for hook in list((level._state_hooks or _NONE).loading.values()):
                hook(level, state, prefix, {}, True, missing, unexpected, problems)  # True: as PyTorch says, always
        if problems:
            raise InputError(f"the state does not fit {type(self).__name__}: {'; '.join(problems)}")
        own = [prefix + name for prefix, level in levels for name, _ in level._own_entries()]
        own += [prefix + EXTRA for prefix, level in levels if level._keeps_extra()]
        known = set(own)
        missing += [name for name in own if name not in state]
        unexpected += [name for name in state if name not in known]
        return missing, unexpected

    def _require_names(self, keys: IncompatibleKeys, strict: bool) -> None:
        if strict and (keys.missing_keys or keys.unexpected_keys):
            raise InputError(
                f"the state does not fit {type(self).__name__}: missing {keys.missing_keys or 'nothing'}, unexpected "
                f"{keys.unexpected_keys or 'nothing'}",
                do="build the same module that the state was saved from, or pass strict=False",
            )

    def _take(self, state: Mapping[str, Any], levels: list[tuple[str, State]], assign: bool) -> None:
        """Values into their places, once all of them are known to fit."""
        own = {prefix + name: value for prefix, level in levels for name, value in level._own_entries()}
        arrays = {name: _array(name, state[name]) for name in own if name in state}
        self._require_fit(own, arrays, assign)
        if assign:
            _assign(arrays, levels)
        else:
            for name, array in arrays.items():
                own[name].data[...] = array
                own[name].changed_in_place()
        for prefix, level in levels:
            if level._keeps_extra() and prefix + EXTRA in state:
                level.set_extra_state(state[prefix + EXTRA])

    def _require_fit(self, own: Mapping[str, Tensor], arrays: Mapping[str, np.ndarray], assign: bool) -> None:
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
        if lossy and not assign:
            raise DTypeError(f"the state does not fit {type(self).__name__}: {'; '.join(lossy)}")

    # --- hooks -------------------------------------------------------------------------------------------------

    def _own_state_hooks(self) -> _StateHooks:
        if self._state_hooks is None:
            object.__setattr__(self, "_state_hooks", _StateHooks())
        assert self._state_hooks is not None
        return self._state_hooks

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before the state is read."""
        return Hooks.add(self._own_state_hooks().saving, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, {})` once the state of the module and of all below it is read."""
        return Hooks.add(self._own_state_hooks().saved, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, {}, True, missing, unexpected, problems)` before a state is loaded.

        It may change the state (a copy of the dictionary that was given), and add to the three lists.
        """
        return Hooks.add(self._own_state_hooks().loading, hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)` once a state is loaded; clearing the lists in it forgives."""
        return Hooks.add(self._own_state_hooks().loaded, hook)


_NONE = _StateHooks()


def _assign(arrays: Mapping[str, np.ndarray], levels: list[tuple[str, State]]) -> None:
    """New tensors over the arrays' memory in the places of the old ones; what was tied stays tied."""
    made: dict[int, Tensor] = {}
    for prefix, level in levels:
        for name, old in list(level._own_entries()):
            if prefix + name not in arrays:
                continue
            if id(old) not in made:
                new = object.__new__(type(old))
                Tensor.__init__(new, arrays[prefix + name], old.requires_grad)
                made[id(old)] = new
            kind = "_parameters" if name in level._parameters else "_buffers"
            level.__dict__[kind][name] = level.__dict__[name] = made[id(old)]


def _array(name: str, value: Any) -> np.ndarray:
    """The entries of our tensor, another library's, or an array."""
    if isinstance(value, Tensor):
        return value.data
    try:
        return np.asarray(value.detach() if hasattr(value, "detach") else value)
    except (TypeError, ValueError, RuntimeError) as problem:
        raise DTypeError(f"{name} in the state is no array of numbers: {problem}") from problem
