"""What an optimiser keeps, in the layout in which PyTorch saves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.optim.options import plain
from openbook.tensor.tensor import Tensor

__all__ = ["packed", "unpacked"]


def packed(value: Any) -> Any:
    """One parameter's state (or a part of it) with a tensor of its own for every array."""
    if isinstance(value, dict):
        return {name: packed(part) for name, part in value.items()}
    if isinstance(value, list):
        return [packed(part) for part in value]
    return Tensor(value.copy()) if isinstance(value, np.ndarray) else value


def unpacked(
    state_dict: Mapping[str, Any], groups: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], dict[Tensor, dict[str, Any]]]:
    """The saved groups with the optimiser's parameters in them, and the saved entries by parameter, as arrays."""
    if not {"state", "param_groups"} <= state_dict.keys():
        raise InputError(
            "this is no optimiser's state", where="load_state_dict", do="pass what optimizer.state_dict() gave"
        )
    saved = state_dict["param_groups"]
    sizes, saved_sizes = ([len(group["params"]) for group in side] for side in (groups, saved))
    if sizes != saved_sizes:
        raise InputError(
            f"the state belongs to groups of {saved_sizes} parameters, the optimiser has {sizes}",
            where="load_state_dict",
            do="make the optimiser from the same groups first",
        )
    owners = {
        index: parameter
        for group, old in zip(groups, saved, strict=True)
        for index, parameter in zip(old["params"], group["params"], strict=True)
    }
    unknown = sorted(set(state_dict["state"]) - set(owners))
    if unknown:
        raise InputError(f"the state has entries {unknown} that no group names", where="load_state_dict")
    entries = {owners[index]: arrays(entry) for index, entry in state_dict["state"].items()}
    merged = [
        {**group, **{name: plain(value) for name, value in old.items()}, "params": group["params"]}
        for group, old in zip(groups, saved, strict=True)
    ]
    return merged, entries


def arrays(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A saved entry as NumPy arrays, whatever kind of tensor or number it came in; what is None is left out."""
    return {name: _array(value) for name, value in entry.items() if value is not None}


def _array(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_array(part) for part in value]
    return value.data if isinstance(value, Tensor) else np.asarray(value)
