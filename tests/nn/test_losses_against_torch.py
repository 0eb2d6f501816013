"""Losses beside PyTorch's: values, gradients of every input, state and print, with every option."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn
from openbook.errors import OpenbookError
from tests.nn.beside_torch import CLOSE, compare, normal

pytestmark = pytest.mark.torch

X, Y = normal(5, 4), normal(5, 4, seed=1)
LABELS, IMAGE = np.array([0, 3, 2, 2, 1]), np.array([[0, 3, 2], [2, -100, 1]])
SHARES = np.random.default_rng(0).dirichlet(np.ones(4), 5)
UNIT = 1 / (1 + np.exp(-X))
SIGNS = np.where(Y > 0, 1.0, -1.0)
WEIGHT = np.array([0.3, 1.0, 2.0, 0.7])
COUNTS = np.random.default_rng(0).poisson(3.0, (5, 4)).astype(float)
LOG_SHARES = np.log(SHARES)

# name, options, inputs; the targets come last, and get no gradient
CASES: list[Any] = [
    ("MSELoss", {}, (X, Y)),
    ("L1Loss", {}, (X, Y)),
    ("HuberLoss", {}, (X, Y)),
    ("HuberLoss", {"delta": 0.3}, (X, Y)),
    ("SmoothL1Loss", {}, (X, Y)),
    ("SmoothL1Loss", {"beta": 0.3}, (X, Y)),
    ("SmoothL1Loss", {"beta": 0.0}, (X, Y)),
    ("CrossEntropyLoss", {}, (X, LABELS)),
    ("CrossEntropyLoss", {"weight": WEIGHT}, (X, LABELS)),
    ("CrossEntropyLoss", {"ignore_index": 2}, (X, LABELS)),
    ("CrossEntropyLoss", {"ignore_index": 0}, (X, LABELS)),
    ("CrossEntropyLoss", {"label_smoothing": 0.2}, (X, LABELS)),
    ("CrossEntropyLoss", {"weight": WEIGHT, "label_smoothing": 0.2, "ignore_index": 0}, (X, LABELS)),
    ("CrossEntropyLoss", {}, (X, SHARES)),
    ("CrossEntropyLoss", {"weight": WEIGHT, "label_smoothing": 0.1}, (X, SHARES)),
    ("CrossEntropyLoss", {}, (normal(2, 4, 3), IMAGE)),
    ("CrossEntropyLoss", {"weight": WEIGHT}, (normal(2, 4, 3), IMAGE)),
    ("CrossEntropyLoss", {}, (normal(4), np.array(2))),
    ("NLLLoss", {}, (LOG_SHARES, LABELS)),
    ("NLLLoss", {"weight": WEIGHT, "ignore_index": 3}, (LOG_SHARES, LABELS)),
    ("NLLLoss", {}, (normal(2, 4, 3), IMAGE)),
    ("BCELoss", {}, (UNIT, SHARES)),
    ("BCELoss", {"weight": WEIGHT}, (UNIT, SHARES)),
    ("BCEWithLogitsLoss", {}, (X, SHARES)),
    ("BCEWithLogitsLoss", {"weight": WEIGHT}, (X, SHARES)),
    ("BCEWithLogitsLoss", {"pos_weight": WEIGHT}, (X, SHARES)),
    ("BCEWithLogitsLoss", {"weight": WEIGHT[::-1].copy(), "pos_weight": WEIGHT}, (X, SHARES)),
    ("MultiLabelSoftMarginLoss", {}, (X, (Y > 0).astype(float))),
    ("MultiLabelSoftMarginLoss", {"weight": WEIGHT}, (X, (Y > 0).astype(float))),
    ("KLDivLoss", {}, (LOG_SHARES[::-1].copy(), SHARES)),
    ("KLDivLoss", {"log_target": True}, (LOG_SHARES[::-1].copy(), LOG_SHARES)),
    ("PoissonNLLLoss", {}, (X, COUNTS)),
    ("PoissonNLLLoss", {"full": True}, (X, COUNTS)),
    ("PoissonNLLLoss", {"log_input": False, "eps": 1e-3}, (UNIT, COUNTS)),
    ("GaussianNLLLoss", {}, (X, Y, UNIT)),
    ("GaussianNLLLoss", {"full": True, "eps": 0.5}, (X, Y, UNIT[:, :1])),
    ("GaussianNLLLoss", {}, (X, Y, UNIT[:, 0])),
    ("SoftMarginLoss", {}, (X, SIGNS)),
    ("MarginRankingLoss", {"margin": 0.2}, (X, Y, SIGNS)),
    ("HingeEmbeddingLoss", {"margin": 0.5}, (X, SIGNS)),
    ("CosineEmbeddingLoss", {"margin": 0.1}, (X, Y, SIGNS[:, 0])),
    ("TripletMarginLoss", {}, (X, Y, normal(5, 4, seed=2))),
    ("TripletMarginLoss", {"p": 3.0, "margin": 2.0, "swap": True}, (X, Y, normal(5, 4, seed=2))),
]


@pytest.mark.parametrize(("name", "options", "inputs"), CASES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_loss_is_torchs(name: str, options: dict[str, Any], inputs: tuple[np.ndarray, ...], reduction: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    def made(tensor: Any) -> dict[str, Any]:
        return {k: tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}

    ours = getattr(nn, name)(reduction=reduction, **made(ob.tensor))
    theirs = getattr(torch.nn, name)(reduction=reduction, **made(torch.tensor))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(ours) == repr(theirs)
    compare(_Scored(ours), _Scored(theirs), inputs)


class _Scored:
    """A loss whose targets (all but the first input, where they are 0 or 1 or shares) are constants."""

    def __init__(self, loss: Any):
        self.loss = loss

    def __call__(self, *inputs: Any) -> Any:
        free = ("Triplet", "Ranking", "Cosine", "GaussianNLL", "MSE", "L1", "Huber")
        if any(word in type(self.loss).__name__ for word in free):
            return self.loss(*inputs)
        return self.loss(inputs[0], *(x.detach() for x in inputs[1:]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loss, name)


def test_the_divergence_itself_is_torchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    own = nn.KLDivLoss(reduction="batchmean")(ob.tensor(LOG_SHARES[::-1].copy()), ob.tensor(SHARES))
    truth = torch.nn.KLDivLoss(reduction="batchmean")(torch.tensor(LOG_SHARES[::-1].copy()), torch.tensor(SHARES))
    np.testing.assert_allclose(own.data, truth.numpy(), **CLOSE)


def test_weights_belong_to_the_state_and_change_dtype() -> None:
    loss = nn.CrossEntropyLoss(WEIGHT.astype(np.float32))
    assert loss.double().state_dict()["weight"].dtype == np.float64
    assert not list(loss.parameters())


@pytest.mark.parametrize("name", [
    "MSELoss", "L1Loss", "HuberLoss", "SmoothL1Loss", "BCELoss", "BCEWithLogitsLoss", "KLDivLoss", "PoissonNLLLoss",
    "SoftMarginLoss", "HingeEmbeddingLoss", "MultiLabelSoftMarginLoss",
])  # fmt: skip
def test_nothing_is_broadcast_in_silence(name: str) -> None:
    with pytest.raises(OpenbookError, match="broadcasting"):
        getattr(nn, name)()(ob.tensor(UNIT), ob.tensor(SHARES[:, :1]))


def test_what_does_not_fit_is_said() -> None:
    x, y = ob.tensor(X), ob.tensor(Y)
    for call, message in (
        (lambda: nn.MSELoss(reduction="average"), "average"),
        (lambda: nn.CrossEntropyLoss()(x, ob.tensor(LABELS + 4)), "columns"),
        (lambda: nn.CrossEntropyLoss()(x, ob.tensor(LABELS[:3])), "class for each row"),
        (lambda: nn.CrossEntropyLoss(WEIGHT[:3])(x, ob.tensor(LABELS)), "weight"),
        (lambda: nn.BCELoss()(x, ob.tensor(SHARES)), r"\[0, 1\]"),
        (lambda: nn.GaussianNLLLoss()(x, y, x[:2]), "fit"),
        (lambda: nn.GaussianNLLLoss()(x, y, x), "negative"),
        (lambda: nn.TripletMarginLoss()(x, y, y[:2]), "broadcasting"),
    ):
        with pytest.raises(OpenbookError, match=message):
            call()
