"""Weights computed from others, with a norm of their own: beside PyTorch's, as parametrizations and as hooks."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn, optim
from openbook.errors import DTypeError, InputError, ShapeError
from openbook.nn.utils import parametrize
from tests.nn.beside_torch import CLOSE, compare, normal, same_state_form, their_state

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]

LAYERS: list[tuple[str, tuple[Any, ...], tuple[int, ...]]] = [
    ("Linear", (4, 3), (5, 4)),
    ("Conv2d", (3, 4, 2), (2, 3, 4, 5)),
    ("ConvTranspose1d", (3, 4, 2), (2, 3, 5)),
]
NORMS = [
    ("weight_norm", {}), ("weight_norm", {"dim": None}), ("weight_norm", {"dim": 1}),
    ("spectral_norm", {}), ("spectral_norm", {"n_power_iterations": 3, "dim": 1}),
]  # fmt: skip


def both(place: str, norm: str, options: dict[str, Any], name: str, arguments: Any) -> tuple[Any, Any]:
    """Our layer and PyTorch's with the norm, in float64, from PyTorch's state."""
    torch.manual_seed(0)
    homes = (
        (nn.utils, torch.nn.utils) if place == "hooks" else (nn.utils.parametrizations, torch.nn.utils.parametrizations)
    )
    ours, theirs = (
        getattr(home, norm)(getattr(layers, name)(*arguments).double(), **options)
        for home, layers in zip(homes, (nn, torch.nn), strict=True)
    )
    same_state_form(ours, theirs)
    assert repr(ours) == repr(theirs)
    ours.load_state_dict(their_state(theirs))
    return ours, theirs


@pytest.mark.parametrize("place", ["hooks", "parametrizations"])
@pytest.mark.parametrize(("norm", "options"), NORMS)
@pytest.mark.parametrize(("name", "arguments", "shape"), LAYERS)
def test_norms_are_torchs(place: str, norm: str, options: Any, name: str, arguments: Any, shape: Any) -> None:
    ours, theirs = both(place, norm, options, name, arguments)
    for seed in range(2):  # the estimate of the largest singular value moves on
        compare(ours, theirs, [normal(*shape, seed=seed)])
    compare(ours.eval(), theirs.eval(), [normal(*shape, seed=5)])


@pytest.mark.parametrize("norm", ["weight_norm", "spectral_norm"])
def test_norms_taken_away_leave_torchs_weight(norm: str) -> None:
    ours, theirs = both("hooks", norm, {}, "Linear", (4, 3))
    compare(ours, theirs, [normal(5, 4)])
    getattr(nn.utils, f"remove_{norm}")(ours)
    getattr(torch.nn.utils, f"remove_{norm}")(theirs)
    same_state_form(ours, theirs)
    assert isinstance(ours.weight, nn.Parameter)
    compare(ours, theirs, [normal(5, 4)])
    with pytest.raises(InputError, match="to remove"):
        getattr(nn.utils, f"remove_{norm}")(ours)


@pytest.mark.parametrize("norm", ["weight_norm", "spectral_norm"])
def test_parametrizations_taken_away_leave_torchs_weight(norm: str) -> None:
    ours, theirs = both("parametrizations", norm, {}, "Linear", (4, 3))
    parametrize.remove_parametrizations(ours.eval(), "weight")
    torch.nn.utils.parametrize.remove_parametrizations(theirs.eval(), "weight")
    assert type(ours) is nn.Linear and repr(ours) == repr(theirs)
    same_state_form(ours, theirs)
    compare(ours, theirs, [normal(5, 4)])


def test_a_state_with_older_names_is_loaded() -> None:
    older = nn.utils.weight_norm(nn.Linear(4, 3))
    newer = nn.utils.parametrizations.weight_norm(nn.Linear(4, 3))
    newer.load_state_dict(older.state_dict())
    x = ob.randn(5, 4)
    np.testing.assert_array_equal(newer(x).data, older(x).data)


def symmetric(library: Any) -> Any:
    """A parametrization of one's own: the upper triangle, mirrored."""

    class Symmetric(library.nn.Module):
        def forward(self, x: Any) -> Any:
            return x.triu() + x.triu(1).T

        def right_inverse(self, value: Any) -> Any:
            return value.triu()

    return Symmetric()


