"""What every module can do: parts, buffers, state, hooks, copies, prints."""

from __future__ import annotations

import copy
import pickle
import timeit
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn
from openbook.errors import OpenbookError
from openbook.nn.functional_call import functional_call


class Counter(nn.Module):
    """A module with a parameter, two buffers and a part."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(ob.tensor([2.0, 3.0]))
        self.register_buffer("seen", ob.tensor(0))
        self.register_buffer("passing", ob.zeros(2), persistent=False)
        self.part = nn.Linear(2, 2)

    def forward(self, x: Any, shift: Any = 0.0) -> Any:
        self.seen.add_(1)
        return self.part(x) * self.scale + shift


def names(pairs: Any) -> list[str]:
    return [name for name, _ in pairs]


def test_parts_are_found_by_name() -> None:
    model = Counter()
    assert names(model.named_parameters()) == ["scale", "part.weight", "part.bias"]
    assert names(model.named_parameters(recurse=False)) == ["scale"]
    assert names(model.named_parameters(prefix="net")) == ["net.scale", "net.part.weight", "net.part.bias"]
    assert names(model.named_buffers()) == ["seen", "passing"]
    assert names(model.named_modules()) == ["", "part"]
    assert names(model.named_children()) == ["part"]
    assert model.get_submodule("part") is model.part
    assert model.get_submodule("") is model
    assert model.get_parameter("part.weight") is model.part.weight
    assert model.get_buffer("seen") is model.seen
    for find, message in (
        (lambda: model.get_submodule("part.deeper"), "deeper"),
        (lambda: model.get_parameter("seen"), "no parameter 'seen'"),
        (lambda: model.get_buffer("scale"), "no buffer 'scale'"),
    ):
        with pytest.raises(OpenbookError, match=message):
            find()
    with pytest.raises(AttributeError, match="missing"):
        _ = model.missing


def test_parts_are_replaced_and_deleted() -> None:
    model = Counter()
    model.part.bias = None
    assert names(model.named_parameters()) == ["scale", "part.weight"]
    assert list(model.state_dict()) == ["scale", "seen", "part.weight"]
    model.part.bias = nn.Parameter(ob.ones(2))  # it comes back to its place
    assert names(model.part.named_parameters()) == ["weight", "bias"]
    model.seen = ob.tensor(5)
    assert int(model.get_buffer("seen")) == 5
    del model.scale
    assert not hasattr(model, "scale")
    assert "scale" not in model.state_dict()
    model.part = None
    assert not list(model.parameters())
    model.scale = nn.Linear(1, 1)  # a name may change its kind
    assert names(model.named_children()) == ["scale"]
    with pytest.raises(OpenbookError, match="Module"):
        model.scale = 3
    with pytest.raises(OpenbookError, match="Tensor"):
        model.seen = 3


def test_names_that_could_not_be_found_again_are_refused() -> None:
    model = Counter()
    for register, message in (
        (lambda: model.register_parameter("a.b", None), "without dots"),
        (lambda: model.register_buffer("", None), "without dots"),
        (lambda: model.register_buffer("forward", ob.zeros(1)), "already"),
        (lambda: model.add_module("scale", nn.Identity()), "already"),
        (lambda: model.register_parameter("w", ob.zeros(1)), "not a Parameter"),
        (lambda: model.register_buffer("w", np.zeros(1)), "not a Tensor"),
        (lambda: model.add_module("w", 3), "not a Module"),
        (lambda: nn.ModuleDict({"keys": nn.Identity()}), "already"),
    ):
        with pytest.raises(OpenbookError, match=message):
            register()

    class Early(nn.Module):
        def __init__(self) -> None:
            self.part = nn.Linear(1, 1)

    with pytest.raises(OpenbookError, match="before it was ready"):
        Early()


def test_tied_weights_are_one_parameter_under_two_names() -> None:
    model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    model[1].weight = model[0].weight
    assert names(model.named_parameters()) == ["0.weight"]
    assert names(model.named_parameters(remove_duplicate=False)) == ["0.weight", "1.weight"]
    assert list(model.state_dict()) == ["0.weight", "1.weight"]
    twin = copy.deepcopy(model)
    assert twin[0].weight is twin[1].weight
    assert twin[0].weight is not model[0].weight
    model.double()
    assert model[1].weight.dtype == np.float64


def test_dtypes_change_in_place_and_whole_numbers_stay() -> None:
    model = Counter()
    scale = model.scale
    model(ob.ones(1, 2)).sum().backward()
    assert model.to(np.float64) is model
    assert model.scale is scale
    assert scale.dtype == scale.grad.dtype == model.passing.dtype == np.float64
    assert model.seen.dtype == np.int64
    assert model.half().scale.dtype == np.float16
    assert model.float().to("cpu").scale.dtype == np.float32
    assert model.to(ob.zeros(1, dtype=np.float64)).scale.dtype == np.float64
    for target, message in (("cuda", "device"), (np.int64, "floating-point")):
        with pytest.raises(OpenbookError, match=message):
            model.to(target)


def test_gradients_are_cleared_and_switched_off() -> None:
    model = Counter()
    model(ob.ones(1, 2)).sum().backward()
    model.zero_grad(set_to_none=False)
    assert all(not p.grad.data.any() for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    assert not model.requires_grad_(False)(ob.ones(1, 2)).requires_grad


def test_apply_goes_from_the_leaves_up() -> None:
    seen: list[str] = []
    model = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.Tanh()))
    assert model.apply(lambda m: seen.append(type(m).__name__)) is model
    assert seen == ["Linear", "Tanh", "Sequential", "Sequential"]


def test_state_is_loaded_whole_or_not_at_all() -> None:
    model, other = Counter(), Counter()
    before = copy.deepcopy(model.state_dict())
    assert list(model.state_dict(prefix="net.")) == ["net.scale", "net.seen", "net.part.weight", "net.part.bias"]
    wrong = {**other.state_dict(), "scale": np.zeros(3), "part.bias": np.zeros((2, 2))}
    with pytest.raises(OpenbookError, match=r"scale has shape \(2,\).*part\.bias has shape \(2,\)"):
        model.load_state_dict(wrong)
    with pytest.raises(OpenbookError, match="seen is int64"):
        model.load_state_dict({**other.state_dict(), "seen": np.array(0.5)})
    with pytest.raises(OpenbookError, match=r"missing \['scale'\], unexpected \['scales'\]"):
        model.load_state_dict({"scales" if k == "scale" else k: v for k, v in other.state_dict().items()})
    with pytest.raises(OpenbookError, match="no array of numbers"):
        model.load_state_dict({**other.state_dict(), "scale": [[1], [1, 2]]})
    with pytest.raises(OpenbookError, match="dictionary"):
        model.load_state_dict([1, 2])
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.data, before[name].data)
    keys = model.load_state_dict({"scale": [7.0, 8.0], "more": np.zeros(1)}, strict=False)
    assert keys.missing_keys == ["seen", "part.weight", "part.bias"]
    assert keys.unexpected_keys == ["more"]
    assert model.scale.tolist() == [7.0, 8.0]


def test_copies_and_pickles_are_modules_of_their_own() -> None:
    model, x = Counter(), ob.randn(3, 2)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(twin(x).data, model(x).data)
        assert twin.scale is twin.get_parameter("scale")
        twin.scale.data[...] = 0
        assert model.scale.data.all()
        assert twin.eval().training is False


def test_hooks_see_and_change_what_passes() -> None:
    model, x = nn.Linear(2, 2), ob.ones(1, 2)
    plain = model(x).data
    seen: list[Any] = []
    with model.register_forward_pre_hook(lambda m, inputs: seen.append(inputs) or (inputs[0] * 0,)):
        np.testing.assert_array_equal(model(x).data[0], model.bias.data)
    handle = model.register_forward_hook(lambda m, inputs, output: output * 2)
    first = model.register_forward_hook(lambda m, inputs, output: output + 1, prepend=True)
    np.testing.assert_allclose(model(x).data, (plain + 1) * 2, rtol=1e-6)
    handle.remove()
    handle.remove()
    first.remove()
    np.testing.assert_array_equal(model(x).data, plain)
    assert len(seen) == 1


def test_hooks_with_options_and_for_failures() -> None:
    model, calls = Counter(), []
    model.register_forward_pre_hook(lambda m, inputs, options: (inputs, {"shift": 1.0}), with_kwargs=True)
    model.register_forward_hook(lambda m, inputs, options, y: calls.append(options["shift"]), with_kwargs=True)
    model.register_forward_hook(lambda m, inputs, y: calls.append("always"), always_call=True)
    model(ob.ones(1, 2))
    with pytest.raises(OpenbookError):
        model(ob.ones(1, 3))
    assert calls == [1.0, "always", "always"]


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Full backward hook is firing")  # PyTorch's, where no input takes a gradient
def test_backward_hooks_are_torchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    ours, theirs = nn.Linear(3, 2).double(), torch.nn.Linear(3, 2).double()
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    x = np.arange(6.0).reshape(2, 3)

    def run(model: Any, made: Any, learns: bool) -> list[Any]:
        seen: list[Any] = []

        def hook(module: Any, of_inputs: Any, of_outputs: Any) -> Any:
            seen.extend((*of_inputs, *of_outputs))
            return (of_inputs[0] * 2,) if learns else None

        handle = model.register_full_backward_hook(hook)
        leaf = made(x, requires_grad=learns)
        y = model(leaf)
        ((y * y).sum() + (leaf * leaf).sum()).backward()  # the other use of x is none of the module's
        handle.remove()
        return [None if g is None else np.asarray(g.detach()) for g in (*seen, leaf.grad)]

    for learns in (True, False):
        for own, truth in zip(run(ours, ob.tensor, learns), run(theirs, torch.tensor, learns), strict=True):
            assert (own is None) == (truth is None)
            if own is not None:
                np.testing.assert_allclose(own, truth, rtol=1e-12)


def test_backward_hooks_with_two_inputs_wait_for_both_every_time() -> None:
    model, calls = nn.Bilinear(2, 3, 1), []
    model.register_full_backward_hook(lambda m, of_inputs, of_outputs: calls.append(of_inputs))
    a, b = ob.ones(1, 2, requires_grad=True), ob.ones(1, 3, requires_grad=True)
    y = model(a, b).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert [[tuple(g.shape) for g in of_inputs] for of_inputs in calls] == [[(1, 2), (1, 3)]] * 2
    np.testing.assert_allclose(a.grad.data, 2 * calls[0][0].data, rtol=1e-6)


def test_a_call_without_hooks_costs_next_to_nothing() -> None:
    """Under 0.4 µs over forward itself; the best of many, for other work on the machine only adds."""
    model = nn.Identity()
    called = min(timeit.repeat(lambda: model(1), number=20_000, repeat=15)) / 20_000
    direct = min(timeit.repeat(lambda: model.forward(1), number=20_000, repeat=15)) / 20_000
    assert called - direct < 0.4e-6


def test_functional_call_leaves_the_module_as_it_was() -> None:
    model, x = Counter(), ob.ones(1, 2)
    kept, plain = dict(model.named_parameters()), model(x).data
    given = {name: ob.ones(*p.shape, requires_grad=True) for name, p in kept.items()}
    y = functional_call(model, given, (x,), {"shift": 5.0})
    assert y.tolist() == [[8.0, 8.0]]
    y.sum().backward()
    assert given["part.bias"].grad.tolist() == [1.0, 1.0]
    assert all(p.grad is None for p in model.parameters())
    with pytest.raises(OpenbookError, match="inner sizes"):
        functional_call(model, given, ob.ones(1, 3))
    assert dict(model.named_parameters()) == kept
    assert model.scale is kept["scale"]
    np.testing.assert_array_equal(model(x).data, plain)
    buffer = ob.tensor(9)
    functional_call(model, [given, {"seen": buffer}], x)
    assert (int(buffer), int(model.seen)) == (10, 4)
    for state, options, message in (
        ({"scales": given["scale"]}, {}, "unexpected"),
        ({"scale": ob.zeros(3)}, {}, "shape"),
        ({"scale": np.zeros(2)}, {}, "tensor"),
        (given, {"strict": True}, "missing"),
    ):
        with pytest.raises(OpenbookError, match=message):
            functional_call(model, state, x, **options)


def test_functional_call_replaces_tied_weights_together() -> None:
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    model[1].weight = model[0].weight
    three = ob.tensor([[3.0]])
    assert functional_call(model, {"0.weight": three}, ob.ones(1, 1)).item() == 9
    with pytest.raises(OpenbookError, match="tied"):
        functional_call(model, {"0.weight": three, "1.weight": ob.tensor([[2.0]])}, ob.ones(1, 1))
    assert model[1].weight is model[0].weight


def test_gradients_for_each_example() -> None:
    model, x = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Tanh(), nn.Linear(4, 1)).double(), np.eye(3)
    names_, values = zip(*((n, p.detach()) for n, p in model.named_parameters()), strict=True)

    def loss(weight: Any, row: Any) -> Any:
        state = dict(zip(names_, (weight, *values[1:]), strict=True))
        return functional_call(model, state, row).sum()

    each = ob.vmap(ob.grad(loss), in_dims=(None, 0))(values[0], ob.tensor(x))
    for i, row in enumerate(x):
        model.zero_grad()
        model(ob.tensor(row)).sum().backward()
        np.testing.assert_allclose(each.data[i], model[0].weight.grad.data, atol=1e-12)


@pytest.mark.torch
def test_parameters_as_a_vector_are_torchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    ours, theirs = nn.Linear(3, 2), torch.nn.Linear(3, 2)
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    vector = nn.utils.parameters_to_vector(ours.parameters())
    np.testing.assert_array_equal(
        vector.data, torch.nn.utils.parameters_to_vector(theirs.parameters()).detach().numpy()
    )
    (vector * vector).sum().backward()
    np.testing.assert_allclose(ours.bias.grad.data, 2 * ours.bias.data)
    nn.utils.vector_to_parameters(ob.arange(8) * 1.0, ours.parameters())
    assert ours.bias.tolist() == [6.0, 7.0]
    with pytest.raises(OpenbookError, match="8"):
        nn.utils.vector_to_parameters(ob.zeros(7), ours.parameters())
