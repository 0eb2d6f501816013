"""Schedules of the learning rate beside PyTorch's, epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import optim
from openbook.errors import DTypeError, InputError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]  # PyTorch warns of epochs without a step

EPOCHS = 60
Make = Callable[[Any, Any], Any]  # from a library's schedulers and an optimiser to a scheduler


def halved(epoch: int) -> float:
    """A rate that falls by half over ten epochs."""
    return 1 / (1 + epoch / 10)


class Slope:
    """A function with something to save."""

    def __init__(self, by: float):
        self.by = by

    def __call__(self, x: float) -> float:
        return 1 / (1 + self.by * x)


def plain(name: str, *args: Any, **options: Any) -> Make:
    """Make one scheduler of that name."""
    return lambda library, optimizer: getattr(library, name)(optimizer, *args, **options)


def sequence(milestones: list[int], *parts: Make) -> Make:
    """Make schedulers that follow each other."""
    return lambda library, o: library.SequentialLR(o, [part(library, o) for part in parts], milestones)


def chain(*parts: Make) -> Make:
    """Make schedulers that work at once."""
    return lambda library, o: library.ChainedScheduler([part(library, o) for part in parts])


WARM = plain("LinearLR", start_factor=0.1, total_iters=5)
SCHEDULES: dict[str, Make] = {
    "step": plain("StepLR", 7, gamma=0.5),
    "milestones": plain("MultiStepLR", [5, 9, 9, 40], gamma=0.3),
    "exponential": plain("ExponentialLR", 0.93),
    "constant": plain("ConstantLR", factor=0.25, total_iters=9),
    "linear": plain("LinearLR", start_factor=0.25, end_factor=0.75, total_iters=11),
    "linear to zero": plain("LinearLR", start_factor=1.0, end_factor=0.0, total_iters=11),
    "polynomial": plain("PolynomialLR", total_iters=20, power=1.7),
    "cosine": plain("CosineAnnealingLR", 12, eta_min=0.01),
    "cosine of one": plain("CosineAnnealingLR", 1, eta_min=0.01),
    "restarts": plain("CosineAnnealingWarmRestarts", 7),
    "longer restarts": plain("CosineAnnealingWarmRestarts", 4, T_mult=2, eta_min=0.001),
    "lambda": plain("LambdaLR", halved),
    "lambdas": plain("LambdaLR", [halved, Slope(0.3)]),
    "multiplicative": plain("MultiplicativeLR", [halved, Slope(0.01)]),
    "one cycle": plain("OneCycleLR", 0.5, total_steps=61),
    "one cycle, all": plain(
        "OneCycleLR", [0.5, 0.1], epochs=10, steps_per_epoch=6, pct_start=0.4, anneal_strategy="linear", base_momentum=0.7,
        max_momentum=[0.9, 0.8], div_factor=10.0, final_div_factor=100.0, three_phase=True,
    ),
    "one cycle, momentum left": plain("OneCycleLR", 0.5, total_steps=70, cycle_momentum=False),
    "one cycle from the top": plain("OneCycleLR", 0.5, total_steps=70, pct_start=0.0),
    "cyclic": plain("CyclicLR", 0.01, 0.2, step_size_up=5),
    "cyclic 2": plain("CyclicLR", [0.01, 0.02], 0.2, step_size_up=5, step_size_down=9, mode="triangular2"),
    "cyclic range": plain("CyclicLR", 0.01, 0.2, step_size_up=5, mode="exp_range", gamma=0.97, cycle_momentum=False),
    "cyclic scaled": plain("CyclicLR", 0.01, 0.2, step_size_up=5, scale_fn=Slope(0.2), scale_mode="iterations"),
    "warm-up, then cosine": sequence([5], WARM, plain("CosineAnnealingLR", 40)),
    "three": sequence([4, 30], plain("ConstantLR", total_iters=4), plain("ExponentialLR", 0.9), plain("StepLR", 5)),
    "then lambda": sequence([10], plain("PolynomialLR", total_iters=10), plain("LambdaLR", halved)),
    "then restarts": sequence([6], WARM, plain("CosineAnnealingWarmRestarts", 5, T_mult=2)),
    "chained": chain(plain("ConstantLR", factor=0.1, total_iters=8), plain("ExponentialLR", 0.95)),
    "chained, many": chain(plain("StepLR", 9, 0.6), WARM, plain("MultiStepLR", [20, 30]), plain("ExponentialLR", 0.99)),
    "chained cosine": chain(plain("CosineAnnealingLR", 8, eta_min=0.02), plain("StepLR", 10, 0.9)),
    "chain in a sequence": sequence([12], chain(WARM, plain("StepLR", 3, 0.9)), plain("ExponentialLR", 0.97)),
}  # fmt: skip


def optimizers(name: str = "SGD") -> tuple[Any, Any]:
    """The same two groups under both libraries' optimiser of that name."""
    options: dict[str, Any] = {"momentum": 0.9} if name == "SGD" else {}
    made = []
    for library, rules in ((ob, optim), (torch, torch.optim)):
        first, second = (library.tensor([1.0], requires_grad=True) for _ in range(2))
        groups = [{"params": [first]}, {"params": [second], "lr": 0.05}]
        made.append(getattr(rules, name)(groups, lr=0.3, **options))
    return made[0], made[1]


