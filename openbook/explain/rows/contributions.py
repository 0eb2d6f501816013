"""A score as a bias and what each feature adds to it: for linear models, naive Bayes, and the paths through trees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from typing import Protocol

import numpy as np

from openbook.explain.displays.contributions import ContributionBars
from openbook.expr import Expr, Name, evaluate, parse
from openbook.record import Step, Table, Witness, given

__all__ = ["SUM", "Booked", "Entrywise", "Terms", "added_up", "bars", "class_scores", "table", "weighted"]

_SHOWN = 8
SUM = "The sum"


class Terms(Protocol):
    """What each feature adds to a score."""

    @property
    def values(self) -> np.ndarray:
        """One number for every feature (features,)."""

    def one(self, i: int, name: str, part: str) -> Step:
        """How feature i's number comes about."""

    def together(self, rest: np.ndarray, name: str, part: str) -> Step:
        """How what several features add comes about."""


@dataclass(frozen=True, eq=False)
class Entrywise:
    """Terms that each come from a feature's own numbers, by one `formula`, such as w*x.

    `factors` are those numbers, an array (features,) under each name in the formula; that of the row is x.
    """

    formula: str
    factors: Mapping[str, np.ndarray]
    rule: str

    @cached_property
    def values(self) -> np.ndarray:
        return np.asarray(evaluate(parse(self.formula), self.factors), np.float64)

    def one(self, i: int, name: str, part: str) -> Step:
        called = {key: name if key == "x" else f"{key}({name})" for key in self.factors}
        inputs = tuple(given(called[key], float(array[i]), part=part) for key, array in self.factors.items())
        return Step(
            f"from {name}", float(self.values[i]), parse(self.formula).rename(called), inputs, rule=self.rule, part=part
        )

    def together(self, rest: np.ndarray, name: str, part: str) -> Step:
        inputs = tuple(given(f"{key}_others", array[rest], part=part) for key, array in self.factors.items())
        formula = parse(f"sum({self.formula})").rename({key: f"{key}_others" for key in self.factors})
        return Step(name, float(self.values[rest].sum()), formula, inputs, rule="sum", part=part,
                    why="each smaller than those above")  # fmt: skip

    def whole(self, name: str, bias: Step, label: str, part: str) -> Step:
        """The bias and all terms in one step; `label` tells its numbers from those of other scores."""
        acting = np.flatnonzero(self.values)
        called = {key: key if key == "x" else f"{key}_{label}" for key in self.factors}
        inputs = tuple(given(called[key], array[acting], part=part) for key, array in self.factors.items())
        formula = parse(f"b + sum({self.formula})").rename({"b": bias.name, **called})
        value = float(bias.value + self.values[acting].sum())
        return Step(name, value, formula, (bias, *inputs), rule="sum", why="the same sum for this class", part=part)


@dataclass(frozen=True, eq=False)
class Booked:
    """Terms that collect what a row's turns in trees changed, each booked to the feature that decided it (Saabas 2014).

    `changes` (features, trees) add up, over each tree's path, child − parent; `formula`, linear in d, makes a term of a
    row of them, with the numbers in `shared`, such as sum(d)/T.
    """

    changes: np.ndarray
    formula: str
    shared: tuple[Step, ...] = ()

    @cached_property
    def values(self) -> np.ndarray:
        unit = evaluate(parse(self.formula), {"d": np.ones(1), **{s.name: s.value for s in self.shared}})
        return self.changes.sum(axis=1) * float(unit)

    def one(self, i: int, name: str, part: str) -> Step:
        return self._step(f"from {name}", f"Δ({name})", self.changes[i], "", part)

    def together(self, rest: np.ndarray, name: str, part: str) -> Step:
        return self._step(name, "Δ(others)", self.changes[rest].sum(axis=0), "each smaller than those above", part)

    def _step(self, name: str, symbol: str, changes: np.ndarray, why: str, part: str) -> Step:
        changed = given(symbol, changes, "what each tree's turns on it changed", part)
        formula = parse(self.formula)
        value = evaluate(formula, {"d": changes, **{s.name: s.value for s in self.shared}})
        return Step(name, float(value), formula.rename({"d": symbol}), (changed, *self.shared), rule="booked to the feature",
                    why=why, part=part)  # fmt: skip


def weighted(coef: np.ndarray, x: np.ndarray) -> Entrywise:
    """The terms of a linear model."""
    return Entrywise("w*x", {"w": coef, "x": x}, "weight × value")


def added_up(
    name: str, bias: Step, terms: Terms, names: Sequence[str], part: str = SUM, witnesses: tuple[Witness, ...] = ()
) -> list[Step]:
    """The largest terms one by one, the others together, and their sum with the bias, under `name`."""
    order = np.argsort(-np.abs(terms.values), kind="stable")
    acting = order[terms.values[order] != 0]
    steps = [terms.one(i, names[i], part) for i in acting[:_SHOWN]]
    rest = acting[_SHOWN:]
    if len(rest):
        steps.append(terms.together(rest, f"from {len(rest)} others", part))
    value = float(sum(s.value for s in steps) + bias.value)
    formula: Expr = reduce(add, (Name(s.name) for s in (bias, *steps)))
    return [bias, *steps, Step(name, value, formula, (bias, *steps), rule="sum", part=part, witnesses=witnesses)]


def table(terms: Terms, names: Sequence[str], bias: float | None = None) -> Table:
    """Every term that is not 0, the largest first; with its numbers where it is made of a few."""
    factors = terms.factors if isinstance(terms, Entrywise) else {}
    order = np.argsort(-np.abs(terms.values), kind="stable").tolist()
    rows = [
        (names[i], *(float(a[i]) for a in factors.values()), float(terms.values[i]))
        for i in order
        if terms.values[i] != 0
    ]
    if bias is not None:
        rows.append(("(bias)", *("" for _ in factors), bias))
    columns = [{"w": "weight", "x": "value", "m": "mean", "v": "variance"}.get(key, key) for key in factors]
    last = "weight × value" if columns == ["weight", "value"] else "adds"
    return Table("Contributions", ("feature", *columns, last), tuple(rows))


def bars(terms: Terms, names: Sequence[str], total: str) -> ContributionBars:
    """The same as a picture."""
    acting = np.flatnonzero(terms.values).tolist()
    return ContributionBars([names[i] for i in acting], [float(terms.values[i]) for i in acting], total)


def class_scores(
    biases: Sequence[float], terms: Sequence[Entrywise], names: Sequence[str], classes: Sequence[str], chosen: int,
    *own: Witness,
) -> tuple[list[Step], list[Step]]:  # fmt: skip
    """All steps to the scores z of every class, and these scores; that of the chosen class is written out, held against `own`."""
    steps: list[Step] = []
    scores: list[Step] = []
    for c, (number, term) in enumerate(zip(biases, terms, strict=True)):
        bias = given(f"bias_{classes[c]}", float(number), part=SUM)
        if c == chosen:
            steps += added_up(f"z_{classes[c]}", bias, term, names, witnesses=own)
        else:
            steps.append(term.whole(f"z_{classes[c]}", bias, classes[c], SUM))
        scores.append(steps[-1])
    return steps, scores
