"""Resilient backpropagation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.optim.optimizer import Optimizer
from openbook.optim.options import ignored, require

__all__ = ["Rprop"]


class Rprop(Optimizer):
    """Steps that look at the signs of gradients only (Riedmiller & Braun 1993), as PyTorch does.

    Each entry's step grows by `etas[1]` while its gradient keeps its sign, within `step_sizes`; where the sign turns it
    shrinks by `etas[0]`, and the entry rests once. It is for whole data, not for batches. `foreach` chooses among
    implementations in PyTorch and changes nothing here.
    """

    formula = "p - step_size*sign(g)"

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ):
        options = {"lr": lr, "etas": tuple(etas), "step_sizes": tuple(step_sizes), "maximize": maximize}
        chosen = ignored(capturable=capturable, foreach=foreach, differentiable=differentiable)
        super().__init__(params, {**options, **chosen})

    def _check(self, group: dict[str, Any]) -> None:
        require(group, "lr")
        shrink, grow = group["etas"]
        if not 0 < shrink < 1 < grow:
            raise InputError(
                f"etas={group['etas']} do not shrink and grow", where="the optimiser's options",
                do="give one in (0, 1) and one above 1",
            )  # fmt: skip

    def fills(self, group: dict[str, Any]) -> dict[str, float]:
        return {"prev": 0.0, "step_size": group["lr"]}

    def begin(self, numbers: dict[str, Any], group: dict[str, Any]) -> tuple[float, ...]:
        numbers["step"] += 1
        return (*group["etas"], *group["step_sizes"])

    def update(self, p, g, state, shared, group, work):
        shrink, grow, least, most = shared
        before, sizes = state["prev"], state["step_size"]
        g = np.negative(g, out=work[0]) if group["maximize"] else np.add(g, 0, out=work[0])
        turned = np.multiply(g, before, out=work[1])
        kept, back = turned > 0, turned < 0
        turned[kept], turned[back], turned[~(kept | back)] = grow, shrink, 1
        sizes *= turned
        np.clip(sizes, least, most, out=sizes)
        g[back] = 0
        before[...] = g
        up, down = g > 0, g < 0
        g[...] = up  # the sign, as PyTorch takes it: NaN has none, and its entry rests
        g[down] = -1
        g *= sizes
        p -= g
