"""Models people have: scikit-learn's, each family in a file of `explain/sklearn`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.base import BaseEstimator

from openbook.errors import ExplainError
from openbook.explain.dispatch import explains
from openbook.explain.sklearn.account import Asked, tell
from openbook.record import Working

__all__ = ["explain_sklearn"]


@explains(BaseEstimator)
def explain_sklearn(
    model: Any, row: Any = None, names: Sequence[str] | None = None, of: Any = None, index: int | None = None
) -> Working:
    """How a scikit-learn model's number for one row comes about, held against the model's own.

    `row` is a list, an array, a mapping, a Series or a frame of one row; `names` what to call its columns; `of` the class
    asked about (default: the second of two, else the likeliest); `index` the row's place among the training rows, for a
    forest's out-of-bag probability.
    """
    if row is None:
        raise ExplainError("a model is explained one row at a time", do="pass row=X[0]")
    return tell(model, Asked(row, names, of, index)).working
