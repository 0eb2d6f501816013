"""Probabilities of the same logits at several temperatures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.explain.displays.canvas import Display
from openbook.sampling import softmax

__all__ = ["TemperatureBars"]

_SHADES = ("#16406f", "#2563a8", "#6fa3d8", "#b9d2ec")


@dataclass
class TemperatureBars(Display):
    """Bars for each token, one for each temperature."""

    logits: np.ndarray
    tokens: tuple[str, ...]
    temperatures: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0)

    alt = "Probability of each token at temperatures from cold to hot"

    def draw(self, ax: Any) -> None:
        places = np.arange(len(self.tokens))
        width = 0.8 / len(self.temperatures)
        for k, t in enumerate(self.temperatures):
            ax.bar(places + (k - (len(self.temperatures) - 1) / 2) * width, softmax(self.logits, t), width,
                   color=_SHADES[k % len(_SHADES)], label=f"T = {t:g}")  # fmt: skip
        ax.set_xticks(places, self.tokens)
        ax.set_xlabel("token")
        ax.set_ylabel("probability")
        ax.legend(frameon=False, fontsize=9)
