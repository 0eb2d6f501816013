"""New tensors: PyTorch's calls, dtypes and shapes; one device; one generator; a default dtype that can be set."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import nn
from openbook.errors import InputError

CALLS = [
    "zeros(2, 3)", "zeros((2, 3))", "zeros(size=(2,))", "zeros(3, dtype={}.int64)", "ones([2], device='cpu')", "zeros(())",
    "full((2,), 3)", "full((2,), 3.5)", "full((2,), True)", "full(size=(2, 2), fill_value=1, dtype={}.float64)", "eye(3)",
    "eye(2, 3)", "arange(5)", "arange(1, 5)", "arange(1, 2, 0.25)", "arange(5.)", "arange(end=4)", "arange(0, 6, step=2)",
    "arange(start=1, end=4)", "arange(3, dtype={}.float32)", "linspace(0, 1, 5)", "linspace(0, 1, steps=3, dtype={}.float64)",
    "logspace(0, 2, 3)", "logspace(0, 2, 3, 2)", "scalar_tensor(3)", "tensor([1, 2])", "tensor([1., 2])",
    "tensor([True])", "tensor(2.5)", "tensor([1, 2], dtype={}.float64, device='cpu')", "as_tensor([1., 2.])",
    "ones_like({}.zeros(2, 2))", "zeros_like({}.ones(2), dtype={}.int64)", "full_like({}.zeros(2), 7)",
    "full_like({}.zeros(2), 7, dtype={}.int64)", "zeros(2).new_ones(3)", "zeros(2).new_zeros((2, 2), dtype={}.int64)",
    "zeros(2).new_full((2,), 3)", "ones(2, 3).stride()", "ones(2, 3).t().stride(0)", "ones(2).element_size()", "ones(3).nbytes",
    "promote_types({}.float32, {}.int64)", "promote_types({}.int64, {}.bool)", "result_type({}.ones(1), 2)",
    "result_type({}.tensor([1]), 2.5)", "tensor([1., 0, 0]).cross({}.tensor([0., 1, 0]), dim=0)", "eye(2).kron({}.ones(1, 2))",
    "can_cast({}.float32, {}.int64)", "can_cast({}.int64, {}.float32)",
    "finfo({}.float32).eps", "finfo().max", "iinfo({}.int64).max", "tensor([1.]).to('cpu').device.type",
    "zeros(2, requires_grad=True).requires_grad", "linspace(0, 1, 3, requires_grad=True).is_leaf",
]  # fmt: skip


def plain(result: Any) -> Any:
    return result.detach().numpy(force=True) if hasattr(result, "detach") else result


@pytest.mark.torch
@pytest.mark.parametrize("call", CALLS)
def test_calls_are_pytorchs(call: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    scope = {"ob": ob, "torch": torch}
    mine = plain(eval("ob." + call.replace("{}", "ob"), scope))
    other = plain(eval("torch." + call.replace("{}", "torch"), scope))
    if isinstance(other, np.ndarray):
        assert mine.dtype == other.dtype
        np.testing.assert_allclose(mine, other, rtol=1e-6)
    elif "torch." in str(other):  # a dtype
        assert np.dtype(mine).name == str(other).removeprefix("torch.")
    else:
        assert mine == other


def test_draws_have_shape_dtype_and_source() -> None:
    for make in (ob.rand, ob.randn):
        for drawn in (make(2, 3), make((2, 3)), make(size=(2, 3), dtype=ob.float64), make(2, 3, requires_grad=True)):
            assert drawn.shape == (2, 3)
        assert make(3, dtype=ob.float64).dtype == np.float64
        first = make(4, generator=ob.Generator().manual_seed(3))
        assert ob.equal(first, make(4, generator=ob.Generator().manual_seed(3)))
        assert not ob.equal(first, make(4, generator=ob.Generator().manual_seed(4)))
    assert ob.randint(6, (100,)).max().item() <= 5
    assert ob.randint(5, 6, (3,)).tolist() == ob.randint(5, 6, size=(3,)).tolist() == [5, 5, 5]
    assert set(ob.randint(high=2, size=(50,)).tolist()) == {0, 1}
    assert sorted(ob.randperm(5).tolist()) == [0, 1, 2, 3, 4]
    assert ob.rand_like(ob.zeros(2, dtype=ob.float64)).dtype == np.float64


def test_draws_in_place_take_a_generator() -> None:
    for draw in ("uniform_", "normal_", "exponential_", "cauchy_", "log_normal_"):
        first, second = (getattr(ob.zeros(5), draw)(generator=ob.Generator().manual_seed(1)) for _ in range(2))
        assert ob.equal(first, second) and first.std() > 0
    assert set(ob.zeros(50).random_(2).tolist()) == {0.0, 1.0}
    assert set(ob.zeros(50).random_(3, 5).tolist()) == {3.0, 4.0}
    assert ob.ones(3).bernoulli().tolist() == [1.0] * 3
    assert ob.tensor([0.0, 1.0]).multinomial(4, replacement=True).tolist() == [1] * 4


def test_generators_repeat_and_go_on() -> None:
    assert ob.manual_seed(5).initial_seed() == ob.initial_seed() == 5
    state = ob.get_rng_state()
    first = ob.randn(3)
    ob.set_rng_state(state)
    assert ob.equal(first, ob.randn(3))
    ob.manual_seed(-1)
    assert ob.initial_seed() == 2**64 - 1
    assert ob.seed() == ob.initial_seed()
    with pytest.raises(InputError, match="no state"):
        ob.set_rng_state({"nothing": 1})


@pytest.fixture
def doubles() -> Iterator[None]:
    ob.set_default_dtype(ob.float64)
    yield
    ob.set_default_dtype(ob.float32)


def test_the_default_dtype_can_be_set(doubles: None) -> None:
    assert ob.get_default_dtype() == np.float64
    made = (ob.zeros(2), ob.tensor([1.5]), ob.arange(2.0), ob.randn(2), nn.Linear(2, 1).weight, ob.tensor([1, 2]) / 2)
    assert [x.dtype for x in made] == [np.dtype(np.float64)] * len(made)
    assert ob.tensor([1, 2]).sqrt().dtype == np.float64
    assert ob.ones(2, dtype=ob.float32).dtype == np.float32
    assert "dtype" not in repr(ob.zeros(1)) and "dtype" in repr(ob.zeros(1, dtype=ob.float32))


def test_the_default_dtype_is_a_real_one() -> None:
    with pytest.raises(TypeError, match="floating"):
        ob.set_default_dtype(ob.int64)


def test_there_is_one_device_and_scripts_find_out() -> None:
    here = ob.device("cuda" if ob.cuda.is_available() else "cpu")
    assert (str(here), here.type, repr(here)) == ("cpu", "cpu", "device(type='cpu')")
    x = ob.ones(2, device=here)
    assert x.device == here == ob.device("cpu:0") and x.to(here) is x and x.cpu() is x and not x.is_cuda
    assert not ob.backends.mps.is_available() and ob.cuda.device_count() == 0
    for refused in (lambda: ob.zeros(2, device="cuda"), lambda: x.to("cuda:0"), lambda: ob.device("mps"), x.cuda):
        with pytest.raises(InputError, match="no device"):
            refused()


def test_factories_say_what_they_take() -> None:
    names = set(inspect.signature(ob.linspace).parameters)
    assert {"start", "end", "steps", "dtype", "device", "requires_grad"} <= names


def test_printing_can_be_set() -> None:
    try:
        ob.set_printoptions(precision=2)
        assert repr(ob.tensor([1.23456])) == "tensor([1.23])"
        ob.set_printoptions(sci_mode=True)
        assert "e+00" in repr(ob.tensor([1.23456]))
        ob.set_printoptions(profile="full")
        assert "..." not in repr(ob.zeros(500))
    finally:
        ob.set_printoptions(profile="default")
    assert "..." in repr(ob.zeros(500))


def test_threads_of_matrix_products() -> None:
    before = ob.get_num_threads()
    try:
        ob.set_num_threads(1)
        assert ob.get_num_threads() == 1
    finally:
        ob.set_num_threads(before)
    with pytest.raises(InputError, match="no number of threads"):
        ob.set_num_threads(0)
