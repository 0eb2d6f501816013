"""vmap against a loop: every family of operations, and every mixture with the other transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook.errors import OpenbookError
from openbook.ops import OPS, apply
from openbook.ops import vocabulary as word
from openbook.tensor import Tensor, vmap
from openbook.testing.oracle import samples

RANDOM = np.random.default_rng(4)
CASES = 4


def normal(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal((CASES, *shape))


SPD = np.einsum("nij,nkj->nik", A := normal(3, 3), A) + 3 * np.eye(3)
CLASSES = RANDOM.integers(0, 4, (CASES, 5))
PLACES = RANDOM.integers(0, 3, (CASES, 3, 4))

# One application of each operation that is not elementwise: its inputs for all cases, and its parameters.
ARRAYS: dict[str, tuple[tuple[np.ndarray, ...], dict[str, Any]]] = {
    "sum": ((normal(3, 4),), {"axis": 0}),
    "mean": ((normal(3, 4),), {"axis": -1, "keepdims": True}),
    "prod": ((normal(3, 4),), {"axis": None}),
    "var": ((normal(3, 4),), {"axis": (0, 1)}),
    "std": ((normal(3, 4),), {"axis": 1}),
    "amax": ((normal(3, 4),), {"axis": 0}),
    "amin": ((normal(3, 4),), {"axis": None}),
    "middle_entry": ((normal(3, 4),), {}),
    "logsumexp": ((normal(3, 4),), {"axis": -1}),
    "norm": ((normal(3, 4),), {"p": 3.0, "axis": 0}),
    "any": ((normal(3, 4) > 1,), {"axis": 0}),
    "all": ((normal(3, 4) > -1,), {"axis": 1}),
    "count_nonzero": ((normal(3, 4) > 0,), {"axis": 0}),
    "argmax": ((normal(3, 4),), {"axis": 0}),
    "argmin": ((normal(3, 4),), {"axis": None}),
    "argsort": ((normal(3, 4),), {"axis": 0}),
    "gather": ((normal(3, 4), PLACES), {"axis": 0}),
    "scatter_add": ((normal(3, 4), PLACES, normal(3, 4)), {"axis": 0}),
    "cumsum": ((normal(3, 4),), {"axis": 1}),
    "cumprod": ((normal(3, 4),), {"axis": 0}),
    "reshape": ((normal(3, 4),), {"shape": (2, 6)}),
    "permute": ((normal(3, 4, 2),), {"axes": (2, 0, 1)}),
    "broadcast_to": ((normal(4),), {"shape": (3, 4)}),
    "getitem": ((normal(3, 4),), {"index": (slice(1, None), [0, 2])}),
    "scatter": ((normal(2, 2),), {"index": (slice(1, None), [0, 2]), "shape": (3, 4)}),
    "overwrite": ((normal(3, 4), normal(2, 2)), {"index": (slice(1, None), [0, 2])}),
    "cat": ((normal(3, 4), normal(2, 4)), {"axis": 0}),
    "stack": ((normal(3, 4), normal(3, 4)), {"axis": -1}),
    "flip": ((normal(3, 4),), {"axis": (0,)}),
    "roll": ((normal(3, 4),), {"shifts": 2, "axis": None}),
    "tril": ((normal(3, 4),), {"diagonal": -1}),
    "triu": ((normal(3, 4),), {"diagonal": 1}),
    "pad": ((normal(3, 4),), {"widths": ((1, 0), (0, 2)), "value": 1.5}),
    "cast": ((normal(3, 4),), {"dtype": np.float32}),
    "embedding": ((normal(3, 4), PLACES[:, 0]), {}),
    "embedding_rows": ((normal(4, 2), PLACES[:, 0]), {"count": 3}),
    "matmul": ((normal(3, 4), normal(4)), {}),
    "linear": ((normal(3, 4), normal(2, 4), normal(2)), {}),
    "einsum": ((normal(3, 4), normal(4, 2)), {"subscripts": "ij,jk->ki"}),
    "diagonal_part": ((normal(3, 3),), {}),
    "cholesky": ((SPD,), {}),
    "inv": ((SPD,), {}),
    "det": ((SPD,), {}),
    "log_abs_det": ((SPD,), {}),
    "sign_det": ((SPD,), {}),
    "solve": ((SPD, normal(3, 2)), {}),
    "solve_triangular": ((SPD, normal(3, 2)), {"upper": True}),
    "eigenvalues": ((SPD,), {}),
    "eigenvectors": ((SPD,), {}),
    "singular_values": ((normal(4, 3),), {}),
    "left_singular": ((normal(4, 3),), {}),
    "right_singular": ((normal(4, 3),), {}),
    "qr_basis": ((normal(4, 3),), {}),
    "qr_factor": ((normal(4, 3),), {}),
    "windows": ((normal(2, 6),), {"kernel": (3,), "stride": (2,), "dilation": (1,)}),
    "fold": ((normal(2, 2, 3),), {"sizes": (6,), "kernel": (3,), "stride": (2,), "dilation": (1,)}),
    "convolution": (
        (normal(2, 4, 6), normal(6, 2, 3), normal(6)),
        {"stride": (2,), "padding": (1,), "dilation": (1,), "groups": 2},
    ),
    "standardize": ((normal(3, 4),), {"axis": (-1,)}),
    "rms_standardize": ((normal(3, 4),), {"axis": (-1,)}),
    "softmax": ((normal(3, 4),), {"axis": 0}),
    "log_softmax": ((normal(3, 4),), {"axis": -1}),
    "mse_loss": ((normal(3, 4), normal(3, 4)), {}),
    "l1_loss": ((normal(3, 4), normal(3, 4)), {"reduction": "sum"}),
    "huber_loss": ((normal(3, 4), normal(3, 4)), {}),
    "smooth_l1_loss": ((normal(3, 4), normal(3, 4)), {"reduction": "none"}),
    "bce": ((RANDOM.random((CASES, 5)), RANDOM.random((CASES, 5))), {}),
    "bce_with_logits": ((normal(5), RANDOM.random((CASES, 5))), {}),
    "kl_div": ((normal(5), RANDOM.random((CASES, 5))), {"reduction": "batchmean"}),
    "cross_entropy": ((normal(5, 4), CLASSES), {}),
    "nll_loss": ((normal(5, 4), CLASSES), {}),
}


def inputs_of(name: str) -> tuple[tuple[np.ndarray, ...], dict[str, Any]]:
    if name in ARRAYS:
        return ARRAYS[name]
    op = OPS[name]
    if name == "where":
        return (normal(3) > 0, normal(3), normal(3)), {}
    if not op.differentiable:
        whole = name.startswith("bitwise")
        one = RANDOM.integers(0, 4, (CASES, 3)) if whole else normal(3)
        return tuple(np.roll(one, i, 0) for i in range(len(op.arguments))), {}
    return tuple(np.resize(c, (CASES, 3)) for c in samples(op, 4 * CASES)), {}


def test_every_operation_is_tried() -> None:
    assert {n for n, op in OPS.items() if not op.elementwise} == set(ARRAYS)


@pytest.mark.parametrize("name", sorted(OPS))
def test_all_cases_at_once_are_each_case(name: str) -> None:
    """All inputs stacked, and each of them shared by all cases in its turn."""
    arrays, parameters = inputs_of(name)
    for shared in (None, *range(len(arrays))) if len(arrays) > 1 else (None,):
        axes = tuple(None if i == shared else 0 for i in range(len(arrays)))
        given = tuple(Tensor(a[0] if i == shared else a) for i, a in enumerate(arrays))
        found = vmap(lambda *x: apply(OPS[name], *x, **parameters), axes)(*given)
        for k in range(CASES):
            one = apply(OPS[name], *(g if i == shared else g[k] for i, g in enumerate(given)), **parameters)
            np.testing.assert_allclose(found.data[k], one.data, rtol=1e-10, atol=1e-12)
            assert found.dtype == one.dtype


@pytest.mark.parametrize("name", sorted(n for n, op in OPS.items() if op.differentiable))
def test_gradients_of_each_case(name: str) -> None:
    """The gradient of one case, for all of them at once."""
    arrays, parameters = inputs_of(name)
    floating = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]

    def f(x: Any, *rest: Any) -> Any:
        others = list(rest)
        others.insert(floating[0], x)
        y = apply(OPS[name], *others, **parameters)
        return (y * y).sum()

    first = arrays[floating[0]]
    rest = [a for i, a in enumerate(arrays) if i != floating[0]]
    found = vmap(ob.grad(f))(Tensor(first), *map(Tensor, rest))
    for k in range(CASES):
        one = ob.grad(f)(Tensor(first[k]), *(Tensor(a[k]) for a in rest))
        np.testing.assert_allclose(found.data[k], one.data, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", sorted(n for n, op in OPS.items() if op.differentiable))
def test_rows_and_columns_carried_as_one_stack(name: str) -> None:
    """A Jacobian by one stack of cotangents, by one stack of directions, and row by row."""
    arrays, parameters = inputs_of(name)
    k = next(i for i, a in enumerate(arrays) if a.dtype.kind == "f")
    others = [Tensor(a[0]) for a in arrays]

    def f(x: Any) -> Any:
        return apply(OPS[name], *others[:k], x, *others[k + 1 :], **parameters)

    point = Tensor(arrays[k][0])
    value, pull = ob.vjp(f, point)
    rows = [pull(Tensor(unit)).data for unit in np.eye(value.numel(), dtype=value.dtype).reshape(-1, *value.shape)]
    expected = np.reshape(rows, (*value.shape, *point.shape))
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(ob.jacobian(f)(point).data, expected, rtol=1e-10, atol=1e-12 * scale)
    np.testing.assert_allclose(ob.jacfwd(f)(point).data, expected, rtol=1e-9, atol=1e-10 * scale)


def test_transforms_nest_in_any_order() -> None:
    W, X = Tensor(normal(4)[:3]), Tensor(normal(4))

    def energy(w: Any, x: Any) -> Any:
        return (w @ x).tanh().sum() ** 2

    orders: dict[str, Callable[[], Any]] = {
        "vmap of grad": lambda: vmap(ob.grad(energy), (None, 0))(W, X),
        "vmap of hessian": lambda: vmap(ob.hessian(lambda x: energy(W, x)))(X),
        "vmap of jacobian of grad": lambda: vmap(ob.jacobian(ob.grad(lambda x: energy(W, x))))(X),
        "vmap of hvp": lambda: vmap(lambda x: ob.hvp(lambda t: energy(W, t), x, x))(X),
        "vmap of jvp": lambda: vmap(lambda x: ob.jvp(lambda t: W @ t.sin(), x, x)[1])(X),
        "vmap of vjp": lambda: vmap(lambda x: ob.vjp(lambda t: W @ t.sin(), x)[1](W @ x))(X),
    }
    loops: dict[str, Callable[[Any], Any]] = {
        "vmap of grad": lambda x: ob.grad(energy)(W, x),
        "vmap of hessian": lambda x: ob.hessian(lambda t: energy(W, t))(x),
        "vmap of jacobian of grad": lambda x: ob.hessian(lambda t: energy(W, t))(x),
        "vmap of hvp": lambda x: ob.hessian(lambda t: energy(W, t))(x) @ x,
        "vmap of jvp": lambda x: ob.jacobian(lambda t: W @ t.sin())(x) @ x,
        "vmap of vjp": lambda x: ob.jacobian(lambda t: W @ t.sin())(x).T @ (W @ x),
    }
    for name, all_at_once in orders.items():
        found = all_at_once()
        for k in range(CASES):
            np.testing.assert_allclose(found.data[k], loops[name](X[k]).data, rtol=1e-9, err_msg=name)


def test_stacks_of_stacks_and_gradients_through_them() -> None:
    X = Tensor(normal(3))
    table = vmap(lambda a: vmap(lambda b: (a * b).sum())(X))(X)
    np.testing.assert_allclose(table.data, X.data @ X.data.T)
    inner = vmap(lambda a: vmap(ob.grad(lambda b: (a * b).sum() ** 2))(X))(X)
    np.testing.assert_allclose(inner.data, 2 * (X.data @ X.data.T)[..., None] * X.data[:, None, :])

    def f(w: Any) -> Any:
        return (vmap(ob.grad(lambda x: ((w * x) ** 3).sum()))(X) ** 2).sum()

    w = np.array([0.5, -1.0, 2.0])
    np.testing.assert_allclose(ob.grad(f)(w).data, ob.central_differences(f, w), rtol=1e-6)


def test_per_example_gradients_of_a_network() -> None:
    """Their mean is the gradient of the mean loss; in float64 to the last digits."""
    from openbook import nn

    ob.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()
    X, y = Tensor(normal(4)), Tensor(RANDOM.integers(0, 3, CASES))
    state = {name: p.detach() for name, p in net.named_parameters()}

    def loss(weights: dict[str, Any], x: Any, target: Any) -> Any:
        logits = nn.functional_call(net, weights, (x.unsqueeze(0),))
        return nn.functional.cross_entropy(logits, target.unsqueeze(0))

    each = vmap(ob.grad(loss), (None, 0, 0))(state, X, y)
    nn.functional.cross_entropy(net(X), y).backward()
    for name, parameter in net.named_parameters():
        assert each[name].shape == (CASES, *parameter.shape)
        np.testing.assert_allclose(each[name].data.mean(0), parameter.grad.data, rtol=1e-10, atol=1e-14)


def test_axes_in_and_out() -> None:
    x = Tensor(RANDOM.standard_normal((3, CASES)))
    found = vmap(lambda v, s: v * s, (1, None), 1)(x, ob.tensor(2.0, dtype=ob.float64))
    np.testing.assert_array_equal(found.data, 2 * x.data)


def test_named_arguments_and_chunks() -> None:
    x, s = Tensor(normal(3)), Tensor(normal())
    whole = vmap(lambda a, b: {"sum": (a * b).sum(), "all": (a, b)})
    for found in (
        vmap(lambda a, b: {"sum": (a * b).sum(), "all": (a, b)})(x, b=s),
        vmap(lambda a, b: {"sum": (a * b).sum(), "all": (a, b)}, chunk_size=3)(x, s),
    ):
        np.testing.assert_array_equal(found["sum"].data, whole(x, s)["sum"].data)
        np.testing.assert_array_equal(found["all"][0].data, x.data)
    across = vmap(lambda a: a * 2, in_dims=1, out_dims=1, chunk_size=2)(x.T)
    np.testing.assert_array_equal(across.data, 2 * x.data.T)
    with pytest.raises(OpenbookError, match="chunk_size"):
        vmap(lambda a: a, chunk_size=0)


def test_single_numbers_are_not_to_be_had() -> None:
    with pytest.raises(OpenbookError, match="where"):
        vmap(lambda x: x if x > 0 else -x)(ob.ones(3))
    with pytest.raises(OpenbookError, match="different numbers of cases"):
        vmap(lambda a, b: a + b)(ob.ones(3), ob.ones(4))
    with pytest.raises(OpenbookError, match="axis"):
        vmap(lambda a: a)(ob.tensor(1.0))


def test_places_of_each_case() -> None:
    table, places = Tensor(RANDOM.standard_normal((5, 2))), Tensor(np.array([4, 0, 2, 2]))
    np.testing.assert_array_equal(vmap(lambda i: table[i])(places).data, table.data[places.data])
    np.testing.assert_array_equal(vmap(lambda i: word.embedding(table, i))(places).data, table.data[places.data])
