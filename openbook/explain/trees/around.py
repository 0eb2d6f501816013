"""What stands around a tree's picture: what it is, the colours of its classes, an overview, and remarks."""

from __future__ import annotations

import numpy as np

from openbook.explain.displays.canvas import QUIET
from openbook.explain.trees.overview import overview
from openbook.explain.trees.scene import Scene
from openbook.explain.trees.style import BOLD, NAME, fitted, lettered, width_of, wrapped
from openbook.explain.trees.words import counted, short

__all__ = ["MARGIN", "heading", "remarks"]

MARGIN = 14.0
_WIDEST = 820.0  # pixels: longer lines are hard to read


def heading(scene: Scene, title: str, width: float) -> tuple[str, float]:
    """The title, what the row comes to, and the colours of the classes; and where the tree may begin."""
    room = min(width - 2 * MARGIN, _WIDEST)
    drawn, y = "", MARGIN
    for line in wrapped(title, room, 15 * BOLD):
        y += 18
        drawn += lettered(line, MARGIN, y, "title")
    for line in wrapped(scene.answer(), room, NAME):
        y += 18
        drawn += lettered(line, MARGIN, y, "name")
    legend, y = _legend(scene, room, y + 8)
    drawn += legend
    if not scene.outline.is_whole:
        whole, tall = overview(scene, room)
        drawn += f'<g class="overview" transform="translate({MARGIN:g} {y + 14:g})">{whole}</g>'
        y += tall + 20
    return drawn, y + 18


def _legend(scene: Scene, room: float, y: float) -> tuple[str, float]:
    if not scene.names.classes:
        (low, high), what = scene.span, "Targets" if scene.targets(0) is not None else f"{scene.names.centre.title()}s"
        told = f"{what} from {short(low)} to {short(high)}, on the same scale in every box."
        return lettered(told, MARGIN, y + 14, "quiet"), y + 16
    drawn, x, y = "", MARGIN, y + 14
    total = scene.tree.value[0]
    for name, colour, weight in zip(scene.names.classes, scene.colours, total, strict=True):
        told = fitted(f"{name} ({short(float(weight))})", room - 20)
        wide = 16 + width_of(told) + 14
        if x > MARGIN and x + wide > MARGIN + room:
            x, y = MARGIN, y + 19
        drawn += f'<rect fill="{colour}" x="{x:.1f}" y="{y - 10:.1f}" width="11" height="11" rx="2"/>'
        drawn += lettered(told, x + 16, y, "")
        x += wide
    return drawn, y + 4


def remarks(scene: Scene, width: float, y: float, fancy: bool) -> tuple[str, float]:
    """What one must know to read the picture, and what is not in it."""
    drawn = ""
    for remark in _notes(scene, fancy):
        for line in wrapped(remark, min(width - 2 * MARGIN, _WIDEST), 11):
            drawn += lettered(line, MARGIN, y, "quiet")
            y += 15
        y += 3
    return drawn, y


def _notes(scene: Scene, fancy: bool) -> list[str]:
    notes = []
    rows, outline = scene.rows, scene.outline
    if rows is None:
        notes.append("Only what the tree itself holds is drawn; pass X= and y= for the rows at every question.")
    elif not rows.trained:
        notes.append(f"Plotted are the {counted(len(rows.X))} given, which are not those the tree was grown on; "
                     "counts, fractions and means in words are of the latter.")  # fmt: skip
    if (weighed := _weighed(scene)) is not None:
        notes.append(weighed)
    if rows is not None and fancy and len(scene.tree) > 1:
        notes += _of_plots(scene)
    if len(scene.tree) > 1:
        notes.append("Ways are as wide as the share of the rows that take them.")
    if not outline.is_whole:
        notes.append(f"{len(outline.nodes)} of {len(scene.tree)} nodes are drawn; a dashed box stands for a branch left out "
                     "(max_depth= draws deeper). All of them are in the overview on top: a line for each level, each node as wide "
                     "as the rows in it, in the colour of its largest class.")  # fmt: skip
    if scene.names.classes and len(set(scene.colours)) < len(scene.colours):
        notes.append(f"The {scene.colours.count(QUIET)} rarest classes share one grey.")
    return notes


def _of_plots(scene: Scene) -> list[str]:
    """How to read the rows at the questions, about numbers and about categories."""
    asked = {int(scene.tree.feature[n]) for n in scene.outline.nodes if scene.outline.children(n)}
    numbers, categories = asked - scene.tree.orders.keys(), asked & scene.tree.orders.keys()
    lit, sides, notes = scene.row is not None, "a line for what either side says", []
    if numbers:
        shown = f"target against feature, {sides}" if scene.is_scattered else "rows by feature"
        where = "questions about numbers" if categories else "each question"
        notes.append(f"In {where}: {shown}; ▲ the threshold{', ▼ the row' if lit else ''}.")
    if categories:
        shown = f"targets by level, {sides}" if scene.is_scattered else "rows by level"
        notes.append(f"In questions about categories: {shown}, in the tree's order; levels above the dashed line go left"
                     f"{', the row has the one in colour' if lit else ''}.")  # fmt: skip
    return notes


def _weighed(scene: Scene) -> str | None:
    """What the numbers of a leaf are, where they are not simply rows."""
    weight, rows = scene.tree.weight, scene.tree.samples
    if np.array_equal(weight, rows):
        return None
    if scene.named.drawn is None or not np.array_equal(weight, np.round(weight)):
        return "Bars, fractions and means are by weight" + (", as beside the classes." if scene.names.classes else ".")
    return (
        f"Grown on a bootstrap sample: {short(float(weight[0]))} draws that came upon {counted(int(rows[0]))}, each counted "
        "as often as it was drawn."
    )
