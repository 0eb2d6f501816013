"""Adam with its first steps rectified."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from openbook.optim.optimizer import Optimizer
from openbook.optim.options import ignored, require
from openbook.optim.rule import decayed

__all__ = ["RAdam"]


class RAdam(Optimizer):
    """Adam without the square root as long as that rests on too few gradients, then with a factor (Liu et al. 2020).

    As PyTorch does; `foreach` chooses among implementations there and changes nothing here.
    """

    formula = "p - lr*(m/(1 - beta_1**t))*r*sqrt(1 - beta_2**t)/(sqrt(v) + eps)"

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ):
        options = {
            "lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize,
        }  # fmt: skip
        chosen = ignored(foreach=foreach, capturable=capturable, differentiable=differentiable)
        super().__init__(params, {**options, **chosen})

    def _check(self, group: dict[str, Any]) -> None:
        for name in ("lr", "eps", "weight_decay"):
            require(group, name)
        require(group, "betas", high=1.0)

    def fills(self, group: dict[str, Any]) -> dict[str, float]:
        return _FILLS

    def begin(self, numbers: dict[str, Any], group: dict[str, Any]) -> tuple[float, ...]:
        numbers["step"] += 1
        t, (beta1, beta2), lr = numbers["step"], group["betas"], group["lr"]
        return (
            beta1,
            1 - beta1,
            beta2,
            1 - beta2,
            group["eps"],
            lr / (1 - beta1**t),
            1 - lr * group["weight_decay"],
            *_rectified(t, beta2),
        )

    def update(self, p, g, state, shared, group, work):
        beta1, rest1, beta2, rest2, eps, rate, shrink, *factor = shared
        g = decayed(p, g, shrink, group, work[0])
        m, v, a, b = state["exp_avg"], state["exp_avg_sq"], work[1], work[2]
        m *= beta1
        m += np.multiply(g, rest1, out=a)
        v *= beta2
        np.multiply(g, g, out=a)
        a *= rest2
        v += a
        np.multiply(m, rate, out=b)
        if factor:
            np.sqrt(v, out=a)
            a += eps
            b /= a
            b *= factor[0]
        p -= b


_FILLS = {"exp_avg": 0.0, "exp_avg_sq": 0.0}
FEWEST = 5.0  # gradients that a mean square must rest on, in effect, before it is divided by


def _rectified(t: int, beta2: float) -> tuple[float, ...]:
    """What makes up for the variance of the mean square's root, and for its bias; nothing while it is not used."""
    most = 2 / (1 - beta2) - 1
    correction = 1 - beta2**t
    length = most - 2 * t * beta2**t / correction  # how many gradients the mean square rests on
    if length <= FEWEST:
        return ()
    variance = (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)
    return (math.sqrt(variance * correction),)
