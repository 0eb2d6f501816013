"""Part 2, and rows of linear models: one Newton step, iterations, and sums of contributions."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import ExplainError
from openbook.explain.dispatch import explains
from openbook.explain.displays.newton import NewtonConvergence, NewtonPath
from openbook.explain.rows.linear import explain_linear_row, explain_logistic_row
from openbook.expr import Name, parse
from openbook.linear import Iteration, LinearRegression, LogisticRegression, NewtonStep, newton_step
from openbook.record import Step, Table, Witness, Working, given

__all__ = ["explain_newton"]

START, DERIVATIVES, STEP, EQUAL, ANYWHERE = (
    "Where it starts",
    "Gradient and Hessian",
    "One Newton step",
    "The same as the normal equations",
    "From anywhere",
)


@explains(NewtonStep)
def explain_newton(step: NewtonStep, names: Any = None, seed: int = 0) -> Working:
    """Show J, its gradient and Hessian, the step, and that it lands on the least-squares solution from any start."""
    n = given("N", len(step.y), "rows", START)
    X, y = given("X", step.X, "rows of features", START), given("y", step.y, "targets", START)
    start = given("θ_0", step.start, "any start will do", START)
    penalised = bool(np.any(step.penalty))
    steps = [X, y, n, start, *_derivatives(step, X, y, n, start, penalised)]
    landed = steps[-2]
    steps += _normal_equations(step, X, y, landed, penalised)
    if not penalised:
        steps += _elsewhere(step, landed, seed)
    labels = list(names) if names is not None else [f"θ[{i}]" for i in range(len(step.theta))]
    order = np.argsort(-np.abs(step.theta))
    rows = tuple((labels[i], float(step.start[i]), float(step.gradient[i]), float(step.theta[i])) for i in order)
    return Working(
        title="Least squares by one Newton step",
        question="Where does one step land, and does it matter where it starts?",
        steps=tuple(steps),
        result=step.theta,
        tables=(Table("Coefficients", ("coefficient", "start", "gradient there", "after the step"), rows),),
        notes=_lesson(step),
        displays=(NewtonPath(step, labels),) if len(step.theta) >= 2 else (),
    )


def _derivatives(step: NewtonStep, X: Step, y: Step, n: Step, start: Step, penalised: bool) -> list[Step]:
    ridge = given("Λ", np.diag(step.penalty), "the penalty of each coefficient", DERIVATIVES)
    t = {"t": "θ_0", "P": "Λ"}
    loss = "norm(y - X @ t)**2/(2*N)" + (" + transpose(t) @ P @ t/2" if penalised else "")
    slope = "-(transpose(X) @ (y - X @ t))/N" + (" + P @ t" if penalised else "")
    curve = "transpose(X) @ X/N" + (" + P" if penalised else "")
    extra = (ridge,) if penalised else ()
    J = Step(
        "J", step.loss, parse(loss).rename(t), (y, X, start, n, *extra), rule="mean squared error, halved", part=START
    )
    gradient = Step(
        "∇J", step.gradient, parse(slope).rename(t), (X, y, start, n, *extra), rule="gradient", part=DERIVATIVES
    )
    hessian = Step("H", step.hessian, parse(curve).rename(t), (X, n, *extra), rule="Hessian",
                   why="constant: it does not depend on θ", part=DERIVATIVES)  # fmt: skip
    condition = Step("condition of H", step.condition, rule="largest over smallest eigenvalue", part=DERIVATIVES,
                     why=f"with columns of length one; solved by {step.method}",
                     witnesses=_condition_again(step))  # fmt: skip
    landed = Step("θ", step.theta, parse("t - inv(H) @ g").rename({"t": "θ_0", "g": "∇J"}), (start, hessian, gradient),
                  rule="θ₀ − H⁻¹∇J", part=STEP)  # fmt: skip
    singular = not step.method.startswith("Cholesky")
    if singular:
        landed = Step("θ", step.theta, rule="shortest step", why=step.method, part=STEP)
    after = Step("J after", step.loss_after, parse(loss).rename({"t": "θ", "P": "Λ"}), (y, X, landed, n, *extra),
                 rule="mean squared error, halved", part=STEP)  # fmt: skip
    given_ridge = [ridge] if penalised else []
    return [J, *given_ridge, gradient, hessian, condition, landed, after]


def _condition_again(step: NewtonStep) -> tuple[Witness, ...]:
    """The condition by singular values; where H is singular to within rounding, nothing can confirm it."""
    lengths = np.sqrt(np.diag(step.hessian))
    if not step.method.startswith("Cholesky"):
        return ()
    even = step.hessian / np.outer(lengths, lengths)
    return (
        Witness("singular values", lambda: float(np.linalg.cond(even)), rtol=min(1e-3, 1e-14 * step.condition + 1e-12)),
    )


def _normal_equations(step: NewtonStep, X: Step, y: Step, landed: Step, penalised: bool) -> list[Step]:
    if penalised or not step.method.startswith("Cholesky"):
        return []

    def lapack() -> np.ndarray:
        return np.linalg.lstsq(step.X, step.y, rcond=None)[0]

    tolerance = min(1e-3, 1e-13 * step.condition + 1e-10)
    witness = Witness("LAPACK's least squares", lapack, rtol=tolerance, atol=tolerance)
    formula = parse("inv(transpose(X) @ X) @ transpose(X) @ y")
    direct = Step("(XᵀX)⁻¹Xᵀy", step.theta, formula, (X, y), rule="normal equations", part=EQUAL, witnesses=(witness,))
    gap = Step("largest difference", float(np.max(np.abs(landed.value - direct.value), initial=0.0)),
               parse("max(abs(a - b))").rename({"a": "θ", "b": "(XᵀX)⁻¹Xᵀy"}), (landed, direct), rule="must be 0",
               why="θ₀ − (XᵀX)⁻¹(−Xᵀ(y − Xθ₀)) = (XᵀX)⁻¹Xᵀy: the start cancels", part=EQUAL)  # fmt: skip
    return [direct, gap]


def _elsewhere(step: NewtonStep, landed: Step, seed: int) -> list[Step]:
    far = np.random.default_rng(seed).normal(0, 10, len(step.theta))
    other = newton_step(step.X, step.y, far)
    start = given("θ_0′", far, "a random start, far away", ANYWHERE)
    there = Step("θ′", other.theta, rule="one Newton step from there", part=ANYWHERE,
                 witnesses=(Witness("the step from the first start", lambda: step.theta, rtol=1e-7, atol=1e-8),))  # fmt: skip
    gap = Step("distance", float(np.max(np.abs(other.theta - step.theta), initial=0.0)),
               parse("max(abs(a - b))").rename({"a": "θ′", "b": "θ"}), (there, landed), rule="must be 0",
               why="both starts land on one point", part=ANYWHERE)  # fmt: skip
    return [start, there, gap]


def _lesson(step: NewtonStep) -> tuple[str, ...]:
    size = len(step.theta)
    return (
        f"J is a quadratic, so its Hessian is the same everywhere and one step goes from J = {step.loss:.4g} straight to "
        f"the least there is, {step.loss_after:.4g}, whatever the start.",
        "A deep network's loss is no quadratic: its Hessian changes with the weights and has negative curvature in some "
        f"directions, where a Newton step climbs; and it needs n² numbers: {size}² = {size * size} here, 10¹² for a million "
        "weights.",
    )


@explains(LinearRegression)
def _explain_regression(model: LinearRegression, row: Any = None, names: Any = None) -> Working:
    """A row's prediction as a sum of contributions; without a row, the Newton step that fitted the model."""
    if not hasattr(model, "coef_"):
        raise ExplainError("this LinearRegression is not fitted", do="call fit(X, y) first")
    labels = names if names is not None else getattr(model, "feature_names_in_", None)
    if row is not None:
        return explain_linear_row(model, row, labels)
    if not hasattr(model, "newton_"):
        raise ExplainError("this LinearRegression comes from a file, which keeps no training rows",
                           do="explain a row, or fit it again to explain the fit")  # fmt: skip
    if labels is not None and model.fit_intercept:
        labels = [*labels, "intercept"]
    return explain_newton(model.newton_, labels)


