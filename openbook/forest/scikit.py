"""scikit-learn's trees and forests as ours, and ours as scikit-learn's: the same predictions."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn import ensemble, tree
from sklearn.utils.validation import check_is_fitted

from openbook.errors import ModelError
from openbook.forest import estimators, extra_trees
from openbook.forest.tree import LEAF, Tree

__all__ = ["converted", "from_sklearn", "to_sklearn"]

# Ours and theirs have the same names.
_OURS: dict[str, Any] = {
    name: getattr(home, name) for home in (estimators, extra_trees) for name in home.__all__
}  # fmt: skip
_THEIRS: dict[str, Any] = {name: getattr(ensemble, name, None) or getattr(tree, name) for name in _OURS}
_KEPT = ("classes_", "n_features_in_", "feature_names_in_", "oob_score_", "oob_decision_function_", "oob_prediction_")


# --- theirs to ours --------------------------------------------------------------------------------------------


def from_sklearn(model: Any) -> Any:
    """The same tree or forest in openbook's class, of a fitted one of scikit-learn's: its predictions, its importances.

    scikit-learn rounds rows to float32 before it compares; thresholds are moved so that ours, which does not, sends every
    row the same way. Trees grown with weights that are no whole numbers agree to within rounding. Raises ModelError for
    other models, and for several outputs; a parameter that ours has not is named in a warning.
    """
    ours = _OURS.get(type(model).__name__)
    if ours is None or type(model) is not _THEIRS[ours.__name__]:
        raise ModelError(
            f"{type(model).__name__} has no counterpart here",
            where="from_sklearn",
            do=f"give one of {', '.join(_OURS)}",
        )
    check_is_fitted(model)
    if model.n_outputs_ > 1:
        raise ModelError("models of several outputs have no counterpart here", where="from_sklearn",
                         do="give a model of one target")  # fmt: skip
    made = ours(**_shared_params(model, ours))
    vars(made).update({name: getattr(model, name) for name in _KEPT if hasattr(model, name)})
    if hasattr(made, "classes_"):
        made.n_classes_ = len(made.classes_)
    made.trees_ = [_our_tree(part.tree_, hasattr(made, "classes_")) for part in getattr(model, "estimators_", [model])]
    made.n_rows_ = int(made.trees_[0].samples[0])
    made.seeds_ = []  # scikit-learn's samples are drawn another way: nobody here can draw them again
    return made


def _shared_params(model: Any, other: Any) -> dict[str, Any]:
    """The parameters that both classes have; a warning for those that are lost and were set."""
    params, known = model.get_params(deep=False), other().get_params()
    default = type(model)().get_params(deep=False)
    lost = [name for name in params if name not in known and params[name] != default[name]]
    if lost:
        warnings.warn(f"{type(other()).__name__} of the other library has no {', '.join(lost)}", stacklevel=3)
    return {name: value for name, value in params.items() if name in known}


def _our_tree(theirs: Any, classes: bool) -> Tree:
    tree = converted(theirs, classes)
    exact = replace(tree, threshold=np.where(tree.is_leaf, 0.0, _for_doubles(tree.threshold)))
    return exact.side_by_side()  # as prediction walks it: `apply` then names nodes of these very arrays


def converted(theirs: Any, classes: bool) -> Tree:
    """The arrays of one of scikit-learn's trees (`tree_`) as ours; its thresholds are for rows rounded to float32."""
    leaf = theirs.children_left == LEAF
    weight = theirs.weighted_n_node_samples.copy()
    value = theirs.value[:, 0, :]
    return Tree(
        feature=np.where(leaf, LEAF, theirs.feature).astype(np.int32),
        threshold=np.where(leaf, 0.0, theirs.threshold),
        left=theirs.children_left.astype(np.int32),
        right=theirs.children_right.astype(np.int32),
        missing_left=~leaf & theirs.missing_go_to_left.astype(bool),
        value=_counts(value, weight) if classes else value.copy(),
        weight=weight,
        samples=theirs.n_node_samples.astype(np.int64),
        gain=_gains(theirs.children_left, theirs.children_right, weight * theirs.impurity),
    )


def _for_doubles(thresholds: np.ndarray) -> np.ndarray:
    """The thresholds t′ with x ≤ t′ for exactly those doubles that rounded to float32 are ≤ t (ties round to even)."""
    with np.errstate(over="ignore"):
        below = thresholds.astype(np.float32)
    below = np.where(below > thresholds, np.nextafter(below, np.float32(-np.inf)), below)
    above = np.nextafter(below, np.float32(np.inf)).astype(np.float64)
    above[np.isinf(above) & np.isfinite(below)] = 2.0**128  # what would follow the largest float32
    between = (below.astype(np.float64) + above) / 2  # exact: a double has room for it
    even = below.view(np.uint32) % 2 == 0
    return np.where(even, between, np.nextafter(between, -np.inf))


