"""Other sizes, unpooling, bags, adaptive softmax, margins and CTC as modules: beside PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn
from openbook.errors import InputError, ShapeError
from tests.nn.beside_torch import CLOSE, compare, normal, same_state_form, their_state, twins

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.torch

# name, arguments, options, shape of the input
LAYERS: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = [
    ("Upsample", (), {"scale_factor": 2}, (2, 3, 4)),
    ("Upsample", ((5, 3),), {}, (2, 3, 4, 6)),
    ("Upsample", (), {"scale_factor": (1.5, 0.7), "mode": "bilinear"}, (2, 3, 4, 6)),
    ("Upsample", (), {"scale_factor": 1.7, "mode": "bicubic", "recompute_scale_factor": True}, (2, 3, 5, 6)),
    ("Upsample", (7,), {"mode": "trilinear", "align_corners": True}, (1, 2, 3, 4, 5)),
    ("UpsamplingNearest2d", (), {"scale_factor": 3}, (2, 3, 4, 5)),
    ("UpsamplingBilinear2d", ((7, 3),), {}, (2, 3, 4, 5)),
    ("PixelShuffle", (2,), {}, (2, 8, 3, 4)),
    ("PixelUnshuffle", (3,), {}, (2, 6, 9)),
    ("ChannelShuffle", (3,), {}, (2, 6, 4, 5)),
    ("LocalResponseNorm", (3,), {"alpha": 0.5, "beta": 0.6, "k": 2.0}, (2, 5, 4)),
    ("LocalResponseNorm", (2,), {}, (2, 5, 3, 4)),
    ("LPPool1d", (3, 2), {"stride": 1}, (2, 3, 7)),
    ("LPPool2d", (1.0, (3, 2)), {"stride": (2, 1), "ceil_mode": True}, (2, 3, 6, 6)),
    ("LPPool3d", (2, 2), {}, (2, 3, 4, 5, 6)),
    ("MaxPool1d", (3,), {"stride": 2, "padding": 1, "return_indices": True}, (2, 3, 9)),
    ("MaxPool2d", ((3, 2),), {"stride": (2, 1), "dilation": (1, 2), "return_indices": True}, (2, 3, 6, 7)),
    ("MaxPool3d", (2,), {"ceil_mode": True, "return_indices": True}, (2, 3, 3, 4, 5)),
    ("AdaptiveMaxPool1d", (3,), {"return_indices": True}, (2, 3, 7)),
    ("AdaptiveMaxPool2d", ((2, None),), {"return_indices": True}, (2, 3, 5, 7)),
    ("AdaptiveMaxPool3d", (2,), {"return_indices": True}, (2, 3, 5, 4, 3)),
]


@pytest.mark.parametrize(("name", "arguments", "options", "shape"), LAYERS)
def test_layer_is_torchs(name: str, arguments: Any, options: Any, shape: Any) -> None:
    ours, theirs = twins(name, *arguments, **options)
    x = np.abs(normal(*shape)) if name.startswith("LP") else normal(*shape)
    if options.get("return_indices"):
        places, other = ours(ob.tensor(x))[1], theirs(torch.tensor(x))[1]
        np.testing.assert_array_equal(places.data, other.numpy())
        ours, theirs = _First(ours), _First(theirs)
    compare(ours, theirs, [x])


class _First:
    """A module of which only the first result has a gradient."""

    def __init__(self, module: Any):
        self.module = module

    def __call__(self, *inputs: Any) -> Any:
        return self.module(*inputs)[0]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, name)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize(("options", "sizes"), [
    ({"kernel_size": 2}, None), ({"kernel_size": 3, "stride": 2, "padding": 1}, (8, 8, 8)),
])  # fmt: skip
def test_unpooling_is_torchs(axes: int, options: dict[str, Any], sizes: tuple[int, ...] | None) -> None:
    ours, theirs = twins(f"MaxUnpool{axes}d", **options)
    pool = getattr(nn, f"MaxPool{axes}d")(**options, return_indices=True)
    values, places = pool(ob.tensor(normal(2, 3, *(8,) * axes)))
    wanted = None if sizes is None else sizes[:axes]
    compare(ours, theirs, [values.data, places.data], output_size=wanted)


BAGS: list[tuple[dict[str, Any], tuple[Any, ...]]] = [
    ({}, (np.array([[0, 4, 4], [1, 0, 5]]),)),
    ({"mode": "sum"}, (np.array([0, 4, 4, 1, 2]), np.array([0, 2, 2]))),
    ({"mode": "max"}, (np.array([0, 4, 4, 1, 2]), np.array([0, 2, 2]))),
    ({"mode": "sum"}, (np.array([[0, 4, 4], [1, 0, 5]]), None, normal(2, 3))),
    ({"padding_idx": -2}, (np.array([[0, 4, 4], [4, 4, 4]]),)),
    ({"include_last_offset": True}, (np.array([0, 4, 4, 1, 2]), np.array([0, 2, 5]))),
    ({"max_norm": 0.8, "norm_type": 1.0}, (np.array([[0, 4], [1, 0]]),)),
]


@pytest.mark.parametrize(("options", "inputs"), BAGS)
def test_bags_are_torchs(options: dict[str, Any], inputs: tuple[Any, ...]) -> None:
    compare(*twins("EmbeddingBag", 6, 3, **options), inputs)


def test_gradients_of_bags_divided_by_how_often_a_row_was_looked_up() -> None:
    """Beside PyTorch's Embedding: its EmbeddingBag divides by the counts of other rows."""
    numbers = np.array([[0, 4, 4], [4, 0, 5]])
    ours = nn.EmbeddingBag(6, 3, scale_grad_by_freq=True, mode="sum").double()
    theirs = torch.nn.Embedding(6, 3, scale_grad_by_freq=True).double()
    ours.load_state_dict(their_state(theirs))
    mine, other = ours(ob.tensor(numbers)), theirs(torch.tensor(numbers)).sum(1)
    cotangent = normal(2, 3)
    (mine * cotangent).sum().backward()
    (other * torch.tensor(cotangent)).sum().backward()
    np.testing.assert_allclose(mine.data, other.detach().numpy(), **CLOSE)
    np.testing.assert_allclose(ours.weight.grad.data, theirs.weight.grad.numpy(), **CLOSE)


