"""Averaged weights beside PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn, optim
from openbook.errors import InputError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]  # PyTorch warns of epochs without a step


def net(library: Any) -> Any:
    return library.Sequential(
        library.Linear(3, 4), library.BatchNorm1d(4), library.Tanh(), library.Linear(4, 1)
    ).double()


def averaged(library: Any, options: dict[str, Any], start: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The state of an averaged model after ten epochs, and after another look at the data."""
    utils, tensor = library.optim.swa_utils, library.tensor
    random = np.random.default_rng(0)
    model = net(library.nn)
    model.load_state_dict({name: tensor(value) for name, value in start.items()})
    made = {name: value(utils) if callable(value) else value for name, value in options.items()}
    mean = utils.AveragedModel(model, **made)
    optimizer = library.optim.SGD(model.parameters(), lr=0.1)
    schedule = utils.SWALR(optimizer, swa_lr=0.02, anneal_epochs=4)
    batches = [(tensor(random.standard_normal((8, 3))), tensor(random.standard_normal((8, 1)))) for _ in range(3)]
    for _ in range(10):
        for x, y in batches:
            optimizer.zero_grad()
            library.nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
        mean.update_parameters(model)
        schedule.step()
    before = {f"before {name}": np.array(value.detach()) for name, value in mean.state_dict().items()}
    utils.update_bn(batches, mean)
    after = {name: np.array(value.detach()) for name, value in mean.state_dict().items()}
    return {**before, **after, "rate": np.array(optimizer.param_groups[0]["lr"])}


@pytest.mark.parametrize(("options", "close"), [
    ({}, 1e-10), ({"use_buffers": True}, 1e-10), ({"avg_fn": lambda utils: utils.get_ema_avg_fn(0.7)}, 1e-10),
    ({"multi_avg_fn": lambda utils: utils.get_ema_multi_avg_fn(0.7)}, 1e-10),
    ({"multi_avg_fn": lambda utils: utils.get_swa_multi_avg_fn()}, 1e-7),  # PyTorch takes this share in single precision
])  # fmt: skip
def test_averages_are_torchs(options: dict[str, Any], close: float) -> None:
    torch.manual_seed(0)
    start = {name: value.numpy() for name, value in net(torch.nn).state_dict().items()}
    mine, wanted = averaged(ob, options, start), averaged(torch, options, start)
    assert list(mine) == list(wanted)
    for name, value in wanted.items():
        np.testing.assert_allclose(mine[name], value, rtol=close, atol=close / 100, err_msg=name)
    assert mine["n_averaged"] == 10


@pytest.mark.parametrize("options", [
    {"swa_lr": 0.05}, {"swa_lr": [0.05, 0.5], "anneal_epochs": 3, "anneal_strategy": "linear"}, {"swa_lr": 0.2, "anneal_epochs": 0},
])  # fmt: skip
def test_rates_are_torchs(options: dict[str, Any]) -> None:
    """Also when another scheduler has moved the rates before this one takes over."""

    def run(library: Any) -> list[Any]:
        one, two = (library.tensor([1.0], requires_grad=True) for _ in range(2))
        optimizer = library.optim.SGD([{"params": [one]}, {"params": [two], "lr": 0.1}], lr=0.3)
        first = library.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        then = library.optim.swa_utils.SWALR(optimizer, **options)
        rates = []
        for epoch in range(12):
            (first if epoch < 4 else then).step()
            rates.append([group["lr"] for group in optimizer.param_groups])
        return rates

    np.testing.assert_allclose(run(ob), run(torch), rtol=1e-12)


def test_a_saved_schedule_goes_on() -> None:
    def made() -> Any:
        optimizer = optim.SGD([ob.tensor([1.0], requires_grad=True)], lr=0.3)
        return optimizer, optim.swa_utils.SWALR(optimizer, 0.05, anneal_epochs=6)

    optimizer, schedule = made()
    for _ in range(3):
        schedule.step()
    again, other = made()
    again.load_state_dict(optimizer.state_dict())
    other.load_state_dict(schedule.state_dict())
    for _ in range(4):
        schedule.step()
        other.step()
        assert again.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]


def test_what_does_not_fit_is_said() -> None:
    model = nn.Linear(1, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    swa = optim.swa_utils
    for call, message in (
        (
            lambda: swa.AveragedModel(model, avg_fn=swa.get_swa_avg_fn(), multi_avg_fn=swa.get_ema_multi_avg_fn()),
            "one of them",
        ),
        (lambda: swa.AveragedModel(model, device="cuda"), "device"),
        (lambda: swa.get_ema_avg_fn(1.5), "decay"),
        (lambda: swa.SWALR(optimizer, 0.1, anneal_strategy="cubic"), "cubic"),
        (lambda: swa.SWALR(optimizer, 0.1, anneal_epochs=-1), "anneal_epochs"),
    ):
        with pytest.raises(InputError, match=message):
            call()
