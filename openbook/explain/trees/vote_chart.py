"""Every tree of a forest as a bar: what it says of one row, beside what all of them come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from openbook.explain.trees.style import fitted, lettered
from openbook.explain.trees.vote import Vote
from openbook.explain.trees.words import counted, share_text, short

__all__ = ["LEFT", "RIGHT", "Chart"]

LEFT, RIGHT = 40.0, 92.0  # pixels beside the chart: its scale, and what its lines mean
_TALL, _STRIP, _LARGEST_NAME = 120.0, 8.0, 240.0


@dataclass(frozen=True, eq=False)
class Chart:
    """A vote as bars of fractions (of numbers: as marks), the surest first, in `room` pixels; `colours` are the classes'."""

    vote: Vote
    colours: Sequence[str]
    room: float

    @property
    def width(self) -> float:
        return self.room - LEFT - RIGHT

    @cached_property
    def scale(self) -> tuple[float, float]:
        """What stands at the bottom, and at the top."""
        if self.vote.of_classes:
            return 0.0, 1.0
        low, high = float(self.vote.answers.min()), float(self.vote.answers.max())
        return (low, high) if low < high else (low - 0.5, high + 0.5)

    def level(self, answer: float) -> float:
        """How far below the top a number stands."""
        low, high = self.scale
        return _TALL * (1 - (answer - low) / (high - low))

    def draw(self) -> tuple[str, float]:
        """The chart with its heading, and its height."""
        of_classes = self.vote.of_classes
        lines = self._soft() + (self._half() + self._hard() if of_classes else "")
        axis = f'<path class="axis" d="M0 {_TALL:g}H{self.width:.1f}"/>'
        ends = "".join(lettered(short(end, 3), -8, self.level(end) + 4, "end", "end") for end in self.scale)
        heading = lettered(f"The trees, the {'surest' if of_classes else 'largest'} first", 0, 4, "name")
        chart = f'<g transform="translate({LEFT:g} 24)">{self._bars()}{axis}{lines}{ends}</g>'
        return heading + chart + lettered(self._caption(), LEFT, _TALL + 54, "quiet"), _TALL + 84

    def _bars(self) -> str:
        """A bar for every tree, below it the colour of its vote."""
        each = self.width / len(self.vote.ways)
        wide = each - 1 if each > 4 else each
        paths: dict[str, str] = {}
        for i, way in enumerate(self.vote.ranked):
            top, bottom = self.level(self.vote.answer(way)), f"V{_TALL:g}" if self.vote.of_classes else "v3"
            kind = f'fill="{self.colours[self.vote.chosen]}"' if self.vote.of_classes else 'class="plain"'
            paths[kind] = paths.get(kind, "") + f"M{i * each:.2f} {top:.1f}h{wide:.2f}{bottom}h{-wide:.2f}z"
            if self.vote.of_classes:
                kind = f'fill="{self.colours[way.winner]}"'
                mark = f"M{i * each:.2f} {_TALL + 4:g}h{wide:.2f}v{_STRIP:g}h{-wide:.2f}z"
                paths[kind] = paths.get(kind, "") + mark
        return "".join(f'<path {kind} d="{path}"/>' for kind, path in paths.items())

    def _soft(self) -> str:
        """A line where the mean of all trees stands."""
        mean = float(self.vote.soft[self.vote.chosen])
        told = f"soft {share_text(mean)}" if self.vote.of_classes else f"mean {short(mean)}"
        line = f'<path class="mean" d="M0 {self.level(mean):.1f}H{self.width:.1f}"/>'
        return line + lettered(told, self.width + 8, self.level(mean) + 4, "at")

    def _half(self) -> str:
        """Of two classes: where a tree's vote turns."""
        if len(self.vote.names.classes) != 2:
            return ""
        y = self.level(0.5)
        return f'<path class="cut" d="M0 {y:.1f}H{self.width:.1f}"/>' + lettered("½", -8, y + 4, "end", "end")

    def _hard(self) -> str:
        """A line where the votes for the class end."""
        share = float(self.vote.hard[self.vote.chosen])
        x = self.width * share
        aside, anchor = (4, "start") if share < 0.5 else (-4, "end")
        line = f'<path class="row" d="M{x:.1f} -2V{_TALL + 6 + _STRIP:g}"/>'
        return line + lettered(f"hard {share_text(share)}", x + aside, -5, "at", anchor)

    def _caption(self) -> str:
        trees = counted(len(self.vote.ways), "tree")
        if not self.vote.of_classes:
            return f"each of {trees} a mark: the {self.vote.names.centre} target in the row's leaf"
        name = fitted(self.vote.names.classes[self.vote.chosen], _LARGEST_NAME)
        return f"each of {trees} a bar: the fraction of {name} in the row's leaf; below, the colour of its vote"
