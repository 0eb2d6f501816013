"""A module as a function of its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openbook.errors import DTypeError, InputError, ShapeError
from openbook.nn.module import Module

__all__ = ["functional_call"]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other tensors in the places of parameters and buffers, which come back afterwards, errors or not.

    Gradients flow to the tensors given. Names left out keep what the module has, unless `strict`. With `tie_weights`, a
    tensor that stands in several places is replaced in all of them.
    """
    parts = (
        (parameter_and_buffer_dicts,) if isinstance(parameter_and_buffer_dicts, Mapping) else parameter_and_buffer_dicts
    )
    tensors = {name: value for part in parts for name, value in part.items()}
    places = _places(module)
    _check(module, tensors, places, strict)
    wanted = _tied(tensors, places) if tie_weights else tensors
    inputs = () if args is None else tuple(args) if isinstance(args, tuple | list) else (args,)
    before = {name: _get(*places[name]) for name in wanted}
    try:
        for name, value in wanted.items():
            _put(*places[name], value)
        return module(*inputs, **(kwargs or {}))
    finally:
        for name, value in before.items():
            _put(*places[name], value)


Place = tuple[Module, str, str]  # whose, parameters or buffers, and the name there


def _places(module: Module) -> dict[str, Place]:
    """Where every parameter and buffer stands, by each of its dotted names."""
    found: dict[str, Place] = {}
    for path, part in module.named_modules(remove_duplicate=False):
        for kind in ("_parameters", "_buffers"):
            for name, value in part.__dict__[kind].items():
                if value is not None:
                    found[f"{path}.{name}" if path else name] = (part, kind, name)
    return found


def _get(module: Module, kind: str, name: str) -> Any:
    return module.__dict__[kind][name]


def _put(module: Module, kind: str, name: str, value: Any) -> None:
    """Straight into the dictionaries: a tensor may stand in for a parameter for as long as the call lasts."""
    module.__dict__[kind][name] = module.__dict__[name] = value


def _check(module: Module, tensors: Mapping[str, Any], places: Mapping[str, Place], strict: bool) -> None:
    unknown = [name for name in tensors if name not in places]
    missing = [name for name in places if name not in tensors] if strict else []
    if unknown or missing:
        raise InputError(
            f"the tensors do not fit {type(module).__name__}: unexpected {unknown or 'nothing'}, missing "
            f"{missing or 'nothing'}",
            where="functional_call",
        )
    for name, value in tensors.items():
        if not hasattr(value, "__openbook_apply__"):  # under vmap it is no Tensor, but a stack of cases
            raise DTypeError(f"{name} is {type(value).__name__}, not a tensor", where="functional_call")
        if value.shape != _get(*places[name]).shape:
            raise ShapeError(f"{name} has shape {_get(*places[name]).shape}, the tensor given {value.shape}")


def _tied(tensors: Mapping[str, Any], places: Mapping[str, Place]) -> dict[str, Any]:
    """The tensors by every name of what they replace."""
    by_identity: dict[int, Any] = {}
    for name, value in tensors.items():
        other = by_identity.setdefault(id(_get(*places[name])), value)
        if other is not value:
            raise InputError(f"{name} is tied to another name, and two different tensors are given for them")
    return {name: by_identity[id(_get(*place))] for name, place in places.items() if id(_get(*place)) in by_identity}
