"""Truth about an operation on whole arrays: its twin in many digits, and differences of it, which need no rule.

Central differences with a step of 10⁻³⁰ in a hundred digits are right to some sixty: slopes come from values alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from openbook.expr import evaluate, precise
from openbook.ops import OPS
from openbook.ops.along import Along
from openbook.ops.op import Elementwise, Op
from openbook.testing.samples import Given, samples_of
from openbook.testing.twins import TWINS
from openbook.testing.twins.registry import along, reduced

__all__ = ["Truth", "truth_of", "twin_of"]

EPS = float(np.finfo(np.float64).eps)


def twin_of(op: type[Op]) -> Callable[..., Any]:
    """How to compute it slowly: the twin, or the formula (entry by entry; or, along axes, for every fibre)."""
    if op.name in TWINS and OPS.get(op.name) is op:
        return TWINS[op.name]
    if issubclass(op, Elementwise):
        return lambda m, *inputs, **options: _by_entry(op, m, inputs, options)
    if issubclass(op, Along):
        return lambda m, x, **options: by_fibre(op, m, x, options)
    raise LookupError(f"{op.name} has no twin: write the slow, obvious loop in openbook/testing/twins")


def _by_entry(op: type[Elementwise], m: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    expr, arithmetic = op.expression(**options), precise(m.dps)
    spread = np.broadcast_arrays(*inputs)
    out = np.empty(spread[0].shape, dtype=object)
    for place in np.ndindex(*out.shape):
        point = {name: x[place] for name, x in zip(op.arguments, spread, strict=True)}
        out[place] = evaluate(expr, point, arithmetic)
    return out


def by_fibre(op: type[Op], m: Any, x: Any, options: dict[str, Any]) -> Any:
    """The formula on each list of entries along the axes; a number for each, or as many as there were."""
    options = {**op.options, **options}
    axis, keepdims = options.pop("axis", None), options.pop("keepdims", None)
    expr, arithmetic = op.expression(**options), precise(m.dps)

    def of(entries: list[Any]) -> Any:
        fibre = np.empty(len(entries), dtype=object)
        fibre[:] = entries
        return evaluate(expr, {op.arguments[0]: fibre, "n": m.mpf(len(entries))}, arithmetic)

    if "keepdims" in op.options:
        return reduced(x, axis, bool(keepdims), of)
    return along(x, axis, of)


class Truth:
    """What a sample of an operation comes to: values, slopes and curvatures in many digits, and units of error.

    A unit is what rounding every input once may move the truth by, and the truth's own last place.
    """

    def __init__(self, op: type[Op], sample: Given, variant: int = 0):
        self.op, self.sample = op, sample
        self.inputs = sample.draw(op, variant)
        self.slopes = sample.slopes(self.inputs) if op.differentiable else ()
        self.point = np.concatenate([np.ravel(self.inputs[i]) for i in self.slopes]) if self.slopes else np.zeros(0)
        random = np.random.default_rng(zlib.crc32(op.name.encode()) + variant)
        self.cotangent = random.standard_normal(self.value.shape)
        self.pull = random.standard_normal(self.point.shape)
        self.signs = random.choice([-1.0, 1.0], (3, self.point.size))

    def compute(self, digits: int, moved: Any = 0) -> np.ndarray:
        """The twin at the sample, or at the sample and a move away from it."""
        m = precise(digits).number(0).context
        point = [m.mpf(float(x)) for x in self.point]
        if np.ndim(moved):
            point = [p + d for p, d in zip(point, moved, strict=True)]
        arrays: list[Any] = []
        for i, x in enumerate(self.inputs):
            if x is None or x.dtype.kind != "f":
                arrays.append(x)
                continue
            array = np.empty(x.shape, dtype=object)
            for k, place in enumerate(np.ndindex(*x.shape)):
                array[place] = point[self._start(i) + k] if i in self.slopes else m.mpf(float(x[place]))
            arrays.append(array)
        return np.asarray(twin_of(self.op)(m, *arrays, **self.sample.options), dtype=object)

    def _start(self, i: int) -> int:
        return sum(self.inputs[k].size for k in self.slopes[: self.slopes.index(i)])

    @cached_property
    def value(self) -> np.ndarray:
        """At precision doubled until two evaluations agree."""
        digits, before = 30, self.compute(15)
        while digits < 1000:
            now = self.compute(digits)
            if all(_agree(a, b) for a, b in zip(before.flat, now.flat, strict=True)):
                return now
            digits, before = 2 * digits, now
        raise AssertionError(f"no value of {self.op.name} settles")

    def _moved(self, direction: Any, step: str, digits: int) -> np.ndarray:
        """How the flat value changes from one step behind to one before, over the whole way."""
        m = precise(digits).number(0).context
        h = m.mpf(step)
        ahead = [h * m.mpf(float(d)) for d in direction]
        there, back = self.compute(digits, ahead), self.compute(digits, [-a for a in ahead])
        return np.asarray(there - back, dtype=object).ravel() / (2 * h)

    @cached_property
    def jacobian(self) -> np.ndarray:
        """∂(flat value)/∂(flat inputs), right to some sixty digits."""
        columns = [self._moved(row, "1e-30", 100) for row in np.eye(self.point.size)]
        return np.stack(columns, axis=1) if columns else np.empty((self.value.size, 0), dtype=object)

    @cached_property
    def gradient(self) -> np.ndarray:
        """The cotangent of the flat inputs."""
        return self.cotangent.ravel() @ self.jacobian if self.value.size else np.zeros(self.point.size)

    def curvature(self, u: np.ndarray, v: np.ndarray, shake: np.ndarray | None = None) -> float:
        """uᵀHv of the value weighted by the cotangent; `shake` moves the point by a rounding of every entry."""
        digits = 120
        m = precise(digits).number(0).context
        h = m.mpf("1e-25")
        base = [EPS * m.mpf(float(x)) for x in self.point * (0 if shake is None else shake)]
        total = m.mpf(0)
        for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            way = [s + h * (a * m.mpf(float(p)) + b * m.mpf(float(q))) for s, p, q in zip(base, u, v, strict=True)]
            weighted = sum((m.mpf(float(c)) * y for c, y in zip(self.cotangent.flat, self.compute(digits, way).flat,
                                                               strict=True)), m.mpf(0))  # fmt: skip
            total += a * b * weighted
        return float(total / (4 * h * h))

    # --- units ----------------------------------------------------------------------------------------------------

    @cached_property
    def value_unit(self) -> np.ndarray:
        """Entry by entry: Σ|x ∂y/∂x| and |y|, in units of float64's last place at 1."""
        size = np.abs(self.value.ravel().astype(float))
        if self.point.size:
            size = size + np.abs(self.jacobian.astype(float)) @ np.abs(self.point)
        return size.reshape(self.value.shape)

    @cached_property
    def gradient_unit(self) -> float:
        """For all entries together: the largest Σ|c ∂y/∂x|, and how much the gradient moves with its inputs."""
        if not self.point.size or not self.value.size:
            return 0.0
        terms = np.abs(self.cotangent.ravel()) @ np.abs(self.jacobian.astype(float))
        return float(terms.max()) + self.turning

    @cached_property
    def turning(self) -> float:
        """The length of H·(x ∘ signs), from its products with random vectors of signs."""
        shaken = self.signs[0] * self.point
        products = [self.curvature(s, shaken) for s in self.signs]
        return float(np.sqrt(np.mean(np.square(products))))

    @cached_property
    def second(self) -> tuple[float, float]:
        """pullᵀ·H·(x ∘ signs), and its unit: what the sum's terms come to, and how far a rounding moves it."""
        v = self.signs[0] * self.point
        exact = self.curvature(self.pull, v)
        moved = max(abs(self.curvature(self.pull, v, s) - exact) for s in self.signs[1:]) / EPS
        size = float(np.linalg.norm(self.pull)) * self.turning
        terms = np.abs(self.cotangent.ravel()) @ np.abs(self.jacobian.astype(float)) @ np.abs(self.pull)
        return exact, abs(exact) + moved + size + float(terms)


def _agree(a: Any, b: Any) -> bool:
    return a == b or (a != a and b != b) or bool(abs(a - b) <= 1e-12 * max(abs(a), abs(b)))


_FOUND: dict[tuple[type[Op], int], Truth] = {}


def truth_of(op: type[Op], number: int) -> Truth:
    """The truth of one of the operation's samples, worked out once."""
    if (op, number) not in _FOUND:
        _FOUND[op, number] = Truth(op, samples_of(op)[number])
    return _FOUND[op, number]
