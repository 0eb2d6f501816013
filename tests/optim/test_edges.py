"""What training meets: missing, infinite and shared things, and a stop in the middle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn, optim
from openbook.errors import DTypeError, GraphError, InputError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.torch

RULES = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "ASGD", "Rprop"]
OPTIONS: dict[str, dict[str, Any]] = {"SGD": {"momentum": 0.9, "nesterov": True}, "RMSprop": {"centered": True, "momentum": 0.5},
                                      "Adam": {"amsgrad": True}}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 0.0])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_gradient_that_is_no_number_spreads_as_in_pytorch(rule: str, bad: float) -> None:
    """Entry by entry: no number where PyTorch has none, and the entries beside it untouched."""

    def run(library: Any) -> np.ndarray:
        p, q = (library.tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True) for _ in range(2))
        optimizer = getattr(library.optim, rule)([p, q], lr=0.1, **OPTIONS.get(rule, {}))
        for step in range(4):
            p.grad = library.tensor(np.array([0.5, bad if step == 1 else 0.25, -1.0]))
            q.grad = library.tensor(np.array([1.0, 1.0, 1.0]))
            optimizer.step()
        return np.array([p.tolist(), q.tolist()])

    mine, wanted = run(ob), run(torch)
    lost = ~np.isfinite(wanted)
    np.testing.assert_array_equal(~np.isfinite(mine), lost)
    np.testing.assert_allclose(mine[~lost], wanted[~lost], rtol=1e-6)  # PyTorch keeps some numbers in single precision


@pytest.mark.parametrize("rule", RULES)
def test_frozen_unused_and_empty_parameters_stay(rule: str) -> None:
    """A step with no gradient at all, a frozen parameter, one without entries and an empty group."""

    def run(library: Any) -> list[Any]:
        used, frozen, unused = (library.tensor(np.array([1.0, 2.0]), requires_grad=n != 1) for n in range(3))
        empty = library.tensor(np.empty((0, 2)), requires_grad=True)
        groups = [{"params": [used, frozen, empty]}, {"params": []}, {"params": [unused]}]
        optimizer = getattr(library.optim, rule)(groups, lr=0.1, weight_decay=0.5) if rule != "Rprop" else (
            library.optim.Rprop(groups, lr=0.1))  # fmt: skip
        optimizer.step()  # no gradients yet
        before = len(optimizer.state)
        for _ in range(2):
            optimizer.zero_grad()
            ((used * frozen).sum() + empty.sum()).backward()
            optimizer.step()
        assert unused.grad is None and frozen.grad is None
        return [used.tolist(), frozen.tolist(), unused.tolist(), before, tuple(empty.shape)]

    mine, wanted = run(ob), run(torch)
    np.testing.assert_allclose(mine[0], wanted[0], rtol=1e-6)
    assert mine[1:3] == wanted[1:3] == [[1.0, 2.0], [1.0, 2.0]]
    assert mine[3:] == wanted[3:]


@pytest.mark.parametrize("rule", RULES)
def test_tied_weights_move_once(rule: str) -> None:
    """A weight used twice by a model is one parameter, whose gradient is the sum."""

    def run(library: Any, start: dict[str, np.ndarray]) -> list[np.ndarray]:
        model = library.nn.Sequential(library.nn.Linear(3, 3), library.nn.Tanh(), library.nn.Linear(3, 3)).double()
        model.load_state_dict({name: library.tensor(value) for name, value in start.items()})
        model[2].weight = model[0].weight
        optimizer = getattr(library.optim, rule)(model.parameters(), lr=0.01)
        assert len(optimizer.param_groups[0]["params"]) == 3
        x = library.tensor(np.linspace(-1, 1, 12).reshape(4, 3))
        for _ in range(5):
            optimizer.zero_grad()
            (model(x) ** 2).mean().backward()
            optimizer.step()
        assert model[2].weight is model[0].weight
        return [np.asarray(p.detach()) for p in model.parameters()]

    torch.manual_seed(0)
    layers = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Tanh(), torch.nn.Linear(3, 3)).double()
    start = {name: value.numpy().copy() for name, value in layers.state_dict().items()}
    for own, truth in zip(run(ob, start), run(torch, start), strict=True):
        np.testing.assert_allclose(own, truth, rtol=1e-6, atol=1e-9)


def test_what_cannot_be_optimised_is_said() -> None:
    x = ob.tensor([1.0], requires_grad=True)
    for make, error, message in (
        (lambda: optim.SGD([x * 2], lr=0.1), GraphError, "mul|leaves"),
        (lambda: optim.SGD([x, x], lr=0.1), InputError, "twice"),
        (lambda: optim.SGD([], lr=0.1), InputError, "no parameters"),
        (lambda: optim.SGD(x, lr=0.1), DTypeError, "not one tensor"),
        (lambda: optim.SGD([1.0], lr=0.1), DTypeError, "float"),
        (lambda: optim.SGD([{"params": {x}}], lr=0.1), DTypeError, "no order"),
        (lambda: optim.SGD([x], lr=-0.1), InputError, "lr"),
        (lambda: optim.Adam([x], betas=(1.0, 0.9)), InputError, r"betas\[0\]"),
        (lambda: optim.Rprop([x], etas=(1.5, 1.2)), InputError, "etas"),
        (lambda: optim.ASGD([x], lr=-1.0), InputError, "lr"),
        (lambda: optim.RAdam([x], eps=-1.0), InputError, "eps"),
        (lambda: optim.Adam([x], capturable=True), InputError, "capturable"),
        (lambda: optim.SGD([x], differentiable=True), InputError, "differentiable"),
        (lambda: optim.SGD([x], fused="yes"), DTypeError, "fused"),
    ):
        with pytest.raises(error, match=message):
            make()


@pytest.mark.parametrize("rule", [*RULES, "LBFGS"])
def test_a_training_stopped_and_taken_up_again_has_the_same_bits(rule: str, tmp_path: Any) -> None:
    """Weights through a file, the optimiser's and the schedule's states as they are saved: nothing is lost between steps."""

    def made() -> tuple[Any, Any, Any]:
        ob.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1))
        optimizer = getattr(optim, rule)(model.parameters(), lr=0.01, **OPTIONS.get(rule, {}))
        return model, optimizer, optim.lr_scheduler.CosineAnnealingLR(optimizer, 9)

    def train(model: Any, optimizer: Any, schedule: Any, steps: range) -> None:
        for step in steps:
            random = np.random.default_rng(step)
            x, y = (ob.tensor(random.standard_normal((16, n)).astype(np.float32)) for n in (4, 1))

            def closure(x: Any = x, y: Any = y) -> Any:
                optimizer.zero_grad()
                loss = nn.functional.mse_loss(model(x), y)
                loss.backward()
                return loss

            optimizer.step(closure)
            schedule.step()

    whole = made()
    train(*whole, range(12))
    first = made()
    train(*first, range(5))
    ob.save(first[0].state_dict(), tmp_path / "model.safetensors")
    again = made()
    again[0].load_state_dict(ob.load(tmp_path / "model.safetensors"))
    again[1].load_state_dict(first[1].state_dict())
    again[2].load_state_dict(first[2].state_dict())
    train(*again, range(5, 12))
    for name, value in whole[0].state_dict().items():
        np.testing.assert_array_equal(again[0].state_dict()[name].data, value.data, err_msg=name)
