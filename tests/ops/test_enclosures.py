"""Bounds in extended precision: the truth lies inside, and what they spare changes no figure."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from openbook.expr import Call, Name
from openbook.ops import OPS
from openbook.testing import oracle
from openbook.testing.curves import SPECIAL_CURVES
from openbook.testing.enclose import UNIT, enclose
from openbook.testing.oracle import computed, formula, orders_of, samples, truth, worst
from tests.ops.test_elementwise import SMOOTH

WIDE = np.finfo(np.float64).eps / 100 > UNIT  # where NumPy has more than float64 to offer


def exactly(x: np.longdouble) -> mpmath.mpf:
    """Both halves of an extended number."""
    high = float(x)
    return mpmath.mpf(high) + mpmath.mpf(float(x - np.longdouble(high)))


@pytest.mark.parametrize("name", sorted(SPECIAL_CURVES))
def test_special_functions(name: str) -> None:
    low, high = {"erfinv": (-0.9999, 0.9999), "erf": (-5, 5), "erfc": (-5, 25)}.get(name, (-20, 20))
    x = np.random.default_rng(1).uniform(1e-3 if "gamma" in name else low, high, 60)
    expr = Call(name, (Name("x"),))
    near = enclose(expr, {"x": x})
    for at, value, error in zip(x, near.value, near.error, strict=True):
        with mpmath.workdps(40):
            exact = truth(expr, {"x": float(at)})
            assert abs(exactly(value) - exact) <= exactly(error), (at, float((exactly(value) - exact) / exactly(error)))
            assert not WIDE or exactly(error) <= 1e-16 * max(1, abs(exact))


@pytest.mark.parametrize("name", SMOOTH)
def test_the_truth_lies_inside(name: str) -> None:
    op = OPS[name]
    columns = [c[:12] for c in samples(op, 40)]
    columns = [c[: min(map(len, columns))] for c in columns]
    for orders in orders_of(op):
        expr = formula(op, orders)
        near = enclose(expr, dict(zip(op.arguments, columns, strict=True)))
        for i, (value, error) in enumerate(zip(near.value, near.error, strict=True)):
            if np.isfinite(error):
                exact = truth(expr, {n: float(c[i]) for n, c in zip(op.arguments, columns, strict=True)})
                with mpmath.workdps(40):
                    assert abs(exactly(value) - exact) <= exactly(error), (orders, i)


@pytest.mark.parametrize("name", ["gelu", "tanh", "hypot", "digamma", "erfcx", "logaddexp"])
def test_the_worst_point_is_that_of_all(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    op = OPS[name]
    columns = samples(op, 60)
    columns = [c[: min(map(len, columns))] for c in columns]
    quick = [worst(op, columns, orders) for orders in orders_of(op)]
    nothing = np.full(len(columns[0]), np.inf)
    monkeypatch.setattr(oracle, "at_most", lambda *_: (nothing, nothing))
    assert quick == [worst(op, columns, orders) for orders in orders_of(op)]
    assert all(np.isfinite(computed(op, columns, orders)).all() for orders in orders_of(op))
