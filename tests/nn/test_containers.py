"""Containers as PyTorch's users know them."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest

import openbook as ob
from openbook import nn
from openbook.errors import OpenbookError


def kinds(modules: object) -> list[str]:
    return [type(m).__name__ for m in modules]  # type: ignore[attr-defined]


def test_sequential_is_a_list_that_computes() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh()).append(nn.Linear(3, 1))
    assert kinds(net) == ["Linear", "Tanh", "Linear"]
    assert net[-1] is net[2]
    assert kinds(net[:2]) == ["Linear", "Tanh"]
    assert kinds(net[::-1]) == ["Linear", "Tanh", "Linear"]
    assert net[1:][1] is net[2]
    net.insert(1, nn.ReLU())
    assert list(net.state_dict()) == ["0.weight", "0.bias", "3.weight", "3.bias"]
    net[1] = nn.Sigmoid()
    del net[2]
    assert kinds(net) == ["Linear", "Sigmoid", "Linear"]
    assert type(net.pop(1)).__name__ == "Sigmoid"
    assert len(net + nn.Sequential(nn.Tanh())) == 3
    assert [name for name, _ in net.named_children()] == ["0", "1"]
    x = ob.randn(4, 2)
    np.testing.assert_array_equal(net(x).data, net[1](net[0](x)).data)
    for wrong, message in ((5, "none at 5"), (-3, "none at -3"), ("0", "whole numbers")):
        with pytest.raises(OpenbookError, match=message):
            net[wrong]
    with pytest.raises(IndexError):
        net[7]
    with pytest.raises(OpenbookError, match="takes modules"):
        nn.Sequential(nn.Linear(1, 1), 3)


def test_sequential_with_names() -> None:
    net = nn.Sequential(OrderedDict(first=nn.Linear(2, 2), then=nn.Tanh()))
    assert list(net.state_dict()) == ["first.weight", "first.bias"]
    assert net.first is net[0]
    assert [name for name, _ in net[:1].named_children()] == ["first"]


def test_the_same_module_twice_is_called_twice() -> None:
    double = nn.Linear(1, 1, bias=False)
    double.weight.data[...] = 2
    assert nn.Sequential(double, double)(ob.ones(1, 1)).item() == 4


def test_module_list_and_dict() -> None:
    layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    layers += [nn.Tanh()]
    layers.insert(0, nn.Identity())
    assert len(layers) == 5
    assert kinds(layers[1:3]) == ["Linear", "Linear"]
    assert list(layers.state_dict())[:1] == ["1.weight"]
    parts = nn.ModuleDict({"a": nn.Linear(1, 1)})
    parts["b"] = nn.Tanh()
    parts.update({"c": nn.ReLU()})
    assert (list(parts), len(parts), "b" in parts) == (["a", "b", "c"], 3, True)
    assert type(parts.pop("b")).__name__ == "Tanh"
    assert [k for k, _ in parts.items()] == list(parts.keys()) == ["a", "c"]
    assert kinds(parts.values()) == ["Linear", "ReLU"]
    with pytest.raises(OpenbookError, match="hoose one of a, c"):
        parts["b"]
    with pytest.raises(KeyError):
        del parts["b"]
    parts.clear()
    assert not len(parts)


def test_parameter_list_and_dict() -> None:
    values = nn.ParameterList([ob.ones(2), nn.Parameter(ob.zeros(3))])
    values.append(ob.ones(1))
    assert [p.shape for p in values] == [(2,), (3,), (1,)]
    assert list(values.state_dict()) == ["0", "1", "2"]
    assert len(values[1:]) == 2
    named = nn.ParameterDict({"w": ob.ones(2)})
    named["b"] = nn.Parameter(ob.zeros(1))
    assert [name for name, _ in named.named_parameters()] == ["w", "b"]
    with pytest.raises(OpenbookError, match="takes parameters"):
        named["c"] = 3


@pytest.mark.torch
def test_prints_are_torchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    def build(n: object) -> object:
        return n.Sequential(  # type: ignore[attr-defined]
            n.ModuleList([n.Linear(2, 2), n.Linear(2, 2), n.Tanh()]),  # type: ignore[attr-defined]
            n.ModuleDict({"a": n.Sequential(n.Conv2d(1, 2, 3, bias=False)), "b": n.Identity()}),  # type: ignore[attr-defined]
            n.Sequential(), n.ModuleList(),  # type: ignore[attr-defined]
        )  # fmt: skip

    assert repr(build(nn)) == repr(build(torch.nn))
