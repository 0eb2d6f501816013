"""Hooks of an optimiser: functions called before and after its steps, and when its state is read or loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from openbook.errors import InputError
from openbook.tensor.tensor import HookHandle

__all__ = ["Hooked"]

Hook = Callable[..., Any]


class Hooked:
    """What makes an optimiser call hooks.

    The first hook puts methods that call hooks before those of the class, on this optimiser alone: without hooks a step
    costs nothing more.
    """

    _hooks: Hooks | None = None

    def register_step_pre_hook(self, hook: Hook) -> HookHandle:
        """Call `hook(optimizer, args, kwargs)` before each step; it may return other arguments, as a pair of the two.

        `args` begin with the optimiser, as in PyTorch.
        """
        return HookHandle(self._own_hooks().before, hook)

    def register_step_post_hook(self, hook: Hook) -> HookHandle:
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return HookHandle(self._own_hooks().after, hook)

    def register_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> HookHandle:
        """Call `hook(optimizer)` before the state is read."""
        return _added(self._own_hooks().reading, hook, prepend)

    def register_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> HookHandle:
        """Call `hook(optimizer, state_dict)` once the state is read; what it returns, if anything, takes its place."""
        return _added(self._own_hooks().read, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> HookHandle:
        """Call `hook(optimizer, state_dict)` before a state is loaded; what it returns, if anything, takes its place."""
        return _added(self._own_hooks().loading, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> HookHandle:
        """Call `hook(optimizer)` once a state is loaded."""
        return _added(self._own_hooks().loaded, hook, prepend)

    def _own_hooks(self) -> Hooks:
        if self._hooks is None:
            self._hooks = Hooks()
            for name in METHODS:
                self.__dict__[name] = partial(getattr(self._hooks, name), self, getattr(self, name))
        return self._hooks


METHODS = ("step", "state_dict", "load_state_dict")


class Hooks:
    """All hooks of one optimiser, by kind, in the order in which they are called; and its methods with them around."""

    def __init__(self) -> None:
        self.before: dict[int, Hook] = {}
        self.after: dict[int, Hook] = {}
        self.reading: dict[int, Hook] = {}
        self.read: dict[int, Hook] = {}
        self.loading: dict[int, Hook] = {}
        self.loaded: dict[int, Hook] = {}

    def step(self, optimizer: Any, step: Hook, *arguments: Any, **options: Any) -> Any:
        """A step with what is called before and after it."""
        given: tuple[Any, ...] = (optimizer, *arguments)
        for hook in list(self.before.values()):
            changed = hook(optimizer, given, options)
            if changed is not None:
                given, options = _arguments(changed)
        result = step(*given[1:], **options)
        for hook in list(self.after.values()):
            hook(optimizer, given, options)
        return result

    def state_dict(self, optimizer: Any, state_dict: Hook) -> Any:
        """The state as the hooks leave it."""
        for hook in list(self.reading.values()):
            hook(optimizer)
        return _replaced(self.read, optimizer, state_dict())

    def load_state_dict(self, optimizer: Any, load: Hook, state_dict: Mapping[str, Any]) -> None:
        """Load a state as the hooks leave it: they get a copy of the dictionary that was given."""
        load(_replaced(self.loading, optimizer, dict(state_dict)))
        for hook in list(self.loaded.values()):
            hook(optimizer)


def _replaced(hooks: dict[int, Hook], optimizer: Any, state: Any) -> Any:
    for hook in list(hooks.values()):
        changed = hook(optimizer, state)
        state = state if changed is None else changed
    return state


def _arguments(changed: Any) -> Any:
    """Other arguments of a step, as a hook gave them."""
    if not isinstance(changed, tuple) or len(changed) != 2 or not changed[0]:
        raise InputError(
            f"a hook before a step returned {changed!r}",
            do="return None, or the changed (args, kwargs), where args begin with the optimiser",
        )
    return changed


def _added(hooks: dict[int, Hook], hook: Hook, prepend: bool) -> HookHandle:
    """Register a hook behind the others, or before them."""
    others = list(hooks.items()) if prepend else []
    for number, _ in others:
        del hooks[number]
    handle = HookHandle(hooks, hook)
    hooks.update(others)
    return handle
