"""NAdam."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from openbook.optim.optimizer import Optimizer
from openbook.optim.options import ignored, require
from openbook.optim.rule import decayed

__all__ = ["NAdam"]


class NAdam(Optimizer):
    """Adam with Nesterov's look ahead, its momentum growing from step to step (Dozat 2016), as PyTorch does.

    The product of the momenta is kept in double precision; PyTorch keeps it in single precision beside float32 parameters.
    `foreach` chooses among implementations in PyTorch and changes nothing here.
    """

    formula = (
        "p - lr*((1 - mu)*g/(1 - mu_product) + mu_next*m/(1 - mu_product*mu_next))/(sqrt(v/(1 - beta_2**t)) + eps)"
    )
    numbers: ClassVar[dict[str, Any]] = {"step": 0, "mu_product": 1.0}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ):
        options = {
            "lr": lr,
            "betas": tuple(betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(
            params, {**options, **ignored(foreach=foreach, capturable=capturable, differentiable=differentiable)}
        )

    def _check(self, group: dict[str, Any]) -> None:
        for name in ("lr", "eps", "weight_decay", "momentum_decay"):
            require(group, name)
        require(group, "betas", high=1.0)

    def fills(self, group: dict[str, Any]) -> dict[str, float]:
        return _FILLS

    def begin(self, numbers: dict[str, Any], group: dict[str, Any]) -> tuple[float, ...]:
        numbers["step"] += 1
        t, (beta1, beta2), lr = numbers["step"], group["betas"], group["lr"]
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (s * group["momentum_decay"])) for s in (t, t + 1))
        numbers["mu_product"] *= mu
        product = numbers["mu_product"]
        root = math.sqrt(1 - beta2**t)  # taken out of the division by sqrt(v) + eps
        return (
            beta1,
            1 - beta1,
            beta2,
            1 - beta2,
            group["eps"] * root,
            lr * root * (1 - mu) / (1 - product),
            lr * root * mu_next / (1 - product * mu_next),
            1 - lr * group["weight_decay"],
        )

    def update(self, p, g, state, shared, group, work):
        beta1, rest1, beta2, rest2, eps, of_gradient, of_mean, shrink = shared
        m, v, a, b = state["exp_avg"], state["exp_avg_sq"], work[1], work[2]
        g = decayed(p, g, shrink, group, work[0])
        m *= beta1
        m += np.multiply(g, rest1, out=a)
        v *= beta2
        np.multiply(g, g, out=a)
        a *= rest2
        v += a
        np.multiply(g, of_gradient, out=b)
        b += np.multiply(m, of_mean, out=a)
        np.sqrt(v, out=a)
        a += eps
        b /= a
        p -= b


_FILLS = {"exp_avg": 0.0, "exp_avg_sq": 0.0}
