"""L-BFGS beside PyTorch's, step by step and call by call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn, optim
from openbook.errors import InputError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.torch

OPTIONS: dict[str, dict[str, Any]] = {
    "fixed": {"lr": 1e-3},
    "fixed, short memory": {"lr": 0.01, "max_iter": 5, "history_size": 2},
    "wolfe": {"line_search_fn": "strong_wolfe"},
    "wolfe, short memory": {"lr": 0.5, "max_iter": 5, "history_size": 3, "line_search_fn": "strong_wolfe"},
    "wolfe, few calls": {"max_iter": 4, "max_eval": 7, "line_search_fn": "strong_wolfe"},
    "wolfe, one call": {"max_iter": 2, "max_eval": 1, "line_search_fn": "strong_wolfe"},
    "wolfe, easily content": {"tolerance_grad": 1e-2, "tolerance_change": 1e-4, "line_search_fn": "strong_wolfe"},
}
STARTS = [(-1.2, 1.0), (3.0, -2.0), (0.0, 0.0), (1.0, 1.0)]


class Descent:
    """A library's run on Rosenbrock's valley."""

    def __init__(self, rule: Any, x: Any, options: dict[str, Any]):
        self.x, self.calls = x, 0
        self.optimizer = rule([x], **options)

    def closure(self) -> Any:
        self.calls += 1
        self.optimizer.zero_grad()
        a, b = self.x[0], self.x[1]
        loss = (1 - a) * (1 - a) + 100 * (b - a * a) * (b - a * a)
        loss.backward()
        return loss

    def step(self) -> tuple[float, int, np.ndarray]:
        """The loss before a step, all calls so far, and where it led."""
        loss = self.optimizer.step(self.closure).item()
        return loss, self.calls, np.array(self.x.tolist())


def descents(start: tuple[float, float], options: dict[str, Any]) -> tuple[Descent, Descent]:
    """The same run in both libraries."""
    ours = Descent(optim.LBFGS, ob.tensor(np.array(start), requires_grad=True), options)
    theirs = Descent(torch.optim.LBFGS, torch.tensor(start, dtype=torch.float64, requires_grad=True), options)
    return ours, theirs


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("case", OPTIONS)
def test_down_rosenbrocks_valley(case: str, start: tuple[float, float]) -> None:
    ours, theirs = descents(start, OPTIONS[case])
    for _ in range(10):
        mine, other = ours.step(), theirs.step()
        assert mine[1] == other[1]
        assert mine[0] == pytest.approx(other[0], rel=1e-5, abs=1e-15)
        np.testing.assert_allclose(mine[2], other[2], rtol=1e-6)


def test_it_arrives() -> None:
    ours, _ = descents((-1.2, 1.0), {"max_iter": 100, "line_search_fn": "strong_wolfe"})
    ours.step()
    np.testing.assert_allclose(ours.x.data, [1.0, 1.0], rtol=1e-4)


@pytest.mark.parametrize("source", ["ours", "theirs"])
@pytest.mark.parametrize("case", ["fixed, short memory", "wolfe, short memory"])
def test_a_saved_run_goes_on(case: str, source: str) -> None:
    ours, theirs = descents((-1.2, 1.0), OPTIONS[case])
    for _ in range(2):
        ours.step()
        theirs.step()
    again, _ = descents(tuple(ours.x.tolist()), {})
    again.optimizer.load_state_dict((ours if source == "ours" else theirs).optimizer.state_dict())
    back = Descent(torch.optim.LBFGS, torch.tensor(ours.x.tolist(), dtype=torch.float64, requires_grad=True), {})
    back.optimizer.load_state_dict(converted(ours.optimizer.state_dict()))
    for _ in range(3):
        expected = theirs.step()[2]
        np.testing.assert_allclose(again.step()[2], expected, rtol=1e-7)
        np.testing.assert_allclose(back.step()[2], expected, rtol=1e-7)


def converted(saved: Any) -> Any:
    """A saved state with PyTorch's tensors."""
    if isinstance(saved, dict):
        return {name: converted(value) for name, value in saved.items()}
    if isinstance(saved, list):
        return [converted(value) for value in saved]
    return torch.tensor(saved.data) if isinstance(saved, ob.Tensor) else saved


@pytest.mark.parametrize("case", ["fixed, short memory", "wolfe", "wolfe, few calls"])
def test_a_small_net_with_a_parameter_nobody_uses(case: str) -> None:
    random = np.random.default_rng(0)
    X = random.standard_normal((30, 3))
    y = np.sin(X.sum(axis=1, keepdims=True))
    torch.manual_seed(0)
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)).double()
    ours = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    runs = []
    for library, model, rule in ((ob, ours, optim.LBFGS), (torch, theirs, torch.optim.LBFGS)):
        idle = library.tensor(np.ones(2), requires_grad=True)
        optimizer = rule([*model.parameters(), idle], **OPTIONS[case])
        inputs, target = library.tensor(X), library.tensor(y)

        def closure(model: Any = model, optimizer: Any = optimizer, inputs: Any = inputs, target: Any = target) -> Any:
            optimizer.zero_grad()
            loss = ((model(inputs) - target) * (model(inputs) - target)).mean()
            loss.backward()
            return loss

        runs.append([optimizer.step(closure).item() for _ in range(5)])
        assert idle.tolist() == [1.0, 1.0]
    np.testing.assert_allclose(runs[0], runs[1], rtol=1e-6)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(mine.data, other.detach().numpy(), rtol=1e-4, atol=1e-6)


def test_what_it_cannot_do_is_refused() -> None:
    x, y = (ob.tensor([1.0], requires_grad=True) for _ in range(2))
    with pytest.raises(InputError, match="one group"):
        optim.LBFGS([{"params": [x]}, {"params": [y]}])
    with pytest.raises(InputError, match="line_search_fn='golden'"):
        optim.LBFGS([x], line_search_fn="golden")
    with pytest.raises(InputError, match="history_size"):
        optim.LBFGS([x], history_size=0)
    with pytest.raises(InputError, match="several times"):
        optim.LBFGS([x]).step()
    adam = optim.Adam([x])
    x.grad = ob.tensor([1.0])
    adam.step()
    with pytest.raises(InputError, match="no state of L-BFGS"):
        optim.LBFGS([x]).load_state_dict(adam.state_dict())
