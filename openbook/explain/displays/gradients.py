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
    """Error of the differences against step size, with the truncation and round-off branches.

    `wrong`: the gradient was found wrong, and the floor at which the errors level off is its own error.
    """

    sweep: StepSweep
    wrong: bool = False

    size = (6.4, 3.9)

    @property
    def alt(self) -> str:  # type: ignore[override]
        if self.wrong:
            return (
                "Error of central differences against the step size on logarithmic axes: a floor, where a V should be"
            )
        best = f", smallest near {self.sweep.best:.0e}" if self.sweep.best else ""
        return f"Error of central differences against the step size on logarithmic axes, a V{best}"

    def draw(self, ax: Any) -> None:
        sweep = self.sweep
        shown = sweep.errors > 0
        ax.loglog(sweep.steps[shown], sweep.errors[shown], "o", color=ACCENT, markersize=4, label="measured error")
        self._branches(ax)
        if not shown.any():
            ax.annotate("no error at any step", (0.5, 0.5), xycoords="axes fraction", ha="center", color=QUIET)
        elif self.wrong:
            self._floor(ax)
        if sweep.best is not None and not self.wrong:
            self._best(ax, sweep.best)
        self._limits(ax, sweep.errors[shown])
        ax.set_xlabel("step size h")
        ax.set_ylabel("|differences − autograd|")
        ax.legend(frameon=False, fontsize=9, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, handlelength=1.6,
                  columnspacing=1.2)  # fmt: skip

    def _branches(self, ax: Any) -> None:
        sweep = self.sweep
        cause = "noise of f / h" if sweep.noisy else "round-off  ε·|f|/h"
        ax.loglog(sweep.steps, sweep.roundoff, color=QUIET, linestyle="--", label=cause)
        if sweep.truncates:
            ax.loglog(sweep.steps, sweep.truncation, color=CONTRAST, linestyle=":", label="truncation  h²·|f‴|/6")
        elif not self.wrong:
            ax.annotate("no truncation branch:\nstraight or quadratic here", (0.98, 0.97), xycoords="axes fraction",
                        ha="right", va="top", fontsize=9, color=CONTRAST)  # fmt: skip

    def _floor(self, ax: Any) -> None:
        level = float(np.median(self.sweep.errors))
        ax.axhline(level, color=CONTRAST, linewidth=0.8)
        ax.annotate(f"a floor at {level:.1e}: the gradient's own error", (0.5, level), fontsize=9, color=CONTRAST,
                    xycoords=("axes fraction", "data"), xytext=(0, 6), textcoords="offset points", ha="center")  # fmt: skip

    def _best(self, ax: Any, best: float) -> None:
        steps = np.log(self.sweep.steps)
        right = (np.log(best) - steps.min()) / (steps.max() - steps.min()) > 0.6
        ax.axvline(best, color=QUIET, linewidth=0.8)
        ax.annotate(f"predicted best h ≈ {best:.1e}", (best, 0.98), xycoords=("data", "axes fraction"), va="top",
                    xytext=(-4 if right else 4, 0), textcoords="offset points", ha="right" if right else "left",
                    fontsize=9)  # fmt: skip

    def _limits(self, ax: Any, errors: np.ndarray) -> None:
        low, high = (float(errors.min()), float(errors.max())) if len(errors) else (1e-18, 1e-14)
        if self.wrong:  # show the V that should be there
            low = min(low, float((self.sweep.roundoff + self.sweep.truncation).min()))
        ax.set_ylim(max(low, 1e-20) / 10, max(high, low * 1e3) * 30)
        ax.set_xlim(self.sweep.steps.min() / 2, self.sweep.steps.max() * 2)


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
