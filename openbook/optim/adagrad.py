"""Adagrad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from openbook.optim.optimizer import Optimizer, require

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Steps divided by the root of all squared gradients so far (Duchi et al. 2011), as PyTorch does."""

    formula = "p - lr/(1 + (t - 1)*lr_decay)*g/(sqrt(v) + eps)"

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ):
        super().__init__(
            params,
            lr=require("lr", lr),
            lr_decay=require("lr_decay", lr_decay),
            weight_decay=require("weight_decay", weight_decay),
            initial_accumulator_value=require("initial_accumulator_value", initial_accumulator_value),
            eps=require("eps", eps),
        )

    def update(self, p: np.ndarray, g: np.ndarray, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state.update(t=0, v=np.full_like(p, group["initial_accumulator_value"]))
        state["t"] += 1
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        state["v"] += g * g
        rate = group["lr"] / (1 + (state["t"] - 1) * group["lr_decay"])
        p -= rate * g / (np.sqrt(state["v"]) + group["eps"])
