"""`plot_forest`: how the trees of a forest vote on one row."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from openbook.explain.rows.row import class_index
from openbook.explain.trees.named import named_forest
from openbook.explain.trees.picture import Picture
from openbook.explain.trees.vote import Vote, Way, ways_of
from openbook.explain.trees.vote_drawing import COLUMNS, draw_vote
from openbook.explain.trees.words import counted, held, share_text, short
from openbook.record.draw.json import plain

__all__ = ["ForestPicture", "plot_forest"]


@dataclass(frozen=True, eq=False, repr=False)
class ForestPicture(Picture):
    """A forest's vote on one row."""

    vote: Vote

    @property
    def title(self) -> str:  # type: ignore[override]
        return f"{self.vote.forest.kind}: {counted(len(self.vote.ways), 'tree')} on one row"

    @property
    def summary(self) -> list[str]:
        """What the trees come to, in sentences."""
        vote = self.vote
        if not vote.of_classes:
            spread = short(float(vote.answers.std()), 3)
            return [f"The mean of the trees is {short(float(vote.soft[0]))}; they differ by ± {spread}."]
        soft, hard = (share_text(float(shares[vote.chosen])) for shares in (vote.soft, vote.hard))
        return [
            f"{vote.names.classes[vote.chosen]}: {soft} by the mean of the leaves' fractions (soft), {hard} by votes (hard)."
        ]

    def svg(self) -> str:
        return draw_vote(self.vote, self.title, self.summary)

    def text(self, width: int = 100) -> str:
        vote = self.vote
        lines = [self.title, *self.summary, ""]
        asked = ", ".join(f"{f} ({counted(trees, 'tree')})" for f, trees, _ in vote.asked()[:8])
        lines += [f"Asked most: {asked or 'nothing'}.", ""]
        for way in (way for ways in vote.extremes(COLUMNS) for way in ways):
            turns = "; ".join(" ".join(way.words(turn, vote.names)) for turn in way.turns)
            lines.append(f"tree {way.number}: {turns} → {held(way.tree, way.leaf, vote.names)}")
        return "\n".join(
            piece for line in lines for piece in textwrap.wrap(line, width, subsequent_indent="    ") or [""]
        )

    def to_dict(self) -> dict[str, Any]:
        vote = self.vote
        told: dict[str, Any] = {"title": self.title, "row": plain(vote.row.tolist()), "soft": vote.soft.tolist()}
        if vote.of_classes:
            told |= {
                "class": vote.names.classes[vote.chosen],
                "classes": list(vote.names.classes),
                "hard": vote.hard.tolist(),
            }
        return told | {
            "asked": [{"feature": f, "trees": t, "questions": q} for f, t, q in vote.asked()],
            "trees": [self._way(way) for way in vote.ways],
        }

    def _way(self, way: Way) -> dict[str, Any]:
        told: dict[str, Any] = {"tree": way.number, "leaf": way.leaf, "answer": self.vote.answer(way)}
        if self.vote.of_classes:
            told["vote"] = self.vote.names.classes[way.winner]
        return told | {"path": [*(turn.node for turn in way.turns), way.leaf]}


def plot_forest(
    model: Any,
    row: Any,
    *,
    of: Any = None,
    feature_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
) -> ForestPicture:
    """Draw how the trees of a forest vote on one row: every tree's leaf fraction, their mean beside the hard vote.

    `model` is a fitted forest of openbook or scikit-learn, `row` (features,) the row, `of` the class asked about (by
    default the second of two, else the likeliest). For numbers: every tree's number, and their mean. The result has
    `svg()`, `html()`, `text()`, `to_dict()` and `save(path)`. Raises ExplainError for what is no forest.
    """
    forest = named_forest(model, feature_names, class_names)
    x = forest.names.row(row)
    vote = Vote(forest, x, ways_of(forest, x), 0)
    if not forest.names.classes:
        return ForestPicture(vote)
    known = forest.names.classes if class_names is not None else forest.names.labels
    chosen = class_index(list(known if known is not None else ()), of, vote.soft)
    return ForestPicture(Vote(forest, x, vote.ways, chosen))
