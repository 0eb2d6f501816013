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
from openbook.forest.impurities import class_impurities
from openbook.forest.kept import KeptTrees
from openbook.forest.labels import counted, each_classes, parts_of
from openbook.forest.measured import MeasuredTree
from openbook.forest.tree import LEAF, Tree

__all__ = ["converted", "from_sklearn", "to_sklearn"]

# Ours and theirs have the same names.
_OURS: dict[str, Any] = {
    name: getattr(home, name) for home in (estimators, extra_trees) for name in home.__all__
}  # fmt: skip
_THEIRS: dict[str, Any] = {name: getattr(ensemble, name, None) or getattr(tree, name) for name in _OURS}
_KEPT = ("classes_", "n_outputs_", "n_features_in_", "feature_names_in_", "oob_score_", "oob_decision_function_",
         "oob_prediction_")  # fmt: skip


# --- theirs to ours --------------------------------------------------------------------------------------------


def from_sklearn(model: Any) -> Any:
    """The same tree or forest in openbook's class, of a fitted one of scikit-learn's: its predictions, its importances.

    scikit-learn rounds rows to float32 before it compares; thresholds are moved so that ours, which does not, sends every
    row the same way. Trees grown with weights that are no whole numbers agree to within rounding. Raises ModelError for
    other models; a parameter that ours has not is named in a warning.
    """
    ours = _OURS.get(type(model).__name__)
    if ours is None or type(model) is not _THEIRS[ours.__name__]:
        raise ModelError(
            f"{type(model).__name__} has no counterpart here",
            where="from_sklearn",
            do=f"give one of {', '.join(_OURS)}",
        )
    check_is_fitted(model)
    made = ours(**_shared_params(model, ours))
    vars(made).update({name: getattr(model, name) for name in _KEPT if hasattr(model, name)})
    if hasattr(made, "classes_"):
        made.n_classes_ = counted(made.classes_)
    made.seeds_ = []  # scikit-learn's samples are drawn another way: nobody here can draw them again
    (_take_trees if hasattr(model, "estimators_") else _take_tree)(made, model)
    return made


def _take_trees(made: Any, model: Any) -> None:
    made.trees_ = KeptTrees(_our_tree(part.tree_, made, model).side_by_side() for part in model.estimators_)
    made.max_features_, made.n_rows_ = model.estimators_[0].max_features_, model._n_samples
    made.bootstrap_ = made.stopped_ = None


def _take_tree(made: Any, model: Any) -> None:
    impurity = model.tree_.impurity.copy()
    tree = MeasuredTree.knowing(_our_tree(model.tree_, made, model), impurity, made.n_features_in_, made._widths())
    made.trees_ = [tree.side_by_side()]
    made.max_features_, made.n_rows_ = model.max_features_, int(tree.samples[0])


def _shared_params(model: Any, other: Any) -> dict[str, Any]:
    """The parameters that both classes have; a warning for those that are lost and were set."""
    params, known = model.get_params(deep=False), other().get_params()
    default = type(model)().get_params(deep=False)
    lost = [name for name in params if name not in known and params[name] != default[name]]
    if lost:
        warnings.warn(f"{type(other()).__name__} of the other library has no {', '.join(lost)}", stacklevel=3)
    return {name: value for name, value in params.items() if name in known}


def _our_tree(theirs: Any, made: Any, model: Any) -> Tree:
    """Callers put it side by side, as prediction walks it: `apply` then names nodes of these very arrays."""
    tree = converted(theirs, hasattr(made, "classes_"), shares=model.monotonic_cst is not None)
    return replace(tree, threshold=np.where(tree.is_leaf, 0.0, _for_doubles(tree.threshold)))


