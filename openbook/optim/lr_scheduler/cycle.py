"""Schedules that go up and down, some of them with the momentum going down and up against them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from openbook.errors import InputError
from openbook.optim.lr_scheduler.scheduler import LRScheduler, per_group, require_optimizer, whole
from openbook.optim.optimizer import Optimizer

__all__ = ["CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR"]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Down half a cosine to `eta_min` in `T_0` epochs, then again from the top, each time `T_mult` times as long.

    `step(epoch)` sets an epoch of its own, also between whole ones (Loshchilov & Hutter 2017).
    """

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1):
        where = "CosineAnnealingWarmRestarts"
        self.T_0, self.T_mult = whole("T_0", T_0, where), whole("T_mult", T_mult, where)
        self.eta_min = eta_min
        self.T_i, self.T_cur = T_0, float(last_epoch)
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, epoch: int) -> float:
        """The rate at the place in the cycle where we are."""
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2

    def step(self, epoch: float | None = None) -> None:
        """An epoch is over; or we are at this one."""
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            self._place(epoch)
        self.last_epoch = math.floor(epoch)
        self._set(self.get_lr())

    def _begin(self) -> None:
        self.step(0 if self.last_epoch < 0 else None)

    def _restart(self) -> None:
        self.step(0)

    def _place(self, epoch: float) -> None:
        """Find the cycle that an epoch lies in."""
        if epoch < 0:
            raise InputError(f"epoch={epoch} is before the beginning", where="CosineAnnealingWarmRestarts")
        self.T_i, self.T_cur = self.T_0, epoch
        if self.T_mult == 1:
            self.T_cur = epoch % self.T_0
            return
        while self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult


class _WithMomentum(LRScheduler):
    """Schedulers that move momentum (or Adam's first beta) as well, if `cycle_momentum`."""

    cycle_momentum: bool
    use_beta1: bool

    def _take_momentum(self, base: Any, most: Any, first: bool) -> None:
        """Note each group's range of momentum, and set the highest of it."""
        if not self.cycle_momentum:
            return
        name = type(self).__name__
        if not {"momentum", "betas"} & self.optimizer.defaults.keys():
            raise InputError(
                f"{type(self.optimizer).__name__} has no momentum to cycle", where=name, do="pass cycle_momentum=False"
            )
        self.use_beta1 = "betas" in self.optimizer.defaults
        lows, highs = per_group("base_momentum", base, self.optimizer), per_group("max_momentum", most, self.optimizer)
        self._note_momentum(lows, highs)
        if first:
            for group, low, high in zip(self.optimizer.param_groups, lows, highs, strict=True):
                group.update(max_momentum=high, base_momentum=low)
                self._set_momentum(group, high)

    def _note_momentum(self, lows: list[float], highs: list[float]) -> None:
        """Keep the ranges; the groups hold them as well."""

    def _set_momentum(self, group: dict[str, Any], value: float) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


