"""What all explanations of scikit-learn's models share: the question, the answer, and who knows which model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from openbook.errors import ExplainError
from openbook.explain.dispatch import explain
from openbook.explain.rows import checked_row, feature_names, one_row
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

    def about(self, model: Any, rows: Any = None, names: Sequence[str] | None = None) -> Asked:
        """The same question to a model inside another: its rows as it was fitted on them."""
        rows = self.rows if rows is None else rows
        names = names if names is not None else self.names
        if hasattr(rows, "columns") and not hasattr(model, "feature_names_in_") and hasattr(model, "n_features_in_"):
            names = names if names is not None else list(rows.columns)
            rows = rows if type(model).__name__ == "Pipeline" else rows.to_numpy()
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
    parts = type(model).__module__.split(".")
    bases = [b.__module__.split(".") for b in type(model).__mro__ if b.__module__.startswith("sklearn.")]
    if parts[0] == "openbook":
        return _elsewhere(model, asked)
    for base in bases:
        for family in _FAMILIES.get(base[1], ()):
            import_module(f"openbook.explain.sklearn.{family}")
    if parts[0] != "sklearn" and _told.dispatch(type(model)) is _told.dispatch(object):
        return _elsewhere(model, asked)
    _require_fitted(model)
    return _told(model, replace(asked, rows=one_row(model, asked.rows)))


def _require_fitted(model: Any) -> None:
    try:
        check_is_fitted(model)
    except NotFittedError:
        raise ExplainError(f"this {type(model).__name__} is not fitted", do="call fit(X, y) first") from None
    if getattr(model, "n_outputs_", 1) > 1 or np.ndim(getattr(model, "classes_", [0])[0]):
        raise ExplainError("models of several outputs are not explained", do="explain a model of one target")


def _elsewhere(model: Any, asked: Asked) -> Account:
    """What `explain` makes of a model that is not scikit-learn's; its answer is the last step that says what the model says."""
    options = {"of": asked.of} if asked.of is not None else {}
    names = {"names": asked.names} if asked.names is not None else {}
    working = explain(model, row=np.asarray(asked.rows, dtype=np.float64)[0], **options, **names)
    value = working.result.get("soft") if isinstance(working.result, dict) else working.result
    answers = [s for s in working.steps if isinstance(s.value, (int, float)) and np.isclose(s.value, value, rtol=1e-12, atol=0)]
    if not answers:
        raise ExplainError(f"the working of this {type(model).__name__} does not say which step is its answer",
                           do="explain the models inside one by one")  # fmt: skip
    return Account(working, answers[-1])
