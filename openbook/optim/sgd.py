"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.optim.optimizer import Optimizer, require

__all__ = ["SGD"]


class SGD(Optimizer):
    """Step against the gradient, with momentum if asked for (Polyak 1964; Nesterov 1983), as PyTorch does."""

    formula = "p - lr*(momentum*v + g)"

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ):
        if nesterov and (momentum <= 0 or dampening):
            raise InputError("Nesterov's rule needs a positive momentum and no dampening", where="SGD")
        super().__init__(
            params,
            lr=require("lr", lr),
            momentum=require("momentum", momentum),
            dampening=dampening,
            weight_decay=require("weight_decay", weight_decay),
            nesterov=nesterov,
        )

    def update(self, p: np.ndarray, g: np.ndarray, state: dict[str, Any], group: dict[str, Any]) -> None:
        momentum = group["momentum"]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        if momentum:
            if "v" not in state:
                state["v"] = np.array(g)
            else:
                state["v"] *= momentum
                state["v"] += (1 - group["dampening"]) * g
            g = g + momentum * state["v"] if group["nesterov"] else state["v"]
        p -= group["lr"] * g
