"""An activation and its slope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.explain.displays.canvas import ACCENT, CONTRAST, QUIET, Display

__all__ = ["ActivationSlopes"]


@dataclass
class ActivationSlopes(Display):
    """The curve (thin) and how steep it is (thick), its largest slope marked where it is within sight."""

    name: str
    z: np.ndarray
    values: np.ndarray
    slopes: np.ndarray
    steepest: float
    largest: float

    @property
    def alt(self) -> str:  # type: ignore[override]
        return f"{self.name} and its slope from {self.z[0]:g} to {self.z[-1]:g}; at most it is {self.largest:.4g} steep"

    def draw(self, ax: Any) -> None:
        ax.axhline(0, color=QUIET, linewidth=0.6)
        ax.plot(self.z, self.values, color=QUIET, linewidth=1.2, label=f"{self.name}(z)")
        ax.plot(self.z, self.slopes, color=ACCENT, linewidth=2, label="its slope")
        if self.z[0] <= self.steepest <= self.z[-1]:
            ax.plot([self.steepest], [self.largest], "o", color=CONTRAST, label=f"at most {self.largest:.4g}")
        low, high = float(np.min(self.slopes)), float(np.max(self.slopes))
        seen = self.values[(self.values > min(low, -0.1) - 0.5) & (self.values < max(high, 1.0) + 0.5)]
        ax.set_ylim(min(low, *seen) - 0.08, max(high, *seen) + 0.08)  # a curve that goes on for ever leaves the picture
        ax.set_xlabel("z")
        ax.legend(frameon=False, fontsize=9)
