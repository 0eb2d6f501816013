"""A gradient check tells a wrong gradient from a noisy difference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook.errors import InputError
from openbook.ops import OPS

RANDOM = np.random.default_rng(0)
A, B = RANDOM.normal(size=(4, 3)), RANDOM.normal(size=(3, 2))

RIGHT: dict[str, tuple[Callable[..., Any], tuple[np.ndarray, ...]]] = {
    "two inputs": (lambda x, y: (x @ y).tanh(), (A, B)),
    "quadratic": (lambda x: (x * x).sum(), (A,)),
    "straight": (lambda x: 3 * x, (A,)),
    "constant": (lambda x: (x * 0).sum(), (A,)),
    "steep": (lambda x: x.exp().sum(), (3 * RANDOM.normal(size=(50, 50)),)),
    "tiny": (lambda x: (1e-20 * x).tanh().sum(), (A,)),
    "a kink within the step": (lambda x: x.relu(), (np.array([1.0, -1e-7, 2.0]),)),
    "float32 inside": (lambda x: x.astype(np.float32).exp().double().sum(), (A,)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_gradients_are_called_right(name: str) -> None:
    f, inputs = RIGHT[name]
    check = ob.gradcheck(f, *inputs)
    assert check and check.verdict == "right"
    ob.explain(check).check()


@pytest.mark.parametrize("mistake", [lambda g: g * 1.001, lambda g: g * (1 + 1e-6), lambda g: -g, lambda g: g * 0])
def test_wrong_gradients_are_called_wrong(mistake: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    rule = OPS["tanh"].gradient
    monkeypatch.setattr(OPS["tanh"], "gradient", staticmethod(lambda g, y, x: mistake(rule(g, y, x))))
    check = ob.gradcheck(lambda x, y: (x @ y).tanh(), A, B)
    assert check.verdict == "wrong" and not check
    told = ob.explain(check)
    told.check()
    assert "wrong" in told.title and "settle at another value" in told.text()


def test_noise_that_drowns_the_slope_is_no_verdict() -> None:
    noise = np.random.default_rng(1)
    check = ob.gradcheck(lambda x: (x.sin() + ob.tensor(noise.normal(size=x.shape) * 10)).sum(), A)
    assert check.verdict == "cannot tell"


def test_the_remainder_shrinks_with_the_square_of_the_step() -> None:
    assert ob.gradcheck(lambda x: x.exp().sum(), A).order == pytest.approx(2, abs=0.02)


def test_many_entries_are_drawn_from_and_that_is_said() -> None:
    check = ob.gradcheck(lambda x: x.sin().sum(), RANDOM.normal(size=(100, 100)))
    assert (check.entries, check.of) == (300, 10_000)
    assert check.evaluations <= 4 * 300 + 10 + check.sweep.evaluations
    assert "drawn at random" in ob.explain(check).text()


def test_bad_points_are_refused() -> None:
    with pytest.raises(InputError, match="finite"):
        ob.gradcheck(lambda x: x.log().sum(), np.array([-1.0]))
    with pytest.raises(InputError, match="nothing"):
        ob.gradcheck(lambda: ob.tensor(1.0))


def test_it_can_be_plotted() -> None:
    assert ob.gradcheck(lambda x: x.exp().sum(), A).plot().figure_ is not None
