"""Classifiers with a threshold of their own: the probability, the threshold and how it was chosen, the call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

from openbook.explain.rows.links import from_formula
from openbook.explain.sklearn.account import Account, Asked, tell, tells
from openbook.explain.sklearn.chorus import Member, under
from openbook.record import Step, Table, Witness, Working, given

__all__: list[str] = []

THRESHOLD, CALL = "The threshold", "The call"
_LISTED = 40


@tells(FixedThresholdClassifier)
def _fixed(model: Any, asked: Asked) -> Account:
    inner = getattr(model, "estimator_", model.estimator)
    auto = isinstance(model.threshold, str)
    usual = 0.0 if _method(model, inner) == "decision_function" else 0.5
    threshold = given(
        "T", usual if auto else float(model.threshold), "threshold='auto'" if auto else "as given", THRESHOLD
    )
    return _called(model, asked, inner, [threshold], (), model.pos_label)


@tells(TunedThresholdClassifierCV)
def _tuned(model: Any, asked: Asked) -> Account:
    found = getattr(model, "cv_results_", None)
    positive = model._curve_scorer._get_pos_label()
    if not found:
        why = f"the best of {model.thresholds if isinstance(model.thresholds, int) else len(model.thresholds)} by cross-validation; " \
              "store_cv_results=True keeps the curve"  # fmt: skip
        return _called(
            model, asked, model.estimator_, [given("T", float(model.best_threshold_), why, THRESHOLD)], (), positive
        )
    scores, thresholds = np.asarray(found["scores"], np.float64), np.asarray(found["thresholds"], np.float64)
    best = int(np.argmax(scores))
    curve = given("curve", scores, "the mean score over the folds, at each threshold", THRESHOLD)
    tried = given("tried", thresholds, "the thresholds", THRESHOLD)
    most = from_formula("best", "max(c)", {"c": curve}, "largest score", THRESHOLD,
                        Witness("the model's own best_score_", lambda: float(model.best_score_), rtol=1e-9))  # fmt: skip
    threshold = from_formula("T", f"t[{best}]", {"t": tried}, "where the score is largest", THRESHOLD,
                             Witness("the model's own best_threshold_", lambda: float(model.best_threshold_), rtol=1e-12))  # fmt: skip
    near = sorted(sorted(range(len(scores)), key=lambda i: -scores[i])[:_LISTED])
    rows = tuple((float(thresholds[i]), float(scores[i])) for i in near)
    note = "" if len(near) == len(scores) else f"the {_LISTED} best of {len(scores)}"
    table = Table("The curve", ("threshold", f"score ({_scoring(model)})"), rows, note=note, marked=(near.index(best),))
    return _called(model, asked, model.estimator_, [curve, tried, most, threshold], (table,), positive)


def _scoring(model: Any) -> str:
    return model.scoring if isinstance(model.scoring, str) else getattr(model.scoring, "__name__", "scoring=")


def _method(model: Any, inner: Any) -> str:
    if model.response_method != "auto":
        return str(model.response_method)
    return "predict_proba" if hasattr(inner, "predict_proba") else "decision_function"


def _called(
    model: Any, asked: Asked, inner: Any, chosen: list[Step], tables: tuple[Table, ...], positive: Any
) -> Account:
    """The inner model's working, the threshold, and on which side of it the row is."""
    classes = [c.item() if isinstance(c, np.generic) else c for c in inner.classes_]
    place = next((k for k, c in enumerate(classes) if c == positive), 1)
    account = tell(inner, replace(asked.inside(inner), of=classes[place]))
    likely = _method(model, inner) == "predict_proba"
    step = account.answer if likely or account.score is None else account.score
    steps, number = under(type(inner).__name__, Member("", account, step))
    if not likely and place == 0:
        number = from_formula("turned", "-z", {"z": number}, "score of the first class", CALL)
        steps.append(number)
    threshold = chosen[-1]
    above = from_formula("positive", "where(p >= T, 1, 0)", {"p": number, "T": threshold}, "at or above the threshold", CALL,
                         why=f"1 calls {classes[place]}, 0 {classes[1 - place]}")  # fmt: skip
    label = classes[place] if above.value else classes[1 - place]
    call = Step("call", label, rule="the class called", part=CALL, witnesses=(asked.by(model, "predict"),))
    working = Working(
        title=f"One row before the threshold of scikit-learn's {type(model).__name__}",
        question="How likely is it, where is the threshold, and what is called?", steps=(*steps, *chosen, above, call),
        result={"class": label, "p" if likely else "score": number.value, "threshold": threshold.value},
        tables=(*tables, *account.working.tables), notes=account.working.notes, displays=account.working.displays,
    )  # fmt: skip
    return Account(working, number, None if likely else number)
