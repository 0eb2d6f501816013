"""Learning rates that change from epoch to epoch: each rule says the rate, nothing is accumulated."""

from __future__ import annotations

import math
from collections.abc import Callable

from openbook.errors import InputError
from openbook.optim.optimizer import Optimizer

__all__ = ["CosineAnnealingLR", "ExponentialLR", "LRScheduler", "LambdaLR", "LinearLR", "ReduceLROnPlateau", "StepLR"]


class LRScheduler:
    """Subclasses say in `rate` what the rate of a group is at an epoch; call `step()` after each epoch."""

    def __init__(self, optimizer: Optimizer):
        self.optimizer = optimizer
        self.base_lrs = [float(group.setdefault("initial_lr", group["lr"])) for group in optimizer.param_groups]
        self.last_epoch = 0
        self._set()

    def rate(self, base: float, epoch: int) -> float:
        raise TypeError("a scheduler says its rule in `rate`")

    def step(self) -> None:
        """An epoch is over."""
        self.last_epoch += 1
        self._set()

    def get_last_lr(self) -> list[float]:
        """The rate of each group now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def _set(self) -> None:
        for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["lr"] = self.rate(base, self.last_epoch)


class StepLR(LRScheduler):
    """The rate times `gamma` every `step_size` epochs."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1):
        if step_size < 1:
            raise InputError(f"step_size={step_size} is no number of epochs", where="StepLR", do="give 1 or more")
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:
        return base * self.gamma ** (epoch // self.step_size)


class ExponentialLR(LRScheduler):
    """The rate times `gamma` every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float):
        self.gamma = gamma
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:
        return base * self.gamma**epoch


class CosineAnnealingLR(LRScheduler):
    """Down half a cosine from the rate to `eta_min` in `T_max` epochs (Loshchilov & Hutter 2017)."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0):
        if T_max < 1:
            raise InputError(f"T_max={T_max} is no number of epochs", where="CosineAnnealingLR", do="give 1 or more")
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:
        return self.eta_min + (base - self.eta_min) * 0.5 * (1 + math.cos(math.pi * epoch / self.T_max))


class LinearLR(LRScheduler):
    """A straight warm-up (or cool-down) from `start_factor` to `end_factor` of the rate in `total_iters` epochs."""

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5
    ):
        if not 0 < start_factor <= 1:
            raise InputError(f"start_factor={start_factor} lies outside (0, 1]", where="LinearLR")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:
        share = min(epoch, self.total_iters) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * share)


class LambdaLR(LRScheduler):
    """The rate times what a function makes of the epoch."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float]):
        self.lr_lambda = lr_lambda
        super().__init__(optimizer)

    def rate(self, base: float, epoch: int) -> float:
        return base * self.lr_lambda(epoch)


class ReduceLROnPlateau:
    """The rate times `factor` when a loss has not improved for more than `patience` epochs; call `step(loss)`.

    An improvement is one by more than the share `threshold` of the best so far.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        min_lr: float = 0.0,
    ):
        if mode not in ("min", "max"):
            raise InputError(f"mode={mode!r} is neither of two", where="ReduceLROnPlateau", do='choose "min" or "max"')
        if not 0 < factor < 1:
            raise InputError(f"factor={factor} does not reduce", where="ReduceLROnPlateau", do="choose one in (0, 1)")
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.min_lr = threshold, min_lr
        self.best = math.inf if mode == "min" else -math.inf
        self.waited = 0

    def step(self, metrics: float) -> None:
        """An epoch is over, with this loss (or score)."""
        value = float(metrics)
        if self._better(value):
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        if self.waited > self.patience:
            self.waited = 0
            for group in self.optimizer.param_groups:
                group["lr"] = max(group["lr"] * self.factor, self.min_lr)

    def _better(self, value: float) -> bool:
        if self.mode == "min":
            return value < self.best * (1 - self.threshold)
        return value > self.best * (1 + self.threshold)

    def get_last_lr(self) -> list[float]:
        """The rate of each group now."""
        return [group["lr"] for group in self.optimizer.param_groups]
