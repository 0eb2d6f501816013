"""Fitted trees and forests, ours and scikit-learn's, as `Tree`s with the names of their features and classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.tree import BaseDecisionTree

from openbook.errors import ExplainError, InputError
from openbook.explain.rows.row import checked_row, feature_names, one_row
from openbook.forest import Tree
from openbook.forest.base import TreeBased
from openbook.forest.scikit import converted

__all__ = ["NamedForest", "NamedTree", "Names", "named_forest", "named_tree"]


_KNOWN = (
    TreeBased,
    BaseDecisionTree,
    RandomForestClassifier,
    RandomForestRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
)


@dataclass(frozen=True, eq=False)
class Names:
    """What features and classes are called. `classes` is empty where the target is a number; leaves then hold the
    `centre` of their targets, a mean or a median. `labels` are the classes as y has them, `dtype` is what the trees
    compare in. `levels` are those of categories, whose codes the `encoder` finds."""

    features: tuple[str, ...]
    classes: tuple[str, ...] = ()
    labels: np.ndarray | None = None
    centre: str = "mean"
    dtype: Any = np.float64
    levels: Mapping[int, np.ndarray] = field(default_factory=dict)
    encoder: Any = None

    def row(self, row: Any) -> np.ndarray:
        """One row as the trees compare it (features,)."""
        if self.levels:
            return self.encoder.encoded(one_row(self.encoder, row))[0]
        return checked_row(row, len(self.features), self.dtype)

    def table(self, X: Any) -> np.ndarray:
        """Rows as the trees compare them (rows, features)."""
        if self.levels:
            return self.encoder.encoded(X)
        table = np.asarray(X.toarray() if hasattr(X, "toarray") else X, dtype=np.float64)
        if table.ndim != 2 or table.shape[1] != len(self.features):
            raise InputError(f"X has the shape {table.shape}, the model {len(self.features)} features",
                             where="X", do="pass the rows the model was fitted on")  # fmt: skip
        return table.astype(self.dtype)

    def target(self, y: Any, rows: int) -> np.ndarray:
        """y as numbers: of classes their places in `classes` (rows,)."""
        given = np.asarray(y).ravel()
        if len(given) != rows:
            raise InputError(
                f"y has {len(given)} entries, X {rows} rows", where="y", do="pass the target of these rows"
            )
        if not self.classes:
            return given.astype(np.float64)
        known: Sequence[Any] = self.classes if self.labels is None else list(self.labels)
        place = {str(label): k for k, label in enumerate(known)}
        strange = sorted({str(label) for label in given} - set(place))
        if strange:
            raise InputError(f"y has the class {strange[0]!r}, which the tree does not know", where="y",
                             do=f"give classes of {', '.join(place)}; for a tree of a forest pass the forest and tree=")  # fmt: skip
        return np.array([place[str(label)] for label in given], np.int64)


@dataclass(frozen=True, eq=False)
class NamedTree:
    """A tree with its names; `drawn` says how often each training row counted, where the tree saw a bootstrap sample."""

    tree: Tree
    names: Names
    title: str
    drawn: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class NamedForest:
    """The trees of a model with their names; `drawn(t)` says how often tree t drew each training row."""

    trees: tuple[Tree, ...]
    names: Names
    kind: str
    drawn: Callable[[int], np.ndarray | None]


def named_forest(
    model: Any, features: Sequence[str] | None = None, classes: Sequence[str] | None = None
) -> NamedForest:
    """Read a fitted tree or forest, of openbook or scikit-learn, or a bare `Tree`.

    Raises ExplainError for anything else, for models not fitted, and for those of several outputs.
    """
    if isinstance(model, Tree):
        return _bare(model, features, classes)
    if not isinstance(model, _KNOWN):
        raise ExplainError(f"a {type(model).__module__}.{type(model).__qualname__} is no tree or forest known here",
                           do="pass a fitted tree, random forest or extra trees, of openbook or scikit-learn")  # fmt: skip
    if not any(hasattr(model, grown) for grown in ("trees_", "tree_", "estimators_")):
        raise ExplainError(f"this {type(model).__name__} is not fitted", do="call fit(X, y) first")
    if getattr(model, "n_outputs_", 1) > 1:
        raise ExplainError("a tree of several outputs is not drawn", do="fit a model for each target")
    ours = isinstance(model, TreeBased)
    labels = getattr(model, "classes_", None)
    names = Names(
        features=tuple(feature_names(model, features, model.n_features_in_)),
        classes=() if labels is None else _class_names(labels if classes is None else classes, len(labels)),
        labels=labels,
        centre="median" if model.criterion == "absolute_error" else "mean",
        dtype=np.float64 if ours else np.float32,
        levels=model.levels() if ours else {},
        encoder=model,
    )
    trees = (
        model.trees_
        if ours
        else [converted(t.tree_, labels is not None) for t in getattr(model, "estimators_", [model])]
    )
    return NamedForest(tuple(trees), names, type(model).__name__, _our_draws(model) if ours else _their_draws(model))


def named_tree(
    model: Any, tree: int | None, features: Sequence[str] | None = None, classes: Sequence[str] | None = None
) -> NamedTree:
    """Read one tree; of a forest, `tree` says which."""
    forest = named_forest(model, features, classes)
    count = len(forest.trees)
    if tree is None and count > 1:
        raise ExplainError(f"this {forest.kind} has {count} trees",
                           do="choose one with tree=0, or see them all vote with plot_forest(model, row)")  # fmt: skip
    number = tree or 0
    if not 0 <= number < count:
        raise InputError(f"there is no tree {tree}", where="tree", do=f"choose one from 0 to {count - 1}")
    title = forest.kind if count == 1 else f"Tree {number} of a {forest.kind}"
    return NamedTree(forest.trees[number], forest.names, title, forest.drawn(number))


def _class_names(given: Sequence[Any], wanted: int) -> tuple[str, ...]:
    if len(given) != wanted:
        raise InputError(f"{len(given)} names are given for {wanted} classes", where="class_names",
                         do="name every one, in the order of classes_")  # fmt: skip
    return tuple(str(name) for name in given)


def _bare(tree: Tree, features: Sequence[str] | None, classes: Sequence[str] | None) -> NamedForest:
    """A tree that knows no names: x_1, x_2, … and 0, 1, …, unless they are given."""
    width = len(features) if features is not None else int(tree.feature.max(initial=0)) + 1
    tree.validate(width)
    k = tree.value.shape[1]
    called = () if k == 1 else _class_names(range(k) if classes is None else classes, k)
    names = Names(tuple(feature_names(tree, features, width)), called, np.arange(k) if called else None)
    return NamedForest((tree,), names, "Tree", lambda _: None)


def _our_draws(model: Any) -> Callable[[int], np.ndarray | None]:
    # a forest that was scikit-learn's has no seeds to draw from again
    return model.drawn if hasattr(model, "drawn") and model.seeds_ else lambda _: None


def _their_draws(model: Any) -> Callable[[int], np.ndarray | None]:
    if not getattr(model, "bootstrap", False):
        return lambda _: None
    return lambda t: np.bincount(model.estimators_samples_[t])
