"""Rows: a target hidden among the features, and labels that belong to other rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from openbook.diagnose.case import Case
from openbook.diagnose.check import Check, Fix, Subject, Suspicion
from openbook.diagnose.facts import Facts, facts_of, one_hot
from openbook.diagnose.finding import Effect
from openbook.diagnose.sample import Sample
from openbook.diagnose.trial import LOSS, Measure, train
from openbook.expr import parse
from openbook.record import Step, Witness, given

__all__ = ["Leakage", "Misaligned", "neighbours_say"]

EVIDENCE = "Evidence"
_NEIGHBOURS, _LARGEST, _SHUFFLES, _FARTHEST = 7, 700, 40, 5


def _answers(facts: Facts) -> np.ndarray:
    """The targets as columns of numbers: one for each class, or the numbers themselves."""
    if facts.labels is not None:
        return one_hot(facts.labels)
    y = facts.case.sample.targets
    return y.reshape(len(y), -1).astype(np.float64)


class Leakage(Check):
    """A column that says the target by itself, beside others: it will not be there when it is needed."""

    code = "OB013"
    title = "a feature holds the target"

    def suspect(self, subject: Subject) -> Suspicion | None:
        case = subject.case
        facts, x = facts_of(case), case.sample.features
        if facts.problem or x is None or x.shape[1] < 2 or len(x) < 20 or len(case.sample.inputs) > 1:
            return None
        answers = _answers(facts)
        told = np.array([_explained(column, answers, facts.labels) for column in x.T])
        leaks = np.flatnonzero(told > (0.99 if facts.labels is not None else 0.9999))
        if not 0 < len(leaks) < x.shape[1]:
            return None
        worst = int(leaks[np.argmax(told[leaks])])
        again = Witness("scikit-learn's f_classif / r_regression",
                        lambda: _explained_by_sklearn(x[:, worst], answers, facts.labels), rtol=1e-6)  # fmt: skip
        share = Step("η²", float(told[worst]), rule="share of the column's variance that the target explains"
                     if facts.labels is not None else "squared correlation of column and target",
                     why="1 says that one is read off the other", part=EVIDENCE, witnesses=(again,))  # fmt: skip
        next_best = np.delete(told, leaks)
        other = given("η² of the next", float(next_best.max()), "the best of the other columns", EVIDENCE)

        def without(start: Case) -> Case:
            flat = start.sample.inputs[0].reshape(len(x), -1).copy()
            flat[:, leaks] = flat[:, leaks].mean(axis=0)
            return start.with_(
                sample=replace(
                    start.sample, inputs=(flat.reshape(start.sample.inputs[0].shape), *start.sample.inputs[1:])
                )
            )

        def in_use(judged: Case, model: object, sample: Sample) -> float:
            """As it will be used: what the column would say of the target is not known yet."""
            flat = sample.inputs[0].reshape(len(sample), -1).copy()
            flat[:, leaks] = flat[np.random.default_rng(0).permutation(len(flat))][:, leaks]
            return judged.measure(
                model, replace(sample, inputs=(flat.reshape(sample.inputs[0].shape), *sample.inputs[1:]))
            )

        names = ", ".join(map(str, leaks[:5]))
        return Suspicion(
            where=f"input column{'s' if len(leaks) > 1 else ''} {names}",
            says=f"Column {worst} says the target by itself: the model learns to read it off, and fails where it is not known.",
            evidence=(share, other),
            fixes=(Fix(f"leave column{'s' if len(leaks) > 1 else ''} {names} out", without),),
            measure=Measure("loss where the column is not known", in_use),
            held_out=True,
        )


def _explained(column: np.ndarray, answers: np.ndarray, labels: np.ndarray | None) -> float:
    """How much of a column the target explains (classes: between against all), or the squared correlation (numbers)."""
    whole = np.sum((column - column.mean()) ** 2)
    if not whole > 0:
        return 0.0
    if labels is None:
        spread = answers.std(axis=0)
        if answers.shape[1] != 1 or not spread[0] > 0:
            return 0.0
        return float(np.corrcoef(column, answers[:, 0])[0, 1] ** 2)
    means = np.array([column[labels == c].mean() for c in range(answers.shape[1])])
    return float(np.sum(np.bincount(labels) * (means - column.mean()) ** 2) / whole)


def _explained_by_sklearn(column: np.ndarray, answers: np.ndarray, labels: np.ndarray | None) -> float:
    from sklearn.feature_selection import f_classif, r_regression

    with np.errstate(all="ignore"):
        if labels is None:
            return float(r_regression(column[:, None], answers[:, 0])[0] ** 2)
        F = float(f_classif(column[:, None], labels)[0][0])
    k, n = answers.shape[1], len(column)
    return 1.0 if not np.isfinite(F) else F * (k - 1) / (F * (k - 1) + n - k)


# --- labels against rows ---------------------------------------------------------------------------------------------------


def neighbours_say(x: np.ndarray) -> np.ndarray:
    """The numbers of each row's nearest other rows (columns standardised)."""
    spread = x.std(axis=0)
    z = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)
    squares = np.sum(z * z, axis=1)
    distance = squares[:, None] + squares[None, :] - 2 * z @ z.T
    np.fill_diagonal(distance, np.inf)
    return np.argpartition(distance, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]


def _agreement(near: np.ndarray, answers: np.ndarray) -> float:
    """How much of the targets' variance the nearest rows' targets explain: R², 0 and below by chance."""
    said = answers[near].mean(axis=1)
    return float(1 - np.sum((answers - said) ** 2) / np.sum((answers - answers.mean(axis=0)) ** 2))