def options_of(optimizer: Any) -> list[Any]:
    """What a schedule may change, of every group."""
    return [(g["lr"], *g.get("betas", (g.get("momentum"),))) for g in optimizer.param_groups]


def assert_alike(ours: Any, theirs: Any, mine: Any, other: Any) -> None:
    np.testing.assert_allclose(options_of(ours), options_of(theirs), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(mine.get_last_lr(), other.get_last_lr(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("rule", ["SGD", "Adam"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_sixty_epochs_agree(name: str, rule: str) -> None:
    ours, theirs = optimizers(rule)
    mine = SCHEDULES[name](optim.lr_scheduler, ours)
    other = SCHEDULES[name](torch.optim.lr_scheduler, theirs)
    for _ in range(EPOCHS):
        assert_alike(ours, theirs, mine, other)
        mine.step()
        other.step()


@pytest.mark.parametrize("source", ["ours", "theirs"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_saved_schedule_goes_on(name: str, source: str) -> None:
    ours, theirs = optimizers()
    mine = SCHEDULES[name](optim.lr_scheduler, ours)
    other = SCHEDULES[name](torch.optim.lr_scheduler, theirs)
    for _ in range(17):
        mine.step()
        other.step()
    again, _ = optimizers()
    resumed = SCHEDULES[name](optim.lr_scheduler, again)
    resumed.load_state_dict((mine if source == "ours" else other).state_dict())
    again.load_state_dict((ours if source == "ours" else theirs).state_dict())
    for _ in range(20):
        assert_alike(again, theirs, resumed, other)
        resumed.step()
        other.step()


class Resuming:
    """A library whose schedulers are all made with that last_epoch."""

    def __init__(self, library: Any, last: int):
        self.library, self.last = library, last

    def __getattr__(self, kind: str) -> Any:
        return lambda *args, **options: getattr(self.library, kind)(*args, last_epoch=self.last, **options)


@pytest.mark.parametrize("last", [4, 6, 11])
@pytest.mark.parametrize("name", [n for n, make in SCHEDULES.items() if make.__qualname__.startswith("plain")])
def test_going_on_from_last_epoch(name: str, last: int) -> None:
    ours, theirs = optimizers()
    made = []
    for library, optimizer in ((optim.lr_scheduler, ours), (torch.optim.lr_scheduler, theirs)):
        SCHEDULES[name](library, optimizer)
        for group in optimizer.param_groups:
            group["lr"] = 0.7 * group["initial_lr"]
        made.append(SCHEDULES[name](Resuming(library, last), optimizer))
    for _ in range(20):
        assert_alike(ours, theirs, *made)
        made[0].step()
        made[1].step()


@pytest.mark.parametrize("name", ["step", "exponential", "cosine", "linear", "polynomial", "lambda", "restarts"])
def test_a_rate_changed_by_hand_is_moved_on_from_where_it_is(name: str) -> None:
    ours, theirs = optimizers()
    mine = SCHEDULES[name](optim.lr_scheduler, ours)
    other = SCHEDULES[name](torch.optim.lr_scheduler, theirs)
    for epoch in range(40):
        if epoch in (3, 13):
            for optimizer in (ours, theirs):
                optimizer.param_groups[0]["lr"] = 0.11
        mine.step()
        other.step()
        assert_alike(ours, theirs, mine, other)


def test_the_rate_does_not_add_up_rounding_errors() -> None:
    optimizer = optim.SGD([ob.tensor([1.0], requires_grad=True)], lr=0.3)
    schedule = optim.lr_scheduler.ExponentialLR(optimizer, 0.999)
    for _ in range(5000):
        schedule.step()
    assert optimizer.param_groups[0]["lr"] == 0.3 * 0.999**5000


def test_fractional_epochs_of_warm_restarts() -> None:
    ours, theirs = optimizers()
    mine = optim.lr_scheduler.CosineAnnealingWarmRestarts(ours, 5, T_mult=2)
    other = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(theirs, 5, T_mult=2)
    for i in range(200):
        mine.step(i / 7)
        other.step(i / 7)
        assert_alike(ours, theirs, mine, other)
    mine.step()
    other.step()
    assert_alike(ours, theirs, mine, other)


PLATEAUS: dict[str, dict[str, Any]] = {
    "default": {},
    "quick": {"factor": 0.5, "patience": 2, "min_lr": 0.02},
    "max": {"mode": "max", "factor": 0.5, "patience": 1},
    "absolute": {"threshold_mode": "abs", "threshold": 0.2, "patience": 1, "factor": 0.7},
    "absolute max": {"mode": "max", "threshold_mode": "abs", "threshold": 0.2, "patience": 0, "factor": 0.7},
    "cooldown": {"cooldown": 3, "patience": 1, "factor": 0.7, "min_lr": [0.1, 0.001]},
    "eps": {"patience": 0, "factor": 0.5, "eps": 0.01},
}


@pytest.mark.parametrize("case", PLATEAUS)
def test_plateaus_are_met_alike(case: str) -> None:
    ours, theirs = optimizers()
    mine = optim.lr_scheduler.ReduceLROnPlateau(ours, **PLATEAUS[case])
    other = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **PLATEAUS[case])
    for i, value in enumerate(np.round(np.random.default_rng(3).random(EPOCHS), 2)):
        mine.step(float("nan") if i == 20 else value)
        other.step(float("nan") if i == 20 else value)
        assert_alike(ours, theirs, mine, other)
        if i == 30:
            mine, saved = optim.lr_scheduler.ReduceLROnPlateau(ours, **PLATEAUS[case]), other.state_dict()
            mine.load_state_dict(saved)


def test_schedulers_inside_schedulers_begin_anew_together() -> None:
    """PyTorch cannot do this; each part must still give the rates it gives alone."""
    ours, _ = optimizers()
    library = optim.lr_scheduler
    inner = lambda o: library.SequentialLR(o, [WARM(library, o), library.ExponentialLR(o, 0.9)], [5])  # noqa: E731
    nested = library.SequentialLR(ours, [library.ConstantLR(ours, total_iters=100), inner(ours)], [7])
    alone, _ = optimizers()
    for _ in range(7):
        nested.step()
    single = inner(alone)
    for _ in range(20):
        assert nested.get_last_lr() == single.get_last_lr() == [g["lr"] for g in ours.param_groups]
        nested.step()
        single.step()


def test_a_subclass_says_its_rule_as_in_pytorch() -> None:
    class Own(optim.lr_scheduler.LRScheduler):
        def get_lr(self) -> list[float]:
            return [base / (1 + self.last_epoch) for base in self.base_lrs]

    ours, _ = optimizers()
    schedule = Own(ours)
    schedule.step()
    assert schedule.get_last_lr() == [0.15, 0.025]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (plain("StepLR", 0), "step_size=0"),
        (plain("StepLR", 2, last_epoch=3), "initial_lr"),
        (plain("LinearLR", start_factor=0), "start_factor=0"),
        (plain("ConstantLR", factor=2), "factor=2"),
        (plain("CosineAnnealingWarmRestarts", 2.5), "T_0=2.5"),
        (plain("LambdaLR", [halved]), "lr_lambda has 1"),
        (plain("OneCycleLR", 0.1), "length of the cycle"),
        (plain("OneCycleLR", 0.1, total_steps=5, anneal_strategy="sine"), "'sine'"),
        (plain("OneCycleLR", 0.1, total_steps=5, pct_start=2), "pct_start=2"),
        (plain("CyclicLR", 0.1, 0.2, mode="square"), "'square'"),
        (plain("ReduceLROnPlateau", factor=1.0), "does not reduce"),
        (plain("ReduceLROnPlateau", mode="least"), "'least'"),
        (plain("ReduceLROnPlateau", min_lr=[0.1]), "min_lr has 1"),
        (sequence([5]), "no schedulers"),
        (sequence([5, 6], WARM, WARM), "2 milestones"),
        (sequence([5], WARM, plain("ReduceLROnPlateau")), "waits for a loss"),
    ],
)
def test_what_cannot_be_scheduled_is_refused(make: Make, words: str) -> None:
    ours, _ = optimizers()
    with pytest.raises(InputError, match=words):
        make(optim.lr_scheduler, ours)


def test_schedulers_need_their_own_optimiser() -> None:
    with pytest.raises(DTypeError, match="needs an optimiser"):
        optim.lr_scheduler.StepLR(3, 5)  # type: ignore[arg-type]
    ours, another = optimizers()[0], optimizers()[0]
    with pytest.raises(InputError, match="another optimiser"):
        optim.lr_scheduler.ChainedScheduler([optim.lr_scheduler.StepLR(another, 2)], ours)
    adagrad = optim.Adagrad([ob.tensor([1.0], requires_grad=True)])
    with pytest.raises(InputError, match="no momentum"):
        optim.lr_scheduler.OneCycleLR(adagrad, 0.1, total_steps=5)
    cycle = optim.lr_scheduler.OneCycleLR(ours, 0.1, total_steps=2)
    cycle.step()
    cycle.step()
    with pytest.raises(InputError, match="step 3 of a cycle of 2"):
        cycle.step()
    with pytest.raises(InputError, match="lacks T_max"):
        optim.lr_scheduler.CosineAnnealingLR(ours, 5).load_state_dict(optim.lr_scheduler.StepLR(ours, 2).state_dict())


@pytest.mark.parametrize(("name", "arguments"), [
    ("StepLR", {"step_size": 3, "gamma": 0.5}), ("MultiStepLR", {"milestones": [2, 5], "gamma": 0.3}),
    ("ExponentialLR", {"gamma": 0.8}), ("ConstantLR", {"factor": 0.5, "total_iters": 4}),
    ("LinearLR", {"start_factor": 0.2, "total_iters": 6}), ("PolynomialLR", {"total_iters": 7, "power": 2.0}),
    ("CosineAnnealingLR", {"T_max": 5, "eta_min": 0.01}), ("LambdaLR", {"lr_lambda": lambda epoch: 1 / (epoch + 1)}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 12}), ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 4}),
    ("SWALR", {"swa_lr": 0.05, "anneal_epochs": 5}),
])  # fmt: skip
def test_an_epoch_that_is_named_has_torchs_rate(name: str, arguments: dict[str, Any]) -> None:
    rates = []
    for library in (ob, torch):
        optimizer = library.optim.SGD([library.ones(2, requires_grad=True)], lr=0.4, momentum=0.9)
        home = library.optim.swa_utils if name == "SWALR" else library.optim.lr_scheduler
        scheduler = getattr(home, name)(optimizer, **arguments)
        found = []
        for epoch in (4, 0, 6, None, 2, None):
            optimizer.step()
            scheduler.step() if epoch is None else scheduler.step(epoch)
            found.append((scheduler.last_epoch, float(scheduler.get_last_lr()[0])))
        rates.append(found)
    np.testing.assert_allclose(*rates, rtol=1e-12)


def test_a_plateau_counts_from_the_epoch_that_is_named() -> None:
    ends = []
    for library in (ob, torch):
        optimizer = library.optim.SGD([library.ones(2, requires_grad=True)], lr=0.4)
        scheduler = library.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
        scheduler.step(1.0, 5)
        scheduler.step(1.0, epoch=9)
        ends.append((scheduler.last_epoch, optimizer.param_groups[0]["lr"]))
    assert ends[0] == ends[1]
