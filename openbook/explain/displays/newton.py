"""The loss around the solution, with the Newton step on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.explain.displays.canvas import ACCENT, CONTRAST, QUIET, Display
from openbook.linear import NewtonStep

__all__ = ["NewtonConvergence", "NewtonPath", "Spectrum"]


@dataclass
class NewtonPath(Display):
    """Contours of J over the two coefficients that move most, the others at the solution; start and landing point."""

    step: NewtonStep
    names: Sequence[str] = ()

    alt = "Contours of the loss over two coefficients, with one Newton step from the start to the minimum"

    def draw(self, ax: Any) -> None:
        moved = np.abs(self.step.theta - self.step.start)
        a, b = (int(i) for i in np.argsort(-moved)[:2])
        start, end = self.step.start[[a, b]], self.step.theta[[a, b]]
        room = 0.6 * np.maximum(np.abs(end - start), 0.3 * max(np.abs(end - start).max(), 1e-6))
        low, high = np.minimum(start, end) - room, np.maximum(start, end) + room
        u, v = np.meshgrid(np.linspace(low[0], high[0], 80), np.linspace(low[1], high[1], 80))
        H = self.step.hessian[np.ix_([a, b], [a, b])]
        du, dv = u - end[0], v - end[1]
        J = self.step.loss_after + 0.5 * (H[0, 0] * du**2 + 2 * H[0, 1] * du * dv + H[1, 1] * dv**2)
        ax.contour(u, v, J, levels=12, colors=QUIET, linewidths=0.7)
        ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": CONTRAST, "linewidth": 1.8})
        ax.plot(*start, "o", color=CONTRAST, label="start")
        ax.plot(*end, "o", color=ACCENT, label="after one step")
        ax.set_xlabel(self.names[a] if self.names else f"θ[{a}]")
        ax.set_ylabel(self.names[b] if self.names else f"θ[{b}]")
        ax.legend(frameon=False, fontsize=9)


@dataclass
class NewtonConvergence(Display):
    """Newton's iterations on a logarithmic axis: near the end the number of right digits doubles with every step."""

    gradients: Sequence[float]

    alt = "The largest entry of the gradient before each Newton step, on a logarithmic axis, falling ever faster"
    size = (5.6, 2.6)

    def draw(self, ax: Any) -> None:
        ax.semilogy(np.arange(len(self.gradients)), self.gradients, "o-", color=ACCENT, markersize=5, linewidth=1.4)
        ax.set_xlabel("Newton step")
        ax.set_ylabel("largest gradient entry")
        ax.xaxis.get_major_locator().set_params(integer=True)


@dataclass
class Spectrum(Display):
    """The eigenvalues of a Hessian in order: above zero the loss bends up, below it down."""

    eigenvalues: np.ndarray

    size = (5.6, 3.0)

    @property
    def alt(self) -> str:  # type: ignore[override]
        return f"{len(self.eigenvalues)} eigenvalues in order, from {self.eigenvalues.min():.3g} to {self.eigenvalues.max():.3g}"

    def draw(self, ax: Any) -> None:
        values = np.sort(self.eigenvalues)
        colors = np.where(values < 0, CONTRAST, ACCENT)
        ax.vlines(np.arange(len(values)), 0, values, colors=colors, linewidth=1.2)
        ax.scatter(np.arange(len(values)), values, c=colors, s=10)
        ax.axhline(0, color=QUIET, linewidth=0.8)
        decade = np.floor(np.log10(max(np.abs(values).max(), 1e-12)))
        ax.set_yscale("symlog", linthresh=10 ** (decade - 2))  # a power of ten, so that no tick crowds the zero
        ax.margins(y=0.08)
        ax.set_xlabel("direction")
        ax.set_ylabel("eigenvalue of H")
