"""A tree as SVG: boxes, ways between them as wide as the rows that take them, colours explained above, remarks below."""

from __future__ import annotations

from collections.abc import Mapping

from openbook.explain.displays.canvas import QUIET
from openbook.explain.trees.cards import Card, card
from openbook.explain.trees.layout import placed
from openbook.explain.trees.overview import overview
from openbook.explain.trees.scene import Scene
from openbook.explain.trees.style import BOLD, NAME, fitted, lettered, said, style, width_of, wrapped
from openbook.explain.trees.words import counted, short

__all__ = ["draw"]

_MARGIN, _NARROWEST, _WIDEST_TEXT = 14.0, 400.0, 820.0
_BAND = {"down": 46.0, "right": 104.0}
_WIDEST_WAY = 11.0
Corner = tuple[float, float]


def draw(scene: Scene, title: str, orientation: str, fancy: bool) -> str:
    """One `<svg>` element, complete in itself."""
    cards = {node: card(scene, node, fancy) for node in scene.outline.nodes}
    corners, width, height = _corners(scene, cards, orientation)
    width = max(width + 2 * _MARGIN, _NARROWEST)
    above, top = _heading(scene, title, width)
    shift = {node: (x + _MARGIN, y + top) for node, (x, y) in corners.items()}
    ways = [way for node in scene.outline.nodes for way in _ways(scene, node, cards, shift, orientation)]
    ways.sort(key=lambda way: way[0])  # the lit ones last, above the others
    boxes = "".join(_box(scene, node, cards[node], *shift[node]) for node in scene.outline.nodes)
    labels = "".join(_side(scene, node, cards, shift, orientation) for node in scene.outline.nodes)
    below, bottom = _remarks(scene, width, top + height + 26, fancy)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ob-tree" role="img" width="{width:.0f}" height="{bottom:.0f}" '
        f'viewBox="0 0 {width:.0f} {bottom:.0f}"><title>{said(title)}</title><desc>{said(_described(scene))}</desc>'
        f"{style()}{above}{''.join(drawn for _, drawn in ways)}{labels}{boxes}{below}</svg>"
    )


def _corners(scene: Scene, cards: Mapping[int, Card], orientation: str) -> tuple[dict[int, Corner], float, float]:
    """The upper left corner of every box, and the size of the whole."""
    outline, down = scene.outline, orientation == "down"
    sizes = {n: (c.width, c.height) if down else (c.height, c.width) for n, c in cards.items()}
    places = placed(outline.nodes, outline.children, lambda n: int(outline.level[n]), sizes, _BAND[orientation])
    across = {n: places.middle[n] - sizes[n][0] / 2 for n in outline.nodes}
    if down:
        return {n: (across[n], places.start[n]) for n in outline.nodes}, places.across, places.along
    return {n: (places.start[n], across[n]) for n in outline.nodes}, places.along, places.across


# --- boxes and ways --------------------------------------------------------------------------------------------


def _box(scene: Scene, node: int, box: Card, x: float, y: float) -> str:
    lit = " lit" if node in scene.outline.path else ""
    return (
        f'<g class="{box.kind}{lit}" data-node="{node}" transform="translate({x:.1f} {y:.1f})">'
        f"<title>{said(scene.told(node))}</title>"
        f'<rect class="card" width="{box.width:.1f}" height="{box.height:.1f}" rx="7"/>{box.inside}</g>'
    )


def _ends(
    node: int, child: int, left: bool, cards: Mapping[int, Card], corners: Mapping[int, Corner], orientation: str
) -> tuple[Corner, Corner]:
    """Where a way leaves its question, and where it arrives."""
    (x, y), (u, v) = corners[node], corners[child]
    share = 0.3 if left else 0.7
    if orientation == "down":
        return (x + cards[node].width * share, y + cards[node].height), (u + cards[child].width / 2, v)
    return (x + cards[node].width, y + cards[node].height * share), (u, v + cards[child].height / 2)


def _ways(
    scene: Scene, node: int, cards: Mapping[int, Card], corners: Mapping[int, Corner], orientation: str
) -> list[tuple[bool, str]]:
    """The two ways out of a node, each with whether it is lit."""
    found = []
    for left, child in zip((True, False), scene.outline.children(node) or (), strict=False):
        (x, y), (u, v) = _ends(node, child, left, cards, corners, orientation)
        bend = f"{x:.1f} {(y + v) / 2:.1f} {u:.1f} {(y + v) / 2:.1f}" if orientation == "down" else (
            f"{(x + u) / 2:.1f} {y:.1f} {(x + u) / 2:.1f} {v:.1f}")  # fmt: skip
        lit = child in scene.outline.path
        wide = max(1.0, _WIDEST_WAY * float(scene.tree.weight[child] / scene.tree.weight[0]))
        kind = "edge lit" if lit else "edge"
        found.append(
            (lit, f'<path class="{kind}" stroke-width="{wide:.2f}" d="M{x:.1f} {y:.1f}C{bend} {u:.1f} {v:.1f}"/>')
        )
    return found


