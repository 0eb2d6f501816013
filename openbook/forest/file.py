"""Trees and forests as files hold them: what scikit-learn's contract says of them, and the arrays of their trees, packed."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from openbook.errors import ModelError
from openbook.files import Stored, from_plain, to_plain
from openbook.files.estimators import attribute, estimator_facts, estimator_of, require_classes, require_features
from openbook.forest import estimators, extra_trees
from openbook.forest.bootstrap import Bootstrap
from openbook.forest.compact import CompactForest
from openbook.forest.impurities import class_impurities
from openbook.forest.kept import KeptTrees
from openbook.forest.labels import counted
from openbook.forest.least import least
from openbook.forest.measured import MeasuredTree
from openbook.forest.packing import column, packed, packed_targets, unpacked, unpacked_targets
from openbook.forest.single import SingleTree
from openbook.forest.tree import Tree

__all__ = ["from_stored", "to_stored"]

_CLASSES = {name: getattr(home, name) for home in (estimators, extra_trees) for name in home.__all__}
_APART = ("trees_", "bootstrap_", "leaf_targets_")


def to_stored(model: Any) -> Stored:
    """A fitted tree or forest as a file holds it."""
    if type(model) is CompactForest:
        return _compact_to_stored(model)
    check_is_fitted(model)
    arrays: dict[str, np.ndarray] = {}
    facts = estimator_facts(model, _CLASSES, arrays, _APART)
    _require_use(model)
    trees, widths = [tree.side_by_side() for tree in model.trees_], model._widths()
    parts = {}
    if hasattr(model, "bootstrap_"):
        parts["bootstrap_"] = model.bootstrap_ and asdict(model.bootstrap_)
    if hasattr(model, "leaf_targets_"):
        parts["leaf_targets_"] = packed_targets(model.leaf_targets_, trees)
    facts["learnt"] |= {name: to_plain(part, name, arrays) for name, part in parts.items()}
    return Stored("forest", facts, arrays | packed(trees, widths) | _impurity(model, trees[0], widths))


def _impurity(model: Any, tree: Tree, widths: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The impurities of a single tree's nodes, unless they follow from its values."""
    if not isinstance(tree, MeasuredTree):
        return {}
    if widths and np.array_equal(
        tree.impurity, class_impurities(model.criterion, np.array(tree.value, order="C"), widths)
    ):
        return {}
    return {"impurity": least(tree.impurity)}


def from_stored(stored: Stored) -> Any:
    """The tree or forest in a file, everything that prediction reads validated; ModelError says what contradicts what."""
    if stored.facts.get("class") == "CompactForest":
        return _compact_from_stored(stored)
    model = estimator_of(stored, _CLASSES)
    _require_use(model)
    features = require_features(model)
    widths = _require_outputs(model, hasattr(type(model), "predict_proba"))
    _require_learnt(model, widths)
    trees = unpacked(stored.arrays, features, widths, model.n_outputs_, _counted_levels(model, features))
    model.trees_ = KeptTrees(trees)
    _require_seeds(model)
    if isinstance(model, SingleTree):
        model.trees_ = [_measured(model, trees[0], stored.arrays, widths)]
    else:
        model.bootstrap_ = _bootstrap(model)
    if hasattr(model, "leaf_targets_"):
        model.leaf_targets_ = unpacked_targets(attribute(model, "leaf_targets_", dict), trees)
    return model


def _measured(model: Any, tree: Tree, arrays: dict[str, np.ndarray], widths: tuple[int, ...]) -> Tree:
    """A single tree with its impurities; one of a forest of numbers has none."""
    if "impurity" in arrays:
        impurity = column(arrays, "impurity", np.float64, len(tree))
    elif widths:
        impurity = class_impurities(model.criterion, tree.value, widths)
    else:
        return tree
    return MeasuredTree.knowing(tree, impurity, model.n_features_in_, widths)


def _bootstrap(model: Any) -> Bootstrap | None:
    said = attribute(model, "bootstrap_", dict, type(None))
    if said is None:
        return None
    if set(said) != {field.name for field in fields(Bootstrap)}:
        raise ModelError("the file does not say which rows were drawn")
    rows, size, weight = said["rows"], said["size"], said["weight"]
    if type(rows) is not int or type(size) is not int or rows != model.n_rows_ or size < 1:
        raise ModelError(f"no samples of {size} rows can be drawn from {rows} of {model.n_rows_}")
    if weight is None:
        return Bootstrap(rows, size)
    weight = column(said, "weight", np.float64, rows)
    if not ((weight >= 0).all() and 0 < weight.sum() < np.inf):
        raise ModelError("the weights of the rows are none that chances can be made of")
    return Bootstrap(rows, size, weight)