def _straight(x: np.ndarray, answers: np.ndarray) -> float:
    """The same for a straight line with a small penalty, each half of the rows predicted from the other."""
    z = np.column_stack([(x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-12), np.ones(len(x))])
    half = np.arange(len(x)) % 2 == 0
    left = 0.0
    for learn in (half, ~half):
        gram = z[learn].T @ z[learn] + 1.0 * np.eye(z.shape[1])
        weights = np.linalg.solve(gram, z[learn].T @ answers[learn])
        left += np.sum((answers[~learn] - z[~learn] @ weights) ** 2)
    return float(1 - left / np.sum((answers - answers.mean(axis=0)) ** 2))


class Misaligned(Check):
    """Rows like one another have nothing alike in their targets, as after shuffling one without the other."""

    code = "OB014"
    title = "labels do not belong to their rows"

    def suspect(self, subject: Subject) -> Suspicion | None:
        case = subject.case
        facts, x = facts_of(case), case.sample.features
        if facts.problem or x is None or len(x) < 100 or len(case.sample.inputs) > 1:
            return None
        x, answers = x[:_LARGEST], _answers(facts)[:_LARGEST]
        if not np.all(np.isfinite(x)) or not np.var(answers) > 0 or x.shape[1] > 4096:
            return None
        near = neighbours_say(x)
        found = _agreement(near, answers)
        random = np.random.default_rng(0)
        shuffled = [_agreement(near, answers[random.permutation(len(answers))]) for _ in range(_SHUFFLES)]
        if found > max(shuffled):
            return None
        if x.shape[1] < len(x) // 4 and _straight(x, answers) > 0.05:
            return None
        evidence = _told(found, shuffled, near, answers)
        moved = {} if case.sample.thinned else _moved(near, answers)
        best = max(moved, key=lambda name: moved[name], default="")
        if best and moved[best] > max(shuffled) + 0.15:
            steps = (*evidence, given("R² moved", moved[best], f"with the targets {best}", EVIDENCE))
            return Suspicion(
                where="rows", says=f"The targets belong to other rows: {best}, they fit.", evidence=steps,
                fixes=(Fix(f"put the targets back in their rows: here they fit {best}", lambda c: _realigned(c, best)),),
                measure=LOSS, held_out=True,
            )  # fmt: skip
        return _hopeless(case, evidence)


def _told(found: float, shuffled: list[float], near: np.ndarray, answers: np.ndarray) -> tuple[Step, ...]:
    def one_by_one() -> float:
        said = np.array([np.mean([answers[j] for j in row], axis=0) for row in near])
        return 1 - float(sum(((a - s) ** 2).sum() for a, s in zip(answers, said, strict=True))) / float(
            sum(((a - answers.mean(axis=0)) ** 2).sum() for a in answers)
        )

    own = Step("R²", found, rule=f"of the {_NEIGHBOURS} nearest rows' targets for each row's own", part=EVIDENCE,
               why="0 and below: rows alike have targets no more alike than any", witnesses=(
                   Witness("row by row", one_by_one, rtol=1e-9),))  # fmt: skip
    best = given("R² shuffled", max(shuffled), f"the best of {_SHUFFLES} random orders of the same targets", EVIDENCE)
    gap = Step("above chance", found - max(shuffled), parse("a - b").rename({"a": "R²", "b": "R² shuffled"}), (own, best),
               rule="nothing that a random order does not have", part=EVIDENCE)  # fmt: skip
    return (own, best, gap)


def _moved(near: np.ndarray, answers: np.ndarray) -> dict[str, float]:
    """The agreement with the targets moved by some rows, and in reverse order."""
    by = [k for k in range(-_FARTHEST, _FARTHEST + 1) if k]
    found = {_shift_said(k): _agreement(near, np.roll(answers, k, axis=0)) for k in by}
    return found | {"in reverse order": _agreement(near, answers[::-1])}


def _shift_said(k: int) -> str:
    rows = "1 row" if abs(k) == 1 else f"{abs(k)} rows"
    return f"moved {'down' if k > 0 else 'up'} by {rows}"


def _realigned(case: Case, best: str) -> Case:
    y = case.sample.targets
    if best == "in reverse order":
        return case.with_(sample=replace(case.sample, targets=y[::-1].copy()))
    k = next(k for k in range(-_FARTHEST, _FARTHEST + 1) if k and _shift_said(k) == best)
    return case.with_(sample=replace(case.sample, targets=np.roll(y, k, axis=0)))


def _hopeless(case: Case, evidence: tuple[Step, ...]) -> Suspicion:
    """No order that can be tried fits: a constant answer does better on rows held out than a model that has learnt."""

    def trial(start: Case, fixed: Case) -> Effect:
        each = []
        for seed in case.seeds:
            learn, judge = start.sample.parts(seed)
            run = train(start.with_(sample=learn), seed, 4 * start.steps)
            each.append((start.measure(run.model, judge), facts_of(start.with_(sample=judge)).chance))
        before, after = (float(np.mean([pair[i] for pair in each])) for i in (0, 1))
        return Effect("loss on rows held out, the model's and the best constant's", before, after, 4 * start.steps,
                      len(each), f"30% of {len(start.sample)} rows", tuple(each))  # fmt: skip

    return Suspicion(
        where="rows",
        says="Nothing ties the targets to the rows they stand beside: what is learnt on some rows says less of others than a "
        "constant answer. Most often one of the two was shuffled, sorted or filtered without the other.",
        evidence=evidence,
        fixes=(Fix("shuffle, sort and filter inputs and targets together; their old order cannot be told from the data, so "
                   "what was tried is the best constant answer", lambda c: c),),
        trial=trial,
        share=0.03,
        repairs=False,
    )  # fmt: skip
