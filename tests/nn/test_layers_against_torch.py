"""Layers of one input: values, all gradients, state and print beside PyTorch's, in several configurations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from openbook import nn
from openbook.errors import OpenbookError
from tests.nn.beside_torch import CLOSE, compare, normal, twins

pytestmark = pytest.mark.torch

# name, arguments, options, shapes of the inputs
CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[tuple[int, ...], ...]]] = [
    ("Linear", (4, 3), {}, ((5, 4),)),
    ("Linear", (4, 3), {"bias": False}, ((2, 5, 4),)),
    ("Linear", (4, 3), {}, ((4,),)),
    ("Bilinear", (4, 3, 2), {}, ((5, 4), (5, 3))),
    ("Bilinear", (4, 3, 2), {"bias": False}, ((2, 5, 4), (2, 5, 3))),
    ("Bilinear", (4, 3, 2), {}, ((4,), (3,))),
    ("Flatten", (), {}, ((2, 3, 4),)),
    ("Flatten", (0, 1), {}, ((2, 3, 4),)),
    ("Flatten", (), {"start_dim": -2}, ((2, 3, 4),)),
    ("Unflatten", (1, (2, 3)), {}, ((4, 6),)),
    ("Unflatten", (-2, (2, -1)), {}, ((4, 6, 5),)),
    ("Identity", (), {}, ((2, 3),)),
    ("Conv1d", (3, 4, 3), {}, ((2, 3, 9),)),
    ("Conv1d", (4, 6, 3), {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}, ((2, 4, 11),)),
    ("Conv1d", (3, 4, 3), {"bias": False, "padding": "same"}, ((3, 9),)),
    ("Conv1d", (3, 4, 4), {"padding": "same", "dilation": 3}, ((2, 3, 12),)),
    ("Conv1d", (3, 4, 3), {"padding": 2, "padding_mode": "reflect"}, ((2, 3, 9),)),
    ("Conv2d", (3, 4, 3), {}, ((2, 3, 6, 7),)),
    ("Conv2d", (4, 4, (3, 2)), {"stride": (2, 1), "padding": (1, 2), "groups": 4}, ((2, 4, 6, 7),)),
    ("Conv2d", (3, 4, (2, 3)), {"padding": "same"}, ((2, 3, 6, 7),)),
    ("Conv2d", (3, 4, 3), {"padding": "valid", "dilation": 2}, ((3, 7, 6),)),
    ("Conv2d", (3, 4, 3), {"padding": (1, 2), "padding_mode": "circular"}, ((2, 3, 6, 7),)),
    ("Conv2d", (3, 4, (2, 3)), {"padding": "same", "padding_mode": "replicate"}, ((2, 3, 6, 7),)),
    ("Conv3d", (2, 4, 2), {"stride": 2, "padding": 1, "groups": 2}, ((2, 2, 4, 5, 3),)),
    ("ConvTranspose1d", (4, 6, 3), {}, ((2, 4, 5),)),
    ("ConvTranspose1d", (4, 6, 3), {"stride": 3, "padding": 1, "output_padding": 2, "groups": 2}, ((2, 4, 5),)),
    ("ConvTranspose1d", (4, 6, 3), {"dilation": 2, "bias": False}, ((4, 5),)),
    ("ConvTranspose2d", (4, 3, (3, 2)), {"stride": (2, 1), "padding": (0, 1)}, ((2, 4, 3, 5),)),
    ("ConvTranspose3d", (2, 3, 2), {"stride": 2}, ((1, 2, 2, 3, 2),)),
    ("MaxPool1d", (3,), {}, ((2, 3, 9),)),
    ("MaxPool1d", (3,), {"stride": 2, "padding": 1, "ceil_mode": True}, ((2, 3, 10),)),
    ("MaxPool1d", (2,), {"dilation": 2}, ((3, 9),)),
    ("MaxPool2d", (2,), {}, ((2, 3, 6, 7),)),
    ("MaxPool2d", ((3, 2),), {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2)}, ((2, 3, 6, 7),)),
    ("MaxPool2d", (3,), {"stride": 2, "ceil_mode": True}, ((3, 6, 8),)),
    ("MaxPool3d", (2,), {"stride": 1}, ((2, 3, 3, 4, 2),)),
    ("AvgPool1d", (3,), {"stride": 2, "padding": 1}, ((2, 3, 9),)),
    ("AvgPool1d", (3,), {"stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False}, ((2, 3, 10),)),
    ("AvgPool2d", (2,), {}, ((2, 3, 6, 7),)),
    ("AvgPool2d", ((3, 2),), {"padding": (1, 1), "count_include_pad": False}, ((2, 3, 6, 7),)),
    ("AvgPool2d", (3,), {"stride": 2, "padding": 1, "ceil_mode": True}, ((2, 3, 6, 8),)),
    ("AvgPool2d", (3,), {"stride": 2, "divisor_override": 5}, ((2, 3, 7, 7),)),
    ("AvgPool3d", (2,), {}, ((2, 3, 4, 4, 2),)),
    ("AdaptiveAvgPool1d", (3,), {}, ((2, 3, 7),)),
    ("AdaptiveAvgPool1d", (1,), {}, ((3, 7),)),
    ("AdaptiveAvgPool2d", ((2, 3),), {}, ((2, 3, 5, 7),)),
    ("AdaptiveAvgPool2d", (1,), {}, ((2, 3, 5, 7),)),
    ("AdaptiveAvgPool2d", ((None, 8),), {}, ((2, 3, 5, 7),)),
    ("AdaptiveAvgPool3d", (2,), {}, ((2, 3, 5, 4, 3),)),
    ("AdaptiveMaxPool1d", (3,), {}, ((2, 3, 7),)),
    ("AdaptiveMaxPool2d", ((2, 3),), {}, ((2, 3, 5, 7),)),
    ("AdaptiveMaxPool2d", (2,), {}, ((2, 3, 4, 6),)),
    ("AdaptiveMaxPool3d", (2,), {}, ((2, 3, 5, 4, 3),)),
    ("LayerNorm", (4,), {}, ((5, 4),)),
    ("LayerNorm", ((3, 4),), {"eps": 1e-3}, ((2, 5, 3, 4),)),
    ("LayerNorm", (4,), {"bias": False}, ((5, 4),)),
    ("LayerNorm", (4,), {"elementwise_affine": False}, ((5, 4),)),
    ("RMSNorm", (4,), {}, ((5, 4),)),
    ("RMSNorm", ((3, 4),), {"eps": 1e-2, "elementwise_affine": False}, ((2, 3, 4),)),
    ("BatchNorm1d", (4,), {}, ((6, 4),)),
    ("BatchNorm1d", (4,), {"momentum": None, "eps": 1e-3}, ((6, 4, 5),)),
    ("BatchNorm1d", (4,), {"affine": False}, ((6, 4, 5),)),
    ("BatchNorm1d", (4,), {"track_running_stats": False}, ((6, 4, 5),)),
    ("BatchNorm2d", (3,), {"momentum": 0.3}, ((4, 3, 2, 5),)),
    ("BatchNorm3d", (3,), {}, ((2, 3, 2, 2, 3),)),
    ("GroupNorm", (2, 4), {}, ((3, 4, 5),)),
    ("GroupNorm", (4, 4), {"affine": False}, ((3, 4, 2, 3),)),
    ("GroupNorm", (2, 4), {"eps": 1e-2}, ((3, 4),)),
    ("InstanceNorm1d", (4,), {}, ((3, 4, 5),)),
    ("InstanceNorm1d", (4,), {"affine": True}, ((4, 5),)),
    ("InstanceNorm2d", (4,), {"affine": True, "eps": 1e-3}, ((3, 4, 2, 3),)),
    ("InstanceNorm3d", (2,), {}, ((3, 2, 2, 3, 2),)),
    ("Dropout", (0.0,), {}, ((3, 4),)),
    ("PReLU", (), {}, ((3, 4),)),
    ("PReLU", (4,), {"init": 0.1}, ((3, 4, 5),)),
    ("GLU", (), {}, ((3, 4),)),
    ("GLU", (1,), {}, ((3, 4, 5),)),
    ("Softmax", (1,), {}, ((3, 4, 5),)),
    ("Softmax2d", (), {}, ((2, 3, 4, 5),)),
    ("Softmin", (-1,), {}, ((3, 4),)),
    ("LogSoftmax", (0,), {}, ((3, 4),)),
    ("CosineSimilarity", (), {}, ((3, 4), (3, 4))),
    ("CosineSimilarity", (-1, 1.5), {}, ((3, 4), (3, 4))),
    ("PairwiseDistance", (), {}, ((3, 4), (3, 4))),
    ("PairwiseDistance", (1.0,), {"keepdim": True}, ((3, 4), (3, 4))),
    ("PairwiseDistance", (3.0, 1e-3), {}, ((3, 4), (3, 4))),
]


@pytest.mark.parametrize(("name", "arguments", "options", "shapes"), CASES)
def test_layer_is_torchs(name: str, arguments: Any, options: Any, shapes: Any) -> None:
    ours, theirs = twins(name, *arguments, **options)
    for seed in range(2):  # twice: running statistics move on from what they were
        compare(ours, theirs, [normal(*shape, seed=seed + i) for i, shape in enumerate(shapes)])
    ours.eval()
    theirs.eval()
    compare(ours, theirs, [normal(*shape, seed=5 + i) for i, shape in enumerate(shapes)])


@pytest.mark.parametrize("padding_idx", [None, 0, -2])
def test_embedding_is_torchs(padding_idx: int | None) -> None:
    ours, theirs = twins("Embedding", 6, 3, padding_idx)
    for indices in (np.array([[0, 4, 4], [1, 0, 5]]), np.array(4)):
        compare(ours, theirs, [indices])


def test_embedding_from_pretrained_is_torchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rows = normal(5, 3)
    frozen = nn.Embedding.from_pretrained(rows, padding_idx=1)
    assert not frozen.weight.requires_grad
    np.testing.assert_array_equal(frozen.weight.data, torch.nn.Embedding.from_pretrained(torch.tensor(rows)).weight)
    assert nn.Embedding.from_pretrained(rows, freeze=False).weight.requires_grad


@pytest.mark.parametrize("output_size", [(8, 6), (9, 7), (1, 3, 9, 6)])
def test_the_size_of_a_transposed_convolution_can_be_asked_for(output_size: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    ours, theirs = twins("ConvTranspose2d", 2, 3, 2, stride=2)
    x = normal(1, 2, 4, 3)
    with pytest.raises(OpenbookError, match="between"):
        ours(nn.Parameter(x), output_size=(12, 6))
    y, t = ours(nn.Parameter(x), output_size=output_size), theirs(torch.tensor(x), output_size=output_size)
    np.testing.assert_allclose(y.data, t.detach().numpy(), **CLOSE)


WRONG: list[tuple[nn.Module, tuple[tuple[int, ...], ...], str]] = [
    (nn.Linear(4, 3), ((5, 3),), "inner sizes"),
    (nn.Bilinear(4, 3, 2), ((5, 4), (4, 3)), "same leading axes"),
    (nn.Unflatten(1, (2, 4)), ((4, 6),), "6 entries"),
    (nn.Conv2d(3, 4, 3), ((2, 4, 6, 6),), "channels"),
    (nn.Conv2d(3, 4, 3), ((3, 6),), "spatial axes"),
    (nn.Conv2d(3, 4, 7), ((1, 3, 6, 6),), "window"),
    (nn.ConvTranspose1d(3, 4, 3), ((2, 4, 6),), "channels"),
    (nn.MaxPool2d(2), ((4, 4),), "spatial axes"),
    (nn.MaxPool2d(2, padding=2), ((1, 1, 4, 4),), "more than half"),
    (nn.LayerNorm((3, 4)), ((4, 3),), "last axes"),
    (nn.RMSNorm(4), ((4, 3),), "last axes"),
    (nn.BatchNorm1d(4), ((2, 3),), "channels"),
    (nn.BatchNorm2d(4), ((2, 4, 3),), "axes"),
    (nn.BatchNorm1d(4), ((1, 4),), "one value for each channel"),
    (nn.GroupNorm(2, 4), ((2, 6, 3),), "channels"),
    (nn.InstanceNorm1d(4), ((2, 4, 1),), "spatial"),
    (nn.GLU(), ((2, 3),), "odd"),
    (nn.PReLU(3), ((2, 4),), "slopes"),
    (nn.Dropout2d(), ((2, 4),), "dropout2d"),
]


@pytest.mark.parametrize(("module", "shapes", "message"), WRONG)
def test_wrong_shapes_are_named(module: nn.Module, shapes: Any, message: str) -> None:
    with pytest.raises(OpenbookError, match=message):
        module(*(nn.Parameter(normal(*shape).astype(np.float32)) for shape in shapes))


def test_wrong_numbers_are_refused() -> None:
    for make, message in (
        (lambda: nn.Linear(0, 3), "at least one"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "groups"),
        (lambda: nn.Conv2d(3, 4, (3, 3, 3)), "numbers for 2 axes"),
        (lambda: nn.Conv2d(3, 4, 0), "below 1"),
        (lambda: nn.Conv2d(3, 4, 3, padding="same", stride=2), "no meaning"),
        (lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"), "mirror"),
        (lambda: nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect"), "zeros only"),
        (lambda: nn.Embedding(4, 3, sparse=True), "sparse"),
        (lambda: nn.Embedding(4, 3, padding_idx=4), "padding_idx"),
        (lambda: nn.Embedding(4, 3)(nn.Parameter(normal(2))), "whole numbers"),
        (lambda: nn.GroupNorm(3, 4), "groups"),
        (lambda: nn.Dropout(1.5), "share"),
        (lambda: nn.Linear(3, 4, device="cuda"), "device"),
        (lambda: nn.Linear(3, 4, dtype=np.int64), "floating-point"),
    ):
        with pytest.raises(OpenbookError, match=message):
            make()
