"""Averages of the weights that a training passes through (Izmailov et al. 2018)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.nn.module import Module
from openbook.nn.normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d
from openbook.optim.lr_scheduler.scheduler import LRScheduler, per_group, require_optimizer
from openbook.optim.optimizer import Optimizer
from openbook.tensor.autograd import no_grad
from openbook.tensor.devices import require_cpu
from openbook.tensor.tensor import Tensor

__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn",
    "update_bn",
]  # fmt: skip

Average = Callable[[Tensor, Tensor, Any], Any]  # from the average, the newest and how many there were: the next average


class AveragedModel(Module):
    """A copy of a model whose weights are the average of those that `update_parameters(model)` has seen.

    `avg_fn(average, newest, count)` says how they are averaged: equally, unless given; `get_ema_avg_fn` lets older ones fade.
    `multi_avg_fn(averages, newest, count)` does it for all in one call, in place. With `use_buffers` buffers are averaged
    too, otherwise they are the model's. Call it like the model.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: Callable[[list[Tensor], list[Tensor], Any], Any] | None = None,
        use_buffers: bool = False,
    ):
        super().__init__()
        require_cpu(device)
        if avg_fn is not None and multi_avg_fn is not None:
            raise InputError("avg_fn and multi_avg_fn say the same", where="AveragedModel", do="give one of them")
        self.module = copy.deepcopy(model)
        self.register_buffer("n_averaged", Tensor(np.array(0, np.int64)))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Let the model's weights, as they are now, into the average."""
        with no_grad():
            own, new = (
                [p.detach() for p in (chain(m.parameters(), m.buffers()) if self.use_buffers else m.parameters())]
                for m in (self.module, model)
            )
            if not int(self.n_averaged):
                for average, newest in zip(own, new, strict=True):
                    average.copy_(newest)
            elif self.multi_avg_fn is not None:
                self.multi_avg_fn(own, new, self.n_averaged)
            else:
                averaged = self.avg_fn or get_swa_avg_fn()
                for average, newest in zip(own, new, strict=True):
                    average.copy_(averaged(average, newest, self.n_averaged))
            if not self.use_buffers:
                for mine, theirs in zip(self.module.buffers(), model.buffers(), strict=True):
                    mine.copy_(theirs)
            self.n_averaged.add_(1)


def get_swa_avg_fn() -> Average:
    """The average in which all weights count the same."""

    def averaged(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (int(num_averaged) + 1)

    return averaged


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The average that keeps the share `decay` of itself, so that older weights fade."""
    if not 0 <= decay <= 1:
        raise InputError(f"decay={decay} lies outside [0, 1]", where="get_ema_avg_fn")

    def averaged(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return averaged


def get_swa_multi_avg_fn() -> Callable[[list[Tensor], list[Tensor], Any], None]:
    """`get_swa_avg_fn` for all parameters at once, in place."""
    return _for_all(get_swa_avg_fn())


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[list[Tensor], list[Tensor], Any], None]:
    """`get_ema_avg_fn` for all parameters at once, in place."""
    return _for_all(get_ema_avg_fn(decay))


def _for_all(average: Average) -> Callable[[list[Tensor], list[Tensor], Any], None]:
    def averaged(own: list[Tensor], new: list[Tensor], num_averaged: Any) -> None:
        for mine, newest in zip(own, new, strict=True):
            mine.copy_(average(mine, newest, num_averaged))

    return averaged


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Go through the data once, so that batch norms get the running statistics that belong to averaged weights.

    Batches are tensors, or lists and tuples whose first part goes into the model.
    """
    require_cpu(device)
    norms = [m for m in model.modules() if isinstance(m, (BatchNorm1d, BatchNorm2d, BatchNorm3d))]
    if not norms:
        return
    momenta, training = [norm.momentum for norm in norms], model.training
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # every batch counts the same
    model.train()
    try:
        with no_grad():
            for batch in loader:
                model(batch[0] if isinstance(batch, (list, tuple)) else batch)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        model.train(training)


class SWALR(LRScheduler):
    """From the rate at hand to `swa_lr` (one, or one per group) in `anneal_epochs` epochs, and there it stays."""

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ):
        require_optimizer(optimizer, "SWALR")
        if anneal_strategy not in ("cos", "linear"):
            raise InputError(f"anneal_strategy={anneal_strategy!r} is unknown", do='choose "cos" or "linear"')
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise InputError(f"anneal_epochs={anneal_epochs!r} is no whole number from 0 on", where="SWALR")
        for group, rate in zip(optimizer.param_groups, per_group("swa_lr", swa_lr, optimizer), strict=True):
            group["swa_lr"] = rate
        self.anneal_epochs, self._anneal_strategy = anneal_epochs, anneal_strategy
        self._step_count = 0
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rates now, from those at hand: other schedulers may have moved them before this one began."""
        step = max(1, self._step_count) if self.anneal_epochs == 0 else self._step_count
        before, now = self._share(step - 1), self._share(step)
        return [
            group["swa_lr"] * now + self._start(group["lr"], group["swa_lr"], before) * (1 - now)
            for group in self.optimizer.param_groups
        ]

    def step(self, epoch: int | None = None) -> None:
        """An epoch is over; or `epoch` is named, which moves `last_epoch` but not the way, as in PyTorch."""
        self._step_count += 1
        super().step(epoch)

    def _share(self, step: int) -> float:
        """How much of the way is behind us."""
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    @staticmethod
    def _start(lr: float, swa_lr: float, share: float) -> float:
        """Where the way began, if this is where it has come to."""
        return swa_lr if share == 1 else (lr - share * swa_lr) / (1 - share)

    def _restart(self) -> None:
        self.last_epoch, self._step_count = 0, 0
        self._set(self.get_lr())
