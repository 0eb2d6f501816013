"""Operations on whole arrays: reductions, moves, matrices, losses. Gradients of random cotangents by differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from openbook.errors import InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor import Tensor, central_differences, grad

RANDOM = np.random.default_rng(11)
A, B, V = RANDOM.standard_normal((3, 4)), RANDOM.standard_normal((4, 2)), RANDOM.standard_normal(4)
W, BIAS = RANDOM.standard_normal((5, 4)), RANDOM.standard_normal(5)
CLASSES = np.array([1, 0, 3])
HITS = np.array([[1.0, 0.0, 1.0, 0.5]] * 3)

CASES: dict[str, tuple[Callable[[Tensor], Tensor], np.ndarray]] = {
    "sum": (lambda x: word.total(x, axis=0), A),
    "sum_keepdims": (lambda x: word.total(x, axis=(0, 1), keepdims=True), A),
    "mean": (lambda x: word.mean(x, axis=1), A),
    "amax": (lambda x: x.max(), A),
    "logsumexp": (lambda x: word.logsumexp(x, axis=-1), A),
    "softmax": (lambda x: word.softmax(x, axis=-1), A),
    "log_softmax": (lambda x: word.log_softmax(x, axis=0), A),
    "reshape": (lambda x: word.reshape(x, shape=(2, 6)), A),
    "permute": (lambda x: word.permute(x, axes=(1, 0)), A),
    "broadcast_to": (lambda x: word.broadcast_to(x, shape=(3, 4)), V),
    "getitem": (lambda x: x[1:, ::2], A),
    "fancy": (lambda x: x[np.array([0, 2, 0])], A),
    "cat": (lambda x: word.cat(x, Tensor(A), x, axis=0), A),
    "stack": (lambda x: word.stack(x, Tensor(A), axis=1), A),
    "matmul_left": (lambda x: x @ Tensor(B), A),
    "matmul_right": (lambda x: Tensor(A) @ x, B),
    "matmul_vector": (lambda x: Tensor(A) @ x, V),
    "matmul_batch": (lambda x: Tensor(np.stack([A, -A])) @ x, B),
    "linear_input": (lambda x: word.linear(x, Tensor(W), Tensor(BIAS)), A),
    "linear_weight": (lambda x: word.linear(Tensor(A), x, Tensor(BIAS)), W),
    "linear_bias": (lambda x: word.linear(Tensor(A), Tensor(W), x), BIAS),
    "broadcast_add": (lambda x: Tensor(A) + x, V),
    "broadcast_mul": (lambda x: Tensor(A) * x, RANDOM.standard_normal((3, 1))),
    "mse": (lambda x: word.mse_loss(x, Tensor(HITS)), A),
    "bce": (lambda x: word.bce_with_logits(x, Tensor(HITS)), A),
    "cross_entropy": (lambda x: word.cross_entropy(x, Tensor(CLASSES)), A),
    "where": (lambda x: word.where(Tensor(A > 0), x, x * x), A),
}


@pytest.mark.parametrize("name", CASES)
def test_gradient(name: str) -> None:
    f, x = CASES[name]
    cotangent = np.random.default_rng(5).standard_normal(f(Tensor(x)).shape)

    def scalar(t: Tensor) -> Tensor:
        return (f(t) * Tensor(cotangent)).sum()

    np.testing.assert_allclose(grad(scalar)(x).data, central_differences(scalar, x), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_second_derivative(name: str) -> None:
    f, x = CASES[name]
    first, second = (np.random.default_rng(s).standard_normal(n) for s, n in ((6, f(Tensor(x)).shape), (7, x.shape)))

    def slope(t: Tensor) -> Tensor:
        return (grad(lambda u: (f(u) * Tensor(first)).sum())(t) * Tensor(second)).sum()

    np.testing.assert_allclose(grad(slope)(x).data, central_differences(slope, x), rtol=1e-6, atol=1e-7)


def test_softmax_far_out() -> None:
    p = word.softmax(np.array([1000.0, 0.0, -1000.0]))
    np.testing.assert_array_equal(p, [1.0, 0.0, 0.0])
    assert np.isfinite(word.log_softmax(np.array([1000.0, 0.0]))).all()


def test_log_softmax_keeps_small_numbers() -> None:
    """Near 0 most forms lose every digit: log p = −log1p(Σ others)."""
    import mpmath

    z = np.array([40.0, 0.0])
    with mpmath.workdps(40):
        exact = float(-mpmath.log1p(mpmath.exp(-40)))
    assert word.log_softmax(z)[0] == pytest.approx(exact, rel=1e-12)


def test_losses_refuse_silent_broadcasting() -> None:
    with pytest.raises(ShapeError, match="broadcasting"):
        word.mse_loss(Tensor(np.zeros((4, 1))), Tensor(np.zeros(4)))


def test_unknown_reduction_and_class() -> None:
    with pytest.raises(InputError, match="reduction"):
        word.mse_loss(Tensor(A), Tensor(A), reduction="median")
    with pytest.raises(InputError):
        word.cross_entropy(Tensor(A), Tensor(np.array([0, 1, 4])))


@pytest.mark.parametrize("bounds", [{"relative": 0.4}, {"absolute": 1.0}, {"relative": 0.01, "absolute": 1.5}])
def test_singular_values_that_count_as_nothing(bounds: dict[str, float]) -> None:
    """NumPy's pseudo-inverse with the same values left out (LAPACK's singular vectors are right to some 90 units)."""
    x = np.random.default_rng(5).uniform(-1, 1, (4, 3)) + np.eye(4, 3) * [3, 2, 0.5]
    size = np.linalg.svd(x)[1]
    least = max(bounds.get("absolute", 0.0), bounds.get("relative", 0.0) * size[0])
    assert 0 < np.sum(size > least) < 3
    found = word.pinv(x, **bounds)
    np.testing.assert_allclose(found, np.linalg.pinv(x, rcond=least / size[0]), rtol=0, atol=1e-13)