class OneCycleLR(_WithMomentum):
    """Up to `max_lr` and down to almost nothing, over a whole training; call `step()` after each batch (Smith 2018).

    The length is `total_steps`, or `epochs` times `steps_per_epoch`. The rate starts at `max_lr/div_factor`, peaks after the
    share `pct_start`, and ends at the start's `final_div_factor`th part; `three_phase` comes down to the start first. Momentum
    goes from `max_momentum` to `base_momentum` and back. `anneal_strategy` is "cos" or "linear".
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ):
        require_optimizer(optimizer, "OneCycleLR")
        self.optimizer, self.cycle_momentum = optimizer, cycle_momentum
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        if not 0 <= pct_start <= 1:
            raise InputError(f"pct_start={pct_start} lies outside [0, 1]", where="OneCycleLR")
        if anneal_strategy not in _ANNEAL:
            raise InputError(
                f"anneal_strategy={anneal_strategy!r} is unknown", where="OneCycleLR", do='choose "cos" or "linear"'
            )
        self._anneal_func_type = anneal_strategy
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        if last_epoch == -1:
            for group, most in zip(optimizer.param_groups, per_group("max_lr", max_lr, optimizer), strict=True):
                start = most / div_factor
                group.update(initial_lr=start, max_lr=most, min_lr=start / final_div_factor)
        self._take_momentum(base_momentum, max_momentum, last_epoch == -1)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch > self.total_steps:
            raise InputError(
                f"step {self.last_epoch} of a cycle of {self.total_steps}",
                where="OneCycleLR",
                do="make total_steps the number of all batches of all epochs",
            )
        phase, share = self._phase()
        anneal, groups = _ANNEAL[self._anneal_func_type], self.optimizer.param_groups
        if self.cycle_momentum:
            for group in groups:
                start, end = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._set_momentum(group, anneal(start, end, share))
        return [anneal(group[phase["start_lr"]], group[phase["end_lr"]], share) for group in groups]

    def _restart(self) -> None:
        self.last_epoch = 0
        self._set(self.get_lr())

    def _phase(self) -> tuple[dict[str, Any], float]:
        """The phase we are in, and how much of it is over."""
        start = 0.0
        *early, last = self._schedule_phases
        for phase in early:
            if self.last_epoch <= phase["end_step"]:
                return phase, _share(self.last_epoch, start, phase["end_step"])
            start = phase["end_step"]
        return last, _share(self.last_epoch, start, last["end_step"])


def _share(step: float, start: float, end: float) -> float:
    return (step - start) / (end - start) if end > start else 1.0


def _total(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is not None:
        return whole("total_steps", total_steps, "OneCycleLR")
    if epochs is None or steps_per_epoch is None:
        raise InputError(
            "the length of the cycle is missing",
            where="OneCycleLR",
            do="give total_steps, or epochs and steps_per_epoch",
        )
    return whole("epochs", epochs, "OneCycleLR") * whole("steps_per_epoch", steps_per_epoch, "OneCycleLR")


def _phases(total: int, share: float, three: bool) -> list[dict[str, Any]]:
    """Where each phase ends, and between which of a group's options it moves; PyTorch's layout."""
    up = _phase_of(float(share * total) - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    if not three:
        return [up, _phase_of(total - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")]
    down = _phase_of(float(2 * share * total) - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum")
    return [up, down, _phase_of(total - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum")]


def _phase_of(end: float, start_lr: str, end_lr: str, start_momentum: str, end_momentum: str) -> dict[str, Any]:
    return {
        "end_step": end,
        "start_lr": start_lr,
        "end_lr": end_lr,
        "start_momentum": start_momentum,
        "end_momentum": end_momentum,
    }


_ANNEAL: dict[str, Callable[[float, float, float], float]] = {
    "cos": lambda start, end, share: end + (start - end) / 2 * (1 + math.cos(math.pi * share)),
    "linear": lambda start, end, share: (end - start) * share + start,
}


class CyclicLR(_WithMomentum):
    """Up from `base_lr` to `max_lr` in `step_size_up` batches and down in `step_size_down`, again and again (Smith 2017).

    `mode` says how the peaks fall: not at all ("triangular"), by half each cycle ("triangular2"), or by `gamma` each batch
    ("exp_range"); `scale_fn` says it by a function of the cycle (`scale_mode="cycle"`) or of the batch ("iterations").
    Momentum goes from `max_momentum` to `base_momentum` and back.
    """

    functions: ClassVar[tuple[str, ...]] = ("_scale_fn_custom",)

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ):
        require_optimizer(optimizer, "CyclicLR")
        self.optimizer, self.cycle_momentum = optimizer, cycle_momentum
        up = float(whole("step_size_up", step_size_up, "CyclicLR"))
        down = up if step_size_down is None else float(whole("step_size_down", step_size_down, "CyclicLR"))
        self.total_size, self.step_ratio = up + down, up / (up + down)
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise InputError(f"mode={mode!r} is unknown", where="CyclicLR", do='choose "triangular" or give a scale_fn')
        if scale_mode not in ("cycle", "iterations"):
            raise InputError(f"scale_mode={scale_mode!r} is neither of two", where="CyclicLR", do='choose "cycle"')
        self.mode, self.gamma, self._scale_fn_custom = mode, gamma, scale_fn
        self.scale_mode = scale_mode if scale_fn is not None else "iterations" if mode == "exp_range" else "cycle"
        bases = per_group("base_lr", base_lr, optimizer)
        self.max_lrs = per_group("max_lr", max_lr, optimizer)
        if last_epoch == -1:
            for group, base in zip(optimizer.param_groups, bases, strict=True):
                group["lr"] = base
        self._take_momentum(base_momentum, max_momentum, last_epoch == -1)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = bases  # whatever rate another scheduler once began with
        self._set(self.get_lr())

    def _restart(self) -> None:
        self.last_epoch = 0
        self._set(self.get_lr())

    def _note_momentum(self, lows: list[float], highs: list[float]) -> None:
        self.base_momentums, self.max_momentums = lows, highs

    def get_lr(self) -> list[float]:
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        place = 1.0 + self.last_epoch / self.total_size - cycle
        height = place / self.step_ratio if place <= self.step_ratio else (place - 1) / (self.step_ratio - 1)
        height *= self._scale(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group, low, high in zip(
                self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True
            ):
                self._set_momentum(group, high - (high - low) * height)
        return [base + (most - base) * height for base, most in zip(self.base_lrs, self.max_lrs, strict=True)]

    def _scale(self, x: float) -> float:
        """How high the peak is, as a share."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 1 / 2.0 ** (x - 1) if self.mode == "triangular2" else self.gamma**x
