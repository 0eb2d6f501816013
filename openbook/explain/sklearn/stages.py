"""Boosting, whoever does it: where the score starts, what the leaf of every stage adds, and what each feature does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from openbook.explain.displays.contributions import ContributionBars
from openbook.explain.rows.contributions import Booked, added_up, bars, table
from openbook.explain.rows.links import from_formula
from openbook.explain.rows.passages import Passage, changes
from openbook.record import Step, Table, Witness, given

__all__ = ["STAGES", "START", "Ladder", "Raised", "raised"]

START, STAGES, FEATURES = "Where it starts", "What every stage adds", "What each feature adds"
_WRITTEN = 5
_LISTED = 40


@dataclass(frozen=True, eq=False)
class Ladder:
    """A score, or a prediction: its name, the step it starts from, and the row's way through the tree of each stage."""

    name: str
    start: Step
    ways: Sequence[Passage]
    own: tuple[Witness, ...] = ()

    def height(self, rate: float) -> float:
        """The score at the end."""
        return float(self.start.value + rate * sum(float(w.leaf[0]) for w in self.ways))


@dataclass(frozen=True, eq=False)
class Raised:
    """The scores of all classes, and what belongs to the one asked about."""

    steps: list[Step]
    scores: list[Step]
    tables: tuple[Table, ...]
    display: ContributionBars
    chosen: int


def raised(ladders: Sequence[Ladder], chosen: int, rate: Step | None, names: Sequence[str]) -> Raised:
    """Climb the ladder of every class; of the chosen one, the largest stages and what each feature adds are written out.

    `rate` is what the leaves are multiplied by, None where they hold it already.
    """
    at = chosen if len(ladders) > 1 else 0  # two classes have one score
    steps: list[Step] = [*(ladder.start for ladder in ladders), *([rate] if rate else [])]
    scores = []
    for k, ladder in enumerate(ladders):
        leaves = given("v" + ladder.name[1:],
                       np.array([float(w.leaf[0]) for w in ladder.ways]), "the leaf of every stage, in order", STAGES)  # fmt: skip
        steps += [leaves, *(_largest(leaves, ladder.ways) if k == at else ())]
        inputs = {"F0": ladder.start, "v": leaves, **({"r": rate} if rate else {})}
        formula = "F0 + r*sum(v)" if rate else "F0 + sum(v)"
        steps.append(from_formula(ladder.name, formula, inputs, "sum of the stages", STAGES, *ladder.own))
        scores.append(steps[-1])
    by_feature, terms = _by_feature(ladders[at], rate, names)
    tables = (_table(ladders[at].ways), table(terms, names, by_feature[1].value))
    return Raised([*steps, *by_feature], scores, tables, bars(terms, names, ladders[at].name), chosen)


def _largest(leaves: Step, ways: Sequence[Passage]) -> list[Step]:
    """The stages that move the score most, with the conditions that lead to their leaf."""
    order = np.argsort(-np.abs(leaves.value), kind="stable")[:_WRITTEN].tolist()
    return [
        from_formula(f"leaf {t}", f"v[{t}]", {"v": leaves}, "leaf of a tree", STAGES,
                     why=f"stage {t}: {' and '.join(ways[t].words()) or 'the only leaf'}")
        for t in order
    ]  # fmt: skip


def _by_feature(ladder: Ladder, rate: Step | None, names: Sequence[str]) -> tuple[list[Step], Booked]:
    on_the_way = [w.held[:, 0] for w in ladder.ways]
    roots = given("r_0", np.array([v[0] for v in on_the_way]), "what each tree says before it asks anything", FEATURES)
    inputs = {"F0": ladder.start, "r0": roots, **({"r": rate} if rate else {})}
    bias = from_formula("bias", "F0 + r*sum(r0)" if rate else "F0 + sum(r0)", inputs, "start and roots", FEATURES)
    booked = changes(ladder.ways, on_the_way, len(names))
    formula = f"{rate.name}*sum(d)" if rate else "sum(d)"
    terms = Booked(booked, formula, (rate,) if rate else ())
    total = added_up(f"{ladder.name} by features", bias, terms, names, FEATURES, ladder.own)
    return [roots, *total], terms


def _table(ways: Sequence[Passage]) -> Table:
    order = np.argsort([-abs(float(w.leaf[0])) for w in ways], kind="stable")[:_LISTED]
    rows = tuple((int(t), float(ways[t].leaf[0]), " and ".join(ways[t].words()[-3:])) for t in order)
    note = "" if len(order) == len(ways) else f"the {_LISTED} largest of {len(ways)}"
    return Table("What every stage adds", ("stage", "leaf", "last decisions"), rows, note=note)