def test_bags_of_given_rows() -> None:
    rows = ob.tensor(normal(3, 2))
    frozen, learnt = (
        nn.EmbeddingBag.from_pretrained(rows),
        nn.EmbeddingBag.from_pretrained(rows, freeze=False, mode="sum"),
    )
    assert not frozen.weight.requires_grad and learnt.weight.requires_grad
    assert np.shares_memory(frozen.weight.data, rows.data)
    np.testing.assert_array_equal(learnt(ob.tensor([[0, 2]])).data, rows.data[[0]] + rows.data[[2]])


@pytest.mark.parametrize("padding_idx", [None, 4])
def test_gradients_divided_by_how_often_a_row_was_looked_up(padding_idx: int | None) -> None:
    ours, theirs = twins("Embedding", 6, 3, padding_idx, scale_grad_by_freq=True)
    compare(ours, theirs, [np.array([[0, 4, 4], [1, 0, 5]])])


@pytest.mark.parametrize("options", [{}, {"div_value": 2.0, "head_bias": True}])
@pytest.mark.parametrize("classes", [[0, 5, 11, 19, 3, 4], [0, 1, 2, 3, 3, 3], [19, 18, 17, 11, 10, 10]])
def test_adaptive_softmax_is_torchs(options: dict[str, Any], classes: list[int]) -> None:
    ours, theirs = twins("AdaptiveLogSoftmaxWithLoss", 16, 20, [4, 10], **options)
    x = normal(6, 16)
    compare(ours, theirs, [x, np.array(classes)])
    compare(ours, theirs, [x[0], np.array(classes[1])])
    mine, other = ours.log_prob(ob.tensor(x)), theirs.log_prob(torch.tensor(x))
    np.testing.assert_allclose(mine.data, other.detach().numpy(), **CLOSE)
    far = 5 * normal(50, 16, seed=2)  # the head names clusters for some of these rows, and none for others
    chosen = ours.predict(ob.tensor(far)).data
    np.testing.assert_array_equal(chosen, theirs.predict(torch.tensor(far)).numpy())
    assert chosen.min() < 4 <= chosen.max()


