"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from openbook.optim.optimizer import Optimizer
from openbook.optim.options import ignored, require
from openbook.optim.rule import directed

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """Steps divided by a running root mean square of the gradient (Hinton 2012), as PyTorch does.

    `centered` takes the gradient's running mean off first (Graves 2013). `foreach` chooses among implementations in
    PyTorch and changes nothing here.
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
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ):
        options = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(
            params, {**options, **ignored(capturable=capturable, foreach=foreach, differentiable=differentiable)}
        )

    def _check(self, group: dict[str, Any]) -> None:
        for name in ("lr", "alpha", "eps", "weight_decay", "momentum"):
            require(group, name)

    def fills(self, group: dict[str, Any]) -> dict[str, float]:
        wanted = {"square_avg": True, "momentum_buffer": group["momentum"], "grad_avg": group["centered"]}
        return {name: 0.0 for name, asked in wanted.items() if asked}

    def begin(self, numbers: dict[str, Any], group: dict[str, Any]) -> tuple[float, ...]:
        numbers["step"] += 1
        return group["lr"], group["alpha"], 1 - group["alpha"], group["eps"], group["momentum"]

    def update(self, p, g, state, shared, group, work):
        lr, alpha, rest, eps, momentum = shared
        g = directed(p, g, group, out=work[0])
        v, a = state["square_avg"], work[1]
        v *= alpha
        np.multiply(g, g, out=a)
        a *= rest
        v += a
        if group["centered"]:
            m = state["grad_avg"]
            m *= alpha
            m += np.multiply(g, rest, out=a)
            np.multiply(m, m, out=a)
            v = np.subtract(v, a, out=a)
        np.sqrt(v, out=a)
        a += eps
        np.divide(g, a, out=a)
        if group["momentum"]:
            step = state["momentum_buffer"]
            step *= momentum
            step += a
            np.multiply(step, lr, out=a)
        else:
            a *= lr
        p -= a
