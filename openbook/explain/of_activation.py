"""Part 6: an activation's slope: where it is largest, exactly, and what it typically is."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from openbook.explain.derivations.proof import slope_steps
from openbook.explain.dispatch import explains
from openbook.explain.displays.activations import ActivationSlopes
from openbook.expr import Derivative, Expr, Name, Number, derivative, evaluate, parse, precise, text, tidy
from openbook.nn.activations import Activation
from openbook.ops import OPS, apply
from openbook.record import Step, Table, Witness, Working, given
from openbook.tensor import Tensor

__all__ = ["explain_activation"]

_EDGE = 20.0  # how far out the largest slope is looked for
_INPUTS = (-5.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True)
class _Curve:
    """An activation with its parameters: its formula and slope in z, and where the slope jumps."""

    op: Any
    options: dict[str, Any]

    @classmethod
    def of(cls, activation: Activation) -> _Curve:
        return cls(activation.op, activation.options)

    @property
    def formula(self) -> Expr:
        return self.op.expression(**self.options).rename({self.op.arguments[0]: "z"})

    @property
    def slope(self) -> Expr:
        stated = getattr(self.op, "slope", "")
        return parse(stated).rename({self.op.arguments[0]: "z"}) if stated else derivative(self.formula, "z")

    @property
    def kinks(self) -> tuple[float, ...]:
        if self.op is OPS["hardtanh"]:
            return self.options["min_val"], self.options["max_val"]
        return tuple(getattr(self.op.domain, "kinks", ()))

    @property
    def is_plain(self) -> bool:
        """Whether the name alone says which function it is."""
        return bool(self.formula == self.op.expression().rename({self.op.arguments[0]: "z"}))

    def slopes(self, at: np.ndarray) -> np.ndarray:
        """By autograd: the second way to every slope here."""
        x = Tensor(at, requires_grad=True)
        apply(self.op, x, **self.options).sum().backward()
        assert x.grad is not None
        return x.grad.data


@explains(Activation)
def explain_activation(activation: Activation, layers: int = 10) -> Working:
    """Show the slope of an activation, its largest value and where, and what `layers` of them in a row leave of it."""
    curve = _Curve.of(activation)
    name = curve.op.name
    where, largest = _largest(curve)
    z = given("z", where, f"where the slope is largest{_exact_place(curve, where)}", "The slope")
    proof = (slope_steps(name, z, "The slope") if curve.is_plain else []) or [_slope_step(curve, z)]
    top = Step("largest slope", largest, Number(largest), (), rule="maximum",
               why=_why(curve, where), part="At most", witnesses=(_scan(curve),))  # fmt: skip
    count = given("layers", layers, "that many in a row", "Through depth")
    left = Step("at most left", largest**layers, parse("s**n").rename({"s": "largest slope", "n": "layers"}), (top, count),
                rule="one factor a layer", why="of a gradient, by the activations alone", part="Through depth")  # fmt: skip
    return Working(
        title=f"How steep {name} is",
        question="What is the largest slope, and what is it typically?",
        steps=(z, *proof, *_stationary(curve, z), top, count, left),
        result={"largest slope": largest, "at": where, f"after {layers} layers at most": left.value},
        tables=(_table(curve),),
        notes=(_lesson(name, largest, layers),),
        displays=(_drawn(curve, where, largest),),
    )


def _drawn(curve: _Curve, where: float, largest: float) -> ActivationSlopes:
    z = np.linspace(-6.0, 6.0, 481)
    return ActivationSlopes(
        curve.op.name, z, apply(curve.op, Tensor(z), **curve.options).data, curve.slopes(z), where, largest
    )


def _slope_step(curve: _Curve, z: Step) -> Step:
    value = float(evaluate(curve.slope, {"z": z.value}))
    again = Witness("autograd", lambda: float(curve.slopes(np.array([z.value]))[0]))
    return Step(f"{curve.op.name}′(z)", value, curve.slope, (z,), rule="slope", why=f"of {text(curve.formula)}",
                part="The slope", witnesses=(again,))  # fmt: skip


def _largest(curve: _Curve) -> tuple[float, float]:
    """The place and the value of the largest slope: a plateau, a jump, or where the slope's own derivative is zero."""
    slope = curve.slope
    grid = np.concatenate([np.linspace(-_EDGE, _EDGE, 4001), [0.5, 1.0], _beside(curve.kinks)])
    values = np.array([float(evaluate(slope, {"z": float(x)})) for x in grid])
    best = float(values.max())
    plateau = grid[values >= best - 1e-12]
    if len(plateau) > 10:  # flat: ReLU's slope is 1 wherever it is on
        far = plateau[plateau >= 1]
        return float(far.min() if len(far) else np.median(plateau)), best
    steepest = float(grid[values.argmax()])
    if any(abs(steepest - kink) < 1e-9 for kink in curve.kinks):
        return steepest, best
    if abs(steepest) == _EDGE:  # still rising: twice as far out it is as steep as floats can tell
        return 2 * steepest, float(evaluate(slope, {"z": 2 * steepest}))
    where = _critical(slope, steepest)
    return where, float(evaluate(slope, {"z": where}))