X, Y = normal(5, 4), normal(5, 4, seed=1)
SETS = np.array([[3, 0, -1, 1], [1, 2, 3, 0], [-1, 2, 0, 1], [0, -1, -1, -1], [2, 3, -1, 0]])
SPELT = np.log(np.random.default_rng(3).dirichlet(np.ones(5), (12, 3)))
# name, options, inputs; only the first input learns
LOSSES: list[tuple[str, dict[str, Any], tuple[Any, ...]]] = [
    ("MultiMarginLoss", {}, (X, np.array([0, 3, 2, 2, 1]))),
    (
        "MultiMarginLoss",
        {"p": 2, "margin": 0.6, "weight": np.array([0.3, 1.0, 2.0, 0.7])},
        (X, np.array([0, 3, 2, 2, 1])),
    ),
    ("MultiMarginLoss", {}, (X[0], np.array(2))),
    ("MultiLabelMarginLoss", {}, (X, SETS)),
    ("MultiLabelMarginLoss", {}, (X[0], SETS[0])),
    ("TripletMarginWithDistanceLoss", {"margin": 2.0, "swap": True}, (X, Y, normal(5, 4, seed=2))),
    (
        "TripletMarginWithDistanceLoss",
        {"distance_function": lambda a, b: (a - b).abs().sum(-1)},
        (X, Y, Y[::-1].copy()),
    ),
    ("CTCLoss", {"blank": 4}, (SPELT, np.array([[1, 2, 2], [3, 3, 3], [1, 0, 0]]), (12, 10, 7), (3, 3, 1))),
    ("CTCLoss", {"zero_infinity": True}, (SPELT[:3], np.array([1, 2, 2, 3, 1]), (3, 3, 3), (3, 1, 1))),
]


@pytest.mark.parametrize(("name", "options", "inputs"), LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_loss_is_torchs(name: str, options: dict[str, Any], inputs: tuple[Any, ...], reduction: str) -> None:
    def made(tensor: Any) -> dict[str, Any]:
        return {k: tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}

    ours = getattr(nn, name)(reduction=reduction, **made(ob.tensor))
    theirs = getattr(torch.nn, name)(reduction=reduction, **made(torch.tensor))
    same_state_form(ours, theirs)
    assert repr(ours) == repr(theirs)
    compare(_AfterSoftmax(ours), _AfterSoftmax(theirs), inputs)


class _AfterSoftmax:
    """A loss; before CTC comes a log_softmax, through which PyTorch's gradient is that of the formula."""

    def __init__(self, loss: Any):
        self.loss = loss

    def __call__(self, first: Any, *others: Any) -> Any:
        return self.loss(first.log_softmax(-1) if type(self.loss).__name__ == "CTCLoss" else first, *others)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loss, name)


def test_weights_of_margins_belong_to_the_state() -> None:
    loss = nn.MultiMarginLoss(weight=ob.tensor([1.0, 2.0]))
    assert loss.double().state_dict()["weight"].dtype == np.float64


def test_what_does_not_fit_is_said() -> None:
    adaptive = nn.AdaptiveLogSoftmaxWithLoss(16, 20, [4, 10])
    x = ob.ones(2, 16)
    for call, error, message in (
        (lambda: nn.AdaptiveLogSoftmaxWithLoss(16, 20, [10, 4]), InputError, "rising"),
        (lambda: nn.AdaptiveLogSoftmaxWithLoss(16, 20, [4, 20]), InputError, "rising"),
        (lambda: adaptive(x, ob.tensor([3, 20])), InputError, "20 classes"),
        (lambda: adaptive(x, ob.tensor([3])), ShapeError, "takes inputs"),
        (lambda: nn.EmbeddingBag(4, 3, mode="min"), InputError, "min"),
        (lambda: nn.EmbeddingBag(4, 3, sparse=True), InputError, "sparse"),
        (lambda: nn.MultiMarginLoss(p=3), InputError, "1 or 2"),
        (lambda: nn.TripletMarginWithDistanceLoss(margin=0), InputError, "margin"),
        (lambda: nn.CTCLoss(reduction="average"), InputError, "average"),
        (lambda: nn.PixelShuffle(2)(ob.ones(1, 6, 2, 2)), ShapeError, "multiple"),
    ):
        with pytest.raises(error, match=message):
            call()


def test_states_move_from_torch() -> None:
    theirs = torch.nn.EmbeddingBag(5, 3, padding_idx=1)
    ours = nn.EmbeddingBag(5, 3, padding_idx=1)
    assert not ours.weight.data[1].any()
    ours.load_state_dict(their_state(theirs))
    np.testing.assert_array_equal(ours.weight.data, theirs.weight.detach().numpy())
