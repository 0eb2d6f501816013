"""Forests that only predict: what training and explaining need is gone, the rest takes the least room that is exact.

Level by level, the children of split k are nodes 1 + 2k and 2 + 2k of their tree: one bit for each node says all about its
children. Most leaves of trees grown whole hold one class, and are its number; the others are rows of `mixed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils import check_array
from sklearn.utils.validation import _check_feature_names, _check_n_features

from openbook.errors import InputError, ModelError
from openbook.forest.labels import Classes, by_output, parts_of, widths_of, winners
from openbook.forest.least import least
from openbook.forest.packing import column, unpacked
from openbook.forest.prediction import Walk, leaf_values, vote_shares
from openbook.forest.tree import Tree

__all__ = ["CompactForest", "compact_of"]

_GONE = ("fit", "apply", "decision_path", "votes", "explain", "feature_importances_", "oob_score_", "drawn", "trees_", "tree_",
         "to_sklearn", "to_onnx", "compact", "get_params", "set_params")  # fmt: skip


class _Gone(ModelError, AttributeError):
    """What a compact forest no longer has: `hasattr` says no."""


@dataclass(frozen=True, eq=False)
class CompactForest:
    """A tree or forest for prediction only, made by `compact()`: the same predictions, to the last bit.

    `arrays` are what its file holds; `classes_` is None for a regression. Training, importances, leaves and explanations
    are gone, and asking for them says so.
    """

    arrays: dict[str, np.ndarray]
    n_features_in_: int
    n_outputs_: int = 1
    classes_: Classes | None = None
    feature_names_in_: np.ndarray | None = None
    voting: str = "soft"
    n_jobs: int | None = None

    def predict(self, X: Any) -> np.ndarray:
        """The class with the largest probability (of equal ones, the first), or the mean of the trees: (rows,), or (rows,
        outputs)."""
        if self.classes_ is not None:
            return winners(self.predict_proba(X), self.classes_)
        found = self._means(X)
        return found[:, 0] if self.n_outputs_ == 1 else found

    def predict_proba(self, X: Any, voting: str | None = None) -> Any:
        """The probability of each class (rows, classes), in the order of `classes_`; `voting` as in the forest."""
        voting = voting or self.voting
        if self.classes_ is None:
            raise ModelError("a regression gives numbers, not probabilities", where="predict_proba", do="call predict")
        if voting not in ("soft", "hard"):
            raise InputError(f"voting={voting!r} is unknown", do='choose "soft" (mean of fractions) or "hard" (votes)')
        if voting == "hard":
            return by_output(vote_shares(self._walk, self._rows(X), effective_n_jobs(self.n_jobs)), self.classes_)
        return by_output(self._means(X), self.classes_)

    def _means(self, X: Any) -> np.ndarray:
        means = self._walk.at_once(X) if self.feature_names_in_ is None else None
        return leaf_values(self._walk, self._rows(X), effective_n_jobs(self.n_jobs)) if means is None else means

    def validate(self) -> CompactForest:
        """Return the forest if a kernel may walk it; raise ModelError saying which array contradicts which."""
        _trees(self)
        return self

    def __len__(self) -> int:
        return len(self.arrays["sizes"])

    def __getattr__(self, name: str) -> Any:
        if name in _GONE:
            raise _Gone(f"a compact forest has kept only what predicts: {name} is gone", where="CompactForest",
                        do="ask the forest it was made from")  # fmt: skip
        raise AttributeError(f"CompactForest has no attribute {name!r}")

    def __repr__(self) -> str:
        told = " × ".join(f"{width} classes" for width in self._widths) or "a regression"
        size = sum(array.nbytes for array in self.arrays.values())
        return f"<CompactForest of {len(self)} trees, {told}: {size} bytes>"

    def _rows(self, X: Any) -> np.ndarray:
        if self.feature_names_in_ is not None:
            _check_feature_names(self, X, reset=False)
        X = check_array(X, dtype=[np.float64, np.float32], ensure_all_finite="allow-nan")
        _check_n_features(self, X, reset=False)
        return X

    @property
    def _widths(self) -> tuple[int, ...]:
        return () if self.classes_ is None else widths_of(self.classes_)

    @cached_property
    def _walk(self) -> Walk:
        return Walk.of(_trees(self), self.n_features_in_, self._widths)

    def __reduce__(self) -> Any:
        return CompactForest, tuple(getattr(self, field.name) for field in fields(self))


def compact_of(model: Any) -> CompactForest:
    """The compact form of a fitted tree or forest."""
    return CompactForest(
        _arrays([tree.by_level() for tree in model.trees_], model._widths()), model.n_features_in_, model.n_outputs_,
        getattr(model, "classes_", None), getattr(model, "feature_names_in_", None), getattr(model, "voting", "soft"),
        getattr(model, "n_jobs", None),
    )  # fmt: skip


def _arrays(trees: Sequence[Tree], widths: tuple[int, ...]) -> dict[str, np.ndarray]:
    leaf = np.concatenate([tree.is_leaf for tree in trees])
    joined = {
        name: np.concatenate([getattr(tree, name) for tree in trees])
        for name in ("feature", "threshold", "missing_left", "value")
    }
    made: dict[str, np.ndarray] = {
        "sizes": np.array([len(tree) for tree in trees], np.int64),
        "split": np.packbits(~leaf),
        "feature": least(joined["feature"][~leaf]),
        "threshold": least(joined["threshold"][~leaf]),
        "missing_left": np.packbits(joined["missing_left"][~leaf]),
    }
    value = joined["value"][leaf]
    for output, part in enumerate(parts_of(value, widths)):
        made |= {f"{name}.{output}": array for name, array in _classes_of(part).items()}
    return made if widths else made | {"mean": least(value)}


def _classes_of(value: np.ndarray) -> dict[str, np.ndarray]:
    """One output's classes in the leaves."""
    mixed = (value > 0).sum(axis=1) != 1
    return {"pure": least(np.where(mixed, value.shape[1], np.argmax(value, axis=1))), "mixed": least(value[mixed])}


