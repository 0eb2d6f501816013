"""Averaged stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from openbook.optim.optimizer import Optimizer
from openbook.optim.options import ignored, require
from openbook.optim.rule import directed

__all__ = ["ASGD"]


class ASGD(Optimizer):
    """Gradient descent at a falling rate, with the average of the way kept as `ax` (Polyak & Juditsky 1992), as PyTorch does.

    The average begins at step `t0`; `state[parameter]["ax"]` holds it. `foreach` chooses among implementations in PyTorch and
    changes nothing here.
    """

    formula = "p*(1 - lambd*eta) - eta*g"
    numbers: ClassVar[dict[str, Any]] = {"step": 0, "eta": None, "mu": 1.0}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ):
        options = {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "maximize": maximize,
        }  # fmt: skip
        chosen = ignored(foreach=foreach, differentiable=differentiable, capturable=capturable)
        super().__init__(params, {**options, **chosen})

    def _check(self, group: dict[str, Any]) -> None:
        for name in ("lr", "weight_decay"):
            require(group, name)

    def fills(self, group: dict[str, Any]) -> dict[str, float]:
        return _FILLS

    def begin(self, numbers: dict[str, Any], group: dict[str, Any]) -> tuple[float, ...]:
        eta = group["lr"] if numbers["eta"] is None else numbers["eta"]
        mu = numbers["mu"]
        numbers["step"] += 1
        step = numbers["step"]
        numbers["eta"] = group["lr"] / (1 + group["lambd"] * group["lr"] * step) ** group["alpha"]
        numbers["mu"] = 1 / max(1, step - group["t0"])
        return (eta, 1 - group["lambd"] * eta, *(() if mu == 1 else (mu,)))

    def update(self, p, g, state, shared, group, work):
        eta, shrink, *mu = shared
        g = directed(p, g, group, out=work[0])
        average, step = state["ax"], work[1]
        p *= shrink
        p -= np.multiply(g, eta, out=step)
        if mu:
            np.subtract(p, average, out=step)
            step *= mu[0]
            average += step
        else:  # the average has not begun
            np.multiply(p, 1, out=average)


_FILLS = {"ax": 0.0}
