"""Derivatives of vector formulas: the outcomes of the textbooks, and the same numbers from PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook.errors import ExplainError, ShapeError
from openbook.explain.ledgers.beside_autograd import entry_value, random_values
from openbook.explain.of_vectors import check_entries, stages
from openbook.expr import Binary, Expr, Name, Number, parse, text

torch = pytest.importorskip("torch", reason="needs PyTorch beside openbook")

THEIRS = {
    "softmax(z)": lambda z: torch.softmax(z, -1),
    "log_softmax(z)": lambda z: torch.log_softmax(z, -1),
    "cross_entropy(z, y)": torch.nn.functional.cross_entropy,
    "cross_entropy(W@x + b, y)": lambda W, x, b, y: torch.nn.functional.cross_entropy(W @ x + b, y),
    "softmax(W@x)": lambda W, x: torch.softmax(W @ x, -1),
    "softmax(z/T)": lambda z, T: torch.softmax(z / T, -1),
    "mse(z, y)": torch.nn.functional.mse_loss,
    "mse(X@w + b, y)": lambda X, w, b, y: torch.nn.functional.mse_loss(X @ w + b, y),
    "mse(tanh(W@x), y)": lambda W, x, y: torch.nn.functional.mse_loss(torch.tanh(W @ x), y),
    "W@x + b": lambda W, x, b: W @ x + b,
    "tanh(W@x + b)": lambda W, x, b: torch.tanh(W @ x + b),
    "x@A@x": lambda x, A: x @ A @ x,
    "A@B": lambda A, B: A @ B,
    "norm(w)": torch.linalg.vector_norm,
    "x@transpose(x)": torch.outer,
    "sum(sigmoid(w*x))": lambda w, x: torch.sigmoid(w * x).sum(),
}
CASES = [(f, by) for f in THEIRS for by in parse(f).names() if by != "T" and f != "x@transpose(x)"]


def by_torch(formula: str, by: str, values: dict[str, np.ndarray]) -> np.ndarray:
    tensors = {n: torch.tensor(v, dtype=torch.float64) for n, v in values.items()}
    others = [n for n in tensors if n != by]

    def f(x: Any) -> Any:
        given = {n: tensors[n] for n in others} | {by: x}
        return THEIRS[formula](*(given[n] for n in parse(formula).names()))

    return torch.autograd.functional.jacobian(f, tensors[by]).numpy()


@pytest.mark.torch
@pytest.mark.parametrize(("formula", "by"), CASES)
def test_the_outcome_is_pytorchs(formula: str, by: str) -> None:
    work, done = stages(parse(formula), by, ("T",))
    values = random_values(work.entries, work.formula)
    ours = [entry_value(work.entries, done[-1].result, at, values) for at in work.entries.places(done[-1].free)]
    np.testing.assert_allclose(ours, by_torch(formula, by, values).ravel(), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize(("formula", "by"), [c for c in CASES if c[1] in "zWwA" and c[0] not in ("softmax(W@x)",)])
def test_every_line_is_proved(formula: str, by: str) -> None:
    working = ob.derive(formula, by, scalars=["T"])
    assert working.check().passed and not working.verification.unchecked
    assert not any("Not proved" in note for note in working.notes)
    assert any("autograd" in check.method for check in working.verification.checks)
    for shown in (working.text(), working.latex(), working.html(), working.markdown()):
        assert len(shown) > 100


@pytest.mark.parametrize(
    ("formula", "by", "expected"),
    [
        ("softmax(z)", "z", "diag(p) - p@transpose(p)"),
        ("cross_entropy(z, y)", "z", "p - y"),
        ("cross_entropy(W@x + b, y)", "W", "(p - y)@transpose(x)"),
        ("cross_entropy(W@x + b, y)", "b", "p - y"),
        ("cross_entropy(W@x + b, y)", "x", "transpose(W)@(p - y)"),
        ("mse(X@w + b, y)", "w", "2/n*(transpose(X)@(z - y))"),
        ("W@x + b", "x", "W"),
        ("x@A@x", "x", "A@x + transpose(A)@x"),
    ],
)
def test_reads_as_in_a_textbook(formula: str, by: str, expected: str) -> None:
    assert text(ob.derive(formula, by).result) == text(parse(expected))


def test_a_false_entry_is_refused() -> None:
    """p[i]·p[k] alone, without the delta: wrong on the diagonal."""
    work, (stage,) = stages(parse("softmax(z)"), "z")
    i, k = stage.free
    wrong = parse(f"-p[{i}]*p[{k}]")
    verdict = check_entries(work.entries, stage.start, wrong, stage.free)
    assert verdict.holds is False and verdict.counterexample is not None
    assert check_entries(work.entries, stage.start, stage.result, stage.free).holds


@pytest.mark.parametrize("formula", ["softmax(z)", "cross_entropy(z, y)", "mse(z, y)"])
def test_every_changed_line_is_refused(formula: str) -> None:
    work, (stage,) = stages(parse(formula), "z")
    before: Expr = stage.start
    for line in stage.lines:
        for wrong in (Binary("*", Number(1.001, "1.001"), line.formula), line.formula + Name("e") * Number(1)):
            assert check_entries(work.entries, before, wrong, stage.free).holds is False
        before = line.formula


def test_what_does_not_fit_says_so() -> None:
    for formula, by, kind in [
        ("softmax(W)", "W", ShapeError), ("softmax(z)", "w", ExplainError), ("T@x", "x", ShapeError),
    ]:  # fmt: skip
        with pytest.raises(kind):
            ob.derive(formula, by, scalars=["T"])
    with pytest.raises(ExplainError):
        ob.derive("softmax(z)", "z", order=2)