def _trees(forest: CompactForest) -> list[Tree]:
    """The trees again, validated; of nodes that are no leaf the values are not known, and never asked for."""
    arrays, widths = forest.arrays, forest._widths
    sizes = column(arrays, "sizes", np.int64, None)
    if not len(sizes) or sizes.min() < 1 or sizes.max() > 8 * len(arrays.get("split", ())):
        raise ModelError("the sizes of the trees are none that can be")
    nodes = int(sizes.sum())
    inner = _bits(arrays, "split", nodes)
    before = np.cumsum(inner) - inner  # splits that come earlier, in all trees
    begins = np.repeat(np.cumsum(sizes) - sizes, sizes)
    left = np.where(inner, 1 + 2 * (before - before[begins]), 0)
    leaves = int((~inner).sum())
    if widths:
        known = np.hstack([_leaf_weights(arrays, output, leaves, width) for output, width in enumerate(widths)])
    else:
        known = column(arrays, "mean", np.float64, leaves, forest.n_outputs_)
    value = np.ones((nodes, known.shape[1]))
    value[~inner] = known
    none, splits = np.zeros(nodes, np.int64), int(inner.sum())
    whole = {
        "sizes": sizes, "left": left, "feature": arrays.get("feature", none), "threshold": arrays.get("threshold", none),
        "missing_left": _bits(arrays, "missing_left", splits), "value": value, "weight": none, "samples": none,
        "gain": none[:splits],
    }  # fmt: skip
    return unpacked(whole, forest.n_features_in_, widths, forest.n_outputs_)


def _leaf_weights(arrays: dict[str, np.ndarray], output: int, leaves: int, width: int) -> np.ndarray:
    """The weights of one output's classes in the leaves (leaves, classes)."""
    pure = column(arrays, f"pure.{output}", np.int64, leaves)
    if leaves and not 0 <= pure.min() <= pure.max() <= width:
        raise ModelError("a leaf holds a class that is not there")
    value = np.eye(width + 1)[pure][:, :width]
    value[pure == width] = column(arrays, f"mixed.{output}", np.float64, int((pure == width).sum()), width)
    return value


def _bits(arrays: dict[str, np.ndarray], name: str, count: int) -> np.ndarray:
    packed = column(arrays, name, np.uint8, -(-count // 8))
    return np.unpackbits(packed, count=count).astype(bool)