# --- what is read when it is used ------------------------------------------------------------------------------


def _require_use(model: Any) -> None:
    """Parameters that a fitted model reads, with values it can use."""
    if "voting" in vars(model) and attribute(model, "voting", str) not in ("soft", "hard"):
        raise ModelError("voting is neither soft nor hard")
    if "n_jobs" in vars(model) and attribute(model, "n_jobs", int, type(None)) == 0:
        raise ModelError("n_jobs is 0, which is no number of threads")
    if "criterion" in vars(model) and attribute(model, "criterion", str) not in model._criteria():
        raise ModelError(f"the criterion {model.criterion[:40]!r} is none of {', '.join(model._criteria())}")


def _counted_levels(model: Any, features: int) -> dict[int, int]:
    """How many levels each category has, if there is a list of them, or None, for each feature."""
    known = attribute(model, "categories_", list) if hasattr(model, "categories_") else []
    if len(known) not in (0, features) or not all(
        v is None or (isinstance(v, np.ndarray) and v.ndim == 1) for v in known
    ):
        raise ModelError("the levels of the categories are no lists, one for each feature")
    return {f: len(levels) for f, levels in model.levels().items()}


def _require_outputs(model: Any, classes: bool) -> tuple[int, ...]:
    """How many classes each output has; nothing for numbers."""
    outputs = attribute(model, "n_outputs_", int)
    if outputs < 1:
        raise ModelError(f"there are no models of {outputs} outputs")
    return require_classes(model, outputs) if classes else ()


def _require_learnt(model: Any, widths: tuple[int, ...]) -> None:
    """Numbers that are there once for all trees; and what is known of rows out of bag, in the shapes that `fit` gives them."""
    for name in ("n_rows_", "max_features_"):
        if attribute(model, name, int) < 1:
            raise ModelError(f"{name} is {getattr(model, name)}, which no fit gives")
    if widths and repr(vars(model).get("n_classes_")) != repr(counted(model.classes_)):
        raise ModelError(f"there are {counted(model.classes_)} classes, and n_classes_ does not say so")
    if "stopped_" in vars(model):
        attribute(model, "stopped_", str, type(None))
    if "oob_score_" in vars(model):
        attribute(model, "oob_score_", float)
    each = (model.n_outputs_,) if model.n_outputs_ > 1 else ()
    for name, shape in (
        ("oob_decision_function_", (*widths[:1], *each)), ("oob_prediction_", each), ("oob_residuals_", each),
    ):  # fmt: skip
        if name in vars(model):
            array = attribute(model, name, np.ndarray)
            if array.dtype != np.float64 or not array.ndim or array.shape[1:] != shape:
                raise ModelError(f"{name} is no table of float64 with a row for each of the training rows")


def _require_seeds(model: Any) -> None:
    """As many seeds as trees, or none (another library's); and one tree, where the model is a tree."""
    seeds = attribute(model, "seeds_", list)
    if len(seeds) not in (0, len(model.trees_)) or not all(type(seed) is int and seed >= 0 for seed in seeds):
        raise ModelError(f"there are {len(model.trees_)} trees, and not a seed for each")
    if isinstance(model, SingleTree) and len(model.trees_) != 1:
        raise ModelError(f"a single tree cannot be {len(model.trees_)}")


# --- compact forests -------------------------------------------------------------------------------------------

_SAID = ("n_features_in_", "n_outputs_", "classes_", "feature_names_in_", "voting", "n_jobs")


def _compact_to_stored(model: CompactForest) -> Stored:
    arrays = dict(model.arrays)
    said = {name: to_plain(getattr(model, name), name, arrays) for name in _SAID}
    return Stored("forest", {"class": "CompactForest", "said": said}, arrays)


def _compact_from_stored(stored: Stored) -> CompactForest:
    said = stored.facts.get("said")
    if not isinstance(said, dict) or set(said) != set(_SAID):
        raise ModelError("the file does not say what a compact forest says")
    values = {name: from_plain(value, stored.arrays) for name, value in said.items()}
    model = CompactForest(
        {name: a for name, a in stored.arrays.items() if name.partition(".")[0] not in _SAID}, **values
    )
    require_features(model)
    _require_outputs(model, model.classes_ is not None)
    _require_use(model)
    return model.validate()