def _side(scene: Scene, node: int, cards: Mapping[int, Card], corners: Mapping[int, Corner], orientation: str) -> str:
    """What stands at the end of each way out of a node."""
    drawn = ""
    for left, child in zip((True, False), scene.outline.children(node) or (), strict=False):
        _, (u, v) = _ends(node, child, left, cards, corners, orientation)
        kind = "side lit" if child in scene.outline.path else "side"
        down = orientation == "down"
        told = fitted(scene.side(node, left), cards[child].width + 4 if down else _BAND["right"] - 24, 11)
        wide = width_of(told, 11 * BOLD) + 2
        x, y = (u - wide / 2, v - 21) if down else (u - wide - 8, v - 8)
        drawn += f'<rect class="plate" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="16"/>'
        drawn += lettered(told, x + wide / 2, y + 12, kind, "middle")
    return drawn


# --- what stands around them -----------------------------------------------------------------------------------


def _heading(scene: Scene, title: str, width: float) -> tuple[str, float]:
    """The title, what the row comes to, and the colours of the classes; and where the tree may begin."""
    room = min(width - 2 * _MARGIN, _WIDEST_TEXT)
    drawn, y = "", _MARGIN
    for line in wrapped(title, room, 15 * BOLD):
        y += 18
        drawn += lettered(line, _MARGIN, y, "title")
    for line in wrapped(scene.answer(), room, NAME):
        y += 18
        drawn += lettered(line, _MARGIN, y, "name")
    legend, y = _legend(scene, room, y + 8)
    drawn += legend
    if not scene.outline.is_whole:
        whole, tall = overview(scene, room)
        drawn += f'<g class="overview" transform="translate({_MARGIN:g} {y + 14:g})">{whole}</g>'
        y += tall + 20
    return drawn, y + 18


def _legend(scene: Scene, room: float, y: float) -> tuple[str, float]:
    if not scene.names.classes:
        low, high = scene.span
        return lettered(
            f"Targets from {short(low)} to {short(high)}, on the same scale in every box.", _MARGIN, y + 14, "quiet"
        ), y + 16
    drawn, x, y = "", _MARGIN, y + 14
    total = scene.tree.value[0]
    for name, colour, weight in zip(scene.names.classes, scene.colours, total, strict=True):
        told = fitted(f"{name} ({short(float(weight))})", room - 20)
        wide = 16 + width_of(told) + 14
        if x > _MARGIN and x + wide > _MARGIN + room:
            x, y = _MARGIN, y + 19
        drawn += f'<rect fill="{colour}" x="{x:.1f}" y="{y - 10:.1f}" width="11" height="11" rx="2"/>'
        drawn += lettered(told, x + 16, y, "")
        x += wide
    return drawn, y + 4


def _remarks(scene: Scene, width: float, y: float, fancy: bool) -> tuple[str, float]:
    """What one must know to read the picture, and what is not in it."""
    drawn = ""
    for remark in _notes(scene, fancy):
        for line in wrapped(remark, min(width - 2 * _MARGIN, _WIDEST_TEXT), 11):
            drawn += lettered(line, _MARGIN, y, "quiet")
            y += 15
        y += 3
    return drawn, y


def _notes(scene: Scene, fancy: bool) -> list[str]:
    notes = []
    rows, outline = scene.rows, scene.outline
    if rows is None:
        notes.append("Only what the tree itself holds is drawn; pass X= and y= for the rows at every question.")
    elif not rows.trained:
        notes.append(f"Plotted are the {counted(int(rows.times.sum()))} given, which are not those the tree was grown on; "
                     "counts, fractions and means in words are of the latter.")  # fmt: skip
    if rows is not None and fancy and len(scene.tree) > 1:
        cloud = "target against feature, a line for what either side says"
        shown = cloud if scene.is_scattered else "rows by feature"
        notes.append(f"In each question: {shown}; ▲ the threshold{', ▼ the row' if scene.row is not None else ''}.")
    if len(scene.tree) > 1:
        notes.append("Ways are as wide as the share of the rows that take them.")
    if not outline.is_whole:
        notes.append(f"{len(outline.nodes)} of {len(scene.tree)} nodes are drawn; a dashed box stands for a branch left out "
                     "(max_depth= draws deeper). All of them are in the overview on top: a line for each level, each node as wide "
                     "as the rows in it, in the colour of its largest class.")  # fmt: skip
    if scene.names.classes and len(set(scene.colours)) < len(scene.colours):
        notes.append(f"The {scene.colours.count(QUIET)} rarest classes share one grey.")
    return notes


def _described(scene: Scene) -> str:
    """The picture for who cannot see it."""
    root = scene.told(0)
    return f"{root}. {scene.answer()}".strip()
