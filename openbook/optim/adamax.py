"""Adamax."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from openbook.optim.optimizer import Optimizer
from openbook.optim.options import ignored, require
from openbook.optim.rule import directed

__all__ = ["Adamax"]


class Adamax(Optimizer):
    """Adam with the largest recent gradient in place of the mean square (Kingma & Ba 2015, section 7), as PyTorch does.

    `foreach` chooses among implementations in PyTorch and changes nothing here.
    """

    formula = "p - lr/(1 - beta_1**t)*m/u"

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ):
        options = {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(
            params, {**options, **ignored(foreach=foreach, differentiable=differentiable, capturable=capturable)}
        )

    def _check(self, group: dict[str, Any]) -> None:
        for name in ("lr", "eps", "weight_decay"):
            require(group, name)
        require(group, "betas", high=1.0)

    def fills(self, group: dict[str, Any]) -> dict[str, float]:
        return _FILLS

    def begin(self, numbers: dict[str, Any], group: dict[str, Any]) -> tuple[float, ...]:
        numbers["step"] += 1
        beta1, beta2 = group["betas"]
        return beta1, 1 - beta1, beta2, group["eps"], group["lr"] / (1 - beta1 ** numbers["step"])

    def update(self, p, g, state, shared, group, work):
        beta1, rest1, beta2, eps, rate = shared
        g = directed(p, g, group, out=work[0])
        m, u, a = state["exp_avg"], state["exp_inf"], work[1]
        m *= beta1
        m += np.multiply(g, rest1, out=a)
        u *= beta2
        np.abs(g, out=a)
        a += eps
        np.maximum(u, a, out=u)
        np.divide(m, u, out=a)
        a *= rate
        p -= a


_FILLS = {"exp_avg": 0.0, "exp_inf": 0.0}
