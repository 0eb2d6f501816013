"""Padding, folding, lazy layers, running statistics, work in place: beside PyTorch's."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn, optim
from openbook.errors import GraphError, InputError, OpenbookError, ShapeError
from tests.nn.beside_torch import compare, normal, their_state, twins

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore:Lazy modules")]


@pytest.mark.parametrize("kind", ["Zero", "Reflection", "Replication", "Circular", "Constant"])
@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("batched", [True, False])
def test_padding_is_torchs(kind: str, axes: int, batched: bool) -> None:
    value = (0.75,) if kind == "Constant" else ()
    x = normal(*((2, 3) if batched else (3,)), *(4, 5, 6)[:axes])
    for padding in (2, tuple(range(1, 2 * axes + 1))[::-1][: 2 * axes]):
        sides = tuple(min(p, 3) for p in padding) if isinstance(padding, tuple) else padding
        compare(*twins(f"{kind}Pad{axes}d", sides, *value), [x])
    with pytest.raises(InputError, match=f"one number or {2 * axes}"):
        getattr(nn, f"{kind}Pad{axes}d")((1,) * (2 * axes + 1), *value)
    if not value and kind != "Zero":
        with pytest.raises(ShapeError, match="spatial"):
            getattr(nn, f"{kind}Pad{axes}d")(1)(ob.ones(*(3,) * axes))


@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1}, {"dilation": 2, "padding": (1, 2)}])
def test_windows_as_columns_and_back_are_torchs(options: dict[str, Any]) -> None:
    columns = twins("Unfold", (2, 3), **options)
    x = normal(2, 3, 6, 7)
    compare(*columns, [x])
    compare(*twins("Fold", (6, 7), (2, 3), **options), [columns[0](ob.tensor(x)).data])


LAZY: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = [
    ("Linear", (4,), {}, (5, 3)),
    ("Linear", (4, False), {}, (2, 5, 3)),
    ("Conv1d", (4, 3), {}, (2, 3, 8)),
    ("Conv2d", (4, 3), {"groups": 2, "padding": 1}, (2, 6, 5, 5)),
    ("Conv2d", (4, 3), {"bias": False}, (3, 5, 5)),
    ("Conv3d", (2, 2), {}, (2, 3, 4, 4, 4)),
    ("ConvTranspose1d", (4, 3), {"stride": 2}, (2, 3, 8)),
    ("ConvTranspose2d", (4, 3), {}, (2, 3, 5, 5)),
    ("ConvTranspose3d", (2, 2), {}, (2, 3, 4, 4, 4)),
    ("BatchNorm1d", (), {}, (5, 3)),
    ("BatchNorm2d", (), {"bias": False}, (2, 3, 4, 4)),
    ("BatchNorm3d", (1e-3, 0.2, False), {}, (2, 3, 2, 2, 2)),
    ("InstanceNorm1d", (), {}, (2, 3, 8)),
    ("InstanceNorm2d", (), {}, (2, 3, 4, 4)),
    ("InstanceNorm3d", (), {"track_running_stats": False}, (2, 3, 2, 2, 2)),
]


@pytest.mark.parametrize(("name", "arguments", "options", "shape"), LAZY)
def test_lazy_layers_become_torchs(name: str, arguments: Any, options: Any, shape: Any) -> None:
    ours = getattr(nn, f"Lazy{name}")(*arguments, **options).double()
    theirs = getattr(torch.nn, f"Lazy{name}")(*arguments, **options).double()
    assert repr(ours) == repr(theirs)
    held = list(ours.parameters())
    assert ours.has_uninitialized_params() == bool(held)
    x = normal(*shape)
    ours.eval()(ob.tensor(x))
    theirs.eval()(torch.tensor(x))
    assert type(ours) is getattr(nn, name) and repr(ours) == repr(theirs)
    assert all(a is b for a, b in zip(held, ours.parameters(), strict=True))  # an optimiser may hold them already
    ours.load_state_dict(their_state(theirs))
    compare(ours.train(), theirs.train(), [x])


def test_a_lazy_layer_draws_its_weights_as_the_full_one_and_learns() -> None:
    model = nn.Sequential(nn.LazyLinear(64), nn.ReLU(inplace=True), nn.LazyLinear(1))
    optimizer = optim.Adam(model.parameters())
    with pytest.raises(InputError, match="size"):
        nn.LazyConv2d(2, 3)(ob.ones(5))
    x, y = ob.randn(32, 7), ob.randn(32, 1)
    losses = []
    for _ in range(50):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    weights = model[2].weight.data
    assert abs(weights).max() < 1 / 8 + 0.1 and weights.std() > 0.03
    assert repr(copy.deepcopy(model)) == repr(model)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("options", [
    {"track_running_stats": True}, {"track_running_stats": True, "affine": True, "momentum": 0.3}, {"affine": True},
])  # fmt: skip
def test_instance_norms_running_statistics_are_torchs(axes: int, options: dict[str, Any]) -> None:
    ours, theirs = twins(f"InstanceNorm{axes}d", 3, **options)
    for seed in range(3):
        compare(ours, theirs, [normal(4, 3, *(5, 4, 3)[:axes], seed=seed)])
    compare(ours.eval(), theirs.eval(), [normal(4, 3, *(5, 4, 3)[:axes], seed=9)])


@pytest.mark.parametrize("options", [{"max_norm": 1.0}, {"max_norm": 0.8, "norm_type": 1.0, "padding_idx": 2}])
def test_long_rows_are_shortened_as_torchs(options: dict[str, Any]) -> None:
    ours, theirs = twins("Embedding", 6, 4, **options)
    places = np.array([[0, 2, 2], [5, 0, 1]])
    mine, other = ours(ob.tensor(places)), theirs(torch.tensor(places))
    np.testing.assert_allclose(mine.data, other.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(ours.weight.data, theirs.weight.detach().numpy(), rtol=1e-12)
    mine.sum().backward()
    other.sum().backward()
    np.testing.assert_allclose(ours.weight.grad.data, theirs.weight.grad.numpy(), rtol=1e-12)


def test_given_rows_are_shared_and_frozen() -> None:
    rows = ob.tensor(normal(3, 2))
    frozen, learnt = nn.Embedding.from_pretrained(rows), nn.Embedding.from_pretrained(rows, freeze=False, padding_idx=1)
    assert not frozen.weight.requires_grad and learnt.weight.requires_grad and learnt.padding_idx == 1
    assert np.shares_memory(frozen.weight.data, rows.data)
    with pytest.raises(ShapeError, match="announced"):
        nn.Embedding(4, 2, _weight=rows)


@pytest.mark.parametrize("options", [
    {}, {"margin": 0.3, "swap": True, "reduction": "sum"}, {"reduction": "none"},
    {"distance_function": lambda a, b: (a - b).abs().sum(-1)},
])  # fmt: skip
def test_triplets_under_any_distance_are_torchs(options: dict[str, Any]) -> None:
    compare(*twins("TripletMarginWithDistanceLoss", **options), [normal(5, 3, seed=i) for i in range(3)])


# --- in place --------------------------------------------------------------------------------------------------------

IN_PLACE = ["ReLU", "ReLU6", "SiLU", "Mish", "SELU", "ELU", "CELU", "LeakyReLU", "Hardtanh", "Hardsigmoid", "Hardswish"]


def in_place(library: Any, name: str, tensor: Any) -> list[Any]:
    """What an activation in place leaves of its input, and the gradient that passes it."""
    x = tensor(normal(4, 3) * 3, requires_grad=True)
    h = x * 2
    y = getattr(library, name)(inplace=True)(h)
    (y * tensor(normal(4, 3, seed=1))).sum().backward()
    plain = tensor(normal(3))
    getattr(library, name)(inplace=True)(plain)
    return [y is h, h.detach(), x.grad, plain]


@pytest.mark.parametrize("name", IN_PLACE)
def test_activations_work_in_place_as_torchs(name: str) -> None:
    mine, wanted = in_place(nn, name, ob.tensor), in_place(torch.nn, name, torch.tensor)
    assert mine[0] and wanted[0]
    close = 1e-7 if name == "Hardsigmoid" else 1e-10  # PyTorch keeps its slope of 1/6 in single precision
    for own, truth in zip(mine[1:], wanted[1:], strict=True):
        np.testing.assert_allclose(np.asarray(own), np.asarray(truth), rtol=close)


@pytest.mark.parametrize("name", [*IN_PLACE, "RReLU", "Dropout", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout"])
def test_in_place_and_not_are_the_same_numbers(name: str) -> None:
    x = normal(4, 3, 2, 2).astype(np.float32)
    results = []
    for inplace in (False, True):
        ob.manual_seed(0)
        module, given = getattr(nn, name)(inplace=inplace), ob.tensor(x.copy())
        results.append(module(given).data)
        assert (given.data is results[-1]) == inplace
        assert repr(module) == repr(getattr(torch.nn, name)(inplace=inplace))
    np.testing.assert_array_equal(*results)


def test_what_must_not_be_overwritten_is_not() -> None:
    leaf = ob.ones(3, requires_grad=True)
    with pytest.raises(GraphError, match="leaf"):
        nn.ReLU(inplace=True)(leaf)
    grown = leaf.exp()  # its slope is its value
    with pytest.raises(GraphError, match="in place"):
        nn.ReLU(inplace=True)(grown).sum().backward()
    with ob.no_grad():
        assert nn.ReLU(inplace=True)(leaf) is leaf


def test_a_view_is_overwritten_in_what_it_is_a_view_of() -> None:
    def run(library: Any, layers: Any) -> list[Any]:
        x = library.tensor(normal(4, 3), requires_grad=True)
        whole = x * 2
        part = whole[1:3]
        same = layers.ELU(inplace=True)(part) is part
        (whole * library.tensor(normal(4, 3, seed=1))).sum().backward()
        return [same, whole.tolist(), x.grad.tolist()]

    mine, wanted = run(ob, nn), run(torch, torch.nn)
    assert mine[0] and wanted[0]
    np.testing.assert_allclose(mine[1:], wanted[1:], rtol=1e-10)


def test_whole_channels_drop_to_selus_floor() -> None:
    ob.manual_seed(1)
    y = nn.FeatureAlphaDropout(0.5)(ob.ones(40, 50, 3)).data
    assert (y == y[..., :1]).all() and len(np.unique(y)) == 2
    assert abs(nn.FeatureAlphaDropout(0.3)(ob.randn(200, 300, 2)).data.std() - 1) < 0.02
    with pytest.raises(ShapeError, match="channels"):
        nn.FeatureAlphaDropout()(ob.ones(3))


@pytest.mark.parametrize(("name", "shape"), [("Softmax", (3, 4)), ("LogSoftmax", (2, 3, 4)), ("Softmin", (4,))])
@pytest.mark.filterwarnings("ignore:Implicit dimension")
def test_the_axis_nobody_names_is_torchs(name: str, shape: tuple[int, ...]) -> None:
    compare(*twins(name), [normal(*shape)])


@pytest.mark.parametrize("old", [
    {"size_average": False}, {"reduce": False}, {"size_average": True, "reduction": "sum"}, {"reduce": True, "size_average": False},
])  # fmt: skip
@pytest.mark.filterwarnings("ignore:size_average")
def test_older_options_of_losses_mean_what_they_mean_in_pytorch(old: dict[str, Any]) -> None:
    compare(*twins("SmoothL1Loss", **old), [normal(4, 3), normal(4, 3, seed=1)])
    compare(*twins("MarginRankingLoss", 0.2, old.get("size_average"), old.get("reduce")), [
        normal(4), normal(4, seed=1), np.sign(normal(4, seed=2))])  # fmt: skip


def test_weights_drawn_from_a_generator_of_ones_own() -> None:
    x, y = ob.zeros(5, 7), ob.zeros(5, 7)
    for name in ("uniform_", "normal_", "trunc_normal_", "xavier_uniform_", "kaiming_normal_", "orthogonal_"):
        fill = getattr(nn.init, name)
        fill(x, generator=np.random.default_rng(3))
        fill(y, generator=np.random.default_rng(3))
        np.testing.assert_array_equal(x.data, y.data)
        fill(y, generator=np.random.default_rng(4))
        assert (x.data != y.data).any()
    nn.init.sparse_(x, 0.3)
    assert ((x.data == 0).sum(axis=0) == 2).all()
    with pytest.raises(OpenbookError, match="matrix"):
        nn.init.sparse_(ob.zeros(3), 0.1)
