"""Part 2 on a deep network: why one Newton step does not do what it does for least squares."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from openbook.errors import ExplainError
from openbook.explain.displays.newton import Spectrum
from openbook.expr import number_text, parse
from openbook.nn import Module
from openbook.nn.functional_call import functional_call
from openbook.record import Step, Table, Witness, Working, given
from openbook.tensor import Tensor, as_tensor, grad, hvp

__all__ = ["explain_curvature"]

SIZE, BENDS, NEWTON, MOVES = "How large the Hessian is", "How the loss bends", "A Newton step", "The Hessian elsewhere"
_WRITTEN_OUT = 400  # parameters: of more only the two ends of the spectrum are found, and no step is solved for
_NEARLY_FLAT = 1e-9  # of the largest eigenvalue: what rounding leaves of zero
_STEP = 1e-5


def explain_curvature(model: Module, inputs: Any, targets: Any, loss: Callable[[Any, Any], Tensor]) -> Working:
    """Show the Hessian of the loss by all parameters: its size, the signs of its eigenvalues, and where a Newton step lands.

    In float64, on a copy in evaluation mode. Up to 400 parameters the whole Hessian; beyond them its largest and least
    eigenvalue, by Hessian-vector products alone (Lanczos 1950). Raises ExplainError where the loss has no finite value.
    """
    surface = _Surface.of(model, inputs, targets, loss)
    if not np.isfinite(surface.value(surface.start)):
        raise ExplainError("the loss is no finite number here", do="ask ob.diagnose where NaN or ∞ is born")
    whole = surface.size <= _WRITTEN_OUT
    steps = [*_size(surface), *(_spectrum(surface) if whole else _ends(surface))]
    ends = {name: next(s.value for s in steps if s.name == name) for name in ("λ_min", "λ_max")}
    if whole:
        steps += [*_newton(surface, steps), *_elsewhere(surface)]
    return Working(
        title=f"The curvature of {type(model).__name__}'s loss",
        question="Why does one Newton step not train this network?",
        steps=tuple(steps), result=ends, notes=_notes(surface, steps),
        tables=(_by_sign(surface),) if whole else (), displays=(Spectrum(surface.eigen[0]),) if whole else (),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Surface:
    """The loss as a function of all parameters in one vector."""

    net: Module
    x: Tensor
    y: Tensor
    loss: Callable[[Any, Any], Tensor]
    shapes: dict[str, tuple[int, ...]]
    start: np.ndarray

    @classmethod
    def of(cls, model: Module, inputs: Any, targets: Any, loss: Callable[[Any, Any], Tensor]) -> _Surface:
        net = copy.deepcopy(model).double().eval()
        parameters = dict(net.named_parameters())
        if not parameters or targets is None:
            raise ExplainError(
                "curvature is a loss's, by parameters", do="pass inputs, targets and a net with parameters"
            )
        start = np.concatenate([p.data.ravel() for p in parameters.values()])
        return cls(net, _double(inputs), _double(targets), loss, {n: p.shape for n, p in parameters.items()}, start)

    @property
    def size(self) -> int:
        return len(self.start)

    def __call__(self, theta: Any) -> Any:
        parts, at = {}, 0
        for name, shape in self.shapes.items():
            count = int(np.prod(shape))
            parts[name] = theta[at : at + count].reshape(shape)
            at += count
        return self.loss(functional_call(self.net, parts, (self.x,)), self.y)

    def value(self, theta: np.ndarray) -> float:
        return float(self(Tensor(theta)).item())

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        return grad(self)(Tensor(theta)).data

    def times(self, v: np.ndarray, theta: np.ndarray | None = None) -> np.ndarray:
        """H v."""
        at = self.start if theta is None else theta
        return hvp(self, Tensor(at), Tensor(np.ascontiguousarray(v, dtype=np.float64))).data

    def hessian(self, theta: np.ndarray) -> np.ndarray:
        H = np.stack([self.times(unit, theta) for unit in np.eye(self.size)])
        return (H + H.T) / 2

    @cached_property
    def matrix(self) -> np.ndarray:
        return self.hessian(self.start)

    @cached_property
    def eigen(self) -> tuple[np.ndarray, np.ndarray]:
        return np.linalg.eigh(self.matrix)

    @cached_property
    def newton(self) -> np.ndarray:
        """θ − H⁺g: along directions that are flat to rounding nothing moves."""
        values, vectors = self.eigen
        bent = np.abs(values) > _NEARLY_FLAT * np.abs(values).max()
        along = vectors.T @ self.gradient(self.start)
        return self.start - vectors @ np.where(bent, along / np.where(bent, values, 1.0), 0.0)


def _double(value: Any) -> Tensor:
    data = as_tensor(value).data
    return Tensor(data.astype(np.float64) if data.dtype.kind == "f" else data)


def _size(surface: _Surface) -> list[Step]:
    n = given("n", surface.size, "parameters", SIZE)
    entries = Step("entries", surface.size**2, parse("n^2"), (n,), rule="a row and a column for each", part=SIZE)
    room = Step("bytes", 8 * surface.size**2, parse("8*m").rename({"m": "entries"}), (entries,), rule="float64",
                why=_readable(8 * surface.size**2), part=SIZE)  # fmt: skip
    return [n, entries, room]


def _readable(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if count < 1024 or unit == "PiB":
            return f"{count:.3g} {unit}"
        count /= 1024
    raise AssertionError("a PiB is the last")


def _bend(surface: _Surface, v: np.ndarray) -> float:
    """vᵀHv, from gradients on both sides."""
    ahead, behind = (surface.gradient(surface.start + side * _STEP * v) for side in (1, -1))
    return float(v @ (ahead - behind) / (2 * _STEP))


def _eigenvalue(surface: _Surface, name: str, value: float, v: np.ndarray, why: str, scale: float) -> Step:
    again = Witness("central differences of the gradient along its eigenvector", partial(_bend, surface, v),
                    rtol=1e-5, atol=1e-7 * scale)  # fmt: skip
    return Step(name, value, rule="eigenvalue of H", why=why, part=BENDS, witnesses=(again,))


def _spectrum(surface: _Surface) -> list[Step]:
    values, vectors = surface.eigen
    scale = float(np.abs(values).max())
    least = _eigenvalue(surface, "λ_min", float(values[0]), vectors[:, 0], "the least", scale)
    most = _eigenvalue(surface, "λ_max", float(values[-1]), vectors[:, -1], "the largest", scale)
    below = int(np.sum(values < -_NEARLY_FLAT * scale))
    counted = Witness("Sylvester's law of inertia, from an LDLᵀ factorisation", partial(_inertia, surface, scale))
    negative = Step("negative", below, rule="count", why=f"of {len(values)} directions in which the loss bends down", part=BENDS,
                    witnesses=(counted,))  # fmt: skip
    return [least, most, negative]


def _inertia(surface: _Surface, scale: float) -> int:
    """How many eigenvalues of H lie below a hair under zero: as many as D has negative ones (Sylvester 1852)."""
    from scipy.linalg import ldl

    _, d, _ = ldl(surface.matrix + _NEARLY_FLAT * scale * np.eye(surface.size))
    return int(np.sum(np.linalg.eigvalsh(d) < 0))


def _ends(surface: _Surface) -> list[Step]:
    """The two ends of the spectrum of a Hessian nobody could write down."""
    from scipy.sparse.linalg import LinearOperator, eigsh

    product = LinearOperator((surface.size, surface.size), matvec=surface.times, dtype=np.float64)
    first = np.random.default_rng(0).normal(size=surface.size)
    found = {}
    for name, which in (("λ_max", "LA"), ("λ_min", "SA")):
        values, vectors = eigsh(product, k=1, which=which, v0=first, tol=1e-6)
        found[name] = float(values[0]), vectors[:, 0]
    scale = max(abs(value) for value, _ in found.values())
    words = {"λ_min": "the least, by Hessian-vector products", "λ_max": "the largest, by Hessian-vector products"}
    return [_eigenvalue(surface, name, *found[name], words[name], scale) for name in ("λ_min", "λ_max")]


def _newton(surface: _Surface, before: list[Step]) -> list[Step]:
    """Where θ − H⁻¹g lands, what the quadratic it trusts had promised, and the nearest step that must go down."""
    g, landed = surface.gradient(surface.start), surface.newton
    start = given("L", surface.value(surface.start), "the loss here", NEWTON)
    gradient = given("g", g, "its gradient", NEWTON)
    step = Step("Δ", landed - surface.start, rule="−H⁻¹g", part=NEWTON, why="to where the quadratic with this g and H is flat",
                witnesses=(_solved(surface, g),))  # fmt: skip
    slope = Step("gᵀΔ", float(g @ step.value), parse("sum(a*b)").rename({"a": "g", "b": "Δ"}), (gradient, step), part=NEWTON,
                 rule="slope along the step", why="negative: downhill at first" if g @ step.value < 0 else "positive: uphill")  # fmt: skip
    promised = Step("promised", start.value + slope.value / 2, parse("a + b/2").rename({"a": "L", "b": slope.name}), (start, slope),
                    rule="the quadratic's value there", why="½gᵀΔ away: ΔᵀHΔ = −gᵀΔ", part=NEWTON)  # fmt: skip
    after = Step("L after", surface.value(landed), rule="the loss there", part=NEWTON,
                 why="higher than before" if surface.value(landed) > start.value else "lower than before",
                 witnesses=(_by_network(surface, landed),))  # fmt: skip
    least = next(s for s in before if s.name == "λ_min")
    return [start, gradient, step, slope, promised, after, *_damped(surface, g, least, start)]


def _solved(surface: _Surface, g: np.ndarray) -> Witness:
    """LAPACK's least squares cuts at the same place, without eigenvectors."""
    return Witness("LAPACK's least squares on H Δ = −g",
                   lambda: np.linalg.lstsq(surface.matrix, -g, rcond=_NEARLY_FLAT)[0],
                   rtol=1e-5, atol=1e-6 * float(np.abs(surface.newton - surface.start).max()))  # fmt: skip


