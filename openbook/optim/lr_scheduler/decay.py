"""Schedules that say the rate of every epoch by one rule."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from openbook.errors import InputError
from openbook.optim.lr_scheduler.scheduler import Chainable, LRScheduler, per_group, whole
from openbook.optim.optimizer import Optimizer

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "PolynomialLR",
    "StepLR",
]


class StepLR(Chainable):
    """The rate times `gamma` every `step_size` epochs."""

    stays: ClassVar[bool] = False

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1):
        self.step_size, self.gamma = whole("step_size", step_size, "StepLR"), gamma
        super().__init__(optimizer, last_epoch)

    def multiple(self, epoch: int) -> float:
        return self.gamma ** (epoch // self.step_size)


class MultiStepLR(Chainable):
    """The rate times `gamma` at each of the `milestones`; twice at one that is given twice."""

    stays: ClassVar[bool] = False

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1):
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def multiple(self, epoch: int) -> float:
        return self.gamma ** sum(count for milestone, count in self.milestones.items() if milestone <= epoch)


class ExponentialLR(Chainable):
    """The rate times `gamma` every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def multiple(self, epoch: int) -> float:
        return self.gamma**epoch


class ConstantLR(Chainable):
    """The rate times `factor` for `total_iters` epochs, then as it was."""

    stays: ClassVar[bool] = False

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1):
        _within("factor", factor, "ConstantLR")
        self.factor, self.total_iters = factor, whole("total_iters", total_iters, "ConstantLR")
        super().__init__(optimizer, last_epoch)

    def multiple(self, epoch: int) -> float:
        return 1.0 if epoch >= self.total_iters else self.factor


class LinearLR(Chainable):
    """A straight warm-up (or cool-down) from `start_factor` to `end_factor` of the rate in `total_iters` epochs."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ):
        _within("start_factor", start_factor, "LinearLR", zero=False)
        _within("end_factor", end_factor, "LinearLR")
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = whole("total_iters", total_iters, "LinearLR")
        super().__init__(optimizer, last_epoch)

    def multiple(self, epoch: int) -> float:
        share = min(epoch, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * share


class PolynomialLR(Chainable):
    """Down to zero in `total_iters` epochs, as a power of the epochs that are left."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1):
        self.total_iters, self.power = whole("total_iters", total_iters, "PolynomialLR"), power
        super().__init__(optimizer, last_epoch)

    def multiple(self, epoch: int) -> float:
        return (1.0 - min(epoch, self.total_iters) / self.total_iters) ** self.power


class CosineAnnealingLR(Chainable):
    """Down half a cosine from the rate to `eta_min` in `T_max` epochs, and up again (Loshchilov & Hutter 2017)."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1):
        self.T_max, self.eta_min = whole("T_max", T_max, "CosineAnnealingLR"), eta_min
        super().__init__(optimizer, last_epoch)

    def multiple(self, epoch: int) -> float:
        """The share of the way from `eta_min` up to the rate."""
        return (1 + math.cos(math.pi * epoch / self.T_max)) / 2

    def rate(self, base: float, epoch: int) -> float:
        return self.eta_min + (base - self.eta_min) * self.multiple(epoch)

    def moved(self, lr: float, base: float, epoch: int) -> float:
        if epoch == 0:
            return lr
        if (epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # it was at the bottom, where no ratio leads up from
            return lr + (base - self.eta_min) * (1 - math.cos(math.pi / self.T_max)) / 2
        return self.eta_min + (lr - self.eta_min) * (self.multiple(epoch) / self.multiple(epoch - 1))


class LambdaLR(LRScheduler):
    """The initial rate times what a function (or one per group) makes of the epoch."""

    functions: ClassVar[tuple[str, ...]] = ("lr_lambdas",)

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ):
        self.lr_lambdas: list[Any] = per_group("lr_lambda", lr_lambda, optimizer)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return self._at(self.last_epoch)

    def _restart(self) -> None:
        self.last_epoch = 0
        self._set(self._at(0))

    def _at(self, epoch: int) -> list[float]:
        return [base * function(epoch) for base, function in zip(self.base_lrs, self.lr_lambdas, strict=True)]


class MultiplicativeLR(LRScheduler):
    """The rate of the epoch before times what a function (or one per group) makes of the epoch."""

    functions: ClassVar[tuple[str, ...]] = ("lr_lambdas",)

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ):
        self.lr_lambdas: list[Any] = per_group("lr_lambda", lr_lambda, optimizer)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        groups = self.optimizer.param_groups
        return [g["lr"] * function(self.last_epoch) for g, function in zip(groups, self.lr_lambdas, strict=True)]

    def _begin(self) -> None:
        self.last_epoch += 1
        self._set([group["lr"] for group in self.optimizer.param_groups])

    def _restart(self) -> None:
        self.last_epoch = 0
        self._set(self.get_lr())


def _within(name: str, value: float, where: str, zero: bool = True) -> None:
    if not (0 < value <= 1 or (zero and value == 0)):
        raise InputError(f"{name}={value} lies outside {'[' if zero else '('}0, 1]", where=where)
