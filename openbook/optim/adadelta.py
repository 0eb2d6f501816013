"""Adadelta."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from openbook.optim.optimizer import Optimizer
from openbook.optim.options import ignored, require
from openbook.optim.rule import directed

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """Steps as large as earlier steps were, gradient by gradient (Zeiler 2012), as PyTorch does.

    `foreach` chooses among implementations in PyTorch and changes nothing here.
    """

    formula = "p - lr*g*sqrt(u + eps)/sqrt(v + eps)"

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ):
        options = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(
            params, {**options, **ignored(foreach=foreach, capturable=capturable, differentiable=differentiable)}
        )

    def _check(self, group: dict[str, Any]) -> None:
        for name in ("lr", "eps", "weight_decay"):
            require(group, name)
        require(group, "rho", high=1.0, closed=True)

    def fills(self, group: dict[str, Any]) -> dict[str, float]:
        return _FILLS

    def begin(self, numbers: dict[str, Any], group: dict[str, Any]) -> tuple[float, ...]:
        numbers["step"] += 1
        return group["lr"], group["rho"], 1 - group["rho"], group["eps"]

    def update(self, p, g, state, shared, group, work):
        lr, rho, rest, eps = shared
        g = directed(p, g, group, out=work[0])
        v, u, step, a = state["square_avg"], state["acc_delta"], work[1], work[2]
        _average(v, g, rho, rest, a)
        np.add(u, eps, out=step)
        step /= np.add(v, eps, out=a)
        np.sqrt(step, out=step)
        step *= g
        _average(u, step, rho, rest, a)
        step *= lr
        p -= step


_FILLS = {"square_avg": 0.0, "acc_delta": 0.0}


def _average(mean: np.ndarray, x: np.ndarray, rho: np.ndarray, rest: np.ndarray, out: np.ndarray) -> None:
    """Let the square of x into a running mean of squares, in place."""
    mean *= rho
    np.multiply(x, x, out=out)
    out *= rest
    mean += out
