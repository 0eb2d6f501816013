"""Part 7 on our own trees and forests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.errors import ExplainError
from openbook.explain.dispatch import explains
from openbook.explain.rows.levels import levels_text
from openbook.explain.rows.passages import Passage
from openbook.explain.rows.row import as_fitted, checked_row, class_index, feature_names, one_row
from openbook.explain.rows.votes import Ballot, explain_ballots, explain_means, mean_fractions
from openbook.expr import parse
from openbook.forest import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    Tree,
)
from openbook.forest.compact import CompactForest
from openbook.forest.tree import Turn
from openbook.record import Step, Table, Working, given

__all__ = ["explain_our_forest", "explain_tree"]

Condition = Callable[[int, float, bool], str]


@explains(DecisionTreeClassifier)
@explains(DecisionTreeRegressor)
@explains(RandomForestClassifier)
@explains(RandomForestRegressor)
def explain_our_forest(
    model: Any,
    row: Any = None,
    names: Sequence[str] | None = None,
    of: Any = None,
    index: int | None = None,
    labels: Sequence[str] | None = None,
    condition: Condition | None = None,
) -> Working:
    """One row through a tree or forest: leaf counts → fraction → mean, beside the hard vote.

    `of` is the class asked about (default: the second of two, else the likeliest); `index` the row's place among the
    training rows, for its out-of-bag probability; `labels` what to call the classes; `condition(feature, threshold, left)`
    words a decision.
    """
    if not hasattr(model, "trees_"):
        raise ExplainError(f"this {type(model).__name__} is not fitted", do="call fit(X, y) first")
    if row is None:
        raise ExplainError("a forest is explained one row at a time", do="pass row=X[0]")
    x, rows = _taken(model, row)
    called = feature_names(model, names, model.n_features_in_)
    words = _Words(called, condition or _plain_condition(called), model.levels())
    ballots = [_ballot(t, tree, x, words, _unseen(model, t, index)) for t, tree in enumerate(model.trees_)]
    title = f"One row through a {'forest' if len(ballots) > 1 else 'tree'}"
    if not hasattr(model, "classes_"):
        return explain_means(ballots, lambda: float(model.predict(rows)[0]), called, title)
    chosen = class_index(model.classes_, of, mean_fractions(ballots))
    told = labels if labels is not None else [str(c) for c in model.classes_]

    def own() -> float:
        return float(model.predict_proba(rows, voting="soft")[0, chosen])

    return explain_ballots(ballots, told, chosen, own, called, title)


@explains(CompactForest)
def explain_compact_forest(model: CompactForest, *arguments: Any, **options: Any) -> Working:
    """Nothing: a compact forest has kept no leaf counts."""
    raise ExplainError("a compact forest has kept only what predicts", do="explain the forest it was made from")


@explains(Tree)
def explain_tree(tree: Tree, row: Any = None, names: Sequence[str] | None = None) -> Working:
    """One row down a bare tree: its decisions, and what the leaf holds of each class (or the mean target there)."""
    if row is None:
        raise ExplainError("a tree is explained one row at a time", do="pass row=X[0]")
    features = int(tree.feature.max(initial=0)) + 1
    x = np.asarray(row, np.float64).ravel()
    if len(x) < features:
        raise ExplainError(f"the row has {len(x)} entries", do=f"this tree asks about {features} at least")
    called = names if names is not None else [f"x[{i}]" for i in range(len(x))]
    words = _Words(called, _plain_condition(called), {})
    ballot = _ballot(0, tree, x, words, None)
    turns = tuple((k, condition) for k, condition in enumerate(ballot.passage.words(), 1))
    return Working(
        title="One row down a tree",
        question="Where does it end, and what is there?",
        steps=tuple(_held(ballot)),
        result=ballot.value / ballot.value.sum() if len(ballot.value) > 1 else float(ballot.value[0]),
        tables=(Table("Decisions, from the root", ("step", "because"), turns),) if turns else (),
    )


def _held(ballot: Ballot) -> list[Step]:
    """What the leaf holds, and the share of each class."""
    rows = given("rows", ballot.rows, "different training rows in the leaf")
    if len(ballot.value) == 1:
        return [rows, given("m", float(ballot.value[0]), "the mean of their targets")]
    held = given("n", ballot.value, "weight of each class in the leaf")
    shares = ballot.value / ballot.value.sum()
    return [rows, held, Step("p", shares, parse("n/sum(n)"), (held,), rule="leaf fractions")]


def _plain_condition(names: Sequence[str]) -> Condition:
    return lambda feature, threshold, left: f"{names[feature]} {'≤' if left else '>'} {threshold:.6g}"


@dataclass(frozen=True)
class _Words:
    """What a turn is called: by `condition` where it compares a number, else by the names of levels."""

    names: Sequence[str]
    condition: Condition
    levels: Mapping[int, np.ndarray]

    def of(self, tree: Tree, turn: Turn) -> str:
        if turn.feature not in tree.orders:
            told = self.condition(turn.feature, turn.threshold, turn.left)
            return f"{told} (missing)" if np.isnan(turn.value) else told
        told = f"{self.names[turn.feature]} {levels_text(tree, turn.node, turn.left, self.levels, turn.value)}"
        return f"{told} (missing, unknown or rare)" if np.isnan(turn.value) else told


def _taken(model: Any, row: Any) -> tuple[np.ndarray, Any]:
    """The row as the trees take it (features,), and as a table for the model's own methods."""
    if not model.levels():
        x = checked_row(row, model.n_features_in_)
        return x, as_fitted(model, x)
    table = one_row(model, row)
    return model.encoded(table)[0], table


def _ballot(t: int, tree: Tree, x: np.ndarray, words: _Words, unseen: bool | None) -> Ballot:
    turns, leaf = tree.path(x)

    def path() -> tuple[str, ...]:
        return tuple(words.of(tree, turn) for turn in turns)

    passage = Passage([turn.feature for turn in turns], tree.value[[*(turn.node for turn in turns), leaf]], path)
    return Ballot(t, passage, int(tree.samples[leaf]), unseen)


def _unseen(model: Any, t: int, index: int | None) -> bool | None:
    if index is None:
        return None
    drawn = model.drawn(t) if hasattr(model, "drawn") else None
    if drawn is None:
        raise ExplainError("without bootstrap every tree has seen every row", do="leave index= out")
    return bool(drawn[index] == 0)
