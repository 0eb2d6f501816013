"""One row of a table, whatever it came as: what a model takes, the same as numbers, and what its columns are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import ExplainError

__all__ = ["as_fitted", "checked_row", "class_index", "feature_names", "one_row"]


def one_row(model: Any, row: Any) -> Any:
    """A table of this one row, as the model takes it: from a list, an array, a mapping, a Series, or a frame of one row."""
    if hasattr(row, "to_frame") and getattr(row, "index", None) is not None:  # a pandas Series: a row with names
        row = row.to_frame().T.infer_objects()
    elif isinstance(row, Mapping):
        import polars as pl

        row = pl.DataFrame([row])
    if not (hasattr(row, "columns") or hasattr(row, "toarray")):
        numbers = np.asarray(row)
        # Among texts numbers stay numbers.
        row = np.atleast_2d(numbers if numbers.dtype.kind != "U" else np.asarray(row, dtype=object))
    if len(row.shape) != 2 or row.shape[0] != 1:
        raise ExplainError(f"a model is explained one row at a time, and here are {row.shape[0]}", do="pass row=X[0]")
    if isinstance(row, np.ndarray) and row.dtype.kind in "biufO" and hasattr(model, "feature_names_in_"):
        return as_fitted(model, checked_row(row, len(model.feature_names_in_), dtype=row.dtype))
    return row


def checked_row(row: Any, features: int, dtype: Any = np.float64) -> np.ndarray:
    """One row as numbers (features,); from a list, an array, a frame of one row."""
    dense = row.toarray() if hasattr(row, "toarray") else row
    try:
        values = np.asarray(dense, dtype=dtype).ravel()
    except ValueError:
        raise ExplainError(
            "the row has entries that are no numbers", do="explain the pipeline that encodes them"
        ) from None
    if values.shape != (features,):
        raise ExplainError(f"the row has {len(values)} entries, the model {features} features",
                           do="pass one row, such as X[0]")  # fmt: skip
    return values


def as_fitted(model: Any, x: np.ndarray) -> Any:
    """The row in the form the model was fitted on, so that scikit-learn does not warn about names."""
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        return x[None, :]
    import polars as pl

    return pl.DataFrame([list(x)], schema=[str(n) for n in names], orient="row")


def feature_names(model: Any, names: Sequence[str] | None, features: int) -> list[str]:
    """The names given, else those the model was fitted with, else x_1, x_2, …."""
    known = names if names is not None else getattr(model, "feature_names_in_", None)
    called = [str(n) for n in known] if known is not None else [f"x_{i + 1}" for i in range(features)]
    if len(set(called)) != len(called) or len(called) != features:
        raise ExplainError(f"{features} features need {features} different names, and here are {len(set(called))}",
                           do="pass names=[…]")  # fmt: skip
    return called


def class_index(classes: Sequence[Any], of: Any, scores: np.ndarray) -> int:
    """The class asked about: by name, else the second of two, else the one with the largest score."""
    if of is None:
        return 1 if len(classes) == 2 else int(np.argmax(scores))
    for i, c in enumerate(classes):
        if str(c) == str(of):
            return i
    raise ExplainError(f"the model has no class {of!r}", do=f"choose one of {', '.join(map(str, classes))}")
