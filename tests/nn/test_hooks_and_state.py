"""Hooks on gradients and states, beside PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn
from openbook.errors import DTypeError, GraphError, InputError

from .beside_torch import normal, their_state

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.torch


def pair() -> tuple[Any, Any]:
    """A module of two inputs in both libraries, with the same weights."""
    torch.manual_seed(0)
    theirs = torch.nn.Bilinear(3, 4, 2).double()
    ours = nn.Bilinear(3, 4, 2).double()
    ours.load_state_dict(their_state(theirs))
    return ours, theirs


def gradients(library: Any, model: Any, register: Any) -> list[np.ndarray]:
    """The gradients of inputs and weights with hooks on the module, after two backwards through one graph."""
    a, b = (library.tensor(normal(5, n), requires_grad=True) for n in (3, 4))
    seen: list[Any] = []
    handles = register(model, seen)
    y = model(a, b)
    loss = (y * y).sum() + (a * a).sum()  # the other use of a is none of the module's
    loss.backward(retain_graph=True)
    loss.backward()
    for handle in handles:
        handle.remove()
    model(a, b).sum().backward()  # as if there had been no hooks
    leaves = [a, b, *model.parameters()]
    found = [*seen, *(leaf.grad for leaf in leaves)]
    model.zero_grad()
    return [np.asarray(g.detach()) for g in found]


def replacing(model: Any, seen: list[Any]) -> list[Any]:
    """A hook that changes the gradients of both inputs, and a second that sees what the first has made of them."""

    def first(module: Any, of_inputs: Any, of_outputs: Any) -> Any:
        seen.extend((*of_inputs, *of_outputs))
        return of_inputs[0] * 2, of_inputs[1] * of_inputs[1]

    def second(module: Any, of_inputs: Any, of_outputs: Any) -> Any:
        seen.extend(of_inputs)

    return [model.register_full_backward_hook(first), model.register_full_backward_hook(second)]


def before_and_after(model: Any, seen: list[Any]) -> list[Any]:
    """A hook that changes what comes in from behind, and one that sees what goes out in front."""

    def pre(module: Any, of_outputs: Any) -> Any:
        seen.extend(of_outputs)
        return (of_outputs[0] * 3,)

    return [
        model.register_full_backward_pre_hook(pre),
        model.register_full_backward_hook(lambda module, of_inputs, of_outputs: seen.extend((*of_inputs, *of_outputs))),
    ]


@pytest.mark.parametrize("register", [replacing, before_and_after])
def test_backward_hooks_of_several_inputs(register: Any) -> None:
    ours, theirs = pair()
    mine, wanted = gradients(ob, ours, register), gradients(torch, theirs, register)
    assert len(mine) == len(wanted)
    for own, truth in zip(mine, wanted, strict=True):
        np.testing.assert_allclose(own, truth, rtol=1e-12, atol=1e-12)


def test_a_backward_hook_gives_as_many_gradients_as_there_are() -> None:
    model = nn.Bilinear(2, 3, 1)
    model.register_full_backward_hook(lambda module, of_inputs, of_outputs: of_inputs[:1])
    a, b = ob.ones(1, 2, requires_grad=True), ob.ones(1, 3, requires_grad=True)
    with pytest.raises(GraphError, match="1 gradients in place of 2"):
        model(a, b).sum().backward()


# --- states ----------------------------------------------------------------------------------------------------------


def logged(library: Any) -> list[Any]:
    """What state hooks of a small model are handed, as plain data."""
    log: list[Any] = []
    model = library.Sequential(library.Linear(2, 2), library.Sequential(library.Linear(2, 1, bias=False)))
    inner = model[1]
    inner.register_state_dict_pre_hook(lambda module, prefix, keep: log.append(("saving", prefix, keep)))
    inner.register_state_dict_post_hook(lambda m, state, prefix, meta: log.append(("saved", prefix, sorted(state))))

    def loading(
        m: Any, state: Any, prefix: str, meta: Any, strict: bool, missing: Any, unexpected: Any, bad: Any
    ) -> None:
        log.append(("loading", prefix, strict))
        if prefix + "old" in state:
            state[prefix + "0.weight"] = state.pop(prefix + "old")

    inner.register_load_state_dict_pre_hook(loading)
    inner.register_load_state_dict_post_hook(lambda m, keys: log.append(("loaded", keys.missing_keys[:])))
    state = dict(model.state_dict(prefix="net."))
    log.append(list(state))
    state = {name.removeprefix("net."): value for name, value in state.items()}
    state["1.old"] = state.pop("1.0.weight") * 0 + 7
    log.append(repr(model.load_state_dict(state)))
    log.append(model[1][0].weight.tolist())
    assert "1.old" in state  # hooks change a copy
    del state["0.bias"]
    log.append(repr(model.load_state_dict({**state, "x": state["0.weight"]}, strict=False)).lstrip("_"))
    return log


def test_state_hooks_are_called_as_pytorchs() -> None:
    mine = logged(nn)
    wanted = logged(torch.nn)
    assert mine == wanted
    assert ("loading", "1.", True) in mine


def test_a_post_hook_may_forgive() -> None:
    model = nn.Linear(2, 1)
    model.register_load_state_dict_post_hook(lambda module, keys: keys.missing_keys.clear())
    model.load_state_dict({"weight": np.ones((1, 2))})
    assert model.weight.tolist() == [[1.0, 1.0]]
    with pytest.raises(InputError, match="unexpected"):
        model.load_state_dict({"weight": np.ones((1, 2)), "w": np.ones(1)})


@pytest.mark.parametrize("assign", [False, True])
def test_assigned_or_copied(assign: bool) -> None:
    """As in PyTorch: new parameters of the state's dtype and memory, or values in those that are there."""

    def run(library: Any, tensor: Any) -> list[Any]:
        model = library.Linear(2, 1)
        model.bias.requires_grad_(False)
        old = model.weight
        state = {"weight": tensor(np.array([[1.0, 2.0]])), "bias": tensor(np.array([3.0]))}
        model.load_state_dict(state, assign=assign)
        state["weight"][0, 0] = 9.0
        said = [str(p.dtype).removeprefix("torch.") for p in model.parameters()]
        return [model.weight is old, *said, model.weight.tolist(), model.weight.requires_grad, model.bias.requires_grad]

    assert run(nn, ob.tensor) == run(torch.nn, torch.tensor)


