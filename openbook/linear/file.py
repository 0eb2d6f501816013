"""Linear models as files hold them: coefficients, classes and parameters. Training rows are not written."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from openbook.errors import ModelError
from openbook.files import Stored, to_plain
from openbook.files.estimators import attribute, estimator_facts, estimator_of, require_classes, require_features
from openbook.linear.logistic import Iteration, LogisticRegression
from openbook.linear.regression import LinearRegression

__all__ = ["from_stored", "to_stored"]

_CLASSES = {kind.__name__: kind for kind in (LinearRegression, LogisticRegression)}


def to_stored(model: Any) -> Stored:
    """A fitted linear model as a file holds it.

    The Newton step of a LinearRegression consists of the training rows, and is left out: the model that is read back
    predicts and explains rows, and says that it cannot explain how it was fitted.
    """
    check_is_fitted(model)
    arrays: dict[str, np.ndarray] = {}
    facts = estimator_facts(model, _CLASSES, arrays, apart=("newton_",))
    if isinstance(model, LogisticRegression):
        facts["learnt"]["newton_"] = [to_plain(asdict(step), "newton_", arrays) for step in model.newton_]
    return Stored("linear", facts, arrays)


def from_stored(stored: Stored) -> Any:
    """The linear model in a file; ModelError says what contradicts what."""
    model = estimator_of(stored, _CLASSES)
    features = require_features(model)
    if isinstance(model, LinearRegression):
        _require_numbers(model, "coef_", (features,))
        attribute(model, "intercept_", float)
        return model
    (classes,) = require_classes(model)
    sums = 1 if classes == 2 else classes
    _require_numbers(model, "coef_", (sums, features))
    _require_numbers(model, "intercept_", (sums,))
    model.newton_ = [_iteration(step) for step in attribute(model, "newton_", list)]
    return model


def _require_numbers(model: Any, name: str, shape: tuple[int, ...]) -> None:
    array = attribute(model, name, np.ndarray)
    if array.dtype != np.float64 or array.shape != shape or not np.isfinite(array).all():
        raise ModelError(f"{name} is no array of finite float64 of the shape {shape}")


def _iteration(step: Any) -> Iteration:
    if not isinstance(step, dict) or set(step) != {field.name for field in fields(Iteration)}:
        raise ModelError("a Newton step in the file is none")
    return Iteration(**step)
