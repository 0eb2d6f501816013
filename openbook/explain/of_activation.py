"""Part 6: an activation's slope: where it is largest, exactly, and what it typically is."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.explain.dispatch import explains
from openbook.explain.proof import slope_steps
from openbook.expr import Expr, Number, derivative, evaluate, parse, text
from openbook.nn.activations import Activation
from openbook.ops import OPS, Op
from openbook.record import Step, Table, Witness, Working, given
from openbook.tensor import Tensor, grad

__all__ = ["explain_activation"]

_INPUTS = (-5.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 5.0)


@explains(Activation)
def explain_activation(activation: Activation, layers: int = 10) -> Working:
    """Show the slope of an activation, its largest value and where, and what `layers` of them in a row leave of it."""
    op: Any = type(activation).op
    slope = derivative(op.expression(), op.arguments[0]) if not op.slope else parse(op.slope)
    slope = slope.rename({op.arguments[0]: "z"})
    where, largest, exact = _largest(op, slope)
    z = given("z", where, "where the slope is largest", "The slope")
    proof = slope_steps(op.name, z, "The slope") or [_slope_step(op, slope, z)]
    top = Step("largest slope", largest, Number(exact), (), rule="maximum",
               why=_why(op, where), part="At most", witnesses=(_scan(op),))  # fmt: skip
    count = given("layers", layers, "that many in a row", "Through depth")
    left = Step("at most left", largest**layers, parse("s**n").rename({"s": "largest slope", "n": "layers"}), (top, count),
                rule="one factor a layer", why="of a gradient, by the activations alone", part="Through depth")  # fmt: skip
    return Working(
        title=f"How steep {op.name} is",
        question="What is the largest slope, and what is it typically?",
        steps=(z, *proof, top, count, left),
        result={"largest slope": largest, "at": where, f"after {layers} layers at most": left.value},
        tables=(_table(op, slope),),
        notes=(_lesson(op, largest, layers),),
    )


def _slope_step(op: type[Op], slope: Expr, z: Step) -> Step:
    value = float(evaluate(slope, {"z": z.value}))
    return Step(f"{op.name}′(z)", value, slope, (z,), rule="slope", why=f"from {op.name}(x) = {op.formula}",
                part="The slope", witnesses=(Witness("autograd", lambda: _autograd(op, z.value)),))  # fmt: skip


def _autograd(op: type[Op], at: float) -> float:
    from openbook.ops import apply

    return float(grad(lambda t: apply(op, t))(np.asarray(at)))


def _largest(op: type[Op], slope: Expr) -> tuple[float, float, Any]:
    """The place and the value of the largest slope: exact by SymPy where it can, else the plateau's value."""
    grid = np.concatenate([np.linspace(-20, 20, 4001), [0.5, 1.0]])
    values = np.array([float(evaluate(slope, {"z": float(x)})) for x in grid])
    best = values.max()
    plateau = grid[values >= best - 1e-12]
    if len(plateau) > 10:  # flat: ReLU's slope is 1 wherever it is on
        positive = plateau[plateau > 0]
        return float(positive[positive >= 1].min() if len(positive) else plateau[0]), float(best), float(best)
    where = _critical(slope, float(grid[values.argmax()]))
    value = float(evaluate(slope, {"z": where}))
    return where, value, value


def _critical(slope: Expr, near: float) -> float:
    """Where the slope's own derivative is zero, close to a point, to the last digit of float64."""
    import mpmath

    from openbook.expr import precise

    second = derivative(slope, "z")
    with mpmath.workdps(50):
        try:
            root = mpmath.findroot(lambda z: evaluate(second, {"z": z}, precise(50)), near)
        except ValueError:
            return near
    return float(root) if abs(root) > 1e-30 else 0.0


def _scan(op: type[Op]) -> Witness:
    """The largest slope again: autograd on a fine grid."""

    def compute() -> float:
        from openbook.ops import apply

        grid = Tensor(np.linspace(-20, 20, 400_001), requires_grad=True)
        apply(op, grid).sum().backward()
        assert grid.grad is not None
        return float(grid.grad.data.max())

    return Witness("autograd at 400,001 points from −20 to 20", compute, rtol=1e-8)


def _why(op: type[Op], where: float) -> str:
    if op is OPS["relu"]:
        return "for every z > 0"
    return f"at z = {where:g}"


def _table(op: type[Op], slope: Expr) -> Table:
    formula = op.expression().rename({op.arguments[0]: "z"})
    rows = tuple(
        (z, float(evaluate(formula, {"z": z})), float(evaluate(slope, {"z": z}))) for z in sorted((*_INPUTS, 0.0))
    )
    return Table(f"{op.name} and its slope", ("z", f"{op.name}(z)", "slope"), rows, note=f"slope = {text(slope)}")


def _lesson(op: type[Op], largest: float, layers: int) -> str:
    if largest < 1 - 1e-9:
        return (
            f"Every {op.name} passes on at most {largest:g} of a gradient, and less the further its input is from where "
            f"it is steepest: after {layers} layers at most {largest**layers:.1e} is left, whatever the weights add. "
            "This is why such networks learn slowly."
        )
    return (
        f"{op.name} passes on up to {largest:.4g} of a gradient: its slopes alone do not make gradients vanish; where it "
        "is flat, nothing gets through at all."
    )
