"""Plots of gradients: the V of central differences, and how gradients shrink through the layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.explain.displays.canvas import ACCENT, CONTRAST, QUIET, Display
from openbook.tensor import StepSweep

__all__ = ["LayerGradients", "StepSweepDisplay"]


@dataclass
class StepSweepDisplay(Display):
    """Error of the differences against step size, with the truncation and round-off branches."""

    sweep: StepSweep

    @property
    def alt(self) -> str:  # type: ignore[override]
        best = f", smallest near {self.sweep.best:.0e}" if self.sweep.best else ""
        return f"Error of central differences against the step size on logarithmic axes, a V{best}"

    def draw(self, ax: Any) -> None:
        sweep = self.sweep
        seen = np.maximum(sweep.errors, np.finfo(np.float64).tiny)
        shown = sweep.errors > 0
        ax.loglog(sweep.steps, sweep.roundoff, color=QUIET, linestyle="--", label="round-off  ε·|f|/h")
        if sweep.truncates:
            ax.loglog(sweep.steps, sweep.truncation, color=CONTRAST, linestyle=":", label="truncation  h²·|f‴|/6")
        ax.loglog(sweep.steps[shown], seen[shown], "o", color=ACCENT, markersize=4, label="measured error")
        if sweep.best is not None:
            ax.axvline(sweep.best, color=QUIET, linewidth=0.8)
            ax.annotate(f"best h ≈ {sweep.best:.1e}", (sweep.best, 0.98), xycoords=("data", "axes fraction"),
                        xytext=(4, 0), textcoords="offset points", va="top", fontsize=9)  # fmt: skip
        low = seen[shown].min() if shown.any() else 1e-16
        ax.set_ylim(low / 10, max(seen.max(), low) * 30)
        ax.set_xlabel("step size h")
        ax.set_ylabel("|differences − autograd|")
        ax.legend(frameon=False, fontsize=9)


@dataclass
class LayerGradients(Display):
    """Size of the gradient arriving at each layer."""

    layers: tuple[str, ...]
    sizes: tuple[float, ...]

    alt = "Size of the gradient at each layer, on a logarithmic axis"

    def draw(self, ax: Any) -> None:
        places = np.arange(len(self.layers))
        ax.semilogx(self.sizes, places, "o-", color=ACCENT, markersize=6, linewidth=1.2)
        ax.set_yticks(places, self.layers)
        ax.invert_yaxis()
        ax.margins(x=0.12)
        ax.set_xlabel("root mean square of dL/d(output of the layer)")