def _by_network(surface: _Surface, theta: np.ndarray) -> Witness:
    return Witness("the network itself, with these parameters", partial(_again, surface, theta), rtol=1e-9)


def _again(surface: _Surface, theta: np.ndarray) -> float:
    net, at = copy.deepcopy(surface.net), 0
    for parameter in net.parameters():
        parameter.data[...] = theta[at : at + parameter.data.size].reshape(parameter.shape)
        at += parameter.data.size
    return float(surface.loss(net(surface.x), surface.y).item())


def _damped(surface: _Surface, g: np.ndarray, least: Step, start: Step) -> list[Step]:
    """With μ above −λ_min the matrix H + μI bends up everywhere, and its step goes down if it is short enough."""
    lift = max(0.0, -2 * least.value) + 1e-3 * float(np.abs(surface.eigen[0]).max())
    mu = given("μ", lift, "added to every eigenvalue: more than −λ_min", NEWTON)
    step = -np.linalg.solve(surface.matrix + lift * np.eye(surface.size), g)
    while surface.value(surface.start + step) > start.value and np.abs(step).max() > 1e-12:
        step = step / 2
    landed = surface.start + step
    why = "damping (Levenberg 1944): every direction goes down; halved where it went too far"
    damped = Step(
        "L damped",
        surface.value(landed),
        rule="the loss after −(H + μI)⁻¹g",
        part=NEWTON,
        why=why,
        witnesses=(_by_network(surface, landed),),
    )
    return [mu, damped]


