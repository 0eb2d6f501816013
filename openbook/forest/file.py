"""Trees and forests as files hold them: what scikit-learn's contract says of them, and the arrays of their trees, packed."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from openbook.errors import ModelError
from openbook.files import Stored, from_plain, to_plain
from openbook.files.estimators import attribute, estimator_facts, estimator_of, require_classes, require_features
from openbook.forest.compact import CompactForest
from openbook.forest.estimators import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from openbook.forest.extra_trees import ExtraTreesClassifier, ExtraTreesRegressor
from openbook.forest.packing import packed, unpacked

__all__ = ["from_stored", "to_stored"]

_CLASSES = {
    kind.__name__: kind
    for kind in (
        DecisionTreeClassifier, DecisionTreeRegressor, RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier,
        ExtraTreesRegressor,
    )
}  # fmt: skip


def to_stored(model: Any) -> Stored:
    """A fitted tree or forest as a file holds it."""
    if type(model) is CompactForest:
        return _compact_to_stored(model)
    check_is_fitted(model)
    arrays: dict[str, np.ndarray] = {}
    facts = estimator_facts(model, _CLASSES, arrays, apart=("trees_",))
    return Stored("forest", facts, arrays | packed(model.trees_))


def from_stored(stored: Stored) -> Any:
    """The tree or forest in a file, everything that prediction reads validated; ModelError says what contradicts what."""
    if stored.facts.get("class") == "CompactForest":
        return _compact_from_stored(stored)
    model = estimator_of(stored, _CLASSES)
    features = require_features(model)
    _require_use(model)
    model.trees_ = unpacked(stored.arrays, _width(model), features, _counted_levels(model, features))
    _require_alike(model)
    return model


def _require_use(model: Any) -> None:
    """Parameters that prediction reads, with values it can use."""
    if "voting" in vars(model) and attribute(model, "voting", str) not in ("soft", "hard"):
        raise ModelError("voting is neither soft nor hard")
    if "n_jobs" in vars(model):
        attribute(model, "n_jobs", int, type(None))


def _counted_levels(model: Any, features: int) -> dict[int, int]:
    """How many levels each category has, if there is a list of them, or None, for each feature."""
    known = attribute(model, "categories_", list) if hasattr(model, "categories_") else []
    if len(known) not in (0, features) or not all(
        v is None or (isinstance(v, np.ndarray) and v.ndim == 1) for v in known
    ):
        raise ModelError("the levels of the categories are no lists, one for each feature")
    return {f: len(levels) for f, levels in model.levels().items()}


def _width(model: Any) -> int:
    """How many numbers a node holds: one for each class, or a mean."""
    if not hasattr(type(model), "predict_proba"):
        return 1
    classes = require_classes(model)
    if attribute(model, "n_classes_", int) != classes:
        raise ModelError(f"{classes} classes are named, and {model.n_classes_} said")
    return classes


def _require_alike(model: Any) -> None:
    """As many seeds as trees, or none (another library's); and one tree, where the model is a tree."""
    seeds = attribute(model, "seeds_", list)
    if len(seeds) not in (0, len(model.trees_)) or not all(type(seed) is int for seed in seeds):
        raise ModelError(f"there are {len(model.trees_)} trees, and not a seed for each")
    if hasattr(type(model), "tree_") and len(model.trees_) != 1:
        raise ModelError(f"a single tree cannot be {len(model.trees_)}")


# --- compact forests -------------------------------------------------------------------------------------------

_SAID = ("n_features_in_", "classes_", "feature_names_in_", "voting", "n_jobs")


def _compact_to_stored(model: CompactForest) -> Stored:
    arrays = dict(model.arrays)
    said = {name: to_plain(getattr(model, name), name, arrays) for name in _SAID}
    return Stored("forest", {"class": "CompactForest", "said": said}, arrays)


def _compact_from_stored(stored: Stored) -> CompactForest:
    said = stored.facts.get("said")
    if not isinstance(said, dict) or set(said) != set(_SAID):
        raise ModelError("the file does not say what a compact forest says")
    values = {name: from_plain(value, stored.arrays) for name, value in said.items()}
    named = {value["array"] for value in said.values() if isinstance(value, dict) and "array" in value}
    model = CompactForest({name: a for name, a in stored.arrays.items() if name not in named}, **values)
    require_features(model)
    if model.classes_ is not None:
        require_classes(model)
    _require_use(model)
    return model.validate()
