"""Adam, and Adam with decoupled weight decay."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from openbook.optim.optimizer import Optimizer
from openbook.optim.options import ignored, require
from openbook.optim.rule import decayed

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square (Kingma & Ba 2015), as PyTorch does.

    `amsgrad` scales by the largest mean square so far (Reddi et al. 2018); `decoupled_weight_decay` makes it AdamW.
    `foreach` is PyTorch's and changes nothing here; `fused` says when large parameters move by a compiled loop with the same
    bits: after some steps (None), at once (True), never (False).
    """

    formula = "p - lr*(m/(1 - beta_1**t))/(sqrt(v/(1 - beta_2**t)) + eps)"

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ):
        options = {
            "lr": lr,
            "betas": tuple(betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(
            params,
            {**options, **ignored(foreach=foreach, capturable=capturable, differentiable=differentiable, fused=fused)},
        )

    def _check(self, group: dict[str, Any]) -> None:
        for name in ("lr", "eps", "weight_decay"):
            require(group, name)
        require(group, "betas", high=1.0)

    def fills(self, group: dict[str, Any]) -> dict[str, float]:
        return _FILLS_AMSGRAD if group["amsgrad"] else _FILLS

    def begin(self, numbers: dict[str, Any], group: dict[str, Any]) -> tuple[float, ...]:
        numbers["step"] += 1
        t, (beta1, beta2), lr = numbers["step"], group["betas"], group["lr"]
        root = math.sqrt(1 - beta2**t)  # taken out of the division by sqrt(v) + eps, so that entries need one step less
        return (
            beta1,
            1 - beta1,
            beta2,
            1 - beta2,
            group["eps"] * root,
            lr * root / (1 - beta1**t),
            1 - lr * group["weight_decay"],
        )

    def update(self, p, g, state, shared, group, work):
        beta1, rest1, beta2, rest2, eps, rate, shrink = shared
        g = decayed(p, g, shrink, group, work[0])
        m, v, a = state["exp_avg"], state["exp_avg_sq"], work[1]
        m *= beta1
        m += np.multiply(g, rest1, out=a)
        v *= beta2
        np.multiply(g, g, out=a)
        a *= rest2
        v += a
        if group["amsgrad"]:
            v = np.maximum(v, state["max_exp_avg_sq"], out=state["max_exp_avg_sq"])
        np.sqrt(v, out=a)
        a += eps
        np.divide(m, a, out=a)
        a *= rate
        p -= a


_FILLS = {"exp_avg": 0.0, "exp_avg_sq": 0.0}
_FILLS_AMSGRAD = {**_FILLS, "max_exp_avg_sq": 0.0}


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
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ):
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
