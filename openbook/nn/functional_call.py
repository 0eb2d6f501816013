"""A module as a function of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openbook.errors import InputError
from openbook.nn.module import Module

__all__ = ["functional_call"]


def functional_call(
    module: Module, state: Mapping[str, Any], args: Any = (), kwargs: Mapping[str, Any] | None = None
) -> Any:
    """What the module gives with these parameters and buffers (by dotted name) in place of its own; it is left unchanged.

    With `grad` and `vmap` this gives gradients for each example, or one network for each of many parameters.
    """
    places = {
        f"{name}.{part}" if name else part: (owner, kind, part)
        for name, owner in module._walk()
        for kind in ("_parameters", "_buffers")
        for part in owner.__dict__[kind]
    }
    unknown = [name for name in state if name not in places]
    if unknown:
        raise InputError(f"{type(module).__name__} has no {', '.join(unknown)}", where="functional_call")
    held = {name: getattr(owner, part) for name, (owner, _, part) in places.items() if name in state}
    try:
        for name, value in state.items():
            owner, _, part = places[name]
            object.__setattr__(owner, part, value)
        return module(*(args if isinstance(args, tuple) else (args,)), **(kwargs or {}))
    finally:
        for name, value in held.items():
            owner, _, part = places[name]
            object.__setattr__(owner, part, value)
