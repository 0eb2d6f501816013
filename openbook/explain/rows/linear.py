"""Rows of linear models, ours and scikit-learn's: coefficient × value, added up, and squashed into a probability."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.explain.rows.contributions import SUM, Entrywise, added_up, bars, class_scores, table, weighted
from openbook.explain.rows.links import sigmoid, softmax
from openbook.explain.rows.row import as_fitted, checked_row, class_index, feature_names
from openbook.record import Step, Witness, Working, given

__all__ = ["LinearScores", "explain_linear_row", "explain_logistic_row", "linear_scores", "linear_sum"]


@dataclass(frozen=True, eq=False)
class LinearScores:
    """What a linear classifier says of one row: the score of the second of two classes, or one for each of more."""

    steps: list[Step]
    scores: list[Step]
    terms: Entrywise  # of the class asked about
    labels: list[str]
    chosen: int

    @property
    def asked(self) -> Step:
        return self.scores[0] if len(self.scores) == 1 else self.scores[self.chosen]


def linear_scores(model: Any, rows: Any, names: Sequence[str] | None, of: Any, own: Callable[[], Any]) -> LinearScores:
    """The scores of a fitted classifier with `coef_`; `own` gives its own decision_function for this row."""
    coef, intercept = np.atleast_2d(model.coef_), np.atleast_1d(np.asarray(model.intercept_, np.float64))
    intercept = np.broadcast_to(intercept, len(coef))
    x, labels = checked_row(rows, coef.shape[1]), feature_names(model, names, coef.shape[1])
    chosen = class_index(model.classes_, of, coef @ x + intercept)
    terms = [weighted(np.asarray(c, np.float64), x) for c in coef]
    if len(coef) == 1:
        witness = Witness("the model's own decision_function", lambda: float(np.ravel(own())[0]), rtol=1e-9, atol=1e-12)
        steps = added_up("z", given("intercept", float(intercept[0]), part=SUM), terms[0], labels, witnesses=(witness,))
        return LinearScores(steps, steps[-1:], terms[0], labels, chosen)
    witness = Witness(
        "the model's own decision_function", lambda: float(np.ravel(own())[chosen]), rtol=1e-9, atol=1e-12
    )
    steps, scores = class_scores(list(intercept), terms, labels, [str(c) for c in model.classes_], chosen, witness)
    return LinearScores(steps, scores, terms[chosen], labels, chosen)


def linear_sum(
    model: Any, rows: Any, names: Sequence[str] | None, *own: Witness
) -> tuple[list[Step], Entrywise, list[str]]:
    """The sum of a fitted regression with `coef_`, its terms, and what they are called."""
    coef = np.asarray(np.ravel(model.coef_), np.float64)
    x, labels = checked_row(rows, len(coef)), feature_names(model, names, len(coef))
    terms = weighted(coef, x)
    bias = given("intercept", float(np.ravel(model.intercept_)[0]), part=SUM)
    return added_up("ŷ" if own else "z", bias, terms, labels, witnesses=own), terms, labels


def explain_linear_row(model: Any, row: Any, names: Sequence[str] | None = None) -> Working:
    """A linear regression's prediction for one row."""
    rows = as_fitted(model, checked_row(row, len(np.ravel(model.coef_))))
    own = Witness("the model's own predict", lambda: float(np.ravel(model.predict(rows))[0]), rtol=1e-9, atol=1e-12)
    steps, terms, labels = linear_sum(model, rows, names, own)
    return Working(
        title="A linear prediction as a sum", question="What does each feature add?", steps=tuple(steps),
        result=steps[-1].value, tables=(table(terms, labels),), displays=(bars(terms, labels, "ŷ (weight × value)"),),
    )  # fmt: skip


def explain_logistic_row(model: Any, row: Any, names: Sequence[str] | None = None, of: Any = None) -> Working:
    """A logistic regression's probability for one row; `of` names the class (default: the positive one of two, else the
    likeliest)."""
    rows = as_fitted(model, checked_row(row, model.coef_.shape[1]))
    z = linear_scores(model, rows, names, of, lambda: model.decision_function(rows))
    own = Witness("the model's own predict_proba", lambda: float(model.predict_proba(rows)[0, z.chosen]), rtol=1e-9)
    called = [str(c) for c in model.classes_]
    last = [sigmoid(z.asked, bool(z.chosen), own)] if len(called) == 2 else softmax(z.scores, called, z.chosen, own)
    return Working(
        title=f"The probability of {called[z.chosen]} for one row",
        question="What does each feature add to the log-odds, and what probability do they make?",
        steps=(*z.steps, *last), result=last[-1].value, tables=(table(z.terms, z.labels),),
        displays=(bars(z.terms, z.labels, "the log-odds (weight × value)"),),
    )  # fmt: skip
