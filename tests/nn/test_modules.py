"""Modules as users of PyTorch know them."""

from __future__ import annotations

import math
import runpy
from pathlib import Path

import numpy as np
import pytest

import openbook as ob
from openbook import nn, optim
from openbook.errors import OpenbookError

CANONICAL = Path(__file__).resolve().parents[2] / "examples" / "canonical.py"
SHARED_CANONICAL = Path(__file__).resolve().parents[3] / "shared" / "canonical.py"


def net() -> nn.Sequential:
    ob.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))


def test_parameter_count() -> None:
    assert sum(p.numel() for p in net().parameters()) == 2 * 3 + 3 + 3 * 1 + 1


def test_state_dict_round_trip() -> None:
    first, second = net(), nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    assert list(first.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    second.load_state_dict(first.state_dict())
    x = ob.randn(5, 2)
    np.testing.assert_array_equal(first(x).data, second(x).data)


def test_state_dict_mismatches_are_named() -> None:
    state = net().state_dict()
    state.pop("2.bias")
    with pytest.raises(OpenbookError, match=r"2\.bias"):
        net().load_state_dict(state)


def test_initial_weights_lie_where_pytorch_puts_them() -> None:
    ob.manual_seed(1)
    layer = nn.Linear(400, 300)
    bound = 1 / math.sqrt(400)
    for values in (layer.weight.data, layer.bias.data):
        assert np.abs(values).max() <= bound
        assert np.abs(values).max() > 0.95 * bound
    assert layer.weight.data.std() == pytest.approx(bound / math.sqrt(3), rel=0.02)


def test_dropout_scales_in_training_and_rests_in_use() -> None:
    ob.manual_seed(0)
    layer, x = nn.Dropout(0.25), ob.ones(100_000)
    y = layer(x).data
    assert set(np.unique(y)) == {0.0, np.float32(1 / 0.75)}
    assert y.mean() == pytest.approx(1, abs=0.01)
    np.testing.assert_array_equal(layer.eval()(x).data, x.data)


def test_train_and_eval_reach_every_module() -> None:
    model = nn.Sequential(nn.Sequential(nn.Dropout(0.5)), nn.Linear(2, 2))
    assert not any(m.training for m in model.eval().modules())
    assert all(m.training for m in model.train().modules())


def test_optimisers_refuse_nonsense() -> None:
    with pytest.raises(OpenbookError, match="no parameters"):
        optim.SGD([], lr=0.1)
    with pytest.raises(OpenbookError, match="lr"):
        optim.Adam(net().parameters(), lr=-1.0)


def test_canonical_example_reaches_a_quarter(capsys: pytest.CaptureFixture[str]) -> None:
    """The all-linear net on XOR: its loss goes to .25 and stays there."""
    runpy.run_path(str(CANONICAL))
    lines = capsys.readouterr().out.splitlines()
    last = [float(word) for word in lines[-1].replace(",", " ").split() if _is_number(word)][-1]
    assert last == pytest.approx(0.25, abs=1e-3)


@pytest.mark.data
def test_the_shared_script_runs_with_its_imports_changed(capsys: pytest.CaptureFixture[str]) -> None:
    script = SHARED_CANONICAL.read_text()
    assert script.count("import torch") == 3
    for theirs, ours in (("import torch.nn", "import openbook.nn"), ("import torch.optim", "import openbook.optim"),
                         ("import torch\n", "import openbook as torch\n")):  # fmt: skip
        script = script.replace(theirs, ours)
    assert "import torch" not in script
    exec(compile(script, "canonical.py", "exec"), {"__name__": "__main__"})
    assert "0.25" in capsys.readouterr().out.splitlines()[-1]


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("activation", [nn.Tanh, nn.ReLU, nn.Sigmoid, nn.SiLU])
def test_one_activation_learns_xor(activation: type[nn.Module]) -> None:
    """Most starting points succeed; a rate, not one lucky run."""
    X = ob.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    y = ob.tensor([[0.0], [1], [1], [0]])
    learnt = 0
    for seed in range(6):
        ob.manual_seed(seed)
        model = nn.Sequential(nn.Linear(2, 8), activation(), nn.Linear(8, 1))
        optimizer = optim.Adam(model.parameters(), lr=0.05)
        for _ in range(500):
            optimizer.zero_grad()
            loss = nn.MSELoss()(model(X), y)
            loss.backward()
            optimizer.step()
        learnt += float(loss) < 0.01
    assert learnt >= 4


def test_logits_in_any_order_of_memory() -> None:
    """The loss writes into the exponentials by their places in a flat array: it must be theirs, not a copy's."""
    logits = np.random.default_rng(0).standard_normal((4, 6)).T
    targets = ob.tensor([0, 3, 1, 2, 2, 0])
    for reduction in ("mean", "sum", "none"):
        grads = []
        for x in (logits, logits.copy()):
            leaf = ob.from_numpy(x).requires_grad_()
            nn.functional.cross_entropy(leaf, targets, reduction=reduction).sum().backward()
            grads.append(leaf.grad.data)
        np.testing.assert_array_equal(grads[0], grads[1])
