"""To add an operation is to add one class: two toys go through everything that is there for all others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import openbook as ob
from openbook.expr import FUNCTIONS, evaluate, parse
from openbook.ops import OPS, vocabulary
from openbook.ops.along import Along, count_of
from openbook.ops.domain import reals
from openbook.ops.op import Elementwise, Op
from openbook.ops.reduce import spread
from openbook.ops.vocabulary import hypot
from openbook.tensor import Tensor
from openbook.tensor.methods.arithmetic import Arithmetic
from openbook.tensor.methods.in_place import InPlace
from openbook.testing.checks import CHECKS
from openbook.testing.measures import numbers
from openbook.testing.mistakes import MISTAKES, plant
from openbook.testing.oracle import errors, require_within_budget
from tests.ops.test_every_operation import PLACES, finds, pass_everything, same, what_is_computed


def _softstep() -> type[Op]:
    class Softstep(Elementwise):
        """A toy: the sine of the angle whose tangent this is."""

        formula = "x / sqrt(1 + x**2)"
        domain = reals(-5, 5)

        @staticmethod
        def forward(x):
            return x / np.hypot(1, x)

        @staticmethod
        def gradient(g, y, x):
            r = hypot(x, 1.0)
            return g / (r * r * r)

    return Softstep


def _root_mean_square() -> type[Op]:
    class RootMeanSquare(Along):
        """A toy: the square root of the mean of the squares."""

        name = "root_mean_square"
        formula = "sqrt(mean(x**2))"

        @staticmethod
        def forward(x, *, axis=None, keepdims=False):
            return np.sqrt(np.mean(x * x, axis=axis, keepdims=keepdims))

        @staticmethod
        def gradient(g, y, x, *, axis=None, keepdims=False):
            return spread(g / y, x.shape, axis) * (x / count_of(x.shape, axis))

    return RootMeanSquare


@pytest.fixture(params=[_softstep, _root_mean_square], ids=["softstep", "root_mean_square"])
def toy(request: pytest.FixtureRequest) -> Iterator[type[Op]]:
    """A new operation; afterwards all is as it was."""
    op = request.param()
    yield op
    del OPS[op.name]
    FUNCTIONS.pop(op.name, None)
    vars(ob).pop(op.name, None)
    vars(vocabulary).pop(op.name, None)
    for home, name in ((Arithmetic, op.name), (InPlace, f"{op.name}_")):
        if name in vars(home):
            delattr(home, name)


def test_it_passes_everything(toy: type[Op]) -> None:
    pass_everything(toy)
    if issubclass(toy, Elementwise):
        require_within_budget(toy, errors(toy, 200))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_in_it_are_found(toy: type[Op], mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = what_is_computed(toy)
    for place in PLACES[:2]:
        with monkeypatch.context() as patch:
            patch.setattr(toy, place, staticmethod(plant(getattr(toy, place), MISTAKES[mistake])))
            assert finds(toy)
            assert not same(before, what_is_computed(toy))


@pytest.mark.parametrize("check", CHECKS)
def test_the_checks_can_fail(toy: type[Op], check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them, given what it is there to find."""
    forward, gradient = toy.forward, toy.gradient
    spoilt = {
        "value": ("forward", lambda x, **o: forward(x, **o) * (1 + 1e-14)),
        "value in float32": ("forward", lambda x, **o: np.asarray(forward(x, **o), np.float64)),
        "slope": ("gradient", lambda g, y, x, **o: gradient(g, y, x, **o) * (1 + 1e-13)),
        "slope in float32": ("gradient", lambda g, y, x, **o: gradient(g, y, x, **o) * (1 + 1e-4)),
        "second derivative": ("gradient", lambda g, y, x, **o: gradient(g, y, Tensor(np.asarray(_data(x))), **o)),
        "forward mode": ("gradient", lambda g, y, x, **o: gradient(g, y, x, **o) * 1.001),
        "vmap": ("forward", lambda x, **o: forward(x, **o) + 0.1 * x.ndim),
        "gradients of cases": ("gradient", lambda g, y, x, **o: gradient(g, y, x, **o) * x.ndim),
        "layouts": (
            "forward",
            lambda x, **o: forward(x, **o) * (1 + 1e-9 * (x.strides == np.ascontiguousarray(x).strides)),
        ),
        "inputs left alone": ("forward", lambda x, **o: (x.__iadd__(1), forward(x, **o))[1]),
        "needs": ("needs", frozenset),
        "NaN": ("forward", lambda x, **o: np.nan_to_num(forward(x, **o))),
    }
    place, wrong = spoilt[check]
    monkeypatch.setattr(toy, place, staticmethod(wrong))
    with pytest.raises((AssertionError, ValueError)):
        for number in numbers(toy):
            CHECKS[check](toy, number)


def _data(x):  # type: ignore[no-untyped-def]
    return getattr(x, "data", x) if not isinstance(x, np.ndarray) else x


def test_it_is_a_function_a_method_and_a_word(toy: type[Op]) -> None:
    x = np.array([0.5, -1.0, 2.0])
    expected = toy.forward(x)
    word = getattr(vocabulary, toy.name)
    np.testing.assert_array_equal(word(x), expected)
    np.testing.assert_array_equal(word(Tensor(x)).data, expected)
    if not issubclass(toy, Elementwise):
        return
    np.testing.assert_array_equal(getattr(ob, toy.name)(Tensor(x)).data, expected)
    np.testing.assert_array_equal(getattr(Tensor(x), toy.name)().data, expected)
    np.testing.assert_array_equal(getattr(Tensor(x.copy()), f"{toy.name}_")().data, expected)
    assert evaluate(parse(f"{toy.name}(z) + 1"), {"z": 0.5}) == pytest.approx(1 + expected[0], rel=1e-15)
    told = ob.explain(f"{toy.name}(2*x)", x=1.5, wrt=["x"])
    told.check()
    assert "sqrt" in told.text() or "√" in told.text()
