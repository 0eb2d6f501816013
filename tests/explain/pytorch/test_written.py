"""The formula of every operation that has one: each entry it gives, worked out again from it, is PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from openbook.expr import Expr, evaluate

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch.nn import functional as F  # noqa: E402

from openbook.explain.pytorch.recording import Performed, recorded  # noqa: E402
from openbook.explain.pytorch.written import Part, Written, moved_from, written  # noqa: E402

torch.manual_seed(0)
X, Y, IMAGE = torch.randn(3, 4).double(), torch.rand(3, 4).double() + 0.5, torch.randn(2, 4, 6, 6).double()
W, KERNEL, B = torch.randn(5, 4).double(), torch.randn(6, 2, 3, 3).double(), torch.randn(6).double()
ROW, SEQUENCE = torch.randn(1, 4).double(), torch.randn(2, 4, 9).double()

# What is computed, from tensors that ask for a gradient; the last operation is the one meant.
FORMULAS = {
    "linear": (lambda x, w: F.linear(x, w, torch.arange(5.0).double()), X, W),
    "mm": (lambda x, w: x @ w.t(), X, W), "mv": (lambda x: x @ torch.arange(4.0).double(), X),
    "bmm": (lambda x: torch.bmm(x, x.transpose(1, 2)), SEQUENCE),
    "baddbmm": (lambda x: torch.baddbmm(torch.ones(4, 1).double(), x, x.transpose(1, 2)), SEQUENCE),
    "conv2d": (lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1, groups=2), IMAGE, KERNEL, B),
    "conv2d, dilated": (lambda x, w: F.conv2d(x, w, dilation=2, groups=2), IMAGE, KERNEL),
    "conv1d": (lambda x, w: F.conv1d(x, w[:, :, 0], groups=2, padding=2), SEQUENCE, KERNEL),
    "add": (lambda x, y: x + y, X, ROW), "sub": (lambda x, y: x - y, X, ROW), "mul": (lambda x, y: x * y, X, ROW),
    "div": (lambda x, y: x / y, X, Y), "rsub": (lambda x: 2.0 - x, X), "mul number": (lambda x: x * 3, X),
    "pow": (lambda x: x**3, X), "pow tensor": (lambda x, y: y**x, X, Y), "neg": (lambda x: -x, X),
    "maximum": (torch.maximum, X, ROW), "where": (lambda x, y: torch.where(x > 0, x, y), X, ROW),
    "clamp": (lambda x: x.clamp(-0.5, 0.5), X), "clamp above": (lambda x: x.clamp(max=0.2), X),
    "clamp below": (lambda x: x.clamp_min(-0.2), X), "abs": (torch.abs, X), "sqrt": (torch.sqrt, Y), "log": (torch.log, Y),
    "rsqrt": (torch.rsqrt, Y), "exp": (torch.exp, X), "sin": (torch.sin, X), "erf": (torch.erf, X), "tanh": (torch.tanh, X),
    "sigmoid": (torch.sigmoid, X), "relu": (F.relu, X), "leaky": (lambda x: F.leaky_relu(x, 0.2), X), "elu": (F.elu, X),
    "selu": (F.selu, X), "gelu": (F.gelu, X), "gelu tanh": (lambda x: F.gelu(x, approximate="tanh"), X), "silu": (F.silu, X),
    "mish": (F.mish, X), "softplus": (lambda x: F.softplus(x, beta=2.0), X), "hardtanh": (F.hardtanh, X),
    "relu6": (F.relu6, 5 * X), "hardswish": (F.hardswish, 3 * X), "logsigmoid": (F.logsigmoid, X),
    "softmax": (lambda x: x.softmax(0), X), "log_softmax": (lambda x: x.log_softmax(-1), X),
    "logsumexp": (lambda x: x.logsumexp(0), X), "logsumexp kept": (lambda x: x.logsumexp(1, keepdim=True), X),
    "sum": (torch.sum, X), "sum of an axis": (lambda x: x.sum(0), X), "mean": (torch.mean, X),
    "mean of axes": (lambda x: x.mean((2, 3), keepdim=True), IMAGE),
    "layer norm": (lambda x, y: F.layer_norm(x, (4,), y[0], y[1], 1e-3), X, Y),
    "layer norm, plain": (lambda x: F.layer_norm(x, (6, 6)), IMAGE),
    "group norm": (lambda x, b: F.group_norm(x, 2, b[:4], b[1:5]), IMAGE, B),
    "batch norm": (lambda x, b: F.batch_norm(x, None, None, b[:4], b[1:5], True), IMAGE, B),
    "batch norm, eval": (lambda x: F.batch_norm(x, torch.arange(4.0).double(), torch.ones(4).double()), IMAGE),
    "max pool": (lambda x: F.max_pool2d(x, 3, stride=2, padding=1), IMAGE),
    "average pool": (lambda x: F.avg_pool2d(x, 2), IMAGE), "adaptive": (lambda x: F.adaptive_avg_pool2d(x, 3), IMAGE),
    "max": (lambda x: x.max(1).values, X), "min": (lambda x: x.min(0, keepdim=True).values, X),
}  # fmt: skip


def last(case: tuple[Any, ...]) -> Performed:
    """The last operation that a computation performed."""
    compute, *tensors = case
    asking = [t.clone().requires_grad_(True) for t in tensors]
    _, recording = recorded(torch.nn.Identity(), lambda: compute(*asking))
    return recording.performed[max(recording.performed)]


def value_of(performed: Performed, part: Part) -> float:
    tensor = performed.tensors[part.place]
    assert tensor is not None
    return float(tensor[part.index])


def worked_out(performed: Performed, found: Written) -> float:
    """The formula evaluated, every letter from the tensors, every total added up term by term."""
    values: dict[str, float] = {}
    for letter, total in found.totals.items():
        terms = [evaluate_in(performed, total.body, term, values) for term in total.terms]
        values[letter] = sum(terms) / total.count
    return evaluate_in(performed, found.formula, found.parts, values)


def evaluate_in(performed: Performed, formula: Expr, parts: Any, values: dict[str, float]) -> float:
    return float(evaluate(formula, {**values, **{letter: value_of(performed, part) for letter, part in parts.items()}}))


@pytest.mark.parametrize("name", FORMULAS)
def test_every_entry_follows_from_its_formula(name: str) -> None:
    performed = last(FORMULAS[name])
    output = performed.outputs[0].numpy()
    places = list(np.ndindex(output.shape))
    for k in np.random.default_rng(0).permutation(len(places))[:30]:
        index = places[k]
        found = written(performed, 0, index)
        assert found is not None, performed.name
        assert worked_out(performed, found) == pytest.approx(float(output[index]), rel=1e-12, abs=1e-13)


MOVES = {
    "view": lambda x: x.view(2, 6), "t": lambda x: x.t(), "transpose": lambda x: x.view(3, 2, 2).transpose(0, 2),
    "permute": lambda x: x.view(3, 2, 2).permute(1, 2, 0), "expand": lambda x: x[:1].expand(3, 4), "slice": lambda x: x[1:, ::2],
    "select": lambda x: x.select(1, 2), "unsqueeze": lambda x: x.unsqueeze(1), "squeeze": lambda x: x[:1].squeeze(0),
    "clone": lambda x: x.clone(), "cat": lambda x: torch.cat([x, 2 * x], 1), "stack": lambda x: torch.stack([x, 2 * x]),
    "index": lambda x: x[torch.tensor([2, 0])], "gather": lambda x: x.gather(1, torch.tensor([[3], [0], [1]])),
    "roll": lambda x: x.roll(1, 0), "flip": lambda x: x.flip(1), "unbind": lambda x: x.unbind(1)[2],
    "embedding": lambda x: F.embedding(torch.tensor([[2, 0], [1, 2]]), x), "split": lambda x: x.split(3, 1)[1],
    "diagonal": lambda x: x.diagonal(), "repeat": lambda x: x.repeat(2, 1), "to": lambda x: x.to(torch.float64, copy=True),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVES)
def test_an_entry_is_found_where_it_was(name: str) -> None:
    performed = last((MOVES[name], X))
    for output, given in enumerate(performed.outputs):
        for index in np.ndindex(given.shape):
            part = moved_from(performed, output, index)
            assert part is not None, performed.name
            assert value_of(performed, part) == float(given[index])


def test_what_has_no_formula_here_says_so() -> None:
    assert written(last((lambda x: F.conv_transpose2d(x, KERNEL[:4]), IMAGE)), 0, (0, 0, 0, 0)) is None
    assert written(last((lambda x, y: torch.add(x, y, alpha=2), X, ROW)), 0, (0, 0)) is None
    assert moved_from(last((torch.tanh, X)), 0, (0, 0)) is None
