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
    value, slope = ob.value_and_grad(lambda a, b: (a * b).sum(), argnums=1)(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
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


# --- confusion of perturbations ------------------------------------------------------------------------------------


def test_inner_and_outer_variables_are_not_confused() -> None:
    """Siskind and Pearlmutter (2005): d/dx of x·(d/dy of x + y) is 1, not 2."""
    one = ob.tensor(1.0)
    assert float(ob.grad(lambda x: x * ob.grad(lambda y: x + y)(one))(one)) == 1
    assert float(ob.jvp(lambda x: x * ob.jvp(lambda y: x + y, one, one)[1], one, one)[1]) == 1
    assert float(ob.grad(lambda x: x * ob.jvp(lambda y: x * y, one, one)[1])(ob.tensor(3.0))) == 6
    assert float(ob.jvp(lambda x: x * ob.grad(lambda y: x * y)(one), ob.tensor(3.0), one)[1]) == 6


def test_the_same_variable_at_every_depth() -> None:
    x, t = sympy.symbols("x t")
    inner = sympy.diff(t**3 * x, t).subs(t, x)  # x is both outside and the point
    expected = float(sympy.diff(x * inner, x).subs(x, 1.7))
    found = ob.grad(lambda x: x * ob.grad(lambda t: t**3 * x)(x))(ob.tensor(1.7, dtype=ob.float64))
    assert float(found) == pytest.approx(expected, rel=1e-14)


def test_an_inner_variable_is_a_constant_to_the_outside() -> None:
    result = ob.grad(lambda x: ob.grad(lambda y: y * y * x)(ob.tensor(3.0)))(ob.tensor(2.0))
    assert float(result) == 6 and not result.requires_grad
    assert result.numpy() == 6


# --- forms ---------------------------------------------------------------------------------------------------------


def test_arguments_and_values_may_be_nested() -> None:
    parameters = {"w": np.array([1.0, 2.0]), "parts": (np.array(3.0), [np.array([4.0]), np.array([5.0])])}

    def f(p, s):
        return {"a": p["w"] * s, "b": (p["parts"][0] * p["parts"][1][1],)}

    rows = ob.jacobian(f, argnums=(0, 1))(parameters, np.array(2.0))
    by_p, by_s = rows["a"]
    np.testing.assert_array_equal(by_p["w"].data, 2 * np.eye(2))
    np.testing.assert_array_equal(by_p["parts"][1][0].data, np.zeros((2, 1)))
    np.testing.assert_array_equal(by_s.data, [1, 2])
    assert rows["b"][0][0]["parts"][0].shape == (1,)
    forward = ob.jacfwd(f, argnums=(0, 1))(parameters, np.array(2.0))
    np.testing.assert_array_equal(forward["b"][0][0]["parts"][1][1].data, [[3.0]])
    value, pull = ob.vjp(f, parameters, np.array(2.0))
    back, of_s = pull({"a": np.ones(2), "b": (np.array([2.0]),)})
    np.testing.assert_array_equal(back["parts"][0].data, 10)
    assert float(of_s) == 3 and value["a"].tolist() == [2, 4]
    _, moved = ob.jvp(f, (parameters, np.array(2.0)), (parameters, np.array(0.0)))
    np.testing.assert_array_equal(moved["a"].data, [2, 4])
    np.testing.assert_array_equal(moved["b"][0].data, [30])
    assert ob.grad(lambda p: (p["w"] ** 2).sum())({"w": np.ones(2), "nothing": None})["nothing"] is None
    with pytest.raises(OpenbookError, match="form"):
        pull({"a": np.ones(2)})


def test_what_else_a_function_gives_is_handed_on() -> None:
    def f(x):
        return (x * x).sum(), {"seen": x * 2}

    slope, extra = ob.grad(f, has_aux=True)(np.ones(2))
    assert extra["seen"].tolist() == [2, 2] and not extra["seen"].requires_grad
    (value, extra), slope = ob.value_and_grad(f, has_aux=True)(np.ones(2))
    assert float(value) == 2 and slope.tolist() == [2, 2]
    assert ob.grad_and_value(f, has_aux=True)(np.ones(2))[1][1]["seen"].tolist() == [2, 2]
    assert ob.vjp(f, np.ones(2), has_aux=True)[2]["seen"].tolist() == [2, 2]
    assert ob.jvp(f, np.ones(2), np.ones(2), has_aux=True)[2]["seen"].tolist() == [2, 2]
    assert ob.jacobian(f, has_aux=True)(np.ones(2))[1]["seen"].tolist() == [2, 2]
    with pytest.raises(OpenbookError, match="pair"):
        ob.grad(lambda x: x.sum(), has_aux=True)(np.ones(2))


def test_hvp_of_several_arguments() -> None:
    x, y = sympy.symbols("x y")
    f = sympy.sin(x * y) * x**2
    H = sympy.hessian(f, (x, y)).subs({x: 0.7, y: -1.1})
    expected = np.array(H, float) @ [0.5, 2.0]
    found = ob.hvp(lambda a, b: (a * b).sin() * a**2, (np.array(0.7), np.array(-1.1)), (np.array(0.5), np.array(2.0)))
    np.testing.assert_allclose([float(g) for g in found], expected, rtol=1e-13)


def test_places_that_are_not_there() -> None:
    with pytest.raises(OpenbookError, match="argnums"):
        ob.grad(lambda x: x.sum(), argnums=1)(np.ones(2))
    with pytest.raises(OpenbookError, match="tensors"):
        ob.vjp(lambda x: 3.0, np.ones(2))
    with pytest.raises(OpenbookError, match="chunk_size"):
        ob.jacobian(lambda x: x, chunk_size=0)


def test_rows_in_chunks_are_the_same() -> None:
    x = np.linspace(0, 1, 7)
    for derivative in (ob.jacobian, ob.jacfwd):
        whole = derivative(lambda x: x.outer(x).sin())(x)
        np.testing.assert_array_equal(derivative(lambda x: x.outer(x).sin(), chunk_size=3)(x).data, whole.data)
    assert ob.jacobian(lambda x: x)(np.ones(0)).shape == (0, 0) == ob.jacfwd(lambda x: x)(np.ones(0)).shape


def test_a_hessian_of_200_variables_takes_few_operations() -> None:
    """Rows are carried as one stack: the number of operations does not grow with the number of variables."""
    counts = []
    for n in (2, 200):
        A = np.random.default_rng(n).normal(size=(n, n))
        calls: list = []
        original = ob.Tensor.__openbook_apply__

        def counted(self, op, inputs, parameters, calls=calls, original=original):
            calls.append(op)
            return original(self, op, inputs, parameters)

        ob.Tensor.__openbook_apply__ = counted
        try:
            H = ob.hessian(lambda x, A=A: ((ob.tensor(A) @ x).tanh() ** 2).sum())(np.linspace(-1, 1, n))
        finally:
            ob.Tensor.__openbook_apply__ = original
        np.testing.assert_allclose(H.data, H.data.T, rtol=1e-9, atol=1e-9)
        counts.append(len(calls))
    assert counts[0] == counts[1]


def test_transforms_leave_nothing_behind() -> None:
    """No cycles, and no memory, once the result is dropped."""
    import gc
    import weakref

    seen = []

    def f(x):
        h = x.exp()
        seen.append(weakref.ref(getattr(h, "value", h).data))
        return (h * h).sum()

    x = np.ones(1000)
    gc.collect()
    gc.disable()
    try:
        ob.grad(f)(x)
        ob.value_and_grad(f)(x)
        ob.hvp(f, x, x)
        ob.jvp(f, x, x)
        ob.vjp(f, x)
        ob.vmap(ob.grad(f))(np.ones((3, 4)))
        ob.hessian(f)(np.ones(4))
        assert all(h() is None for h in seen) and gc.collect() == 0
    finally:
        gc.enable()


def test_gradients_pass_through_unrolled_steps_in_time() -> None:
    """A step of descent inside a function: each inner gradient walks its own graph only, not all those before it."""

    def learnt(rate):
        w = ob.tensor(2.0, dtype=ob.float64)
        for _ in range(300):
            w = w - rate * ob.grad(lambda v: (v - 1) ** 2)(w)
        return w

    rate = 1e-3
    expected = -300 * 2 * (1 - 2 * rate) ** 299
    assert float(ob.grad(learnt)(ob.tensor(rate, dtype=ob.float64))) == pytest.approx(expected, rel=1e-10)
