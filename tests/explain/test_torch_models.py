"""PyTorch models of every common kind: outputs and gradients told, held against PyTorch, planted mistakes found."""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook.errors import CheckError, ExplainError
from openbook.record import Step, Working
from openbook.record.verify import check_step

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from tests.explain.torch_models import MODELS, UNUSUAL, Case, OwnLoss  # noqa: E402


def made(name: str) -> Case:
    torch.manual_seed(0)
    return MODELS[name]()


def torchs_own(case: Case, name: str) -> np.ndarray:
    """The gradient that a user of PyTorch gets, on a copy of the model."""
    model = copy.deepcopy(case.model)
    with torch.random.fork_rng():
        case.loss(model(case.inputs), case.target).backward()
    return dict(model.named_parameters(remove_duplicate=False))[name].grad.to_dense().numpy()


QUESTIONS = [(name, parameter) for name in MODELS for parameter in made(name).asked]


@pytest.mark.parametrize(("name", "parameter"), QUESTIONS)
def test_a_gradient_is_torchs_own_and_its_rows_add_up(name: str, parameter: str) -> None:
    case = made(name)
    truth = torchs_own(case, parameter)
    places = [
        tuple(int(i) for i in np.unravel_index(k, truth.shape)) for k in np.argsort(-np.abs(truth), axis=None)[:2]
    ]
    for at in (None, places[1]) if len(places) > 1 else (None,):
        working = ob.explain(case.model, case.inputs, case.target, loss=case.loss, wrt=parameter, at=at)
        verification = working.check()
        entry = float(truth[at if at is not None else places[0]])
        eps, largest = float(np.finfo(truth.dtype).eps), float(np.abs(truth).max())
        assert working.result == pytest.approx(entry, rel=100 * eps, abs=10 * eps * largest)
        assert rows(working) == pytest.approx(entry, rel=200 * eps, abs=20 * eps * largest)
        assert not verification.unchecked
        methods = {check.method for check in verification.checks if check.step is working.steps[-1]}
        assert methods >= {"PyTorch's backward()", "central differences of the loss"}
        assert ("central differences of the whole model" in methods) or "kink" in working.text()


def rows(working: Working) -> float:
    """The products of the last line, added up without looking at its formula."""
    *factors, last = working.steps[-1].inputs
    others = [last.value] if "other products" in last.name else []
    values = [s.value for s in (factors if others else (*factors, last))]
    if len(values) == 1:
        return float(values[0])
    return float(sum(a * b for a, b in zip(values[::2], values[1::2], strict=True)) + sum(others))


@pytest.mark.parametrize("name", MODELS)
def test_an_output_is_torchs_own(name: str) -> None:
    case = made(name)
    with torch.random.fork_rng(), torch.no_grad():
        truth = copy.deepcopy(case.model)(case.inputs).numpy()
    for at in (None, (0,) * truth.ndim):
        working = ob.explain(case.model, case.inputs, at=at)
        assert not working.check().unchecked
        entry = truth[at] if at is not None else truth.ravel()[np.argmax(np.abs(truth))]
        assert working.result == pytest.approx(float(entry), rel=50 * float(np.finfo(truth.dtype).eps))
        assert working.tables[0].rows[-1][0] == "the model"
        told = [step for step in working.steps if step.formula is not None]
        assert len(told) >= 2 and not any("no formula here" in step.why for step in working.steps)
        assert working.svg().startswith("<svg") and working.text() and working.latex()


def derived(working: Working) -> list[Step]:
    return [step for step in working.steps if step.formula is not None or step.witnesses]


@pytest.mark.parametrize("name", MODELS)
def test_a_wrong_digit_is_found_in_every_derived_step(name: str) -> None:
    case = made(name)
    forward = ob.explain(case.model, case.inputs)
    backward = ob.explain(case.model, case.inputs, case.target, loss=case.loss, wrt=case.asked[0])
    for working in (forward, backward):
        assert len(derived(working)) > 1
        for step in derived(working):
            if "kink" not in step.why:
                wrong = replace(step, value=step.value * 1.01 if step.value else 0.01)
                assert not all(check.passed for check in check_step(wrong)), step
    steps = tuple(replace(s, value=s.value + 1e-2) if s is backward.steps[-1] else s for s in backward.steps)
    assert not replace(backward, steps=steps).verification.passed


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_models(name: str) -> None:
    torch.manual_seed(0)
    case = UNUSUAL[name]()
    truth = torchs_own(case, case.asked[0])
    working = ob.explain(case.model, case.inputs, loss=case.loss, wrt=case.asked[0])
    working.check()
    assert abs(working.result) == pytest.approx(float(np.abs(truth).max()), rel=1e-5)
    with torch.random.fork_rng(), torch.no_grad():
        output = copy.deepcopy(case.model)(case.inputs)
    told = ob.explain(case.model, case.inputs)
    told.check()
    assert abs(told.result) == pytest.approx(
        float((output[0] if isinstance(output, tuple) else output).abs().max()), rel=1e-5
    )


