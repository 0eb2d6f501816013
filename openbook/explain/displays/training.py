"""Loss curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.explain.displays.canvas import ACCENT, CONTRAST, Display

__all__ = ["LossCurves"]


@dataclass
class LossCurves(Display):
    """Training (thin) and validation (thick) loss of some networks by epoch; a dot where the weights were kept."""

    curves: Mapping[str, tuple[Sequence[float], Sequence[float], int]]

    alt = "Loss by epoch, on training and validation rows"

    def draw(self, ax: Any) -> None:
        for color, (name, (training, validation, best)) in zip((ACCENT, CONTRAST), self.curves.items(), strict=False):
            epochs = np.arange(1, len(training) + 1)
            ax.plot(epochs, training, color=color, linewidth=0.9, alpha=0.7, label=f"{name}, training")
            ax.plot(epochs, validation, color=color, linewidth=1.8, label=f"{name}, validation")
            ax.plot(best + 1, validation[best], "o", color=color, markersize=5)
        ax.set_xlabel("epoch")
        ax.set_ylabel("loss")
        ax.legend(frameon=False, fontsize=9)
