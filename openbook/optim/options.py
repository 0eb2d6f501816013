"""Options and parameters of an optimiser, checked when they are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from openbook.errors import DTypeError, GraphError, InputError
from openbook.tensor.tensor import Tensor

__all__ = ["ignored", "members", "plain", "require"]


def require(
    group: Mapping[str, Any], name: str, low: float = 0.0, high: float = float("inf"), closed: bool = False
) -> None:
    """Check that low ≤ the option (or each of a pair) < high (≤, if `closed`); an InputError names it otherwise."""
    given = group[name]
    pair = isinstance(given, (tuple, list))
    for i, value in enumerate(given if pair else (given,)):
        if not (low <= value < high or (closed and value == high)):
            label = f"{name}[{i}]" if pair else name
            end = "]" if closed else ")"
            raise InputError(f"{label} must lie in [{low}, {high}{end}, not {value}", where="the optimiser's options")


def ignored(**choices: Any) -> dict[str, Any]:
    """PyTorch's choices among implementations of the same rule: kept, and without effect on any number."""
    for name in ("capturable", "differentiable"):
        if choices.get(name):
            raise InputError(
                f"{name}=True asks for what only PyTorch's optimisers do",
                where="the optimiser's options",
                do="leave it out; to differentiate through updates, compute them with openbook.grad",
            )
    for name, value in choices.items():
        if value is not None and not isinstance(value, (bool, np.bool_)):
            raise DTypeError(f"{name} must be True, False or None, not {value!r}", where="the optimiser's options")
    return choices


def members(param_group: Mapping[str, Any], groups: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The parameters of a new group (and their names, where given as pairs), checked against each other and `groups`."""
    if not isinstance(param_group, Mapping) or "params" not in param_group:
        raise DTypeError("a parameter group is a dict with the key 'params'", do='write {"params": […], "lr": 0.1}')
    given = param_group["params"]
    if isinstance(given, (set, frozenset)):
        raise DTypeError("a set of parameters has no order, and runs would differ", do="pass a list")
    entries = [given] if isinstance(given, Tensor) else list(given)
    params = [entry[1] if isinstance(entry, tuple) else entry for entry in entries]
    seen = {id(p) for group in groups for p in group["params"]}
    for parameter in params:
        _optimisable(parameter)
        if id(parameter) in seen:
            raise InputError("a parameter was given twice", where="the optimiser's parameters", do="give each once")
        seen.add(id(parameter))
    names = [entry[0] for entry in entries if isinstance(entry, tuple)]
    if len(names) not in (0, len(params)):
        raise InputError("some parameters have names and some have not", do="name all of a group, or none")
    return {"params": params, "param_names": names} if names else {"params": params}


def _optimisable(parameter: Any) -> None:
    if not isinstance(parameter, Tensor):
        raise DTypeError(f"an optimiser moves tensors, not {type(parameter).__name__}", do="pass model.parameters()")
    if parameter.node is not None:
        raise GraphError(
            f"an optimiser moves leaves, and this tensor was computed by {parameter.node.op.name}",
            do="pass what it was computed from, or x.detach().requires_grad_()",
        )


def plain(value: Any) -> Any:
    """An option, numbers out of any tensors they came in."""
    if isinstance(value, tuple):
        return tuple(plain(entry) for entry in value)
    return value.item() if hasattr(value, "item") and not getattr(value, "shape", None) else value