def test_what_was_tied_stays_tied_when_assigned() -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    model.load_state_dict({"0.weight": np.eye(2), "1.weight": np.eye(2)}, assign=True)
    assert model[1].weight is model[0].weight
    assert len(list(model.parameters())) == 1


def test_extra_state_goes_with_the_rest() -> None:
    def run(library: Any) -> list[Any]:
        class Counted(library.Linear):
            count = 0

            def get_extra_state(self) -> Any:
                return {"count": self.count}

            def set_extra_state(self, state: Any) -> None:
                self.count = state["count"]

        one, two = (library.Sequential(Counted(1, 1)) for _ in range(2))
        one[0].count = 5
        state = one.state_dict()
        two.load_state_dict(state)
        return [list(state), two[0].count, list(two.load_state_dict({}, strict=False).missing_keys)]

    assert run(nn) == run(torch.nn)


def test_nothing_is_loaded_unless_everything_fits() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    before = {name: value.tolist() for name, value in model.state_dict().items()}
    for wrong in ({"0.weight": np.ones((2, 2)), "1.weight": np.ones((2, 2))}, {"0.weight": np.ones((2, 2)) * 1j}):
        with pytest.raises((InputError, DTypeError)):
            model.load_state_dict(wrong, strict=False)
    assert before == {name: value.tolist() for name, value in model.state_dict().items()}


# --- where a module is -----------------------------------------------------------------------------------------------


def test_to_in_all_its_forms() -> None:
    model = nn.Linear(2, 1)
    for call in (
        lambda: model.to("cpu"), lambda: model.to(torch.device("cpu")), lambda: model.cpu(),
        lambda: model.to(device="cpu", non_blocking=True), lambda: model.to_empty(device="cpu"),
    ):  # fmt: skip
        assert call() is model and model.weight.dtype == np.float32
    for call, kind in (
        (lambda: model.to("cpu", np.float64), np.float64), (lambda: model.to(np.float16), np.float16),
        (lambda: model.to(ob.tensor(np.ones(1))), np.float64), (lambda: model.to(dtype="float32"), np.float32),
        (lambda: model.type(np.float64), np.float64), (lambda: model.to("cpu", np.float32, True), np.float32),
    ):  # fmt: skip
        assert call() is model and model.weight.dtype == kind
    for call, message in (
        (lambda: model.to("cuda"), "device"), (lambda: model.to("cuda:0"), "device"), (lambda: model.cuda(), "CUDA"),
        (lambda: model.to(np.int64), "floating"), (lambda: model.bfloat16(), "bfloat16"),
        (lambda: model.compile(), "not compiled"),
    ):  # fmt: skip
        with pytest.raises((InputError, DTypeError), match=message):
            call()


def test_a_part_is_replaced_by_its_dotted_name() -> None:
    model = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), nn.Linear(2, 1))
    model.set_submodule("0.1", nn.Tanh())
    assert isinstance(model[0][1], nn.Tanh)
    with pytest.raises(InputError, match="no module"):
        model.set_submodule("0.2", nn.Tanh(), strict=True)
    with pytest.raises(InputError, match="own place"):
        model.set_submodule("", nn.Tanh())
    tied = nn.Sequential(model[1], model[1])
    assert len([*tied.modules()]) == 2 and len([*tied.modules(remove_duplicate=False)]) == 3
