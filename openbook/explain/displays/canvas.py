"""What all Displays share: an axis to draw on, and the colours of the house."""

from __future__ import annotations

from typing import Any

from openbook.record.draw.figure import figure_svg

__all__ = ["ACCENT", "CLASSES", "CONTRAST", "QUIET", "Display"]

ACCENT, CONTRAST, QUIET = "#2563a8", "#c2410c", "#8a8f98"
# One for each class, told apart by the colour-blind, on light and dark: Petroff, Accessible Color Sequences (2021).
CLASSES = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip


class Display:
    """A plot: `draw(ax)` says what is in it; `plot(ax=None)` keeps `ax_` and `figure_`, and never shows anything."""

    size: tuple[float, float] = (5.6, 3.3)
    alt: str = ""  # what a screen reader says

    def plot(self, ax: Any = None) -> Display:
        """Draw on `ax`, or on a new figure."""
        if ax is None:
            from matplotlib.figure import Figure

            figure = Figure(figsize=self.size, layout="constrained")
            ax = figure.add_subplot()
        self.draw(ax)
        ax.spines[["top", "right"]].set_visible(False)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _repr_svg_(self) -> str:
        """For notebooks."""
        return figure_svg(self)

    def draw(self, ax: Any) -> None:
        raise TypeError("a Display says what it draws in `draw`")
