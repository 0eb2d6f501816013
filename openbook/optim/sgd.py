"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from openbook.errors import InputError
from openbook.optim.bucket import Kept
from openbook.optim.optimizer import Optimizer
from openbook.optim.options import ignored, require
from openbook.optim.rule import directed
from openbook.tensor.tensor import Tensor

__all__ = ["SGD"]


class SGD(Optimizer):
    """Step against the gradient, with momentum if asked for (Polyak 1964; Nesterov 1983), as PyTorch does.

    `dampening` weakens what a gradient adds to the momentum, except for the first. `foreach` is PyTorch's and changes
    nothing here; `fused` says when large parameters move by a compiled loop with the same bits: after some steps (None), at
    once (True), never (False).
    """

    formula = "p - lr*(momentum*v + g)"
    numbers: ClassVar[dict[str, Any]] = {"averaged": 0}  # gradients in the momentum so far

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ):
        options = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, {**options, **ignored(foreach=foreach, differentiable=differentiable, fused=fused)})

    def _check(self, group: dict[str, Any]) -> None:
        for name in ("lr", "momentum", "weight_decay"):
            require(group, name)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"]):
            raise InputError("Nesterov's rule needs a positive momentum and no dampening", where="SGD")

    def fills(self, group: dict[str, Any]) -> dict[str, float]:
        return {"momentum_buffer": 0.0} if group["momentum"] else {}

    def begin(self, numbers: dict[str, Any], group: dict[str, Any]) -> tuple[float, ...]:
        if not group["momentum"]:
            return (group["lr"],)
        first = numbers["averaged"] == 0
        numbers["averaged"] = 1
        share = () if first or not group["dampening"] else (1 - group["dampening"],)
        return (group["lr"], group["momentum"], *share)

    def update(self, p, g, state, shared, group, work):
        g = directed(p, g, group, out=work[0])
        step = work[1]
        if group["momentum"]:
            lr, momentum, *share = shared
            v = state["momentum_buffer"]
            v *= momentum
            v += np.multiply(g, share[0], out=step) if share else g
            if group["nesterov"]:
                np.multiply(v, momentum, out=step)
                step += g
                step *= lr
            else:
                np.multiply(v, lr, out=step)
        else:
            np.multiply(g, shared[0], out=step)
        p -= step

    def _pack(self, numbers: dict[str, Any], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
        return dict(arrays)  # PyTorch counts no steps here

    def _unpack(self, parameter: Tensor, entry: dict[str, Any], group: dict[str, Any]) -> Kept:
        return super()._unpack(parameter, {"averaged": np.array(1), **entry}, group)
