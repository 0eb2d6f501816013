"""Schedulers one after the other, and schedulers at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from openbook.errors import InputError
from openbook.optim.lr_scheduler.plateau import ReduceLROnPlateau
from openbook.optim.lr_scheduler.scheduler import LRScheduler
from openbook.optim.optimizer import Optimizer

__all__ = ["ChainedScheduler", "SequentialLR"]


class _Several(LRScheduler):
    """Schedulers made of schedulers of the same optimiser."""

    def __init__(self, optimizer: Optimizer | None, schedulers: Sequence[LRScheduler]):
        where = type(self).__name__
        if not schedulers:
            raise InputError("no schedulers were given", where=where, do="give one or more")
        self.optimizer = schedulers[0].optimizer if optimizer is None else optimizer
        for i, scheduler in enumerate(schedulers):
            if isinstance(scheduler, ReduceLROnPlateau):
                raise InputError(
                    f"scheduler {i} waits for a loss at each step",
                    where=where,
                    do="call ReduceLROnPlateau.step(loss) apart",
                )
            if scheduler.optimizer is not self.optimizer:
                raise InputError(f"scheduler {i} belongs to another optimiser", where=where)
        self._schedulers = list(schedulers)

    def state_dict(self) -> dict[str, Any]:
        """What is saved of each scheduler, and where this one is."""
        own = {name: value for name, value in vars(self).items() if name not in ("optimizer", "_schedulers")}
        return {**deepcopy(own), "_schedulers": [scheduler.state_dict() for scheduler in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state; the rates themselves come with the optimiser's state."""
        own = dict(state_dict)
        saved = own.pop("_schedulers", None)
        if saved is None or len(saved) != len(self._schedulers):
            raise InputError(
                f"the state is not of {len(self._schedulers)} schedulers",
                where=f"{type(self).__name__}.load_state_dict",
            )
        for scheduler, state in zip(self._schedulers, saved, strict=True):
            scheduler.load_state_dict(state)
        vars(self).update(deepcopy(own))

    def _undo(self) -> None:
        for scheduler in self._schedulers:
            scheduler._undo()

    def _reset(self) -> None:
        for scheduler in self._schedulers:
            scheduler._reset()


class SequentialLR(_Several):
    """One scheduler after the other, each beginning anew at its milestone: a warm-up, then something."""

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int], last_epoch: int = -1
    ):
        super().__init__(optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise InputError(
                f"{len(schedulers)} schedulers have {len(schedulers) - 1} changes, and {len(milestones)} milestones "
                "were given",
                where="SequentialLR",
            )
        self._milestones = list(milestones)
        self._undo()
        self._start(last_epoch + 1)

    def step(self) -> None:  # type: ignore[override]
        """An epoch is over."""
        self.last_epoch += 1
        turn = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[turn]
        if turn and self._milestones[turn - 1] == self.last_epoch:
            scheduler._restart()
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def _start(self, epoch: int) -> None:
        """From the initial rates, with only the scheduler at work whose turn is first."""
        self.last_epoch = epoch
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        scheduler = self._schedulers[bisect_right(self._milestones, 0)]
        scheduler._begin()
        self._last_lr = scheduler.get_last_lr()

    def _begin(self) -> None:
        self._start(0)

    def _restart(self) -> None:
        self._reset()
        self._start(0)


class ChainedScheduler(_Several):
    """Several schedulers at each step, each changing the rate that the one before has left."""

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None):
        super().__init__(optimizer, schedulers)
        self._note()

    def step(self) -> None:  # type: ignore[override]
        """An epoch is over."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._note()

    def _begin(self) -> None:
        for scheduler in self._schedulers:
            scheduler._begin()
        self._note()

    def _restart(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        self._reset()
        self._begin()

    def _note(self) -> None:
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]
