"""Models people have: scikit-learn's trees, forests, linear and logistic models, and pipelines around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.validation import check_is_fitted

from openbook.errors import ExplainError
from openbook.explain.contributions import (
    as_fitted,
    checked_row,
    explain_linear_row,
    explain_logistic_row,
    feature_names,
)
from openbook.explain.dispatch import explain, explains
from openbook.explain.votes import Ballot, class_index, explain_ballots, explain_means
from openbook.record import Working

__all__ = ["explain_sklearn_forest", "explain_sklearn_logistic"]


def _require(model: Any, row: Any) -> None:
    try:
        check_is_fitted(model)
    except NotFittedError:
        raise ExplainError(f"this {type(model).__name__} is not fitted", do="call fit(X, y) first") from None
    if row is None:
        raise ExplainError("a model is explained one row at a time", do="pass row=X[0]")


@explains(DecisionTreeClassifier)
@explains(DecisionTreeRegressor)
@explains(RandomForestClassifier)
@explains(RandomForestRegressor)
@explains(ExtraTreesClassifier)
@explains(ExtraTreesRegressor)
def explain_sklearn_forest(
    model: Any, row: Any = None, names: Sequence[str] | None = None, of: Any = None, index: int | None = None
) -> Working:
    """One row through a scikit-learn tree or forest: leaf counts → fraction → mean, beside the hard vote.

    `of` is the class asked about; `index` the row's place among the training rows, for its out-of-bag probability.
    """
    _require(model, row)
    if model.n_outputs_ > 1:
        raise ExplainError("models of several outputs are not explained", do="explain a model of one target")
    x = checked_row(row, model.n_features_in_)
    labels = feature_names(model, names, model.n_features_in_)
    trees = getattr(model, "estimators_", [model])
    unseen = _unseen(model, index)
    ballots = [_ballot(t, tree.tree_, x, labels, unseen[t] if unseen else None) for t, tree in enumerate(trees)]
    kind = "forest" if len(ballots) > 1 else "tree"
    frame = as_fitted(model, x)
    title = f"One row through scikit-learn's {type(model).__name__}"
    if not hasattr(model, "classes_"):
        return explain_means(ballots, float(model.predict(frame)[0]), title)
    own = model.predict_proba(frame)[0]
    chosen = class_index(model.classes_, of, own)
    return explain_ballots(ballots, [str(c) for c in model.classes_], chosen, float(own[chosen]), f"{title} ({kind})")


def _unseen(model: Any, index: int | None) -> list[bool] | None:
    if index is None:
        return None
    if not getattr(model, "bootstrap", False):
        raise ExplainError("without bootstrap every tree has seen every row", do="leave index= out")
    return [index not in set(sample) for sample in model.estimators_samples_]


def _ballot(t: int, tree: Any, x: np.ndarray, names: Sequence[str], unseen: bool | None) -> Ballot:
    node, path = 0, []
    while tree.children_left[node] >= 0:
        f, threshold = int(tree.feature[node]), float(tree.threshold[node])
        value = np.float32(x[f])  # scikit-learn's trees compare in float32
        left = bool(tree.missing_go_to_left[node]) if np.isnan(value) else bool(value <= threshold)
        path.append(f"{names[f]} {'≤' if left else '>'} {threshold:.6g}")
        node = int(tree.children_left[node] if left else tree.children_right[node])
    value = tree.value[node][0]
    if len(value) > 1 or tree.max_n_classes > 1:
        # Since 1.3 a leaf stores fractions; times its weight they are the counts again.
        value = value / value.sum() * tree.weighted_n_node_samples[node]
        value = np.round(value, 9)
    return Ballot(t, tuple(path), value, int(tree.n_node_samples[node]), unseen)


@explains(LogisticRegression)
def explain_sklearn_logistic(
    model: Any, row: Any = None, names: Sequence[str] | None = None, of: Any = None
) -> Working:
    """One row of a scikit-learn logistic regression: contributions → log-odds → probability."""
    _require(model, row)
    return explain_logistic_row(model, row, names, of)


@explains(LinearRegression)
@explains(Ridge)
def explain_sklearn_linear(model: Any, row: Any = None, names: Sequence[str] | None = None) -> Working:
    """One row of a scikit-learn linear model: contributions and their sum."""
    _require(model, row)
    if np.ndim(model.coef_) > 1 and len(model.coef_) > 1:
        raise ExplainError("models of several outputs are not explained", do="explain a model of one target")
    return explain_linear_row(model, row, names)


@explains(Pipeline)
def explain_pipeline(model: Pipeline, row: Any = None, **options: Any) -> Working:
    """The last step of a pipeline, for the row as the steps before it leave it."""
    _require(model, row)
    rows = row.to_frame().T if hasattr(row, "to_frame") else row if np.ndim(row) == 2 else np.asarray(row)[None]
    before = model[:-1]
    if len(before):
        names = _names_out(before)
        if names is not None:
            options.setdefault("names", names)
        rows = before.transform(rows)
    dense = rows.toarray() if hasattr(rows, "toarray") else rows
    return explain(model[-1], row=np.asarray(dense, dtype=np.float64)[0], **options)


def _names_out(steps: Pipeline) -> list[str] | None:
    """The names of the columns that reach the last step, where the steps know them."""
    if not all(hasattr(step, "get_feature_names_out") for _, step in steps.steps):
        return None
    return [str(n) for n in steps.get_feature_names_out()]
