"""What all optimisers share: parameter groups, clearing gradients, stepping through the parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from openbook.errors import DTypeError, InputError
from openbook.tensor.tensor import Tensor

__all__ = ["Optimizer"]


class Optimizer:
    """Subclasses say in `update` what happens to one parameter, in place.

    `formula` is the rule as people read it. `param_groups` hold parameters with their options, as in PyTorch.
    """

    formula: str = ""

    def __init__(self, params: Iterable[Any], **defaults: Any):
        if isinstance(params, Tensor):
            raise DTypeError("an optimiser takes a list of parameters, not one tensor", do="write [parameter]")
        groups = list(params)
        if not groups:
            raise InputError(
                "the optimiser got no parameters", do="pass model.parameters(), fresh (it is used up once)"
            )
        if not isinstance(groups[0], Mapping):
            groups = [{"params": groups}]
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = [
            {**defaults, **group, "params": list(group["params"])} for group in groups
        ]
        self.state: dict[int, dict[str, Any]] = {}

    def zero_grad(self) -> None:
        """Clear the gradients: backward() adds to what is there."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    state = self.state.setdefault(id(parameter), {})
                    self.update(parameter.data, parameter.grad.data, state, group)
                    parameter.changed_in_place()

    def update(self, p: np.ndarray, g: np.ndarray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Move one parameter `p` by its gradient `g`, in place; `state` lasts from step to step."""
        raise TypeError("an optimiser says what it does in `update`")


def require(name: str, value: float, low: float = 0.0, high: float = float("inf")) -> float:
    """The option, if low ≤ value < high; an InputError naming it otherwise."""
    if not low <= value < high:
        raise InputError(f"{name} must lie in [{low}, {high}), not {value}", where="the optimiser's options")
    return value
