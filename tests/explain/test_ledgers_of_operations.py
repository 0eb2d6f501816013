"""Every operation that has a gradient gives a ledger: each slope beside differences, and the entry beside PyTorch's rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn
from openbook.ops import OPS, apply
from openbook.tensor import Tensor
from openbook.testing.samples import samples_of

RANDOM = np.random.default_rng(3)
A, B, V = RANDOM.normal(size=(3, 4)), RANDOM.normal(size=(4, 2)), RANDOM.normal(size=4)
SQUARE = RANDOM.normal(size=(3, 3)) + 3 * np.eye(3)
SYMMETRIC = SQUARE @ SQUARE.T
UPPER = np.triu(SQUARE)
CLASSES, PLACES = np.array([1, 0, 3]), np.array([[0, 2, 1, 1], [1, 1, 0, 2], [2, 0, 0, 1]])
SHARES = np.exp(A) / np.exp(A).sum(1, keepdims=True)
IMAGE, KERNEL = RANDOM.normal(size=(2, 2, 5, 5)), RANDOM.normal(size=(3, 2, 3, 3))

WHOLE: dict[str, tuple[tuple[np.ndarray, ...], dict[str, Any]]] = {
    "sum": ((A,), {"axis": 0}), "mean": ((A,), {"axis": 1}), "prod": ((A,), {"axis": 0}), "var": ((A,), {"axis": 0}),
    "std": ((A,), {}), "amax": ((A,), {"axis": 1}), "amin": ((A,), {}), "middle_entry": ((V[:3],), {}),
    "logsumexp": ((A,), {}), "norm": ((A,), {}), "mse_loss": ((A, 2 * A), {}), "l1_loss": ((A, 2 * A), {}),
    "huber_loss": ((A, 3 * A), {}), "smooth_l1_loss": ((A, 3 * A), {}), "bce": ((SHARES, SHARES[::-1].copy()), {}),
    "bce_with_logits": ((A, SHARES), {}), "kl_div": ((A, SHARES), {}), "standardize": ((A,), {"axis": (1,)}),
    "rms_standardize": ((A,), {"axis": (1,)}), "softmax": ((A,), {}), "log_softmax": ((A,), {}),
    "cross_entropy": ((A, CLASSES), {}), "nll_loss": ((A, CLASSES), {}), "diagonal_part": ((SQUARE,), {}),
    "cholesky": ((SYMMETRIC,), {}), "inv": ((SQUARE,), {}), "det": ((SQUARE,), {}), "log_abs_det": ((SQUARE,), {}),
    "sign_det": ((SQUARE,), {}), "solve": ((SQUARE, A), {}), "solve_triangular": ((UPPER, A), {"upper": True}),
    "eigenvalues": ((SYMMETRIC,), {}), "eigenvectors": ((SYMMETRIC,), {}), "singular_values": ((SQUARE,), {}),
    "left_singular": ((SQUARE,), {}), "right_singular": ((SQUARE,), {}), "qr_basis": ((SQUARE,), {}),
    "qr_factor": ((SQUARE,), {}), "embedding": ((A, np.array([0, 2, 2])), {}),
    "embedding_rows": ((A, np.array([0, 2, 2])), {"count": 4}), "matmul": ((A, B), {}), "linear": ((A, B.T.copy(), V[:2]), {}),
    "einsum": ((A, B), {"subscripts": "ij,jk->ik"}), "reshape": ((A,), {"shape": (2, 6)}), "permute": ((A,), {"axes": (1, 0)}),
    "broadcast_to": ((V,), {"shape": (3, 4)}), "getitem": ((A,), {"index": (slice(1, None), 2)}),
    "scatter": ((V,), {"index": (1,), "shape": (3, 4)}), "overwrite": ((A, V), {"index": (1,)}), "cat": ((A, 2 * A), {}),
    "stack": ((A, 2 * A), {}), "flip": ((A,), {"axis": (1,)}), "roll": ((A,), {"shifts": (1,), "axis": (0,)}),
    "tril": ((SQUARE,), {}), "triu": ((SQUARE,), {}), "pad": ((A,), {"widths": ((1, 0), (0, 2))}),
    "cast": ((A,), {"dtype": np.float64}), "gather": ((A, PLACES), {"axis": 0}),
    "scatter_add": ((A, PLACES, 2 * A), {"axis": 0}), "cumsum": ((A,), {"axis": 0}), "cumprod": ((A,), {"axis": 1}),
    "windows": ((IMAGE[:, :, :, 0],), {"kernel": (3,), "stride": (1,), "dilation": (1,)}),
    "fold": ((RANDOM.normal(size=(2, 2, 3, 3)),), {"sizes": (5,), "kernel": (3,), "stride": (1,), "dilation": (1,)}),
    "convolution": ((IMAGE, KERNEL, V[:3]), {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}),
}  # fmt: skip
FLAT = {"sign", "sign_det", "copysign"}  # slope 0 almost everywhere: there is no path to write out
SYMMETRIC = {"cholesky", "eigenvalues", "eigenvectors"}  # differences of one entry do not keep the matrix symmetric
REFUSES = {"qr_complement"}  # the columns that complete a basis have no derivative, and it says so
DIFFERENTIABLE = [name for name, op in OPS.items() if op.differentiable and name not in REFUSES]


def arguments(name: str) -> tuple[tuple[np.ndarray, ...], dict[str, Any]]:
    if name in WHOLE:
        return WHOLE[name]
    op = OPS[name]
    if not op.elementwise:  # what the generated tests give it
        sample = samples_of(op)[0]
        return sample.draw(op), sample.options
    domains = op.domain if isinstance(op.domain, tuple) else (op.domain,) * len(op.arguments)
    columns = []
    for k, domain in enumerate(domains):
        low, high = max(domain.low, -2.0), min(domain.high, 2.0)
        columns.append(
            low + (high - low) * np.array([0.31, 0.57, 0.83])
            if k != 1
            else low + (high - low) * np.array([0.9, 0.4, 0.7])
        )
    if name == "where":
        columns[0] = np.array([True, False, True])
    required = {k: 1.5 for k, v in op.options.items() if v is not None and not isinstance(v, (int, float, str, bool))}
    return tuple(columns), required


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_every_operation_has_a_ledger(name: str) -> None:
    arrays, parameters = arguments(name)
    for position, array in enumerate(arrays):
        if array.dtype.kind != "f":
            continue
        tensors = [Tensor(a, requires_grad=i == position) for i, a in enumerate(arrays)]
        inside = tensors[position] * 0.8  # an operation before and one after: the chain rule has something to do
        given = [inside if i == position else t for i, t in enumerate(tensors)]
        output = apply(OPS[name], *given, **parameters)
        if not output.requires_grad:
            continue
        weights = np.random.default_rng(5).normal(size=output.shape)
        loss = (output * Tensor(weights)).sum()
        working = ob.explain(loss, wrt=tensors[position])
        working.check()
        methods = {check.method for check in working.verification.checks}
        assert (
            name in FLAT | SYMMETRIC
            or {"central differences of the operation", "central differences of the loss"} <= methods
        )
        loss.backward()
        assert tensors[position].grad is not None
        assert working.result == np.max(np.abs(tensors[position].grad.data)) * np.sign(working.result)


# --- whole nets ------------------------------------------------------------------------------------------------


def nets() -> dict[str, Any]:
    ob.manual_seed(0)
    sequence, image, tokens = ob.randn(5, 2, 4).double(), ob.randn(2, 3, 8, 8).double(), ob.tensor(PLACES)

    def mean_square(value: Tensor) -> Tensor:
        return (value * value).mean()

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention, self.norm = nn.MultiheadAttention(4, 2), nn.LayerNorm(4)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(x + self.attention(x, x, x)[0])

    class Recurrent(nn.Module):
        def __init__(self, kind: Any) -> None:
            super().__init__()
            self.cell = kind(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.cell(x)[0]

    convolutional = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3), nn.GroupNorm(2, 4),
        nn.GELU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4, 3), nn.LogSoftmax(-1),
    )  # fmt: skip
    embedded = nn.Sequential(nn.Embedding(4, 3), nn.Linear(3, 3), nn.Softmax(-1))
    made = {
        "conv": (convolutional, image), "embedding": (embedded, tokens), "attention": (Attention(), sequence),
        "lstm": (Recurrent(nn.LSTM), sequence), "gru": (Recurrent(nn.GRU), sequence), "rnn": (Recurrent(nn.RNN), sequence),
        "transformer": (nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0), sequence),
    }  # fmt: skip
    return {name: (model.double(), mean_square(model.double()(x))) for name, (model, x) in made.items()}


@pytest.mark.parametrize("name", ["conv", "embedding", "attention", "lstm", "gru", "rnn", "transformer"])
def test_every_parameter_of_a_net_has_a_ledger(name: str) -> None:
    model, loss = nets()[name]
    workings = {p: ob.explain(loss, wrt=p, model=model) for p, _ in model.named_parameters()}
    loss.backward()
    for parameter, tensor in model.named_parameters():
        working = workings[parameter]
        assert working.check().passed, parameter
        assert np.abs(working.result) == np.max(np.abs(tensor.grad.data))
        assert working.text() and working.svg()


def test_values_changed_in_place_on_the_way() -> None:
    """The ledger follows what an operation used, not what became of it later."""
    x = Tensor(np.array([0.5, 1.0, 2.0]), requires_grad=True)
    y = x * 2.0
    z = y + 1.0
    y[0] = 7.0
    for at, expected in ((0, 7 * 2.0), (1, 8 * 1.0 + 2)):  # 7·(2x + 1) and 2x·(2x + 1)
        working = ob.explain((y * z).sum(), wrt=x, at=at)
        assert working.check().passed
        assert working.result == expected


@pytest.mark.parametrize("name", ["tanh", "linear", "softmax", "convolution", "mul", "getitem"])
def test_a_wrong_rule_on_the_way_is_found_where_it_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays, parameters = arguments(name)
    x = Tensor(arrays[0], requires_grad=True)
    others = [Tensor(a) for a in arrays[1:]]
    output = apply(OPS[name], x.exp(), *others, **parameters)
    loss = (output * Tensor(np.random.default_rng(5).normal(size=output.shape))).sum()
    right = OPS[name].gradient

    def wrong(g: Any, *rest: Any, **options: Any) -> Any:
        return right(g * 1.001, *rest, **options)

    monkeypatch.setattr(OPS[name], "gradient", staticmethod(wrong))
    failures = ob.explain(loss, wrt=x).verification.failures
    assert any(f.method == "central differences of the operation" for f in failures)


def test_kinks_are_named_not_judged() -> None:
    x = Tensor(np.array([0.0, 1.0]), requires_grad=True)
    working = ob.explain((x.relu() * 3.0).sum() + x.sum(), wrt=x, at=0)
    assert working.check().passed and "kink" in working.text()
