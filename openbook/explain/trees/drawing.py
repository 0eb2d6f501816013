"""A tree as SVG: boxes, and ways between them as wide as the rows that take them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from openbook.explain.trees.around import MARGIN, heading, remarks
from openbook.explain.trees.cards import Card, card
from openbook.explain.trees.layout import Places, placed
from openbook.explain.trees.scene import Scene
from openbook.explain.trees.style import BOLD, lettered, said, style, width_of

__all__ = ["Drawing"]

_NARROWEST, _BAND, _WIDEST_WAY = 400.0, 46.0, 11.0
Point = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Drawing:
    """A scene being drawn: `down` from top to bottom, else from left to right; `fancy` with the rows at every question."""

    scene: Scene
    title: str
    down: bool = True
    fancy: bool = True

    def svg(self) -> str:
        """One `<svg>` element, complete in itself."""
        across, along = self.places.across, self.places.along
        wide, tall = (across, along) if self.down else (along, across)
        width = max(wide + 2 * MARGIN, _NARROWEST)
        above, top = heading(self.scene, self.title, width)
        below, height = remarks(self.scene, width, top + tall + 26, self.fancy)
        nodes = self.scene.outline.nodes
        ways = sorted(self._ways(), key=lambda way: way[0])  # the lit ones last, above the others
        drawn = "".join(way for _, way in ways) + "".join(map(self._side, self.sides)) + "".join(map(self._box, nodes))
        told = f"{self.scene.told(0)}. {self.scene.answer()}".strip()
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="ob-tree" role="img" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}"><title>{said(self.title)}</title><desc>{said(told)}</desc>'
            f'{style()}{above}<g transform="translate({MARGIN:g} {top:.1f})">{drawn}</g>{below}</svg>'
        )

    # --- where everything stands -------------------------------------------------------------------------------

    @cached_property
    def cards(self) -> dict[int, Card]:
        return {node: card(self.scene, node, self.fancy) for node in self.scene.outline.nodes}

    @cached_property
    def sides(self) -> dict[int, str]:
        """What stands where a way arrives, by the node it leads to."""
        pairs = {node: self.scene.outline.children(node) or () for node in self.scene.outline.nodes}
        return {
            c: self.scene.side(n, left)
            for n, pair in pairs.items()
            for c, left in zip(pair, (True, False), strict=False)
        }

    def _wide(self, node: int) -> float:
        """How wide the words before a node are."""
        return width_of(self.sides.get(node, ""), 11 * BOLD) + 2

    @cached_property
    def places(self) -> Places:
        outline, band = self.scene.outline, _BAND
        if self.down:
            sizes = {n: (max(c.width, self._wide(n)), c.height) for n, c in self.cards.items()}
        else:
            sizes = {n: (c.height, c.width) for n, c in self.cards.items()}
            band += max(map(self._wide, self.sides), default=0.0)
        return placed(outline.nodes, outline.children, lambda n: int(outline.level[n]), sizes, band)

    def corner(self, node: int) -> Point:
        """The upper left corner of a node's box."""
        middle, start, box = self.places.middle[node], self.places.start[node], self.cards[node]
        return (middle - box.width / 2, start) if self.down else (start, middle - box.height / 2)

    def _leaving(self, node: int, left: bool) -> Point:
        """Where a way leaves a question."""
        (x, y), box, share = self.corner(node), self.cards[node], 0.3 if left else 0.7
        return (x + box.width * share, y + box.height) if self.down else (x + box.width, y + box.height * share)

    def _arriving(self, node: int) -> Point:
        (x, y), box = self.corner(node), self.cards[node]
        return (x + box.width / 2, y) if self.down else (x, y + box.height / 2)

    # --- what is drawn -----------------------------------------------------------------------------------------

    def _box(self, node: int) -> str:
        (x, y), box = self.corner(node), self.cards[node]
        lit = " lit" if node in self.scene.outline.path else ""
        return (
            f'<g class="{box.kind}{lit}" data-node="{node}" transform="translate({x:.1f} {y:.1f})">'
            f"<title>{said(self.scene.told(node))}</title>"
            f'<rect class="card" width="{box.width:.1f}" height="{box.height:.1f}" rx="7"/>{box.inside}</g>'
        )

    def _ways(self) -> Iterator[tuple[bool, str]]:
        """Every way from a question to a node below, each with whether it is lit."""
        weight = self.scene.tree.weight
        for node in self.scene.outline.nodes:
            for child, left in zip(self.scene.outline.children(node) or (), (True, False), strict=False):
                (x, y), (u, v) = self._leaving(node, left), self._arriving(child)
                m, n = (x + u) / 2, (y + v) / 2
                bend = f"{x:.1f} {n:.1f} {u:.1f} {n:.1f}" if self.down else f"{m:.1f} {y:.1f} {m:.1f} {v:.1f}"
                lit = child in self.scene.outline.path
                wide = max(1.0, _WIDEST_WAY * float(weight[child] / weight[0]))
                kind = "edge lit" if lit else "edge"
                yield (
                    lit,
                    f'<path class="{kind}" stroke-width="{wide:.2f}" d="M{x:.1f} {y:.1f}C{bend} {u:.1f} {v:.1f}"/>',
                )

    def _side(self, node: int) -> str:
        """The words where a way arrives at a node."""
        (u, v), wide = self._arriving(node), self._wide(node)
        x, y = (u - wide / 2, v - 21) if self.down else (u - wide - 8, v - 8)
        kind = "side lit" if node in self.scene.outline.path else "side"
        plate = f'<rect class="plate" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="16"/>'
        return plate + lettered(self.sides[node], x + wide / 2, y + 12, kind, "middle")