def test_what_is_held_constant_is_said() -> None:
    torch.manual_seed(0)
    case = UNUSUAL["stopped"]()
    notes = ob.explain(case.model, case.inputs, loss=case.loss, wrt="linear.weight").notes
    assert any("constants (detach, no_grad)" in note for note in notes)
    case = UNUSUAL["noise"]()
    notes = ob.explain(case.model, case.inputs, loss=case.loss, wrt="linear.weight").notes
    assert not any("constants" in note for note in notes)


@pytest.mark.parametrize("name", ["CNN", "dropout", "transformer layer", "shared", "LSTM", "random slopes"])
def test_the_users_model_is_left_as_it_was(name: str) -> None:
    """Weights, running means, gradients, modes, hooks, frozen parameters and random generators."""
    torch.manual_seed(0)
    case = (MODELS | UNUSUAL)[name]()
    case.loss(case.model(case.inputs), case.target).backward()
    next(case.model.parameters()).requires_grad_(False)
    before = photograph(case)
    ob.explain(case.model, case.inputs, case.target, loss=case.loss, wrt=case.asked[-1]).check()
    ob.explain(case.model, case.inputs).check()
    after = photograph(case)
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[key], after[key]) for key in before)


def photograph(case: Case) -> dict[str, Any]:
    state = {name: value.numpy().copy() for name, value in case.model.state_dict().items()}
    grads = {f"grad {n}": None if p.grad is None else p.grad.numpy().copy() for n, p in case.model.named_parameters()}
    asking = {f"asks {n}": p.requires_grad for n, p in case.model.named_parameters()}
    modes = {f"mode {n}": m.training for n, m in case.model.named_modules()}
    hooks = {f"hooks {n}": len(m._forward_hooks) + len(m._forward_pre_hooks) for n, m in case.model.named_modules()}
    generators = {
        "torch": torch.get_rng_state().numpy().copy(), "numpy": np.random.get_state()[1].copy(),  # noqa: NPY002
        "python": np.array(random.getstate()[1]), "default dtype": str(torch.get_default_dtype()),
        "enabled": torch.is_grad_enabled(), "input": case.inputs.detach().numpy().copy(), "leaf": case.inputs.requires_grad,
    }  # fmt: skip
    return state | grads | asking | modes | hooks | generators


def test_inputs_can_be_asked_about() -> None:
    case = made("attention")
    x = case.inputs.clone().requires_grad_(True)
    model = copy.deepcopy(case.model)
    case.loss(model(x), case.target).backward()
    for wrt in ("input", x):
        working = ob.explain(case.model, x, case.target, loss=case.loss, wrt=wrt)
        working.check()
        assert abs(working.result) == pytest.approx(float(x.grad.abs().max()), rel=1e-4)


def test_a_model_that_gives_its_own_loss() -> None:
    torch.manual_seed(0)
    model, x, labels = OwnLoss(), torch.randn(5, 4), torch.tensor([0, 1, 2, 1, 0])
    for inputs in ((x, labels), {"x": x, "labels": labels}):
        working = ob.explain(model, inputs, wrt="linear.weight", at=(1, 2))
        working.check()
    twin = copy.deepcopy(model)
    twin(x, labels).backward()
    assert working.result == pytest.approx(float(twin.linear.weight.grad[1, 2]), rel=1e-5)


def test_paths_through_a_weight_used_twice_add_up() -> None:
    case = made("tied")
    working = ob.explain(case.model, case.inputs, case.target, loss=case.loss, wrt="encoder.weight")
    working.check()
    assert "sum over" in working.steps[-1].why


def test_arrays_of_numpy_are_taken() -> None:
    case = made("MLP, tanh")
    working = ob.explain(case.model, case.inputs.numpy(), case.target.numpy(), loss=case.loss, wrt="0.weight")
    assert working.check().passed


