"""A schedule that watches the loss."""

from __future__ import annotations

import math
from typing import Any

from openbook.errors import InputError
from openbook.optim.lr_scheduler.scheduler import LRScheduler, per_group, require_optimizer
from openbook.optim.optimizer import Optimizer

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """The rate times `factor` when a loss has not improved for more than `patience` epochs; call `step(loss)`.

    An improvement is one by more than the share `threshold` of the best so far (`threshold_mode="rel"`), or by more than
    `threshold` itself ("abs"). After a reduction, `cooldown` epochs do not count. A rate does not fall below `min_lr` (one,
    or one per group), nor by less than `eps`. With `mode="max"`, it watches a score that should rise.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ):
        where = "ReduceLROnPlateau"
        require_optimizer(optimizer, where)
        for name, value, known in (("mode", mode, ("min", "max")), ("threshold_mode", threshold_mode, ("rel", "abs"))):
            if value not in known:
                raise InputError(
                    f"{name}={value!r} is neither of two", where=where, do=f'choose "{known[0]}" or "{known[1]}"'
                )
        if not factor < 1:
            raise InputError(f"factor={factor} does not reduce", where=where, do="choose one in (0, 1)")
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown, self.eps = threshold, threshold_mode, cooldown, eps
        self.min_lrs = per_group("min_lr", min_lr, optimizer)
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else min_lr
        self.best = math.inf if mode == "min" else -math.inf
        self.cooldown_counter = self.num_bad_epochs = self.last_epoch = 0
        self._last_lr = [group["lr"] for group in optimizer.param_groups]

    @property
    def in_cooldown(self) -> bool:
        """Whether epochs do not count because of a recent reduction."""
        return self.cooldown_counter > 0

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """An epoch is over, with this loss (or score); `epoch` says which one is to begin, if it is not the next."""
        value = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._better(value):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def _better(self, value: float) -> bool:
        sign = -1 if self.mode == "min" else 1
        if self.threshold_mode == "rel":
            bar = self.best * (1 + sign * self.threshold)
        else:
            bar = self.best + sign * self.threshold
        return value < bar if self.mode == "min" else value > bar

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise InputError(
                    f"the optimiser has {len(groups)} groups now, and min_lr was given for {len(self.min_lrs)}",
                    where="ReduceLROnPlateau",
                    do="set min_lrs to one entry per group",
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, least in zip(groups, self.min_lrs, strict=True):
            reduced = max(group["lr"] * self.factor, least)
            if group["lr"] - reduced > self.eps:
                group["lr"] = reduced
