"""The named rates, each one formula in the four counts; what metrics, tables and explanations are made of."""

from __future__ import annotations

from dataclasses import dataclass

from openbook.expr import Expr, parse

__all__ = ["COUNTS", "RATES", "Rate", "expand"]

COUNTS = ("tp", "fp", "fn", "tn")


@dataclass(frozen=True)
class Rate:
    """A rate: its formula in counts and other rates, what it says, and its value where the formula is 0/0."""

    name: str
    formula: Expr
    meaning: str
    empty: float = 0.0


def _rate(name: str, formula: str, meaning: str, empty: float = 0.0) -> Rate:
    return Rate(name, parse(formula), meaning, empty)


_ALL = [
    _rate("precision", "tp/(tp + fp)", "of those called positive, the share that is"),
    _rate("recall", "tp/(tp + fn)", "of the positive, the share that is found"),
    _rate("specificity", "tn/(tn + fp)", "of the negative, the share that is left alone"),
    _rate("npv", "tn/(tn + fn)", "of those called negative, the share that is"),
    _rate("fpr", "fp/(fp + tn)", "of the negative, the share that is called positive"),
    _rate("fnr", "fn/(fn + tp)", "of the positive, the share that is missed"),
    _rate("accuracy", "(tp + tn)/(tp + fp + fn + tn)", "the share of right calls"),
    _rate("error", "(fp + fn)/(tp + fp + fn + tn)", "the share of wrong calls"),
    _rate("f1", "2*tp/(2*tp + fp + fn)", "the harmonic mean of precision and recall (van Rijsbergen 1979)"),
    _rate("f2", "5*tp/(5*tp + fp + 4*fn)", "as f1, with recall counting twice as much"),
    _rate("f05", "1.25*tp/(1.25*tp + fp + 0.25*fn)", "as f1, with precision counting twice as much"),
    _rate("jaccard", "tp/(tp + fp + fn)", "found and positive, among found or positive"),
    _rate("prevalence", "(tp + fn)/(tp + fp + fn + tn)", "the share of positives"),
    _rate("called", "(tp + fp)/(tp + fp + fn + tn)", "the share called positive"),
    _rate("balanced_accuracy", "(recall + specificity)/2", "the mean of the two classes' shares of right calls"),
    _rate("youden", "recall + specificity - 1", "how far above the diagonal of the ROC curve (Youden 1950)"),
    _rate(
        "mcc",
        "(tp*tn - fp*fn)/sqrt((tp + fp)*(tp + fn)*(tn + fp)*(tn + fn))",
        "the correlation of call and truth (Matthews 1975)",
    ),
]
RATES: dict[str, Rate] = {rate.name: rate for rate in _ALL}
_SYNONYMS = {
    "ppv": "precision",
    "tpr": "recall",
    "sensitivity": "recall",
    "tnr": "specificity",
    "informedness": "youden",
    "fbeta2": "f2",
}


def expand(name: str) -> str:
    """The one name a rate or count goes by here; the name itself if nobody knows it."""
    lowered = name.lower()
    return _SYNONYMS.get(lowered, lowered)