def test_a_wrong_rule_of_torchs_is_found() -> None:
    """A straight-through estimator claims a slope that its forward pass does not have."""

    class Claim(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    class Claims(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(3, 1)

        def forward(self, x: Any) -> Any:
            return Claim.apply(self.linear(x)).sum()

    torch.manual_seed(0)
    working = ob.explain(Claims(), torch.randn(4, 3), wrt="linear.weight")
    with pytest.raises(CheckError, match="whole model"):
        working.check()


def test_a_model_for_one_kind_of_floats_says_so() -> None:
    class Single(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(3))

        def forward(self, x: Any) -> Any:
            if x.dtype != torch.float32:
                raise TypeError("float32 only")
            return (x * self.weight).sum()

    working = ob.explain(Single(), torch.arange(3.0), wrt="weight", at=2)
    assert working.check().passed and working.result == 2.0
    assert "float32 only" in working.text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": torch.ones(2, 4), "target": torch.ones(2)}, "loss="),
        ({"inputs": torch.ones(2, 4), "wrt": "0.weight"}, "single number"),
        ({"inputs": torch.ones(2, 4), "loss": 3}, "function"),
        ({"inputs": torch.ones(2, 4), "at": (9, 9)}, "no entry"),
        ({"inputs": torch.ones(2, 4), "loss": lambda out, y: out.sum(), "wrt": "nothing"}, "no tensor is called"),
        ({"inputs": torch.ones(2, 4), "loss": lambda out, y: out.sum(), "wrt": torch.ones(2)}, "neither"),
    ],
)
def test_what_cannot_be_answered_says_why(options: dict[str, Any], message: str) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 3))
    with pytest.raises(ExplainError, match=message):
        ob.explain(model, **options)


@pytest.mark.parametrize("where", [{"dtype": torch.bfloat16}, {"device": "meta"}])
def test_models_that_numpy_cannot_read_say_what_to_do(where: dict[str, Any]) -> None:
    with pytest.raises(ExplainError, match=r"cpu\(\)\.float\(\)"):
        ob.explain(torch.nn.Linear(3, 1, **where), torch.ones(2, 3))


def test_a_loss_that_holds_on_to_the_model_is_refused() -> None:
    model = torch.nn.Linear(3, 1)
    with pytest.raises(ExplainError, match="looks at the model itself"):
        ob.explain(model, torch.ones(2, 3), loss=lambda out, y: out.sum() + model.weight.square().sum(), wrt="weight")


# --- losses without their model ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "parameter"), QUESTIONS)
def test_bare_losses(name: str, parameter: str) -> None:
    case = made(name)
    with torch.random.fork_rng():
        loss = case.loss(case.model(case.inputs), case.target)
    working = ob.explain(loss, wrt=parameter, model=case.model)
    working.check()
    (truth,) = torch.autograd.grad(loss, [dict(case.model.named_parameters(remove_duplicate=False))[parameter]])
    assert abs(working.result) == pytest.approx(float(truth.abs().max()), rel=1e-4)


@pytest.mark.parametrize("name", ["MLP, ReLU", "MLP, tanh", "MLP, GELU", "dropout", "tied", "logistic, float64"])
def test_slopes_of_bare_losses_stand_beside_ours(name: str) -> None:
    case = made(name)
    working = ob.explain(case.loss(case.model(case.inputs), case.target), wrt=case.asked[0], model=case.model)
    slopes = [step for step in working.steps if step.rule.startswith("slope of")]
    assert slopes and all("openbook" in step.witnesses[0].method for step in slopes if "kink" not in step.why)
    for step in slopes:
        if step.witnesses:
            assert not all(check.passed for check in check_step(replace(step, value=step.value * 1.01)))


# --- beside our own nets -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ours_and_torchs_records_agree(dtype: str) -> None:
    ours, theirs = pair(dtype)
    parting = ob.diff(ours, theirs)
    assert parting.agrees
    assert sum(p.a is not None and p.b is not None for p in parting.pairs) > 15


def test_a_weight_that_differs_is_where_ours_and_torchs_part() -> None:
    """A bias moved in one of the two nets: nothing asked about differs, so the first value that feels it is named."""
    parting = ob.diff(pair("float64")[0], pair("float64", moved=0.25)[1])
    assert parting.first is not None and parting.first.step.name.startswith("z_1")
    assert all(p.step.name != "0.weight[1, 2]" for p in parting.pairs if p.differs)


def pair(dtype: str, moved: float = 0.0) -> tuple[Working, Working]:
    """The same gradient entry from one net in both libraries."""
    torch.manual_seed(0)
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 3)).to(
        getattr(torch, dtype)
    )
    ours = ob.nn.Sequential(ob.nn.Linear(4, 6), ob.nn.Tanh(), ob.nn.Linear(6, 3))
    ours = ours.double() if dtype == "float64" else ours
    ours.load_state_dict({name: ob.tensor(value.numpy()) for name, value in theirs.state_dict().items()})
    with torch.no_grad():
        theirs[0].bias[1] += moved
    numbers = np.random.default_rng(0)
    x, y = numbers.normal(size=(8, 4)).astype(dtype), numbers.integers(0, 3, 8)
    loss = ob.nn.CrossEntropyLoss()(ours(ob.tensor(x)), ob.tensor(y))
    return (
        ob.explain(loss, wrt="0.weight", model=ours, at=(1, 2)),
        ob.explain(theirs, x, y, loss=torch.nn.CrossEntropyLoss(), wrt="0.weight", at=(1, 2)),
    )