@explains(LogisticRegression)
def _explain_logistic(model: LogisticRegression, row: Any = None, names: Any = None, of: Any = None) -> Working:
    """A row's probability (of class `of`) from its log-odds; without a row, the Newton iterations that fitted the model."""
    if not hasattr(model, "newton_"):
        raise ExplainError("this LogisticRegression is not fitted", do="call fit(X, y) first")
    if row is not None:
        return explain_logistic_row(model, row, names, of)
    rows = tuple((i, it.loss, it.gradient, it.condition, it.taken) for i, it in enumerate(model.newton_, 1))
    steps = [s for i in range(len(model.newton_)) for s in _iteration(model, i)]
    return Working(
        title="Logistic regression by Newton's method",
        question="How did the fit get there?",
        steps=tuple(steps),
        result={"iterations": len(model.newton_), "loss": model.loss_},
        displays=(NewtonConvergence([it.gradient for it in model.newton_]),),
        tables=(Table("Newton's steps", ("step", "loss", "largest gradient", "condition of H", "share taken"), rows),),
        notes=(
            "Log loss is convex but no quadratic: its Hessian XᵀDX/N, with D = p(1 − p) for each row, changes as the "
            f"probabilities do. So it takes {len(model.newton_)} steps here, not one. At each, the loss falls by about what a "
            "quadratic with this gradient and Hessian would fall by; the nearer the end, the nearer, and each step squares the error.",
        ),
    )  # fmt: skip


