"""Small parameters are gathered and moved as one: that must be told from moving each alone by nothing but speed."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import openbook as ob
from openbook import optim
from openbook.errors import DTypeError, GraphError, InputError, OpenbookError, ShapeError
from openbook.optim import bucket

RULES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"momentum": 0.9, "dampening": 0.2, "weight_decay": 0.1}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {"maximize": True}),
    ("RMSprop", {"centered": True, "momentum": 0.5}),
    ("Adagrad", {"initial_accumulator_value": 0.1}),
    ("Adadelta", {}),
    ("Adamax", {"weight_decay": 0.1}),
    ("NAdam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
]
shapes = st.lists(st.lists(st.integers(0, 6), max_size=3).map(tuple), min_size=1, max_size=6)


def parameters(shapes: list[tuple[int, ...]], dtype: Any = np.float64) -> list[Any]:
    """Parameters of these shapes."""
    random = np.random.default_rng(0)
    return [ob.tensor(random.standard_normal(shape).astype(dtype), requires_grad=True) for shape in shapes]


def give(params: list[Any], step: int, lacking: Any = ()) -> None:
    """Random gradients, the same for the same step; none for those whose index is lacking."""
    random = np.random.default_rng(step)
    for i, p in enumerate(params):
        gradient = random.standard_normal(p.shape).astype(p.dtype)
        p.grad = None if i in lacking else ob.tensor(gradient)


@given(shapes=shapes, rule=st.sampled_from(RULES), lacking=st.lists(st.sets(st.integers(0, 5)), min_size=1, max_size=8))
@settings(max_examples=120, deadline=None)
def test_together_as_alone(shapes: Any, rule: Any, lacking: Any) -> None:
    name, options = rule
    together, alone = parameters(shapes), parameters(shapes)
    one = getattr(optim, name)(together, **options)
    many = [getattr(optim, name)([p], **options) for p in alone]
    for step, without in enumerate(lacking):
        give(together, step, without)
        give(alone, step, without)
        one.step()
        for optimizer in many:
            optimizer.step()
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-12, atol=1e-14)
        ours, theirs = one.state.get(a, {}), next((o.state[b] for o in many if b in o.state), {})
        assert ours.keys() == theirs.keys()
        for key, value in ours.items():
            np.testing.assert_allclose(value, theirs[key], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("name", "options"), RULES)
def test_blocks_change_nothing(name: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = [(40, 30), (7,), (50, 41), (3, 3)]
    results = []
    for block, large in ((32_768, 12_288), (100, 50), (64, 10_000)):
        monkeypatch.setattr(bucket, "BLOCK", block)
        monkeypatch.setattr(bucket, "LARGE", large)
        params = parameters(shapes)
        optimizer = getattr(optim, name)(params, **options)
        for step in range(4):
            give(params, step)
            optimizer.step()
        results.append([p.data for p in params])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_the_same_run_gives_the_same_bits() -> None:
    runs = []
    for _ in range(2):
        params = parameters([(3, 2), (300, 90), (4,)], np.float32)
        optimizer = optim.Adam(params)
        for step in range(5):
            give(params, step, {step})
            optimizer.step()
        runs.append(b"".join(p.data.tobytes() for p in params))
    assert runs[0] == runs[1]


@pytest.mark.parametrize("size", [3, 300])
def test_who_holds_the_array_sees_it_move(size: int) -> None:
    params = parameters([(size, 100), (2,)])
    arrays, before = [p.data for p in params], [p.data.copy() for p in params]
    stamps = [p.changed[0] for p in params]
    optimizer = optim.Adam(params)
    give(params, 0, {1})
    optimizer.step()
    assert all(p.data is array for p, array in zip(params, arrays, strict=True))
    assert (arrays[0] != before[0]).all() and (arrays[1] == before[1]).all()
    assert [p.changed[0] > stamp for p, stamp in zip(params, stamps, strict=True)] == [True, False]
    arrays[0][...] = 0.0  # written behind everybody's back: the next step starts from there
    give(params, 1, {1})
    optimizer.step()
    assert np.abs(arrays[0]).max() < 0.01


def test_a_graph_that_saved_a_moved_parameter_refuses() -> None:
    w = ob.tensor([2.0], requires_grad=True)
    loss = (w * w).sum()
    w.grad = ob.tensor([1.0])
    optim.SGD([w], lr=0.1).step()
    with pytest.raises(GraphError, match="changed in place"):
        loss.backward()


@pytest.mark.parametrize("size", [4, 130])
def test_memory_that_is_not_contiguous(size: int) -> None:
    whole = np.random.default_rng(0).standard_normal((size, 2 * size))
    apart = [
        ob.Tensor(whole[:, :size].copy(), requires_grad=True),
        ob.Tensor(whole[:, size:].T.copy(), requires_grad=True),
    ]
    views = [ob.Tensor(whole[:, :size], requires_grad=True), ob.Tensor(whole[:, size:].T, requires_grad=True)]
    for params in (apart, views):
        optimizer = optim.Adam(params, lr=0.1)
        for step in range(3):
            give(params, step)
            params[0].grad = ob.Tensor(np.asfortranarray(params[0].grad.data))
            optimizer.step()
    for a, b in zip(apart, views, strict=True):
        np.testing.assert_array_equal(a.data, b.data)
    assert np.shares_memory(views[0].data, whole)


def test_two_parameters_in_the_same_memory_are_both_moved() -> None:
    memory = np.zeros(3)
    tied = [ob.Tensor(memory, requires_grad=True), ob.Tensor(memory, requires_grad=True), *parameters([(2,)])]
    give(tied, 0)
    tied[0].grad = tied[1].grad = ob.tensor(np.array([1.0, 2.0, 3.0]))
    optim.SGD(tied, lr=0.5).step()
    np.testing.assert_array_equal(memory, [-1.0, -2.0, -3.0])


def test_parameters_of_several_dtypes() -> None:
    params = [*parameters([(2, 2), (3,)], np.float32), *parameters([(2,)], np.float64)]
    optimizer = optim.Adam(params, lr=0.1)
    for step in range(3):
        give(params, step)
        optimizer.step()
    assert [p.dtype for p in params] == [np.float32, np.float32, np.float64]
    for p in params[:2]:
        p.data = p.data.astype(np.float64)
    give(params, 3)
    optimizer.step()
    assert all(p.dtype == np.float64 == optimizer.state[p]["exp_avg"].dtype for p in params)


def test_nan_goes_through() -> None:
    params = parameters([(2,), (2,)])
    for name, options in RULES:
        optimizer = getattr(optim, name)(params, **options)
        give(params, 0)
        params[0].grad.data[0] = np.nan
        optimizer.step()
        assert np.isnan(params[0].data[0])
        assert np.isfinite(params[1].data).all()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_a_copy_goes_on_by_itself(copied: Any) -> None:
    params = parameters([(2, 2), (3,)])
    optimizer = optim.Adam(params, lr=0.1)
    give(params, 0)
    optimizer.step()
    twin = copied(optimizer)
    others = twin.param_groups[0]["params"]
    for step in range(1, 4):
        for each, moved in ((optimizer, params), (twin, others)):
            give(moved, step)
            each.step()
    for a, b in zip(params, others, strict=True):
        assert a is not b
        np.testing.assert_array_equal(a.data, b.data)
        np.testing.assert_array_equal(optimizer.state[a]["exp_avg"], twin.state[b]["exp_avg"])


def test_a_saved_state_is_a_copy_and_goes_on_to_the_bit() -> None:
    params = parameters([(2, 2), (3,)], np.float32)
    optimizer = optim.Adam(params, lr=0.1)
    for step in range(3):
        give(params, step)
        optimizer.step()
    saved, values = optimizer.state_dict(), [p.data.copy() for p in params]
    for step in range(3, 6):
        give(params, step)
        optimizer.step()
    again = [ob.tensor(value, requires_grad=True) for value in values]
    resumed = optim.Adam(again)
    resumed.load_state_dict(saved)
    for step in range(3, 6):
        give(again, step)
        resumed.step()
    for a, b in zip(params, again, strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_state_is_there_to_look_at() -> None:
    params = parameters([(2,), (2,)])
    optimizer = optim.Adam(params)
    assert not optimizer.state
    give(params, 0)
    optimizer.step()
    assert optimizer.state[params[0]]["step"] == 1
    with pytest.raises(TypeError):
        optimizer.state[params[0]]["step"] = 0  # type: ignore[index]


def test_step_takes_a_closure_and_computes_gradients_even_under_no_grad() -> None:
    (w,) = parameters([(2,)])
    optimizer = optim.SGD([w], lr=0.1)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    before = float((w.data**2).sum())
    with ob.no_grad():
        assert optimizer.step(closure).item() == pytest.approx(before)
    assert float((w.data**2).sum()) < before
    assert optimizer.step() is None


def test_zero_grad() -> None:
    params = parameters([(2,), (3,)])
    optimizer = optim.SGD(params)
    give(params, 0, {1})
    optimizer.zero_grad(set_to_none=False)
    assert params[0].grad.tolist() == [0.0, 0.0] and params[1].grad is None
    optimizer.zero_grad()
    assert params[0].grad is None


def test_named_parameters_keep_their_names() -> None:
    a, b = parameters([(2,), (3,)])
    optimizer = optim.SGD([("a", a), ("b", b)])
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["a", "b"]
    assert optimizer.param_groups[0]["params"] == [a, b]


a, b = parameters([(2,), (3,)])


@pytest.mark.parametrize(
    ("params", "options", "error", "words"),
    [
        ([], {}, InputError, "no parameters"),
        (a, {}, DTypeError, "not one tensor"),
        ([a, b, a], {}, InputError, "given twice"),
        ([{"params": [a]}, {"params": [b, a]}], {}, InputError, "given twice"),
        ([{"params": {a, b}}], {}, DTypeError, "no order"),
        ([{"lr": 1.0}], {}, DTypeError, "'params'"),
        ([a, 3.0], {}, DTypeError, "not float"),
        ([a * 2], {}, GraphError, "computed by mul"),
        ([("a", a), b], {}, InputError, "have names"),
        ([a], {"lr": -1.0}, InputError, "lr must lie in"),
        ([a], {"lr": float("nan")}, InputError, "lr must lie in"),
        ([{"params": [a], "weight_decay": -1}], {}, InputError, "weight_decay"),
        ([a], {"betas": (0.9, 1.0)}, InputError, r"betas\[1\]"),
        ([a], {"foreach": "yes"}, DTypeError, "foreach"),
    ],
)
def test_what_cannot_be_optimised_is_refused(params: Any, options: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        optim.Adam(params, **options)


def test_nesterov_wants_momentum() -> None:
    for options in ({"nesterov": True}, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}):
        with pytest.raises(InputError, match="Nesterov"):
            optim.SGD([a], **options)


@pytest.mark.parametrize("count", [1, 2])
def test_a_gradient_of_another_shape_is_refused(count: int) -> None:
    params = parameters([(2, 3), (3,)])[:count]
    give(params, 0)
    params[0].grad = ob.tensor(np.zeros((3, 2)))
    before = params[0].data.copy()
    with pytest.raises(ShapeError, match=r"\(2, 3\) has a gradient of shape \(3, 2\)"):
        optim.Adam(params).step()
    np.testing.assert_array_equal(params[0].data, before)


def test_what_is_printed_names_the_options() -> None:
    shown = repr(optim.SGD([{"params": [a], "lr": 0.5}, {"params": [b]}], momentum=0.9))
    assert shown.startswith("SGD (\nParameter Group 0\n") and "    lr: 0.5\n" in shown and "    lr: 0.001\n" in shown


def test_a_models_state_is_no_optimisers() -> None:
    with pytest.raises(InputError, match="no optimiser's state"):
        optim.Adam([a]).load_state_dict(ob.nn.Linear(2, 1).state_dict())


def stepped(name: str, shapes: list[tuple[int, ...]], **options: Any) -> Any:
    """An optimiser after one step."""
    params = parameters(shapes)
    optimizer = getattr(optim, name)(params, **options)
    give(params, 0)
    optimizer.step()
    return optimizer


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        (lambda: stepped("Adam", [(2,), (3,), (1,)]), r"groups of \[3\]"),
        (lambda: stepped("Adam", [(3,), (2,)]), "has shape"),
        (lambda: stepped("SGD", [(2,), (3,)], momentum=0.9), "lacks exp_avg, exp_avg_sq, step"),
        (lambda: stepped("Adamax", [(2,), (3,)]), "lacks exp_avg_sq"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(saved: Any, words: str) -> None:
    optimizer = stepped("Adam", [(2,), (3,)])
    before = optimizer.state_dict()
    with pytest.raises(OpenbookError, match=words):
        optimizer.load_state_dict(saved().state_dict())
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    for index, entry in before["state"].items():
        for key, value in entry.items():
            np.testing.assert_array_equal(after["state"][index][key].data, value.data)
