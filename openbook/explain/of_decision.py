"""Part 8: counts, rates and a metric at thresholds; the best over all of them, and how far the choice would move."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from openbook.decide import RATES, BestThreshold, Metric, Outcome, Spread, ThresholdTable
from openbook.explain.dispatch import explains
from openbook.explain.displays.decisions import ThresholdCurve
from openbook.expr import Expr, Number, parse
from openbook.record import Step, Table, Witness, Working, given

__all__ = ["explain_best", "explain_outcome", "explain_spread", "explain_thresholds"]

_AROUND = 3
_LISTED = 30  # cuts: of more only those around the best are written out
_RESAMPLED = 10_000  # rows: with more, a spread is made when it is asked for
OVER_ALL, ELSEWHERE = "Over all thresholds", "On other rows"


# The four counts: the label, whether it is called positive, and what that means.
_COUNTED = {
    "tp": (1, True, "positive and called so"),
    "fp": (0, True, "negative, but called positive"),
    "fn": (1, False, "positive, but not called"),
    "tn": (0, False, "negative and left alone"),
}


def _outcome_steps(outcome: Outcome, y: np.ndarray, p: np.ndarray, part: str) -> list[Step]:
    """The four counts at one threshold, the rates made of them, and the metric."""
    steps: dict[str, Step] = {}
    for name, (label, called, why) in _COUNTED.items():
        again = Witness("counting row by row", partial(_recount, y, p, outcome.threshold, label, called))
        steps[name] = Step(name, outcome.counts[name], rule="count", why=why, part=part, witnesses=(again,))
    return _rates_and_metric(outcome, steps, part)


def _rates_and_metric(outcome: Outcome, counts: dict[str, Step], part: str) -> list[Step]:
    steps = dict(counts)
    for name in outcome.rates:
        steps[name] = _ratio(name, outcome.rates[name], name, steps, part)
    used = tuple(steps[n] for n in outcome.metric.formula.names())
    whole = _value_step("M", outcome.value, outcome.metric, used, part, outcome.empty)
    return [*steps.values(), whole]


@explains(Outcome)
def explain_outcome(outcome: Outcome) -> Working:
    """From the four counts at one threshold to its rates and the metric."""
    part = f"T = {outcome.threshold:g}"
    counts = {name: given(name, outcome.counts[name], why, part) for name, (_, _, why) in _COUNTED.items()}
    return Working(
        title=f"{outcome.metric} at T = {outcome.threshold:g}",
        question="What do these counts come to?",
        steps=tuple(_rates_and_metric(outcome, counts, part)),
        result=outcome.value,
    )


def _recount(y: np.ndarray, p: np.ndarray, threshold: float, label: int, called: bool) -> int:
    return sum(
        1
        for truth, score in zip(y.tolist(), p.tolist(), strict=True)
        if truth == label and (score >= threshold) == called
    )


def _ratio(name: str, value: float, rate: str, steps: dict[str, Step], part: str) -> Step:
    known = RATES[rate]
    inputs = tuple(steps[n] for n in known.formula.names())
    below = getattr(known.formula, "right", None)
    if getattr(known.formula, "operator", "") == "/" and below is not None and _is_zero(below, inputs):
        return Step(name, value, Number(known.empty), (), rule="0/0", why=f"nothing to divide by: {known.empty:g} by convention",
                    part=part)  # fmt: skip
    return Step(name, value, known.formula, inputs, rule="rate", why=known.meaning, part=part)


def _is_zero(below: Expr, inputs: tuple[Step, ...]) -> bool:
    from openbook.expr import evaluate

    return float(evaluate(below, {s.name: float(s.value) for s in inputs})) == 0.0


def _value_step(name: str, value: float, metric: Metric, inputs: tuple[Step, ...], part: str, empty: bool) -> Step:
    why = "with a rate that is 0/0 at its stated value" if empty else "the metric"
    return Step(name, value, metric.formula, inputs, rule=str(metric), why=why, part=part)


@explains(ThresholdTable)
def explain_thresholds(table: ThresholdTable) -> Working:
    """Count, divide and compare at each threshold asked about."""
    steps = [s for row in table.rows for s in _outcome_steps(row, table.y, table.p, f"T = {row.threshold:g}")]
    best = table.best
    marked = tuple(i for i, row in enumerate(table.rows) if row.value == best.value)
    return Working(
        title=f"{table.metric} at {len(table.rows)} thresholds",
        question=f"Which of these thresholds gives the largest {table.metric}?",
        steps=tuple(steps), result={"threshold": best.threshold, "value": best.value},
        tables=(_table(table.rows, table.metric, marked),),
        notes=(f"T = {best.threshold:g} gives the largest {table.metric}, {best.value:.4f}, of the thresholds asked about. "
               "A low threshold finds more and is wrong more often; a high one the other way round.",),
    )  # fmt: skip


def _table(
    rows: tuple[Outcome, ...], metric: Metric, marked: tuple[int, ...], title: str = "Threshold by threshold"
) -> Table:
    body = tuple(
        (r.threshold, r.tp, r.fp, r.fn, r.tn, *(r.rates[n] for n in metric.rates), r.value, "0/0" if r.empty else "")
        for r in rows
    )
    columns = ("T", "TP", "FP", "FN", "TN", *metric.rates, str(metric), "")
    if not any(r.empty for r in rows):
        return Table(title, columns[:-1], tuple(b[:-1] for b in body), marked=marked)
    return Table(title, columns, body, note="0/0 takes the value stated for the rate", marked=marked)


@explains(BestThreshold)
def explain_best(best: BestThreshold) -> Working:
    """The best over all thresholds as an interval, its counts and rates, and the cuts on both sides of it."""
    steps = _outcome_steps(best.outcome, best.y, best.p, f"At T = {best.threshold:.4g}")
    largest = Step("largest M", best.value, rule="maximum", part=OVER_ALL,
                   why=f"of {len(best.thresholds)} different ways to part the rows",
                   witnesses=(Witness("trying every score as the threshold", lambda: _brute_force(best), rtol=1e-12),))  # fmt: skip
    lower = given("above", best.lower, "the next score below: a threshold must be larger", OVER_ALL)
    upper = given("up to", best.upper, "the score at which the next row would be lost", OVER_ALL)
    spread = best.spread() if len(best.y) <= _RESAMPLED else None
    return Working(
        title=f"The best threshold for {best.metric}",
        question=f"Which threshold gives the largest {best.metric} of all there are?",
        steps=(largest, lower, upper, *steps, *(_spread_steps(spread) if spread else ())),
        result={"threshold": best.threshold, "above": best.lower, "up to": best.upper, "value": best.value},
        tables=(_cuts(best),), notes=_best_notes(best, spread), displays=(ThresholdCurve(best),),
    )  # fmt: skip


def _best_notes(best: BestThreshold, spread: Spread | None) -> tuple[str, ...]:
    note = f"Every T with {best.lower:.4g} < T ≤ {best.upper:.4g} makes the same calls; {best.threshold:.4g} is in the middle."
    if best.others:
        note += f" {len(best.others)} further interval(s) do equally well."
    if best.constraint is not None:
        note += f" Only thresholds with {best.constraint} were considered."
    if spread is None:
        return (note, f"How far the choice would move on other rows: .spread(), left out for {len(best.y)} rows.")
    return (note, _moves(spread))


def _moves(spread: Spread) -> str:
    low, high = spread.threshold_interval
    note = (f"On {spread.coverage:.0%} of {len(spread.thresholds)} resamples of the rows the threshold chosen lies between "
            f"{low:.4g} and {high:.4g}; a choice promises {spread.optimism:.4g} more than it keeps.")  # fmt: skip
    return note + (f" On {spread.failed} of them no threshold satisfies the constraint." if spread.failed else "")


def _brute_force(best: BestThreshold) -> float:
    """The same maximum from counts taken anew at every cut (at 500 cuts spread over them, where there are more)."""
    from openbook.decide import at_thresholds

    allowed = np.flatnonzero(np.isfinite(best.values))
    chosen = allowed if len(allowed) <= 500 else allowed[np.linspace(0, len(allowed) - 1, 500).astype(int)]
    cuts = np.append(best.thresholds[chosen], best.threshold)
    finite = np.where(np.isfinite(cuts), cuts, best.p.max() + 1.0)
    return at_thresholds(best.y, best.p, finite.tolist(), best.metric).best.value


def _cuts(best: BestThreshold) -> Table:
    """The running counts: calling positive from a score up, for all scores, or for those around the best."""
    from openbook.decide import at_thresholds

    cuts = best.thresholds[np.isfinite(best.thresholds)]
    title = "Calling positive from each score up"
    if len(cuts) > _LISTED:
        place = int(np.searchsorted(cuts, best.upper))
        cuts, title = cuts[max(0, place - _AROUND) : place + _AROUND + 1], "The cuts around the best one"
    cuts = cuts[::-1]  # from the surest down: each takes in the rows with its own score
    rows = at_thresholds(best.y, best.p, cuts.tolist(), best.metric).rows
    marked = tuple(i for i, r in enumerate(rows) if r.threshold == best.upper)
    table = _table(rows, best.metric, marked, title)
    here = [best.y[best.p == t] for t in cuts]
    body = tuple(
        (row[0], int(y.sum()), len(y) - int(y.sum()), *row[1:]) for row, y in zip(table.rows, here, strict=True)
    )
    return replace(table, columns=("p", "y = 1 here", "y = 0 here", *table.columns[1:]), rows=body)


@explains(Spread)
def explain_spread(spread: Spread) -> Working:
    """How far the choice of a threshold would move: chosen again on resamples of the rows."""
    low, high = spread.threshold_interval
    return Working(
        title=f"How sure the threshold for {spread.best.metric} is",
        question="Which threshold would other rows of the same kind have chosen?",
        steps=_spread_steps(spread), result={"from": low, "to": high, "optimism": spread.optimism},
        notes=(_moves(spread), "The constraint and the metric are those of the choice; rows are drawn with replacement (Efron 1979).")
    )  # fmt: skip


def _spread_steps(spread: Spread) -> tuple[Step, ...]:
    again = _Again(spread)
    kind = f"{spread.coverage:.0%} of the resamples"
    samples = given("resamples", len(spread.thresholds), "of the rows, drawn with replacement", ELSEWHERE)
    steps = [samples]
    for name, pair, drawn in (
        ("T", spread.threshold_interval, again.thresholds),
        ("M", spread.value_interval, again.here),
    ):
        why = "the threshold each would choose" if name == "T" else "the metric with the threshold as it stands"
        for side, value in zip(("low", "high"), pair, strict=True):
            witness = Witness("choosing again, rows sorted and counted one by one",
                              partial(again.quantile, drawn, side == "high"), rtol=1e-9, atol=1e-12)  # fmt: skip
            steps.append(Step(f"{name}_{side}", value, rule=kind, why=why, part=ELSEWHERE, witnesses=(witness,)))
    promised, kept = spread.promised[~np.isnan(spread.promised)], spread.kept[~np.isnan(spread.kept)]
    luck = given("promised", promised, "the metric of each choice on its own resample", ELSEWHERE)
    truth = given("kept", kept, "and on the rows themselves", ELSEWHERE)
    steps += [luck, truth]
    mean = parse("sum(a - b)/n").rename({"a": luck.name, "b": truth.name, "n": "chosen"})
    chosen = given("chosen", len(promised), "resamples on which there is a choice", ELSEWHERE)
    steps += [chosen, Step("optimism", spread.optimism, mean, (luck, truth, chosen), rule="mean", part=ELSEWHERE,
                           why="the best of many is partly luck")]  # fmt: skip
    return tuple(steps)


@dataclass
class _Again:
    """The resamples drawn once more, and every choice made by sorting and counting rows, not by weighing cuts."""

    spread: Spread

    def quantile(self, drawn: Callable[[], np.ndarray], high: bool) -> float:
        values = np.sort(drawn())
        tail = (1 - self.spread.coverage) / 2
        share = 1 - tail if high else tail
        return float(values[max(0, math.ceil(share * len(values) - 1e-9) - 1)])

    def here(self) -> np.ndarray:
        best = self.spread.best
        return np.array([self._judged(y, p >= best.threshold) for y, p in self._samples()])

    def thresholds(self) -> np.ndarray:
        return np.array([t for t in map(self._choose, self._samples()) if not np.isnan(t)])

    def _samples(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        best, random = self.spread.best, np.random.default_rng(self.spread.seed)
        for _ in range(len(self.spread.thresholds)):
            rows = random.integers(0, len(best.y), len(best.y))
            yield best.y[rows], best.p[rows]

    def _judged(self, y: np.ndarray, called: np.ndarray) -> float:
        counts = {"tp": called & (y == 1), "fp": called & (y == 0), "fn": ~called & (y == 1), "tn": ~called & (y == 0)}
        return float(self.spread.best.metric.evaluate({k: np.array([v.sum()]) for k, v in counts.items()})[1][0])

    def _choose(self, sample: tuple[np.ndarray, np.ndarray]) -> float:
        """The largest metric over the scores of all rows (those not drawn count for nothing); of equal ones the lowest."""
        best, (y, p) = self.spread.best, sample
        order = np.argsort(p, kind="stable")
        ones = np.append(0, np.cumsum(y[order]))
        first = np.searchsorted(p[order], best.thresholds)  # how many lie below each
        fn, negatives = ones[first], len(y) - ones[-1]
        tn = first - fn
        counts = {"tp": ones[-1] - fn, "fp": negatives - tn, "fn": fn, "tn": tn}
        _, values, _ = best.metric.evaluate(counts)
        if best.constraint is not None:
            values = np.where(best.constraint.evaluate(counts)[1] == 1, values, -np.inf)
        return float(best.thresholds[np.nanargmax(values)]) if np.isfinite(values).any() else np.nan