def _beside(kinks: tuple[float, ...]) -> np.ndarray:
    """Where a slope that jumps is looked at: a trillionth to both sides."""
    return np.array([kink + side for kink in kinks for side in (-1e-12, 1e-12)])


def _critical(slope: Expr, near: float) -> float:
    """Where the slope's own derivative is zero, close to a point, to the last digit of float64."""
    import mpmath

    second = derivative(slope, "z")
    with mpmath.workdps(50):
        try:
            root = mpmath.findroot(lambda z: evaluate(second, {"z": z}, precise(50)), near)
        except ValueError:
            return near
    return float(root) if abs(root) > 1e-30 else 0.0


def _second(curve: _Curve) -> Expr:
    """The slope of the slope, simplified."""
    return tidy(derivative(tidy(curve.slope), "z"))


def _is_smooth(curve: _Curve, where: float) -> bool:
    """Whether the largest slope is a hill's top, not a plateau's edge, a jump, or a limit far out."""
    branches = {"where", "max", "min", "sign"} & set(curve.slope.calls())
    return not branches and not curve.kinks and abs(where) < _EDGE


def _stationary(curve: _Curve, z: Step) -> list[Step]:
    """The slope's own slope is zero where it is largest."""
    if not _is_smooth(curve, z.value):
        return []
    second = _second(curve)
    value, before, after = (float(evaluate(second, {"z": z.value + step})) for step in (0.0, -0.1, 0.1))
    if not before > 1e-6 > -1e-6 > after:  # a plateau that rises for ever has no top
        return []
    again = Witness("mpmath's numerical derivative of the slope", lambda: _by_differences(curve, z.value), atol=1e-14)
    return [Step(f"{curve.op.name}″(z)", value, second, (z,), rule="slope of the slope",
                 why="zero at the top: the slope rises no further", part="At most", witnesses=(again,))]  # fmt: skip


def _by_differences(curve: _Curve, at: float) -> float:
    return float(evaluate(Derivative(Name("z"), curve.slope), {"z": at}, precise(50)))


def _exact_place(curve: _Curve, where: float) -> str:
    """`, z = √2` where a small root is the place in fifty digits, and not only in floats."""
    if not _is_smooth(curve, where) or where == 0:
        return ""
    import mpmath

    square = Fraction(where * where).limit_denominator(12)
    with mpmath.workdps(50):
        root = mpmath.sqrt(mpmath.mpf(square.numerator) / square.denominator) * (1 if where > 0 else -1)
        if abs(evaluate(_second(curve), {"z": root}, precise(50))) > mpmath.mpf(10) ** -45:
            return ""
    return f", z = {'−' if where < 0 else ''}√{square if square.denominator == 1 else f'({square})'}"


def _scan(curve: _Curve) -> Witness:
    """The largest slope again: autograd on a fine grid."""
    grid = np.concatenate([np.linspace(-_EDGE, _EDGE, 400_001), _beside(curve.kinks)])
    return Witness("autograd at 400,001 points from −20 to 20", lambda: float(curve.slopes(grid).max()), rtol=1e-8)


def _why(curve: _Curve, where: float) -> str:
    if curve.op is OPS["relu"]:
        return "for every z > 0"
    if abs(where) > _EDGE:
        return f"approached as z {'grows' if where > 0 else 'falls'}"
    jump = next((kink for kink in curve.kinks if abs(where - kink) < 1e-9), None)
    return f"at z = {where:g}" if jump is None else f"at z = {jump:g}, where the slope jumps"


def _table(curve: _Curve) -> Table:
    name, formula, slope = curve.op.name, curve.formula, curve.slope
    rows = tuple(
        (z, float(evaluate(formula, {"z": z})), float(evaluate(slope, {"z": z}))) for z in sorted((*_INPUTS, 0.0))
    )
    return Table(f"{name} and its slope", ("z", f"{name}(z)", "slope"), rows, note=f"slope = {text(slope)}")


def _lesson(name: str, largest: float, layers: int) -> str:
    if largest < 1 - 1e-9:
        return (
            f"Every {name} passes on at most {largest:g} of a gradient, and less the further its input is from where "
            f"it is steepest: after {layers} layers at most {largest**layers:.1e} is left, whatever the weights add. "
            "This is why such networks learn slowly."
        )
    return (
        f"{name} passes on up to {largest:.4g} of a gradient: its slopes alone do not make gradients vanish; where it "
        "is flat, nothing gets through at all."
    )
