"""Adagrad."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from openbook.optim.optimizer import Optimizer
from openbook.optim.options import ignored, require
from openbook.optim.rule import directed

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Steps divided by the root of all squared gradients so far (Duchi et al. 2011), as PyTorch does.

    `foreach` is PyTorch's and changes nothing here; `fused` says when large parameters move by a compiled loop with the same
    bits: after some steps (None), at once (True), never (False).
    """

    formula = "p - lr/(1 + (t - 1)*lr_decay)*g/(sqrt(v) + eps)"

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ):
        options = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "maximize": maximize,
        }
        super().__init__(params, {**options, **ignored(foreach=foreach, differentiable=differentiable, fused=fused)})

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Optimise more parameters; as in PyTorch, their sums are there before the first step."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for parameter in group["params"]:
            self._ready(parameter, self.fills(group))

    def _check(self, group: dict[str, Any]) -> None:
        for name in ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"):
            require(group, name)

    def fills(self, group: dict[str, Any]) -> dict[str, float]:
        return {"sum": group["initial_accumulator_value"]}

    def begin(self, numbers: dict[str, Any], group: dict[str, Any]) -> tuple[float, ...]:
        numbers["step"] += 1
        return group["lr"] / (1 + (numbers["step"] - 1) * group["lr_decay"]), group["eps"]

    def update(self, p, g, state, shared, group, work):
        rate, eps = shared
        g = directed(p, g, group, out=work[0])
        total, a = state["sum"], work[1]
        total += np.multiply(g, g, out=a)
        np.sqrt(total, out=a)
        a += eps
        np.divide(g, a, out=a)
        a *= rate
        p -= a
