"""The slopes of x·gate(x), of any order: swish, mish and the GELU of early transformers.

Their terms cancel, near the zero of each slope and beyond, by more than a budget of 4 units in the last place has room for.
So the first slope, which every training step asks for, is written as one fraction with few roundings; a higher one is the
coefficient of a power series (Taylor arithmetic: Griewank & Walther 2008, ch. 13), in twice the digits where float64 goes
in, and in float64 for the rest.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.ops.domain import NAN, reals
from openbook.ops.op import Elementwise
from openbook.ops.twice import Twice, exact_product
from openbook.ops.vocabulary import gelu_tanh_slope, mish_slope, silu_slope

Series = list[Any]  # coefficients of 1, h, h², …


class GateSlope(Elementwise):
    """The family of the `order`-th derivatives of x·gate(x), where the gate is made of one decaying exponential."""

    edges = {NAN: NAN}
    far = 0.0  # beyond this the gate is 0 or 1 to the last digit of float64's range

    @staticmethod
    def exponent(x: Any, length: int) -> Series:
        """The series of what stands in the exponential at x ≥ 0, as it does there: rising with x."""
        return [x, x * 0 + 1, *[x * 0] * (length - 2)][:length]

    @staticmethod
    def gate(decaying: Series, left: Any) -> tuple[Series, Series]:
        """Numerator and denominator of the gate, from the series of exp(−|exponent|); `left` where x < 0."""
        raise NotImplementedError

    @staticmethod
    def first(x: Any) -> Any:
        """The slope itself, in float64, from x within ±far."""
        raise NotImplementedError

    @classmethod
    def of_order(cls, x: Any, order: int) -> Any:
        """The derivative of x·gate(x)."""
        x = np.asarray(x)
        point = np.asarray(x, np.float64)
        if order == 1:
            return np.asarray(cls.first(np.clip(point, -cls.far, cls.far))).astype(x.dtype, copy=False)
        near = np.abs(point) < cls.far
        inside = np.where(near, point, 0.0)
        left = np.signbit(inside)
        at = Twice(inside) if x.dtype == np.float64 else inside
        rising = cls.exponent(at, order + 1)
        decaying = _exponential([_where(left, c, -c) for c in rising])
        quotient = _ratio(*cls.gate(decaying, left))
        # (x + h)·gate(x + h): of hᵏ, x·gateₖ + gateₖ₋₁
        coefficient = quotient[order] * at + quotient[order - 1]
        value = coefficient * float(math.factorial(order))
        value = value.high if isinstance(value, Twice) else value
        return np.where(near, value, np.where(np.isnan(point), point, 0.0)).astype(x.dtype, copy=False)


def _where(condition: Any, a: Any, b: Any) -> Any:
    if not isinstance(a, Twice) and not isinstance(b, Twice):
        return np.where(condition, a, b)
    a, b = (x if isinstance(x, Twice) else Twice(x) for x in (a, b))
    return Twice(np.where(condition, a.high, b.high), np.where(condition, a.low, b.low))


def _exponential(v: Series) -> Series:
    """exp of a series: k·eₖ = Σ j·vⱼ·eₖ₋ⱼ."""
    if isinstance(v[0], Twice):
        # near 0, 1 + (eᵛ − 1): rounded to one float, eᵛ would not know how far from 0 a tiny v is
        start = v[0].high
        small = np.abs(start) < 0.5
        e = _where(small, Twice(1.0) + np.expm1(np.where(small, start, 0.0)), Twice(np.exp(start)))
        series = [e + e.high * v[0].low]
    else:
        series = [np.exp(v[0])]
    for k in range(1, len(v)):
        terms = [v[j] * series[k - j] * float(j) for j in range(1, k + 1)]
        series.append(_total(terms) / float(k))
    return series


def _product(a: Series, b: Series) -> Series:
    return [_total([a[j] * b[k - j] for j in range(k + 1)]) for k in range(len(a))]


def _ratio(above: Series, below: Series) -> Series:
    series: Series = []
    for k in range(len(above)):
        rest = above[k]
        for j in range(1, k + 1):
            rest = rest - below[j] * series[k - j]
        series.append(rest / below[0])
    return series


def _total(terms: Series) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _plus(series: Series, number: Any) -> Series:
    return [series[0] + number, *series[1:]]


class _Logistic(GateSlope):
    @staticmethod
    def gate(decaying, left):
        one = [1.0, *[0.0] * (len(decaying) - 1)]
        return [_where(left, e, o) for e, o in zip(decaying, one, strict=True)], _plus(decaying, 1.0)


def _logistic_slope(e, left, growth):
    """The slope of x·σ(u), from exp(−|u|), whether u < 0, and x·u′."""
    once = 1 + e
    return np.where(left, e * (once + growth), once + growth * e) / (once * once)


class SiluSlope(_Logistic):
    """The slope of silu, or a higher derivative of it."""

    name = "silu_slope"
    formula = "(1 + exp(-x) + x*exp(-x)) / (1 + exp(-x))**2"
    domain = reals(-30, 30)
    far = 760.0

    @staticmethod
    def first(x):
        return _logistic_slope(np.exp(-np.abs(x)), np.signbit(x), x)

    @staticmethod
    def forward(x, *, order=1):
        return SiluSlope.of_order(x, order)

    @staticmethod
    def gradient(g, y, x, *, order=1):
        return g * silu_slope(x, order=order + 1)


class GeluTanhSlope(_Logistic):
    """The slope of gelu_tanh, or a higher derivative of it."""

    name = "gelu_tanh_slope"
    formula = (
        "0.5*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))"
        " + 0.5*x*sqrt(2/pi)*(1 + 3*0.044715*x**2)/cosh(sqrt(2/pi)*(x + 0.044715*x**3))**2"
    )
    domain = reals(-8, 8)
    far = 22.0
    # 2√(2/π) and 0.044715 in twice the digits
    steepness = Twice(1.5957691216057308, -9.96930880911092e-17)
    cubic = Twice(0.044715, 2.1960211427085595e-18)

    @staticmethod
    def exponent(x, length):
        a, c = GeluTanhSlope.steepness, GeluTanhSlope.cubic
        if not isinstance(x, Twice):
            a, c = a.high, c.high
        square = x * x
        terms = [a * x * (square * c + 1.0), a * (square * c * 3.0 + 1.0), a * c * x * 3.0, a * c + x * 0.0]
        return [*terms, *[x * 0.0] * (length - 4)][:length]

    @staticmethod
    def first(x):
        """Where the slope is smallest it moves with every rounding of the exponent, so that is kept in two parts."""
        a = GeluTanhSlope.steepness
        line, small = exact_product(x, a.high)
        small = small + a.low * x
        cube = (a.high * GeluTanhSlope.cubic.high) * (x * x) * x
        rest = small + cube
        u = line + rest
        e = np.exp(-np.abs(u))
        e = e - e * (np.copysign(1.0, u) * (rest - (u - line)))
        return _logistic_slope(e, np.signbit(u), line + (small + 3 * cube))

    @staticmethod
    def forward(x, *, order=1):
        return GeluTanhSlope.of_order(x, order)

    @staticmethod
    def gradient(g, y, x, *, order=1):
        return g * gelu_tanh_slope(x, order=order + 1)


class MishSlope(GateSlope):
    """The slope of mish, or a higher derivative of it."""

    name = "mish_slope"
    formula = "tanh(log(1 + exp(x))) + x*exp(x)/(1 + exp(x))/cosh(log(1 + exp(x)))**2"
    domain = reals(-30, 20)
    far = 760.0

    @staticmethod
    def gate(decaying, left):
        """tanh ln(1 + eˣ) = q/(q + 2) with q = eˣ(eˣ + 2); right of 0 both are multiplied with e⁻²ˣ."""
        q = _product(decaying, _plus(decaying, 2.0))
        doubled = _plus([e * 2.0 for e in decaying], 1.0)
        twice_square = [s * 2.0 for s in _product(decaying, decaying)]
        right = [d + s for d, s in zip(doubled, twice_square, strict=True)]
        above = [_where(left, a, b) for a, b in zip(q, doubled, strict=True)]
        return above, [_where(left, a, b) for a, b in zip(_plus(q, 2.0), right, strict=True)]

    @staticmethod
    def first(x):
        """One fraction: its numerator multiplied out, for the two terms it comes from nearly cancel left of 0."""
        e = np.exp(-np.abs(x))
        square = e * e
        left = np.signbit(x)
        below = np.where(left, e * (e + 2) + 2, 1 + 2 * (e + square))
        four = 4 * x
        on_the_left = e * (((4 + four) + e * (four + 6)) + square * (e + 4))
        above = np.where(left, on_the_left, (1 + 2 * e) * below + four * (square * (1 + e)))
        return above / (below * below)

    @staticmethod
    def forward(x, *, order=1):
        return MishSlope.of_order(x, order)

    @staticmethod
    def gradient(g, y, x, *, order=1):
        return g * mish_slope(x, order=order + 1)