def _elsewhere(surface: _Surface) -> list[Step]:
    """One gradient step away the Hessian is another."""
    rate = 1 / max(float(np.abs(surface.eigen[0]).max()), 1e-12)
    there = surface.start - rate * surface.gradient(surface.start)
    change = surface.hessian(there) - surface.matrix
    a, b = (given(name, float(np.linalg.norm(m)), why, MOVES) for name, m, why in (
        ("‖H′ − H‖", change, "between here and one gradient step of length 1/λ away"), ("‖H‖", surface.matrix, "here")))  # fmt: skip
    formula = parse("a/b").rename({"a": a.name, "b": b.name})
    return [a, b, Step("changed", a.value / b.value, formula, (a, b), rule="share of the Hessian", part=MOVES,
                       why="0 for least squares, whose Hessian is XᵀX/N everywhere")]  # fmt: skip


def _by_sign(surface: _Surface) -> Table:
    """What a Newton step does along the eigenvectors, by the sign of the curvature."""
    values, vectors = surface.eigen
    along = vectors.T @ surface.gradient(surface.start)
    flat = np.abs(values) <= _NEARLY_FLAT * np.abs(values).max()
    rows = []
    for name, chosen, does in (("bends up", (values > 0) & ~flat, "goes down, to the valley's floor"),
                               ("bends down", (values < 0) & ~flat, "climbs, to the ridge"), ("flat", flat, "does not move")):  # fmt: skip
        share = np.sum(along[chosen] ** 2) / max(np.sum(along**2), 1e-300)
        rows.append((name, int(chosen.sum()), float(share), does if chosen.any() else ""))
    return Table(
        "The directions, by their curvature", ("the loss", "directions", "share of ‖g‖²", "a Newton step"), tuple(rows)
    )


def _notes(surface: _Surface, steps: list[Step]) -> tuple[str, ...]:
    least = next(s.value for s in steps if s.name == "λ_min")
    size = f"The Hessian has n² = {surface.size:,}² entries ({_readable(8 * surface.size**2)}); solving with it takes n³/3 multiplications."
    if least >= 0:
        return (size, "Here it bends down nowhere; that holds at this point only.")
    return (size, f"Its least eigenvalue is {number_text(least)}: in that direction the loss bends down, and a step to where the "
            "slope is zero climbs. Gradient steps and damped steps do not.")  # fmt: skip
