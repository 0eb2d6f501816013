"""Part 8: counts, rates and a metric at thresholds; the best over all of them; and whether probabilities mean it."""

from __future__ import annotations

from functools import partial

import numpy as np

from openbook.decide import RATES, BestThreshold, Metric, Outcome, Reliability, TemperatureScaling, ThresholdTable
from openbook.explain.dispatch import explains
from openbook.explain.displays.decisions import ReliabilityDisplay, ThresholdCurve
from openbook.expr import Expr, Number, parse
from openbook.record import Step, Table, Witness, Working, given

__all__ = ["explain_best", "explain_outcome", "explain_reliability", "explain_thresholds"]

_AROUND = 3


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
    largest = Step("largest M", best.value, rule="maximum", part="Over all thresholds",
                   why=f"of {len(best.thresholds)} different ways to part the rows",
                   witnesses=(Witness("trying every score as the threshold", lambda: _brute_force(best), rtol=1e-12),))  # fmt: skip
    lower = given("above", best.lower, "the next score below: a threshold must be larger", "Over all thresholds")
    upper = given("up to", best.upper, "the score at which the next row would be lost", "Over all thresholds")
    note = f"Every T with {best.lower:.4g} < T ≤ {best.upper:.4g} makes the same calls; {best.threshold:.4g} is in the middle."
    if best.others:
        note += f" {len(best.others)} further interval(s) do equally well."
    if best.constraint is not None:
        from openbook.expr import text

        note += f" Only thresholds with {text(best.constraint)} were considered."
    return Working(
        title=f"The best threshold for {best.metric}",
        question=f"Which threshold gives the largest {best.metric} of all there are?",
        steps=(largest, lower, upper, *steps),
        result={"threshold": best.threshold, "above": best.lower, "up to": best.upper, "value": best.value},
        tables=(_neighbours(best),), notes=(note,), displays=(ThresholdCurve(best),),
    )  # fmt: skip


def _brute_force(best: BestThreshold) -> float:
    """The same maximum from counts taken anew at every cut (at 500 cuts spread over them, where there are more)."""
    from openbook.decide import at_thresholds

    allowed = np.flatnonzero(np.isfinite(best.values))
    chosen = allowed if len(allowed) <= 500 else allowed[np.linspace(0, len(allowed) - 1, 500).astype(int)]
    cuts = np.append(best.thresholds[chosen], best.threshold)
    finite = np.where(np.isfinite(cuts), cuts, best.p.max() + 1.0)
    return at_thresholds(best.y, best.p, finite.tolist(), best.metric).best.value


def _neighbours(best: BestThreshold) -> Table:
    from openbook.decide import at_thresholds

    place = int(np.searchsorted(best.thresholds, best.upper))
    nearby = best.thresholds[max(0, place - _AROUND) : place + _AROUND + 1]
    nearby = nearby[np.isfinite(nearby)]
    rows = at_thresholds(best.y, best.p, nearby.tolist(), best.metric).rows
    marked = tuple(i for i, r in enumerate(rows) if r.threshold == best.upper)
    return _table(rows, best.metric, marked, "The cuts around the best one")


@explains(Reliability)
def explain_reliability(result: Reliability) -> Working:
    """Bin by bin: predicted, observed with its interval, and the expected calibration error made of the distances."""
    n, predicted = (
        given("n", result.rows.astype(float), "rows in each bin"),
        given("predicted", result.predicted, "mean probability"),
    )
    observed = given("observed", result.observed, "share that was positive")
    formula = parse("sum(n*abs(a - b))/sum(n)").rename({"a": "predicted", "b": "observed"})
    ece = Step("ECE", result.ece, formula, (n, predicted, observed), rule="expected calibration error",
               why="the mean distance, weighted by the rows in each bin")  # fmt: skip
    rows = tuple(
        (f"{a:.1f}–{b:.1f}", int(k), float(q), float(o), f"{lo:.3f}–{hi:.3f}")
        for (a, b), k, q, o, lo, hi in zip(
            result.edges, result.rows, result.predicted, result.observed, result.low, result.high, strict=True
        )
    )
    outside = int(np.sum((result.predicted < result.low) | (result.predicted > result.high)))
    return Working(
        title="Do the probabilities mean what they say?",
        question="Of the rows given a probability near p, is a share of p positive?",
        steps=(n, predicted, observed, ece), result=result.ece,
        tables=(Table("Reliability", ("p", "rows", "predicted", "observed", "95 % interval"), rows),),
        notes=(f"In {outside} of {len(rows)} bins the predicted probability lies outside the interval of what happened.",),
        displays=(ReliabilityDisplay(result),),
    )  # fmt: skip


@explains(TemperatureScaling)
def explain_scaling(scaling: TemperatureScaling) -> Working:
    """The one temperature that makes validation rows least surprising, and what it changed."""
    before, after = (
        given("log loss before", scaling.before, "on the validation rows"),
        given("log loss after", scaling.after),
    )
    t = given(
        "T",
        scaling.temperature,
        "sharper than the model's own" if scaling.temperature < 1 else "softer than the model's own",
    )
    gain = Step("gain", scaling.before - scaling.after, parse("a - b").rename({"a": before.name, "b": after.name}), (before, after),
                rule="difference")  # fmt: skip
    return Working(title="Calibration by temperature", question="How far were the logits from meaning what they say?",
                   steps=(t, before, after, gain), result=scaling.temperature)  # fmt: skip
