"""What the trees of a forest say about one row, ours and scikit-learn's: leaf counts → fraction → mean, beside the vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.errors import ExplainError
from openbook.explain.displays.contributions import TreeFractions, TreeMeans
from openbook.expr import Expr, Name, parse
from openbook.record import Step, Table, Witness, Working, given

__all__ = ["Ballot", "explain_ballots", "explain_means"]

_ALL_SHOWN = 6  # trees: of larger forests the most and the least convinced are written out
_LISTED = 40
TREES, SOFT, HARD, OUT = "The leaves", "Soft: the mean of the fractions", "Hard: the share of the votes", "Out of bag"


@dataclass(frozen=True, eq=False)
class Ballot:
    """One tree's answer: the decisions the row passed, and what the leaf holds: a weight per class, or a mean (1,).

    `rows` are the training rows in the leaf; `unseen` whether the asked-about training row was not drawn for this tree.
    """

    tree: int
    path: tuple[str, ...]
    value: np.ndarray
    rows: int
    unseen: bool | None = None

    def fraction(self, k: int) -> float:
        return float(self.value[k] / self.value.sum())

    @property
    def winner(self) -> int:
        return int(np.argmax(self.value))

    @property
    def pure(self) -> bool:
        return bool(np.sum(self.value > 0) == 1)


def explain_ballots(ballots: Sequence[Ballot], classes: Sequence[str], chosen: int, own: float, title: str) -> Working:
    """The probability of a class: each tree's leaf, their mean, the votes, and why the two agree or not.

    `own` is what the forest's own `predict_proba` says.
    """
    name = str(classes[chosen])
    shown = _shown(ballots, chosen)
    steps = [s for b in shown for s in _leaf_steps(b, chosen, name)]
    fractions = np.array([b.fraction(chosen) for b in ballots])
    votes = np.array([float(b.winner == chosen) for b in ballots])
    witness = Witness("the forest's own predict_proba", lambda: own, rtol=1e-9, atol=1e-12)
    single = len(ballots) == 1
    if single:
        soft = Step("p", float(fractions[0]), Name(steps[-1].name), (steps[-1],), rule="the leaf's fraction", part=SOFT,
                    witnesses=(witness,))  # fmt: skip
        steps.append(soft)
    else:
        steps += _soft(steps, shown, fractions, witness)
        soft = steps[-1]
    steps += _hard(votes, name)
    hard = steps[-1]
    steps += _out_of_bag(ballots, chosen)
    result = {"class": name, "soft": soft.value, "hard": hard.value}
    return Working(
        title=title, question=f"How does the probability of {name} come about?", steps=tuple(steps), result=result,
        tables=(_table(ballots, classes, chosen),), notes=_notes(ballots, soft.value, hard.value, classes),
        displays=() if len(ballots) <= _ALL_SHOWN else (TreeFractions(fractions, votes, name),),
    )  # fmt: skip


def _shown(ballots: Sequence[Ballot], chosen: int) -> list[Ballot]:
    if len(ballots) <= _ALL_SHOWN:
        return list(ballots)
    order = sorted(ballots, key=lambda b: (b.fraction(chosen), b.tree))
    return [order[-1], order[-2], order[len(order) // 2], order[1], order[0]]


def _leaf_steps(ballot: Ballot, chosen: int, name: str) -> list[Step]:
    t = ballot.tree
    where = " and ".join(ballot.path[-3:]) or "the only leaf"
    held = given(f"n_{t}({name})", _count(ballot.value[chosen]), f"tree {t}: … {where}", TREES)
    total = given(f"n_{t}", _count(ballot.value.sum()), f"in all, from {ballot.rows} training rows", TREES)
    fraction = Step(f"p_{t}", ballot.fraction(chosen), Name(held.name) / Name(total.name), (held, total),
                    rule="leaf fraction", why=f"tree {t}", part=TREES)  # fmt: skip
    return [held, total, fraction]


def _count(weight: float) -> float | int:
    return int(weight) if float(weight).is_integer() else float(weight)


def _soft(steps: list[Step], shown: list[Ballot], fractions: np.ndarray, witness: Witness) -> list[Step]:
    count = given("T", len(fractions), "trees", SOFT)
    if len(shown) == len(fractions):
        own = [s for s in steps if s.rule == "leaf fraction"]
        total: Expr = Name(own[0].name)
        for s in own[1:]:
            total = total + Name(s.name)
        mean = Step("p", float(np.mean(fractions)), total / Name("T"), (*own, count), rule="mean of leaf fractions",
                    part=SOFT, witnesses=(witness,))  # fmt: skip
        return [count, mean]
    every = given("f", fractions, "the fraction of every tree, in order", SOFT)
    mean = Step("p", float(np.mean(fractions)), parse("sum(f)/T"), (every, count), rule="mean of leaf fractions",
                part=SOFT, witnesses=(witness,))  # fmt: skip
    return [every, count, mean]


def _hard(votes: np.ndarray, name: str) -> list[Step]:
    won, count = (
        given("votes", int(votes.sum()), f"trees whose leaf holds most of {name}", HARD),
        given("T", len(votes), part=HARD),
    )
    return [won, count, Step("p_hard", float(np.mean(votes)), parse("v/T").rename({"v": "votes"}), (won, count),
                             rule="share of votes", part=HARD)]  # fmt: skip


def _out_of_bag(ballots: Sequence[Ballot], chosen: int) -> list[Step]:
    if any(b.unseen is None for b in ballots):
        return []
    left_out = [b for b in ballots if b.unseen]
    if not left_out:
        return [given("trees that did not see this row", 0, "so there is no out-of-bag probability", OUT)]
    own = given(
        "f_oob", np.array([b.fraction(chosen) for b in left_out]), "of the trees that were not grown on this row", OUT
    )
    count = given("T_oob", len(left_out), part=OUT)
    return [own, count, Step("p_oob", float(np.mean(own.value)), parse("sum(f)/n").rename({"f": "f_oob", "n": "T_oob"}),
                             (own, count), rule="mean over the trees left out", part=OUT,
                             why="an honest estimate: none of these trees has seen the row")]  # fmt: skip


def _table(ballots: Sequence[Ballot], classes: Sequence[str], chosen: int) -> Table:
    order = sorted(ballots, key=lambda b: -b.fraction(chosen)) if len(ballots) > _ALL_SHOWN else list(ballots)
    listed = order if len(order) <= _LISTED else order[: _LISTED // 2] + order[-_LISTED // 2 :]
    rows = tuple(
        (b.tree, _count(b.value[chosen]), _count(b.value.sum()), b.fraction(chosen), str(classes[b.winner]))
        for b in listed
    )
    note = (
        ""
        if len(listed) == len(order)
        else f"the {_LISTED // 2} most and the {_LISTED // 2} least convinced of {len(order)}"
    )
    return Table(
        "What each tree says", ("tree", str(classes[chosen]), "in the leaf", "fraction", "vote"), rows, note=note
    )


def _notes(ballots: Sequence[Ballot], soft: float, hard: float, classes: Sequence[str]) -> tuple[str, ...]:
    pure = sum(b.pure for b in ballots)
    gap = abs(soft - hard)
    if pure == len(ballots):
        return ("Every leaf is pure, so each fraction is 0 or 1, a vote: soft and hard are the same number.",)
    if gap < 5e-5:
        return (f"Soft and hard agree here although {len(ballots) - pure} leaves are mixed: pure leaves suffice for that, but "
                "they are not needed.",)  # fmt: skip
    return (
        f"Soft says {soft:.4f}, hard {hard:.4f}: {len(ballots) - pure} of {len(ballots)} leaves are mixed, and a vote rounds "
        "each mixed leaf up to 1 or down to 0.",
    )


def explain_means(ballots: Sequence[Ballot], own: float, title: str) -> Working:
    """A regression forest's number: the mean over the trees of their leaves' mean targets."""
    means = np.array([float(b.value[0]) for b in ballots])
    every, count = (
        given("m", means, "the mean target in each tree's leaf", TREES),
        given("T", len(means), "trees", TREES),
    )
    witness = Witness("the forest's own predict", lambda: own, rtol=1e-9, atol=1e-12)
    result = Step("ŷ", float(means.mean()), parse("sum(m)/T"), (every, count), rule="mean of leaf means", part="The mean",
                  witnesses=(witness,))  # fmt: skip
    spread = Step("spread", float(means.std()), rule="standard deviation over the trees", part="The mean",
                  why="how far the trees disagree", witnesses=(Witness("NumPy", lambda: float(np.std(means)), rtol=1e-9),))  # fmt: skip
    order = sorted(ballots, key=lambda b: float(b.value[0]))
    rows = tuple((b.tree, float(b.value[0]), b.rows, " and ".join(b.path[-2:])) for b in order[:_LISTED])
    table = Table("What each tree says", ("tree", "mean target", "rows in the leaf", "last decisions"), rows)
    return Working(title=title, question="How does the prediction come about?", steps=(every, count, result, spread),
                   result=result.value, tables=(table,), displays=(TreeMeans(means),) if len(means) > 1 else ())  # fmt: skip


def class_index(classes: Sequence[Any], of: Any, probabilities: np.ndarray) -> int:
    """The class asked about: by name, else the second of two, else the likeliest."""
    if of is None:
        return 1 if len(classes) == 2 else int(np.argmax(probabilities))
    for i, c in enumerate(classes):
        if str(c) == str(of):
            return i
    raise ExplainError(f"the model has no class {of!r}", do=f"choose one of {', '.join(map(str, classes))}")