@explains(Iteration)
def _explain_iteration(here: Iteration) -> Working:
    """One Newton step by itself: from where, how large, and what it promised."""
    part = "One Newton step"
    before = given("J", here.loss, "the loss before it", part)
    slope = given("largest gradient entry", here.gradient, "before it", part)
    condition = given("condition of H", here.condition, "largest over smallest eigenvalue", part)
    taken = given("taken", here.taken, "the share of the step that was taken", part)
    decrement, promised = _promised(here, part)
    left = Step("J promised", here.loss - promised.value, Name("J") - Name(promised.name), (before, promised),
                rule="of a quadratic", why="had the loss this gradient and Hessian everywhere", part=part)  # fmt: skip
    steps = (before, slope, condition, taken, decrement, promised, left)
    return Working("A Newton step", steps, left.value, "What did this step promise?")


def _promised(here: Iteration, part: str) -> tuple[Step, Step]:
    """The decrement, and the fall of a quadratic with this gradient and Hessian."""
    decrement = given("λ²", here.decrement, "∇Jᵀ H⁻¹ ∇J", part)
    fall = parse("d/2").rename({"d": "λ²"})
    return decrement, Step("promised", here.decrement / 2, fall, (decrement,), rule="of a quadratic", part=part)


def _iteration(model: LogisticRegression, i: int) -> list[Step]:
    """One Newton step: what the quadratic promised, and what the loss did."""
    here, part = model.newton_[i], f"Step {i + 1}"
    after = model.newton_[i + 1].loss if i + 1 < len(model.newton_) else model.loss_
    before = given(f"J_{i}", here.loss, "all coefficients zero" if i == 0 else "", part)
    then = given(f"J_{i + 1}", after, "after the step", part)
    decrement, promised = _promised(here, part)
    fall = Step("fall", here.loss - after, Name(before.name) - Name(then.name), (before, then), rule="difference", part=part,
                why="" if here.taken == 1 else f"{here.taken:g} of the step was taken: the whole would have gone too far")  # fmt: skip
    return [before, then, decrement, promised, fall]