def converted(theirs: Any, classes: bool, shares: bool = False) -> Tree:
    """The arrays of one of scikit-learn's trees (`tree_`) as ours; its thresholds are for rows rounded to float32.

    With `shares` the values of classes stay the shares that they are there, as they have to under monotonic constraints.
    """
    leaf = theirs.children_left == LEAF
    weight = theirs.weighted_n_node_samples.copy()
    values = [theirs.value[:, output, :width] for output, width in enumerate(theirs.n_classes)]
    return Tree(
        feature=np.where(leaf, LEAF, theirs.feature).astype(np.int32),
        threshold=np.where(leaf, 0.0, theirs.threshold),
        left=theirs.children_left.astype(np.int32),
        right=theirs.children_right.astype(np.int32),
        missing_left=~leaf & theirs.missing_go_to_left.astype(bool),
        value=np.hstack([_counts(value, weight) for value in values] if classes and not shares else values),
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

    Importances are equal too. Of a forest of numbers our trees keep what splits gained, not the impurity of leaves: those
    are given as 0. A parameter that scikit-learn has not is named in a warning, if it was set; hard voting is a ModelError.
    """
    check_is_fitted(model)
    kind = _THEIRS[type(model).__name__]
    if getattr(model, "voting", "soft") != "soft":
        raise ModelError("scikit-learn's forests know no hard vote", where="to_sklearn", do='set_params(voting="soft")')
    made = kind(**_shared_params(model, kind))
    vars(made).update({name: getattr(model, name) for name in (*_KEPT, "n_classes_") if hasattr(model, name)})
    if hasattr(kind, "get_n_leaves"):  # a single tree
        made.max_features_, made.tree_ = model.max_features_, _their_tree(model.trees_[0], model)
        return made
    made.estimator_, made._n_samples = made.estimator, model.n_rows_
    made.estimators_ = [_their_estimator(made, model, ours) for ours in model.trees_]
    return made


def _their_estimator(forest: Any, model: Any, ours: Tree) -> Any:
    """One tree of a forest: its classes are the places of the forest's."""
    made = type(forest.estimator_)(
        **{name: getattr(forest, name) for name in forest.estimator_params if name != "random_state"}
    )
    for name in ("n_features_in_", "max_features_", "n_outputs_"):
        setattr(made, name, getattr(model, name))
    if hasattr(model, "classes_"):
        places = [np.arange(float(len(classes))) for classes in each_classes(model.classes_)]
        made.classes_, made.n_classes_ = places if model.n_outputs_ > 1 else places[0], model.n_classes_
    made.tree_ = _their_tree(ours, model)
    return made


def _their_tree(ours: Tree, model: Any) -> Any:
    """A Tree of scikit-learn's, filled as unpickling fills it."""
    leaf = ours.is_leaf
    widths = model._widths() or (1,) * model.n_outputs_
    made = tree._tree.Tree(model.n_features_in_, np.array(widths, dtype=np.intp), len(widths))
    nodes = np.zeros(len(ours), dtype=made.__getstate__()["nodes"].dtype)
    nodes["left_child"], nodes["right_child"] = ours.left, ours.right
    nodes["feature"], nodes["threshold"] = np.where(leaf, -2, ours.feature), np.where(leaf, -2.0, ours.threshold)
    nodes["missing_go_to_left"] = ours.missing_left
    nodes["n_node_samples"], nodes["weighted_n_node_samples"] = ours.samples, ours.weight
    nodes["impurity"] = _impurities(ours, model)
    values = np.zeros((len(ours), len(widths), max(widths)))
    for output, part in enumerate(parts_of(ours.value, widths)):
        whole = part.sum(axis=1, keepdims=True) if hasattr(model, "classes_") else 1.0
        values[:, output, : widths[output]] = part / whole
    made.__setstate__({"max_depth": ours.depth, "node_count": len(ours), "nodes": nodes, "values": values})
    return made


def _impurities(ours: Tree, model: Any) -> np.ndarray:
    if isinstance(ours, MeasuredTree):
        return ours.impurity
    if hasattr(model, "classes_"):
        return class_impurities(model.criterion, ours.value, model._widths())
    weighted = ours.gain.copy()  # from below: what the splits there took off, leaves counted as pure
    for node in np.flatnonzero(~ours.is_leaf)[::-1]:
        weighted[node] += weighted[ours.left[node]] + weighted[ours.right[node]]
    return weighted / ours.weight
