"""Adam, and Adam with decoupled weight decay."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from openbook.optim.optimizer import Optimizer, require

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square (Kingma & Ba 2015), as PyTorch does."""

    formula = "p - lr*(m/(1 - beta_1**t))/(sqrt(v/(1 - beta_2**t)) + eps)"

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        super().__init__(
            params,
            lr=require("lr", lr),
            betas=(require("betas[0]", betas[0], high=1.0), require("betas[1]", betas[1], high=1.0)),
            eps=require("eps", eps),
            weight_decay=require("weight_decay", weight_decay),
        )

    def update(self, p: np.ndarray, g: np.ndarray, state: dict[str, Any], group: dict[str, Any]) -> None:
        self._move(p, self._decayed(p, g, group), state, group)

    def _decayed(self, p: np.ndarray, g: np.ndarray, group: dict[str, Any]) -> np.ndarray:
        """Weight decay as part of the gradient."""
        return g + group["weight_decay"] * p if group["weight_decay"] else g

    def _move(self, p: np.ndarray, g: np.ndarray, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state.update(t=0, m=np.zeros_like(p), v=np.zeros_like(p))
        state["t"] += 1
        (beta1, beta2), t, m, v = group["betas"], state["t"], state["m"], state["v"]
        m *= beta1
        m += (1 - beta1) * g
        v *= beta2
        v += (1 - beta2) * (g * g)
        scale = np.sqrt(v)
        scale *= 1 / math.sqrt(1 - beta2**t)
        scale += group["eps"]
        np.divide(m, scale, out=scale)
        scale *= group["lr"] / (1 - beta1**t)
        p -= scale


class AdamW(Adam):
    """Adam with the weights themselves shrunk at each step, apart from the gradient (Loshchilov & Hutter 2019)."""

    formula = "p*(1 - lr*weight_decay) - lr*(m/(1 - beta_1**t))/(sqrt(v/(1 - beta_2**t)) + eps)"

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ):
        super().__init__(params, lr, betas, eps, weight_decay)

    def _decayed(self, p: np.ndarray, g: np.ndarray, group: dict[str, Any]) -> np.ndarray:
        p *= 1 - group["lr"] * group["weight_decay"]
        return g
