"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from openbook.optim.optimizer import Optimizer, require

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """Steps divided by a running root mean square of the gradient (Hinton 2012), as PyTorch does.

    `centered` takes the gradient's running mean off first (Graves 2013).
    """

    formula = "p - lr*g/(sqrt(v - m**2) + eps)"

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ):
        super().__init__(
            params,
            lr=require("lr", lr),
            alpha=require("alpha", alpha, high=1.0),
            eps=require("eps", eps),
            weight_decay=require("weight_decay", weight_decay),
            momentum=require("momentum", momentum),
            centered=centered,
        )

    def update(self, p: np.ndarray, g: np.ndarray, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state.update(v=np.zeros_like(p), m=np.zeros_like(p), step=np.zeros_like(p))
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        v, m = state["v"], state["m"]
        v *= group["alpha"]
        v += (1 - group["alpha"]) * (g * g)
        spread = v
        if group["centered"]:
            m *= group["alpha"]
            m += (1 - group["alpha"]) * g
            spread = v - m * m
        step = g / (np.sqrt(spread) + group["eps"])
        if group["momentum"]:
            state["step"] *= group["momentum"]
            state["step"] += step
            step = state["step"]
        p -= group["lr"] * step
