"""What all schedulers share: counting epochs, setting the rates of the groups, saving where they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from types import FunctionType
from typing import Any, ClassVar

from openbook.errors import DTypeError, InputError
from openbook.optim.optimizer import Optimizer

__all__ = ["Chainable", "LRScheduler", "per_group", "require_optimizer", "whole"]


class LRScheduler:
    """Subclasses say in `rate` what a group's rate is at an epoch (or in `get_lr` what all are, as in PyTorch).

    Call `step()` after each epoch. `last_epoch` counts them; given to a new scheduler, it goes on from there, with groups
    that hold `initial_lr`, as a loaded optimiser's do.
    """

    functions: ClassVar[tuple[str, ...]] = ()  # attributes that hold functions, which cannot be saved

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1):
        require_optimizer(optimizer, type(self).__name__)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", float(group["lr"]))
            elif "initial_lr" not in group:
                raise InputError(
                    f"group {i} has no initial_lr to go on from at last_epoch={last_epoch}",
                    where=type(self).__name__,
                    do="load the optimiser's state first, or leave last_epoch at -1",
                )
        self.base_lrs = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._begin()

    def rate(self, base: float, epoch: int) -> float:
        """The rate at an epoch of a group whose rate was `base` before any scheduler."""
        raise TypeError("a scheduler says its rule in `rate`, or in `get_lr`")

    def get_lr(self) -> list[float]:
        """The rates that the groups are to have at `last_epoch`."""
        return [self.rate(base, self.last_epoch) for base in self.base_lrs]

    def step(self, epoch: int | None = None) -> None:
        """An epoch is over; or `epoch` begins, as older scripts say (a new scheduler with `last_epoch` says it better)."""
        if epoch is None:
            self.last_epoch += 1
            self._set(self.get_lr())
        else:
            self.last_epoch = epoch
            self._set(self._rates_from_the_epoch())

    def _rates_from_the_epoch(self) -> list[float]:
        """The rates at `last_epoch`, whatever they were before."""
        return self.get_lr()

    def get_last_lr(self) -> list[float]:
        """The rates as this scheduler last set them."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser, copied; of functions only what a callable object holds, as in PyTorch."""
        state = {name: value for name, value in vars(self).items() if name != "optimizer"}
        return deepcopy(state | {name: _saved(state[name]) for name in self.functions})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state; the rates themselves come with the optimiser's state."""
        missing = sorted(vars(self).keys() - {"optimizer"} - state_dict.keys())
        if missing:
            raise InputError(
                f"the state lacks {', '.join(missing)}",
                where=f"{type(self).__name__}.load_state_dict",
                do="load the state of a scheduler of the same kind",
            )
        state = deepcopy(dict(state_dict))
        for name in self.functions:
            _restore(getattr(self, name), state.pop(name))
        vars(self).update(state)

    def _begin(self) -> None:
        """The first rates, at the epoch after `last_epoch`."""
        self.last_epoch += 1
        self._set(self.get_lr())

    def _restart(self) -> None:
        """Begin again at epoch 0, whatever rates other schedulers have left."""
        self.last_epoch = 0
        self._set([self.rate(base, 0) for base in self.base_lrs])

    def _undo(self) -> None:
        """Take back that the first epoch has begun."""
        self.last_epoch -= 1

    def _reset(self) -> None:
        """Forget all epochs."""
        self.last_epoch = -1

    def _set(self, rates: list[float]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self._last_lr = list(rates)


class Chainable(LRScheduler):
    """Schedulers that multiply the rate: subclasses say in `multiple` by how much in all at an epoch.

    The rate is computed from the epoch, without adding up rounding errors. Where another scheduler or somebody's hand has
    changed it since, it is moved on from where it is.
    """

    stays: ClassVar[bool] = True  # whether PyTorch leaves the rate alone when going on from a given last_epoch

    def multiple(self, epoch: int) -> float:
        """By how much the initial rate is multiplied at an epoch."""
        raise TypeError("a scheduler that multiplies the rate says by how much in `multiple`")

    def rate(self, base: float, epoch: int) -> float:
        return base * self.multiple(epoch)

    def moved(self, lr: float, base: float, epoch: int) -> float:
        """The rate at an epoch, from what it was at the epoch before."""
        before, now = self.multiple(epoch - 1) if epoch else 1.0, self.multiple(epoch)
        return lr if now == before else lr * (now / before)

    def get_lr(self) -> list[float]:
        epoch = self.last_epoch
        return [
            self.rate(base, epoch)
            if group["lr"] == (self.rate(base, epoch - 1) if epoch else base)
            else self.moved(group["lr"], base, epoch)
            for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=True)
        ]

    def _rates_from_the_epoch(self) -> list[float]:
        return [self.rate(base, self.last_epoch) for base in self.base_lrs]

    def _begin(self) -> None:
        self.last_epoch += 1
        groups, epoch = self.optimizer.param_groups, self.last_epoch
        if epoch == 0:
            self._set(self.get_lr())
        elif self.stays:
            self._set([group["lr"] for group in groups])
        else:
            self._set([self.moved(g["lr"], base, epoch) for g, base in zip(groups, self.base_lrs, strict=True)])


def per_group(name: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """An option given once for all groups, or in a list with one entry per group, as a list."""
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * count
    if len(value) != count:
        raise InputError(f"{name} has {len(value)} entries, the optimiser {count} groups", do="give one per group")
    return list(value)


def whole(name: str, value: Any, where: str, least: int = 1) -> int:
    """The number of epochs or steps, if it is a whole one and not below `least`; an InputError otherwise."""
    if not isinstance(value, int) or value < least:
        raise InputError(f"{name}={value!r} is no whole number from {least} on", where=where)
    return value


def require_optimizer(optimizer: Any, where: str) -> None:
    """Check that a scheduler got an optimiser to schedule."""
    if not isinstance(optimizer, Optimizer):
        raise DTypeError(f"a scheduler needs an optimiser, not {type(optimizer).__name__}", where=where)


def _saved(functions: Any) -> Any:
    if isinstance(functions, list):
        return [_saved(function) for function in functions]
    return None if functions is None or isinstance(functions, FunctionType) else dict(vars(functions))


def _restore(functions: list[Callable[..., Any]] | Callable[..., Any] | None, saved: Any) -> None:
    pairs = zip(functions, saved, strict=True) if isinstance(functions, list) else [(functions, saved)]
    for function, state in pairs:
        if state is not None:
            vars(function).update(state)
