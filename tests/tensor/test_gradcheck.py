"""A gradient check tells a wrong gradient from a noisy difference."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook.errors import CheckError, DTypeError, InputError
from openbook.ops import OPS
from openbook.tensor import Tensor

RANDOM = np.random.default_rng(0)
A, B = RANDOM.normal(size=(4, 3)), RANDOM.normal(size=(3, 2))
P, LONG = RANDOM.uniform(0.2, 0.8, size=(4, 3)), RANDOM.normal(size=(50, 60))
S = np.eye(3) * 3 + 0.1 * np.random.default_rng(5).normal(size=(3, 3))

RIGHT: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "two inputs": (lambda x, y: (x @ y).tanh(), (A, B)),
    "quadratic": (lambda x: (x * x).sum(), (A,)),
    "straight": (lambda x: 3 * x, (A,)),
    "constant": (lambda x: (x * 0).sum(), (A,)),
    "no way from the input": (lambda x: ob.tensor([1.0, 2.0]), (A,)),
    "steep": (lambda x: x.exp().sum(), (3 * RANDOM.normal(size=(50, 50)),)),
    "tiny": (lambda x: (1e-20 * x).tanh().sum(), (A,)),
    "a kink within the step": (lambda x: x.relu(), (np.array([1.0, -1e-7, 2.0]),)),
    "float32 inside": (lambda x: x.astype(np.float32).exp().double().sum(), (A,)),
    "short waves": (lambda x: (1e4 * x).sin().sum(), (P,)),
    "short waves far out": (lambda x: x.sin().sum(), (1e5 * P,)),
    "outputs in a tuple and a dict": (lambda x: (x.exp(), {"b": x.sin().sum()}), (A,)),
    "whole numbers beside": (lambda x, i: x[i].exp(), (A, np.array([0, 2]))),
    "softmax": (lambda x: x.softmax(-1), (A,)),
    "log_softmax": (lambda x: x.log_softmax(0), (A,)),
    "logsumexp": (lambda x: x.logsumexp(-1), (A,)),
    "variance": (lambda x: x.var(0), (A,)),
    "product": (lambda x: x.prod(1), (A,)),
    "cumulative": (lambda x: x.cumsum(0) * x.cumprod(1), (A,)),
    "powers": (lambda x, y: x**y, (P, P + 1)),
    "gelu": (lambda x: ob.nn.functional.gelu(x), (A,)),
    "erf": (lambda x: x.erf(), (A,)),
    "lgamma": (lambda x: x.lgamma(), (P,)),
    "sorted": (lambda x: x.sort(0).values ** 2, (A,)),
    "norm": (lambda x: x.norm(), (A,)),
    "inverse": (lambda x: ob.linalg.inv(x), (S,)),
    "determinant": (lambda x: ob.linalg.det(x), (S,)),
    "solve": (lambda x, y: ob.linalg.solve(x, y), (S, B)),
    "singular values": (lambda x: ob.linalg.svdvals(x), (A,)),
    "layer norm": (lambda x: ob.nn.functional.layer_norm(x, (3,)), (A,)),
    "cross entropy": (lambda x: ob.nn.functional.cross_entropy(x, ob.tensor([0, 2, 1, 1])), (A,)),
    "convolution": (
        lambda x, w: ob.nn.functional.conv1d(x, w, padding=1),
        (A[None, :, :], RANDOM.normal(size=(2, 4, 2))),
    ),
    "attention": (lambda q: ob.nn.functional.scaled_dot_product_attention(q, q, q), (A[None],)),
    "many entries": (lambda x: (x.sin() @ x.t()).tanh().mean(), (0.1 * LONG,)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_gradients_are_called_right(name: str) -> None:
    f, inputs = RIGHT[name]
    check = ob.gradcheck(f, *inputs)
    assert check and check.verdict == "right", str(check)
    ob.explain(check).check()


@pytest.mark.parametrize("mistake", [lambda g: g * 1.001, lambda g: g * (1 + 1e-6), lambda g: -g, lambda g: g * 0])
def test_wrong_gradients_are_called_wrong(mistake: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    rule = OPS["tanh"].gradient
    monkeypatch.setattr(OPS["tanh"], "gradient", staticmethod(lambda g, y, x: mistake(rule(g, y, x))))
    check = ob.gradcheck(lambda x, y: (x @ y).tanh(), A, B)
    assert check.verdict == "wrong" and not check
    told = ob.explain(check)
    told.check()
    assert "wrong" in told.title and "settle at another value" in told.text() + str(check)


# --- planted mistakes: a value, and a slope that autograd is told ---------------------------------------------------


def told(value: Callable[[np.ndarray], np.ndarray], slope: Callable[[np.ndarray], np.ndarray]) -> Callable[[Any], Any]:
    """f with these values, of which autograd believes this slope (entry by entry)."""

    def f(x: Any) -> Any:
        here = x.detach()
        return Tensor(value(here.data)) + (x - here) * Tensor(slope(here.data))

    return f


def at_one(slope: Callable[[np.ndarray], np.ndarray], place: int, factor: float = 1.01) -> Callable[[Any], Any]:
    def changed(x: np.ndarray) -> np.ndarray:
        found = np.array(slope(x))
        found.flat[place] *= factor
        return found

    return changed


MISTAKES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "one entry of 12": (told(np.sin, at_one(np.cos, 7)), (A,)),
    "one entry of 3000": (told(np.sin, at_one(np.cos, 2001)), (LONG,)),
    "only in large tensors": (told(np.sin, lambda x: np.cos(x) * (1.001 if x.size > 1000 else 1)), (LONG,)),
    "transposed": (lambda x: told(lambda a: a**3, lambda a: 3 * a.T**2)(x), (S,)),
    "a missing factor": (told(lambda a: a**2, lambda a: a), (A,)),
    "detached": (lambda x: (x.detach() ** 3).sum() + 0 * x.sum(), (A,)),
    "one of two inputs": (lambda x, y: (x @ y.detach()).tanh(), (A, B)),
    "short waves": (told(lambda a: np.sin(1e4 * a), lambda a: 1.01e4 * np.cos(1e4 * a)), (P,)),
    "beside a kink": (told(lambda a: np.abs(a), lambda a: 1.5 + 0 * a), (np.array([0.0]),)),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_planted_mistakes_are_found(name: str) -> None:
    f, inputs = MISTAKES[name]
    check = ob.gradcheck(f, *inputs)
    assert check.verdict == "wrong", str(check)
    assert "WRONG" in str(check)


def test_the_wrong_entry_is_named_also_among_many() -> None:
    assert ob.gradcheck(told(np.sin, at_one(np.cos, 7)), A).worst.name == "input 0[2, 1]"
    check = ob.gradcheck(told(np.sin, at_one(np.cos, 2001)), LONG)
    assert check.entries == 300 and check.worst.index == np.unravel_index(2001, LONG.shape)
    assert "autograd / differences = 1.01" in str(check)


def test_a_detached_input_is_named() -> None:
    check = ob.gradcheck(lambda x, y: (x @ y.detach()).tanh(), A, B)
    assert check.worst.input == 1 and "No gradient came back to input 1" in check.reason


# --- noise (as in pasteurlabs/tesseract-core#740) -------------------------------------------------------------------


def solved(tolerance: float) -> Callable[[np.ndarray], np.ndarray]:
    """y = cos(a·y), by iterating until y moves no more than the tolerance."""

    def solve(a: np.ndarray) -> np.ndarray:
        y = np.zeros_like(a)
        for _ in range(1000):
            y, before = np.cos(a * y), y
            if np.max(np.abs(y - before)) < tolerance:
                break
        return y

    return solve


def implicit(a: np.ndarray) -> np.ndarray:
    y = solved(1e-15)(a)
    return -np.sin(a * y) * y / (1 + np.sin(a * y) * a)


def shaken(level: float) -> Callable[[np.ndarray], np.ndarray]:
    """The sine, with errors that look random but are the same at the same point."""
    return lambda a: np.sin(a) + level * (np.modf(np.abs(np.sin(a * 1234567.8)) * 43758.5453)[0] - 0.5)


NOISY = {
    "solver": (solved(1e-6), implicit),
    "shaken": (shaken(1e-4), np.cos),
    "float32": (lambda a: np.sin(a.astype(np.float32)).astype(np.float64), np.cos),
    "float16": (lambda a: np.sin(a.astype(np.float16)).astype(np.float64), np.cos),
    "rounded": (lambda a: np.round(np.sin(a), 6), np.cos),
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", NOISY)
def test_noise_is_not_called_wrong(name: str, seed: int) -> None:
    value, slope = NOISY[name]
    check = ob.gradcheck(told(value, slope), np.random.default_rng(seed).uniform(0.2, 0.8, 6), seed=seed)
    assert check.verdict in (("right",) if name != "float16" else ("right", "cannot tell")), str(check)
    assert "jump about" in check.reason or "noisy" in check.reason


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", [n for n in NOISY if n != "float16"])
def test_one_percent_is_found_in_noise(name: str, seed: int) -> None:
    value, slope = NOISY[name]
    point = np.random.default_rng(seed).uniform(0.2, 0.8, 6)
    assert ob.gradcheck(told(value, lambda a: 1.01 * slope(a)), point, seed=seed).verdict == "wrong"


def test_one_percent_is_found_in_noise_that_changes_at_every_call() -> None:
    noise = np.random.default_rng(1)
    shaking = told(lambda a: np.sin(a) + 1e-4 * noise.normal(size=a.shape), lambda a: 1.01 * np.cos(a))
    assert ob.gradcheck(shaking, np.random.default_rng(2).uniform(0.2, 0.8, 6)).verdict == "wrong"


def test_noise_that_drowns_the_slope_is_no_verdict() -> None:
    noise = np.random.default_rng(1)
    check = ob.gradcheck(lambda x: (x.sin() + ob.tensor(noise.normal(size=x.shape) * 10)).sum(), A)
    assert check.verdict == "cannot tell" and "same point" in check.reason
    check = ob.gradcheck(lambda x: ob.nn.functional.dropout(x, 0.5), A)
    assert check.verdict == "cannot tell" and "randomness" in check.reason


# --- kinks ---------------------------------------------------------------------------------------------------------


def test_kinks_are_named() -> None:
    check = ob.gradcheck(lambda x: x.relu(), np.array([1.0, 0.0, 2.0]))
    assert check and [c.bend for c in check.checks] == ["", "kink", ""]
    assert "kink at input 0[1]" in str(check)
    ties = ob.gradcheck(lambda x: x.max(), np.array([1.0, 2.0, 2.0]))
    assert ties and [c.bend for c in ties.checks] == ["", "kink", "kink"]
    alone = ob.gradcheck(lambda x: x.abs(), np.array([0.0]))
    assert alone.verdict == "cannot tell" and "kink" in alone.reason
    assert sorted([alone.worst.left, alone.worst.right]) == pytest.approx(
        [-abs(alone.worst.right), abs(alone.worst.right)]
    )
    step = ob.gradcheck(lambda x: x.floor() + 0 * x, np.array([1.0]))
    assert step.verdict == "cannot tell" and step.worst.bend == "jump"


# --- what it says --------------------------------------------------------------------------------------------------


def test_the_remainder_shrinks_with_the_square_of_the_step() -> None:
    assert ob.gradcheck(lambda x: x.exp().sum(), A).order == pytest.approx(2, abs=0.02)
    assert ob.gradcheck(told(np.exp, lambda a: 1.1 * np.exp(a)), A).order == pytest.approx(1, abs=0.02)


def test_many_entries_are_drawn_from_and_that_is_said() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(1)
        return x.sin().sum()

    check = ob.gradcheck(f, RANDOM.normal(size=(100, 100)))
    assert (check.entries, check.of) == (300, 10_000)
    assert check.evaluations == len(calls) - 1  # one call was for autograd
    assert check.evaluations <= 4 * 300 + 200
    assert "drawn at random" in ob.explain(check).text() and "drawn at random" in str(check)


def test_a_quadratic_has_no_truncation_branch_and_that_is_said() -> None:
    check = ob.gradcheck(lambda x: (x * x).sum(), A)
    assert check.sweep.best is None and "no truncation branch" in str(check)
    check = ob.gradcheck(lambda x: x.exp().sum(), A)
    assert "no truncation branch" not in str(check) and f"{check.sweep.best:.1e}" in str(check)


def test_the_third_derivative_is_measured() -> None:
    check = ob.gradcheck(lambda x: x.exp().sum(), np.array([0.3]))
    assert check.sweep.third == pytest.approx(np.exp(0.3), rel=1e-4)
    assert check.sweep.best == pytest.approx((3 * np.finfo(float).eps) ** (1 / 3), rel=0.5)


def test_its_repr_is_one_line_and_its_print_a_page() -> None:
    check = ob.gradcheck(lambda x: x.exp().sum(), A)
    assert len(repr(check)) < 120 and "\n" not in repr(check)
    lines = str(check).splitlines()
    assert lines[0] == "The gradient is right." and 15 < len(lines) < 40
    assert len(re.findall("●", str(check))) == 13
    assert len(repr(check.sweep)) < 120


def test_it_can_be_plotted() -> None:
    for check in (ob.gradcheck(lambda x: x.exp().sum(), A), ob.gradcheck(lambda x: x * 0, A)):
        assert check.plot().figure_ is not None
    wrong = ob.gradcheck(told(np.exp, lambda a: 1.1 * np.exp(a)), A).plot()
    assert "floor" in wrong.alt and any("floor" in t.get_text() for t in wrong.ax_.texts)


# --- how it is called ----------------------------------------------------------------------------------------------


def test_inputs_come_one_by_one_or_as_in_pytorch() -> None:
    def f(x: Any, y: Any) -> Any:
        return (x @ y).sin()

    ways = [(A, B), ((A, B),), ([A, B],), ((ob.tensor(A), ob.tensor(B)),)]
    checks = [ob.gradcheck(f, *way) for way in ways]
    assert all(checks) and all(c.of == 18 for c in checks)
    assert ob.gradcheck(lambda x: x.sin(), [0.1, 0.2]).of == 2  # plain numbers are one vector


def test_only_inputs_that_require_gradients_are_checked_if_there_are_any() -> None:
    x, y = ob.tensor(A, requires_grad=True), ob.tensor(B)
    check = ob.gradcheck(lambda x, y: x @ y.detach(), (x, y))
    assert check and check.of == x.numel()


def test_bad_inputs_are_refused() -> None:
    with pytest.raises(InputError, match="finite"):
        ob.gradcheck(lambda x: x.log().sum(), np.array([-1.0]))
    with pytest.raises(InputError, match="not finite"):
        ob.gradcheck(lambda x: x.sum(), np.array([np.nan]))
    with pytest.raises(InputError, match="nothing"):
        ob.gradcheck(lambda: ob.tensor(1.0))
    with pytest.raises(InputError, match="no entries"):
        ob.gradcheck(lambda x: x.sum(), np.ones((0, 3)))
    with pytest.raises(DTypeError, match="int64"):
        ob.gradcheck(lambda x: x.sum(), np.array([1, 2]))


@pytest.mark.parametrize("result", [1.5, None, "text", np.ones(2)])
def test_what_f_gives_must_be_a_tensor(result: Any) -> None:
    with pytest.raises(DTypeError, match="f gave"):
        ob.gradcheck(lambda x: result, A)


def test_f_may_not_change_its_input() -> None:
    with pytest.raises(InputError, match="in place"):
        ob.gradcheck(lambda x: x.mul_(2).sum(), A)
    point = A.copy()
    assert ob.gradcheck(lambda x: x.clone().mul_(2).sum(), point)
    np.testing.assert_array_equal(point, A)


def test_errors_can_be_let_pass_and_verdicts_raised() -> None:
    wrong = told(np.sin, lambda a: 1.001 * np.cos(a))
    with pytest.raises(CheckError, match="WRONG"):
        ob.gradcheck(wrong, A, raise_exception=True)
    assert ob.gradcheck(wrong, A, rtol=0.01) and ob.gradcheck(wrong, A, atol=0.01)
    assert not ob.gradcheck(wrong, A, rtol=1e-5)


def test_second_derivatives_are_checked_by_the_same_means(monkeypatch: pytest.MonkeyPatch) -> None:
    check = ob.gradgradcheck(lambda x, y: (x @ y).tanh(), (A, B))
    assert check and "second derivative is right" in str(check)
    rule = OPS["sigmoid"].gradient
    # right as far as values go, but its own derivative is cut off
    monkeypatch.setattr(
        OPS["sigmoid"], "gradient", staticmethod(lambda g, y, x: rule(g, y, x.detach() if isinstance(x, Tensor) else x))
    )
    assert ob.gradcheck(lambda x: x.sigmoid(), A)
    assert ob.gradgradcheck(lambda x: x.sigmoid(), A).verdict == "wrong"
