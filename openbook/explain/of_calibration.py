"""Whether probabilities mean what they say, bin by bin; and the temperature that makes them."""

from __future__ import annotations

from functools import partial

import numpy as np

from openbook.decide import Reliability, TemperatureScaling
from openbook.explain.dispatch import explains
from openbook.explain.displays.decisions import ReliabilityDisplay
from openbook.expr import parse
from openbook.record import Step, Table, Witness, Working

__all__ = ["explain_reliability", "explain_scaling"]

_STEP = 1e-4  # of ln T, for the slope of the loss


@explains(Reliability)
def explain_reliability(result: Reliability) -> Working:
    """Bin by bin: predicted, observed with its interval, and the expected calibration error made of the distances."""
    outside = int(np.sum((result.predicted < result.low) | (result.predicted > result.high)))
    return Working(
        title="Do the probabilities mean what they say?",
        question="Of the rows given a probability near p, is a share of p positive?",
        steps=_reliability_steps(result), result=result.ece, tables=(_bins(result),),
        notes=(f"In {outside} of {len(result.rows)} bins the predicted probability lies outside the interval of what happened.",),
        displays=(ReliabilityDisplay(result),),
    )  # fmt: skip


def _reliability_steps(result: Reliability, part: str = "", suffix: str = "") -> tuple[Step, ...]:
    """The bins' rows, means and shares counted again row by row, and the errors made of them."""
    again = {
        what: (Witness("row by row", partial(_again, result, what)),) for what in ("rows", "predicted", "observed")
    }
    n = Step(f"n{suffix}", result.rows, rule="count", why="rows in each bin", part=part, witnesses=again["rows"])
    predicted = Step(f"predicted{suffix}", result.predicted, rule="mean", why="probability, in each bin", part=part,
                     witnesses=again["predicted"])  # fmt: skip
    observed = Step(f"observed{suffix}", result.observed, rule="share", why="that was positive, in each bin", part=part,
                    witnesses=again["observed"])  # fmt: skip
    named = {"n": n.name, "a": predicted.name, "b": observed.name}
    ece = Step(f"ECE{suffix}", result.ece, parse("sum(n*abs(a - b))/sum(n)").rename(named), (n, predicted, observed),
               rule="expected calibration error", why="the mean distance, weighted by the rows in each bin", part=part)  # fmt: skip
    mce = Step(f"MCE{suffix}", result.mce, parse("max(abs(a - b))").rename(named), (predicted, observed),
               rule="maximum calibration error", why="the largest distance", part=part)  # fmt: skip
    return n, predicted, observed, ece, mce


def _again(result: Reliability, what: str) -> np.ndarray:
    """Each bin's rows found by comparing with its edges, one bin at a time."""
    found = []
    for low, high in result.edges:
        inside = (result.p >= low) & ((result.p < high) | ((high == 1) & (result.p == 1)))
        found.append(
            {"rows": inside.sum(), "predicted": _mean(result.p[inside]), "observed": _mean(result.y[inside])}[what]
        )
    return np.array(found, np.float64)


def _mean(values: np.ndarray) -> float:
    return sum(values.tolist()) / len(values)


def _bins(result: Reliability) -> Table:
    share = result.rows / result.rows.sum()
    gap = np.abs(result.predicted - result.observed)
    rows = tuple(
        (f"{low:.3g}–{high:.3g}", int(n), float(p), float(o), f"{a:.3f}–{b:.3f}", float(g), float(w * g))
        for (low, high), n, p, o, a, b, g, w in zip(
            result.edges,
            result.rows,
            result.predicted,
            result.observed,
            result.low,
            result.high,
            gap,
            share,
            strict=True,
        )
    )
    columns = ("p", "rows", "predicted", "observed", "95 % interval", "distance", "· share of rows")
    off = np.flatnonzero((result.predicted < result.low) | (result.predicted > result.high))
    return Table("Bin by bin; the last column adds up to the ECE", columns, rows, marked=tuple(off.tolist()),
                 note="Wilson's interval (1927)" + ("; marked: the prediction lies outside it" if len(off) else ""))  # fmt: skip


@explains(TemperatureScaling)
def explain_scaling(scaling: TemperatureScaling) -> Working:
    """The one temperature that makes validation rows least surprising, and what it changed."""
    t = Step("T", scaling.temperature, rule="minimum of the log loss",
             why="sharper than the model's own" if scaling.temperature < 1 else "softer than the model's own",
             witnesses=(Witness("where the slope of the log loss is zero", partial(_stationary, scaling), rtol=1e-4),))  # fmt: skip
    before, after = (
        Step(f"log loss {when}", value, rule="mean surprise", why="of the validation rows",
             witnesses=(Witness("scikit-learn's log_loss", partial(_log_loss, scaling, at), rtol=1e-9, atol=1e-12),))
        for when, value, at in (("before", scaling.before, 1.0), ("after", scaling.after, scaling.temperature))
    )  # fmt: skip
    gain = Step("gain", scaling.before - scaling.after, parse("a - b").rename({"a": before.name, "b": after.name}), (before, after),
                rule="difference")  # fmt: skip
    old, new = scaling.reliability()
    return Working(
        title="Calibration by temperature", question="How far were the logits from meaning what they say?",
        steps=(t, before, after, gain, *_reliability_steps(old, "Bins before", "_before"),
               *_reliability_steps(new, "Bins after", "_after")),
        result=scaling.temperature, tables=(_bins(old), _bins(new)),
        notes=("The bins hold the probability of the likeliest class, and whether it was true (Guo et al. 2017).",),
        displays=(ReliabilityDisplay(old), ReliabilityDisplay(new)),
    )  # fmt: skip


def _log_loss(scaling: TemperatureScaling, temperature: float) -> float:
    from scipy.special import softmax
    from sklearn.metrics import log_loss

    p = softmax(scaling.logits / temperature, axis=1)
    return float(log_loss(scaling.y, p, labels=np.arange(p.shape[1])))


def _stationary(scaling: TemperatureScaling) -> float:
    """The zero of the loss's slope by ln T, Σ (p − truth)·z, sought in both directions; T itself at the end of its range."""
    from scipy.optimize import brentq
    from scipy.special import softmax

    rows = np.arange(len(scaling.y))

    def slope(log_t: float) -> float:
        z = scaling.logits / np.exp(log_t)
        p = softmax(z, axis=1)
        return float(np.mean(z[rows, scaling.y] - np.sum(p * z, axis=1)))

    found = np.log(scaling.temperature)
    for reach in (0.01, 0.1, 1.0):
        if slope(found - reach) * slope(found + reach) < 0:
            return float(np.exp(brentq(slope, found - reach, found + reach, xtol=1e-12)))
    return scaling.temperature