def _counts(fractions: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The weights of the classes, of which scikit-learn keeps the fractions: whole where those give the same fractions."""
    products = fractions * weight[:, None]
    whole = np.rint(products)
    total = whole.sum(axis=1, keepdims=True)
    exact = (total > 0) & (whole / np.where(total > 0, total, 1.0) == fractions).all(axis=1, keepdims=True)
    return np.where(exact, whole, products)


def _gains(left: np.ndarray, right: np.ndarray, weighted: np.ndarray) -> np.ndarray:
    """What each split took off the weighted impurity."""
    gains = weighted - weighted[left] - weighted[right]
    return np.where(left == LEAF, 0.0, gains)


# --- ours to theirs --------------------------------------------------------------------------------------------


def to_sklearn(model: Any) -> Any:
    """The same tree or forest in scikit-learn's class: equal predictions for rows in float32 (to which it rounds all rows).

    Importances are equal too. Of a regression our trees keep what splits gained, not the impurity of leaves: those are
    given as 0. Raises ModelError for hard voting, which scikit-learn has not.
    """
    check_is_fitted(model)
    kind = _THEIRS[type(model).__name__]
    if getattr(model, "voting", "soft") != "soft":
        raise ModelError("scikit-learn's forests know no hard vote", where="to_sklearn", do='set_params(voting="soft")')
    made = kind(**{name: value for name, value in model.get_params(deep=False).items() if name != "voting"})
    _describe(made, model, getattr(model, "classes_", None))
    if hasattr(kind, "get_n_leaves"):  # a single tree
        made.tree_ = _their_tree(model.trees_[0], model)
        return made
    made.estimator_ = made.estimator
    made.estimators_ = [_their_estimator(made, model, ours) for ours in model.trees_]
    return made


def _describe(made: Any, model: Any, classes: np.ndarray | None) -> None:
    vars(made).update({name: getattr(model, name) for name in _KEPT if hasattr(model, name)})
    made.n_outputs_ = 1
    if classes is not None:
        made.classes_, made.n_classes_ = classes, len(classes)


def _their_estimator(forest: Any, model: Any, ours: Tree) -> Any:
    """One tree of a forest: its classes are the places of the forest's."""
    made = type(forest.estimator_)(
        **{name: getattr(forest, name) for name in forest.estimator_params if name != "random_state"}
    )
    places = np.arange(float(model.n_classes_)) if hasattr(model, "classes_") else None
    made.n_features_in_, made.max_features_ = model.n_features_in_, model.n_features_in_
    made.n_outputs_ = 1
    if places is not None:
        made.classes_, made.n_classes_ = places, len(places)
    made.tree_ = _their_tree(ours, model)
    return made


def _their_tree(ours: Tree, model: Any) -> Any:
    """A Tree of scikit-learn's, filled as unpickling fills it."""
    leaf = ours.is_leaf
    width = ours.value.shape[1]
    made = tree._tree.Tree(model.n_features_in_, np.array([width], dtype=np.intp), 1)
    nodes = np.zeros(len(ours), dtype=made.__getstate__()["nodes"].dtype)
    nodes["left_child"], nodes["right_child"] = ours.left, ours.right
    nodes["feature"], nodes["threshold"] = np.where(leaf, -2, ours.feature), np.where(leaf, -2.0, ours.threshold)
    nodes["missing_go_to_left"] = ours.missing_left
    nodes["n_node_samples"], nodes["weighted_n_node_samples"] = ours.samples, ours.weight
    nodes["impurity"] = _impurities(ours, model.criterion)
    value = ours.value / ours.value.sum(axis=1, keepdims=True) if hasattr(model, "classes_") else ours.value
    state = {"max_depth": ours.depth, "node_count": len(ours), "nodes": nodes, "values": value[:, None, :].copy()}
    made.__setstate__(state)
    return made


def _impurities(ours: Tree, criterion: str) -> np.ndarray:
    if criterion == "gini":
        return 1 - np.sum(_shares(ours) ** 2, axis=1)
    if criterion in ("entropy", "log_loss"):
        p = _shares(ours)
        return -np.sum(p * np.log2(np.where(p > 0, p, 1.0)), axis=1)
    weighted = ours.gain.copy()  # from below: what the splits there took off, leaves counted as pure
    for node in np.flatnonzero(~ours.is_leaf)[::-1]:
        weighted[node] += weighted[ours.left[node]] + weighted[ours.right[node]]
    return weighted / ours.weight


def _shares(ours: Tree) -> np.ndarray:
    return ours.value / ours.value.sum(axis=1, keepdims=True)
