"""What all explanations of scikit-learn's models share: the question, the answer, and who knows which model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from openbook.errors import ExplainError
from openbook.explain.dispatch import explain, explainer_of
from openbook.explain.rows.row import checked_row, feature_names, one_row
from openbook.record import Step, Witness, Working

__all__ = ["Account", "Asked", "tell", "tells"]

# The part of scikit-learn a model's class comes from, and the files here that know its kinds.
_FAMILIES = {
    "calibration": ("calibrated",),
    "compose": ("wrapped",),
    "discriminant_analysis": ("linear",),
    "ensemble": ("trees", "boosting", "histogram", "adaboost", "committees", "stacking", "isolation"),
    "frozen": ("wrapped",),
    "linear_model": ("linear",),
    "model_selection": ("wrapped", "thresholds"),
    "multiclass": ("committees",),
    "naive_bayes": ("bayes",),
    "neighbors": ("neighbours",),
    "neural_network": ("network",),
    "pipeline": ("wrapped",),
    "svm": ("linear",),
    "tree": ("trees",),
}
_RTOL, _RTOL_SINGLE = 1e-9, 1e-5  # models keep rows of single precision as they are

Teller = TypeVar("Teller", bound=Callable[..., "Account"])


@dataclass(frozen=True, eq=False)
class Asked:
    """A question: the row, as a table of one row that the model takes; what its columns and which class are meant.

    `index` is the row's place among the training rows, for the out-of-bag probability of a forest.
    """

    rows: Any
    names: Sequence[str] | None = None
    of: Any = None
    index: int | None = None

    def x(self, model: Any) -> np.ndarray:
        """The row as numbers (features,)."""
        return checked_row(self.rows, model.n_features_in_)

    def called(self, model: Any) -> list[str]:
        """The names of the features."""
        names = self.names if self.names is not None else getattr(self.rows, "columns", None)
        return feature_names(model, names, model.n_features_in_)

    def by(self, model: Any, method: str, *at: int) -> Witness:
        """What the model's own method says, at `at`, of a table of one row."""
        rtol = _RTOL_SINGLE if getattr(self.rows, "dtype", None) == np.float32 else _RTOL
        return Witness(f"the model's own {method}", lambda: self.said(model, method, *at), rtol=rtol, atol=1e-12)

    def said(self, model: Any, method: str, *at: int) -> Any:
        """The model's own answer for the row; of a single number or label for each row, that."""
        answer = np.asarray(getattr(model, method)(self.rows))[0]
        value = answer[at] if np.ndim(answer) else answer
        return value.item() if isinstance(value, np.generic) else value

    def scores(self, model: Any) -> np.ndarray:
        """The model's own decision_function for the row: one score for two classes, else one for each."""
        return np.ravel(model.decision_function(self.rows))

    def inside(self, model: Any) -> Asked:
        """The same question to a model inside another, which was fitted on the rows as they are."""
        return replace(self.about(self.rows, model), index=None)

    def about(self, rows: Any, model: Any, names: Sequence[str] | None = None) -> Asked:
        """The same question about the row as it reaches a later model: an array, where that was not fitted on names."""
        names = names if names is not None else self.names
        if hasattr(rows, "columns") and not hasattr(model, "feature_names_in_") and not hasattr(model, "steps"):
            return replace(self, rows=rows.to_numpy(), names=names if names is not None else list(rows.columns))
        return replace(self, rows=rows, names=names)


@dataclass(frozen=True, eq=False)
class Account:
    """How a model's number for one row comes about: the working, and which of its steps holds the number.

    `answer` is the asked-about class's probability, or the predicted number; `score` what `decision_function` says of the
    class (of two, of the second), where the model has one. A model without probabilities answers with its score.
    """

    working: Working
    answer: Step
    score: Step | None = None


@singledispatch
def _told(model: Any, asked: Asked) -> Account:
    raise ExplainError(
        f"nothing here explains a {type(model).__module__}.{type(model).__qualname__}",
        do="known of scikit-learn are trees, forests, boosting, linear models, naive Bayes, nearest neighbours, MLPs, "
        "voting, bagging, stacking, calibrated and threshold-tuned classifiers, pipelines and searches around them",
    )


def tells(*kinds: type) -> Callable[[Teller], Teller]:
    """Register a function of a model and a question as the account of these kinds of models."""

    def register(teller: Teller) -> Teller:
        for kind in kinds:
            _told.register(kind, teller)
        return teller

    return register


def tell(model: Any, asked: Asked) -> Account:
    """The account of a fitted model; models of other libraries, inside scikit-learn's, are explained where they belong."""
    if explainer_of(type(model)) is not explainer_of(BaseEstimator):
        return _elsewhere(model, asked)
    for base in type(model).__mro__:
        package, _, rest = base.__module__.partition(".")
        for family in _FAMILIES.get(rest.split(".")[0], ()) if package == "sklearn" else ():
            import_module(f"openbook.explain.sklearn.{family}")
    if _told.dispatch(type(model)) is not _told.dispatch(object):
        _require_fitted(model)
        _require_one_target(model)
        asked = asked.about(one_row(model, asked.rows), model)
    return _told(model, asked)


def _require_fitted(model: Any) -> None:
    try:
        check_is_fitted(model)
    except NotFittedError:
        raise ExplainError(f"this {type(model).__name__} is not fitted", do="call fit(X, y) first") from None


def _require_one_target(model: Any) -> None:
    """Models of several targets have a list of classes for each, or several numbers for a row and no classes."""
    several = np.ndim(model.classes_[0]) if hasattr(model, "classes_") else _numbers_per_row(model) > 1
    if several:
        raise ExplainError("models of several targets are not explained", do="explain a model of one target")


def _numbers_per_row(model: Any) -> int:
    weights, targets = (
        np.asarray(getattr(model, "coef_", ())),
        np.asarray(getattr(model, "_y", ())),
    )  # neighbours keep _y
    if weights.ndim > 1:
        return len(weights)
    return targets.shape[1] if targets.ndim > 1 else getattr(model, "n_outputs_", 1)


def _elsewhere(model: Any, asked: Asked) -> Account:
    """What `explain` makes of a model that is not scikit-learn's; its answer is the last step that says what the model says."""
    options = {key: value for key, value in (("of", asked.of), ("names", asked.names)) if value is not None}
    working = explain(model, row=np.asarray(asked.rows, dtype=np.float64)[0], **options)
    answer = _step_saying(working, working.result.get("soft") if isinstance(working.result, dict) else working.result)
    if answer is None:
        raise ExplainError(f"the working of this {type(model).__name__} does not say which step is its answer",
                           do="explain the models inside one by one")  # fmt: skip
    scores = asked.scores(model) if hasattr(model, "decision_function") else np.empty(0)
    place = next((k for k, c in enumerate(model.classes_) if c == asked.of), 0) if len(scores) > 1 else 0
    return Account(working, answer, _step_saying(working, scores[place]) if len(scores) else None)


def _step_saying(working: Working, value: Any) -> Step | None:
    numbers = [s for s in working.steps if isinstance(s.value, (int, float))]
    return next((s for s in reversed(numbers) if np.isclose(s.value, value, rtol=1e-9, atol=0)), None)