def doubled(library: Any) -> Any:
    class Doubled(library.nn.Module):
        def forward(self, x: Any) -> Any:
            return x * 2

        def right_inverse(self, value: Any) -> Any:
            return value / 2

    return Doubled()


def test_parametrizations_of_ones_own_are_torchs() -> None:
    ours, theirs = nn.Linear(3, 3).double(), torch.nn.Linear(3, 3).double()
    ours.load_state_dict(their_state(theirs))
    held = ours.weight
    for layer, library, tool in ((ours, ob, parametrize), (theirs, torch, torch.nn.utils.parametrize)):
        tool.register_parametrization(layer, "weight", symmetric(library))
        tool.register_parametrization(layer, "weight", doubled(library))
    assert ours.parametrizations.weight.original is held  # an optimiser may hold it already
    assert repr(ours) == repr(theirs)
    same_state_form(ours, theirs)
    compare(ours, theirs, [normal(5, 3)])
    value = normal(3, 3)
    ours.weight, theirs.weight = ob.tensor(value + value.T), torch.tensor(value + value.T)
    np.testing.assert_allclose(ours.weight.data, value + value.T, **CLOSE)
    compare(ours, theirs, [normal(5, 3)])
    parametrize.remove_parametrizations(ours, "weight", leave_parametrized=False)
    torch.nn.utils.parametrize.remove_parametrizations(theirs, "weight", leave_parametrized=False)
    np.testing.assert_allclose(ours.weight.data, theirs.weight.detach().numpy(), **CLOSE)
    assert ours.weight is held


def test_what_is_computed_once_while_cached() -> None:
    layer = parametrize.register_parametrization(nn.Linear(3, 3), "weight", doubled(ob))
    assert layer.weight is not layer.weight
    with parametrize.cached():
        first = layer.weight
        with parametrize.cached():
            assert layer.weight is first
        assert layer.weight is first
    assert layer.weight is not first


def test_a_copy_lives_on_its_own() -> None:
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
    other = copy.deepcopy(layer)
    x = ob.randn(4, 3)
    before = other(x).data.copy()
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    layer(x).square().sum().backward()
    optimizer.step()
    parametrize.remove_parametrizations(layer, "weight")
    assert parametrize.is_parametrized(other, "weight") and not parametrize.is_parametrized(layer)
    assert parametrize.type_before_parametrizations(other) is nn.Linear
    np.testing.assert_array_equal(other(x).data, before)
    assert np.abs(layer(x).data - before).max() > 1e-3


def test_what_does_not_fit_is_said() -> None:
    def with_forward(function: Any) -> Any:
        module = nn.Module()
        module.forward = function
        return module

    layer = nn.Linear(3, 2)
    register = parametrize.register_parametrization
    for call, error, message in (
        (lambda: register(layer, "weights", nn.Identity()), InputError, "weights"),
        (lambda: register(layer, "weight", with_forward(lambda w: w.T)), ShapeError, "shape"),
        (lambda: register(layer, "weight", with_forward(lambda w: w.double())), DTypeError, "float64"),
        (lambda: parametrize.remove_parametrizations(layer, "weight"), InputError, "no parametrization"),
        (lambda: nn.utils.spectral_norm(layer, n_power_iterations=0), InputError, "at least 1"),
        (lambda: nn.utils.parametrizations.spectral_norm(layer, dim=2), InputError, "no axis 2"),
        (lambda: nn.utils.weight_norm(nn.LazyLinear(3)), InputError, "lazy"),
        (lambda: nn.utils.weight_norm(nn.utils.weight_norm(nn.Linear(2, 2))), InputError, "already"),
    ):
        with pytest.raises(error, match=message):
            call()
    assert type(layer) is nn.Linear and isinstance(layer.weight, nn.Parameter)
    fixed = register(layer, "weight", with_forward(lambda w: w + 1))
    with pytest.raises(InputError, match="right_inverse"):
        fixed.weight = ob.ones(2, 3)
    with pytest.raises(AttributeError, match="nothing"):
        _ = fixed.nothing
