"""What the trees of a forest say about one row, ours and scikit-learn's: leaf counts → fraction → mean, beside the vote,
and what each feature adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from openbook.explain.displays.contributions import ContributionBars, TreeFractions, TreeMeans
from openbook.explain.rows.contributions import Booked, added_up, bars, table
from openbook.explain.rows.links import from_formula
from openbook.explain.rows.passages import BOOKED_NOTE, Passage, changes
from openbook.expr import Expr, Name, parse
from openbook.record import Step, Table, Witness, Working, given

__all__ = ["Ballot", "explain_ballots", "explain_means", "mean_fractions"]

_ALL_SHOWN = 6  # trees: of larger forests the most and the least convinced are written out
_LISTED = 40
TREES, SOFT, HARD, OUT = "The leaves", "Soft: the mean of the fractions", "Hard: the share of the votes", "Out of bag"
FEATURES = "What each feature adds"


@dataclass(frozen=True, eq=False)
class Ballot:
    """One tree's answer: the way the row took, on which nodes hold a weight per class, or a mean (turns + 1, 1).

    `rows` are the training rows in the leaf; `unseen` whether the asked-about training row was not drawn for this tree.
    """

    tree: int
    passage: Passage
    rows: int
    unseen: bool | None = None

    @property
    def value(self) -> np.ndarray:
        return self.passage.leaf

    def fraction(self, k: int) -> float:
        return float(self.value[k] / self.value.sum())

    def fractions_on_the_way(self, k: int) -> np.ndarray:
        return self.passage.held[:, k] / self.passage.held.sum(axis=1)

    @property
    def winner(self) -> int:
        return int(np.argmax(self.value))

    @property
    def pure(self) -> bool:
        return bool(np.sum(self.value > 0) == 1)


def explain_ballots(
    ballots: Sequence[Ballot],
    classes: Sequence[str],
    chosen: int,
    own: Callable[[], float],
    names: Sequence[str],
    title: str,
) -> Working:
    """The probability of a class: each tree's leaf, their mean, the votes, why the two agree or not, and what each
    feature adds.

    `own` gives what the forest's own `predict_proba` says.
    """
    name = str(classes[chosen])
    shown = _shown(ballots, chosen)
    steps = [s for b in shown for s in _leaf_steps(b, chosen, name)]
    fractions = np.array([b.fraction(chosen) for b in ballots])
    votes = np.array([float(b.winner == chosen) for b in ballots])
    witness = Witness("the forest's own predict_proba", own, rtol=1e-9, atol=1e-12)
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
    on_the_way = [b.fractions_on_the_way(chosen) for b in ballots]
    added = _by_feature(ballots, on_the_way, names, "p by features", witness)
    result = {"class": name, "soft": soft.value, "hard": hard.value}
    return Working(
        title=title, question=f"How does the probability of {name} come about?", steps=(*steps, *added.steps),
        result=result, tables=(_table(ballots, classes, chosen), added.table),
        notes=(*_notes(ballots, soft.value, hard.value, classes), BOOKED_NOTE),
        displays=(*(() if len(ballots) <= _ALL_SHOWN else (TreeFractions(fractions, votes, name),)), added.display),
    )  # fmt: skip


def _shown(ballots: Sequence[Ballot], chosen: int) -> list[Ballot]:
    if len(ballots) <= _ALL_SHOWN:
        return list(ballots)
    order = sorted(ballots, key=lambda b: (b.fraction(chosen), b.tree))
    return [order[-1], order[-2], order[len(order) // 2], order[1], order[0]]


def _leaf_steps(ballot: Ballot, chosen: int, name: str) -> list[Step]:
    t = ballot.tree
    where = " and ".join(ballot.passage.words()[-3:]) or "the only leaf"
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


def mean_fractions(ballots: Sequence[Ballot]) -> np.ndarray:
    """The probability of every class."""
    leaves = np.stack([b.value for b in ballots])
    return np.mean(leaves / leaves.sum(axis=1, keepdims=True), axis=0)


@dataclass(frozen=True, eq=False)
class _ByFeature:
    """The same number once more: what the roots say, and what each feature's splits added on the way to the leaves."""

    steps: list[Step]
    table: Table
    display: ContributionBars


def _by_feature(
    ballots: Sequence[Ballot], on_the_way: Sequence[np.ndarray], names: Sequence[str], name: str, own: Witness
) -> _ByFeature:
    roots = given("r", np.array([v[0] for v in on_the_way]), "what each tree says before it asks anything", FEATURES)
    count = given("T", len(ballots), "trees", FEATURES)
    bias = from_formula("bias", "sum(r)/T", {"r": roots, "T": count}, "mean of the roots", FEATURES)
    terms = Booked(changes([b.passage for b in ballots], on_the_way, len(names)), "sum(d)/T", (count,))
    steps = [roots, count, *added_up(name, bias, terms, names, FEATURES, (own,))]
    return _ByFeature(steps, table(terms, names, bias.value), bars(terms, names, name.split()[0]))


def explain_means(ballots: Sequence[Ballot], own: Callable[[], float], names: Sequence[str], title: str) -> Working:
    """A regression forest's number: the mean over the trees of their leaves' mean targets, and what each feature adds."""
    means = np.array([float(b.value[0]) for b in ballots])
    every, count = (
        given("m", means, "the mean target in each tree's leaf", TREES),
        given("T", len(means), "trees", TREES),
    )
    witness = Witness("the forest's own predict", own, rtol=1e-9, atol=1e-12)
    result = Step("ŷ", float(means.mean()), parse("sum(m)/T"), (every, count), rule="mean of leaf means", part="The mean",
                  witnesses=(witness,))  # fmt: skip
    spread = Step("spread", float(means.std()), rule="standard deviation over the trees", part="The mean",
                  why="how far the trees disagree", witnesses=(Witness("NumPy", lambda: float(np.std(means)), rtol=1e-9),))  # fmt: skip
    added = _by_feature(ballots, [b.passage.held[:, 0] for b in ballots], names, "ŷ by features", witness)
    order = sorted(ballots, key=lambda b: float(b.value[0]))
    rows = tuple((b.tree, float(b.value[0]), b.rows, " and ".join(b.passage.words()[-2:])) for b in order[:_LISTED])
    said = Table("What each tree says", ("tree", "mean target", "rows in the leaf", "last decisions"), rows)
    return Working(
        title=title, question="How does the prediction come about?", steps=(every, count, result, spread, *added.steps),
        result=result.value, tables=(said, added.table), notes=(BOOKED_NOTE,),
        displays=(*((TreeMeans(means),) if len(means) > 1 else ()), added.display),
    )  # fmt: skip
