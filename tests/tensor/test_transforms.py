"""grad, hessian, hvp and differences, judged by SymPy and by algebra."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import openbook as ob
from openbook.errors import OpenbookError


def rosenbrock(x):
    """Works on Tensors and on SymPy symbols alike."""
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def test_gradient_and_hessian_by_sympy() -> None:
    symbols = sympy.symbols("a b")
    at = dict(zip(symbols, (0.3, -0.8), strict=True))
    f = rosenbrock(symbols)
    slope = [float(f.diff(s).subs(at)) for s in symbols]
    curvature = np.array(sympy.hessian(f, symbols).subs(at), float)
    x = np.array([0.3, -0.8])
    np.testing.assert_allclose(ob.grad(rosenbrock)(x).data, slope, rtol=1e-13)
    np.testing.assert_allclose(ob.hessian(rosenbrock)(x).data, curvature, rtol=1e-13)
    v = np.array([1.0, -2.0])
    np.testing.assert_allclose(ob.hvp(rosenbrock, x, v).data, curvature @ v, rtol=1e-12)


def test_derivatives_nest() -> None:
    f = ob.tanh
    for order, expected in enumerate(_tanh_derivatives(0.4), 1):
        f = ob.grad(f)
        assert float(f(np.asarray(0.4))) == pytest.approx(expected, rel=1e-10), order


def _tanh_derivatives(at: float) -> list[float]:
    z = sympy.symbols("z")
    return [float(sympy.tanh(z).diff(z, k).subs(z, at).evalf(20)) for k in range(1, 6)]


def test_value_and_grad() -> None:
    value, slope = ob.value_and_grad(lambda a, b: (a * b).sum(), argnum=1)(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert float(value) == 11
    np.testing.assert_array_equal(slope.data, [1.0, 2.0])


def test_only_single_numbers_have_gradients() -> None:
    with pytest.raises(OpenbookError, match="single number"):
        ob.grad(lambda x: x * 2)(np.ones(3))


def test_sweep_has_a_v_with_its_best_step_where_theory_says() -> None:
    sweep = ob.step_sweep(lambda x: (x.exp() * x.sin()).sum(), np.array([0.7, -0.4, 1.1]))
    assert sweep.truncates and sweep.agreement < 1e-9
    measured = sweep.steps[np.argmin(sweep.errors)]
    assert sweep.best / 30 < measured < sweep.best * 30
    large, small = sweep.errors[sweep.steps > 100 * sweep.best], sweep.errors[sweep.steps < sweep.best / 1000]
    assert large.min() > sweep.errors.min() * 100 and small.max() > sweep.errors.min() * 100


def test_quadratics_have_no_truncation() -> None:
    sweep = ob.step_sweep(lambda x: (x * x).sum(), np.array([0.7, -0.4]))
    assert not sweep.truncates and sweep.best is None
    assert sweep.errors[0] < 1e-14  # the largest step is the best: nothing is cut off


def test_the_step_must_be_positive() -> None:
    with pytest.raises(OpenbookError):
        ob.central_differences(lambda x: x.sum(), np.ones(2), step=0.0)


def warp(x):
    """Three inputs to two outputs."""
    return ob.stack([(x[0] * x[1]).sin(), (x[2] * x[0]).exp()])


def test_vjp_jvp_and_jacobian_are_one_matrix() -> None:
    x = np.array([0.3, -0.8, 1.1])
    a, b, c = sympy.symbols("a b c")
    truth = sympy.Matrix([sympy.sin(a * b), sympy.exp(c * a)]).jacobian([a, b, c])
    J = np.array(truth.subs(dict(zip((a, b, c), x, strict=True))), float)
    np.testing.assert_allclose(ob.jacobian(warp)(x).data, J, rtol=1e-13)
    value, pull = ob.vjp(warp, x)
    np.testing.assert_allclose(pull([2.0, -1.0]).data, [2.0, -1.0] @ J, rtol=1e-13)
    same, moved = ob.jvp(warp, x, [1.0, 0.5, -2.0])
    np.testing.assert_allclose(moved.data, J @ [1.0, 0.5, -2.0], rtol=1e-13)
    np.testing.assert_array_equal(value.data, same.data)


def test_directions_have_the_shape_of_the_point() -> None:
    with pytest.raises(OpenbookError, match="shape"):
        ob.jvp(warp, np.ones(3), np.ones(2))


def test_functions_that_ignore_their_input_move_nothing() -> None:
    _, moved = ob.jvp(lambda x: ob.tensor([1.0, 2.0]), np.ones(3), np.ones(3))
    np.testing.assert_array_equal(moved.data, [0, 0])
    np.testing.assert_array_equal(ob.jacobian(lambda x: ob.tensor([1.0, 2.0]))(np.ones(3)).data, np.zeros((2, 3)))
