"""What trees and forests, for classes and numbers, share: fitting, predicting, importances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from openbook.errors import InputError
from openbook.forest.exchange import Exchanges
from openbook.forest.parameters import count, features, whole, within
from openbook.forest.prediction import Walk, leaf_values, leaves_of, vote_shares, walk_of
from openbook.forest.pruning import best_leaves, prune
from openbook.forest.training import CRITERIA, Growth, Target, grow_forest
from openbook.forest.tree import Tree
from openbook.record import Explains

__all__ = ["Classifies", "Regresses", "TreeBased"]

_LARGEST_SEED = np.iinfo(np.int64).max


class TreeBased(Explains, Exchanges, BaseEstimator):
    """What trees and forests, for classes and numbers, share."""

    trees_: list[Tree]
    n_features_in_: int

    # --- fitting -----------------------------------------------------------------------------------------------

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, callback: Callable[[int, int], None] | None = None
    ) -> TreeBased:
        """Grow from X (rows, features) and y (rows,); NaN in X is missing, and each split learns where it goes.

        `callback(done, of)` is called after each tree. Raises InputError (a ValueError) for bad parameters or data.
        """
        X, y = validate_data(
            self, X, y, dtype=[np.float64, np.float32], ensure_all_finite="allow-nan", multi_output=False
        )
        weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        if not weight.any():
            raise InputError("every sample weight is zero", where="sample_weight", do="give some row a positive weight")
        target = self._target(y, weight)
        random = check_random_state(self.random_state)
        seeds = random.randint(_LARGEST_SEED, size=self._n_trees(), dtype=np.int64)
        self.seeds_ = [int(seed) for seed in seeds]
        growth = self._growth(X.shape[1], target)
        self.n_rows_ = len(X)
        trees = grow_forest(X, target, growth, lambda seed: self._sample(seed, len(X)), self.seeds_,
                                  self._threads(), callback)  # fmt: skip
        self.trees_ = [self._made_smaller(tree) for tree in trees]
        self._after_fit(X, target)
        return self

    def _target(self, y: np.ndarray, weight: np.ndarray) -> Target:
        raise TypeError("said by the classifier or the regressor")

    def _n_trees(self) -> int:
        return 1

    def _sample(self, seed: int, n: int) -> np.ndarray | None:
        """How often each row is drawn for one tree; None when all are used as they are."""
        return None

    def _threads(self) -> int:
        return 1

    def _after_fit(self, X: np.ndarray, target: Target) -> None:
        """What a forest learns from the rows a tree has not seen."""

    def _growth(self, n_features: int, target: Target) -> Growth:
        allowed = ("gini", "entropy", "log_loss") if target.classes else ("squared_error",)
        if self.criterion not in allowed:
            raise InputError(f"criterion={self.criterion!r} is unknown here", do=f"choose one of {', '.join(allowed)}")
        n = len(target.y)
        return Growth(
            criterion=CRITERIA[self.criterion],
            max_depth=2**31 if self.max_depth is None else whole("max_depth", self.max_depth, 1),
            min_samples_split=count("min_samples_split", self.min_samples_split, n, 2),
            min_samples_leaf=count("min_samples_leaf", self.min_samples_leaf, n, 1),
            min_weight_leaf=within("min_weight_fraction_leaf", self.min_weight_fraction_leaf, 0.0, 0.5),
            max_features=features(self.max_features, n_features),
            min_impurity_decrease=within("min_impurity_decrease", self.min_impurity_decrease, 0.0, np.inf),
            random=self._thresholds_are_drawn(),
        )

    _random = False

    def _thresholds_are_drawn(self) -> bool:
        return self._random

    def _made_smaller(self, tree: Tree) -> Tree:
        if self.max_leaf_nodes is not None:
            tree = best_leaves(tree, whole("max_leaf_nodes", self.max_leaf_nodes, 2))
        alpha = within("ccp_alpha", self.ccp_alpha, 0.0, np.inf)
        return prune(tree, alpha) if alpha > 0 else tree

    # --- using -------------------------------------------------------------------------------------------------

    def _rows(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return validate_data(self, X, dtype=[np.float64, np.float32], ensure_all_finite="allow-nan", reset=False)

    def _leaves(self, X: Any) -> np.ndarray:
        X = self._rows(X)
        return leaves_of(self._walk(), X, self._threads())

    def _walk(self) -> Walk:
        return walk_of(self, self.trees_, self.n_features_in_)

    @property
    def feature_importances_(self) -> np.ndarray:
        """The share of the impurity each feature took away, over all splits of all trees (Breiman 1984)."""
        check_is_fitted(self)
        total = np.zeros(self.n_features_in_)
        for tree in self.trees_:
            inner = ~tree.is_leaf
            gained = np.bincount(tree.feature[inner], tree.gain[inner], self.n_features_in_)
            total += gained / gained.sum() if gained.sum() > 0 else gained
        return total / total.sum() if total.sum() > 0 else total

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class Classifies(ClassifierMixin, TreeBased):
    """Learning classes: targets, class weights, probabilities."""

    classes_: np.ndarray

    def _target(self, y: np.ndarray, weight: np.ndarray) -> Target:
        check_classification_targets(y)
        self.classes_, code = np.unique(y, return_inverse=True)
        self.n_classes_ = len(self.classes_)
        if self.class_weight is not None:
            if isinstance(self.class_weight, str) and self.class_weight != "balanced":
                raise InputError(
                    f"class_weight={self.class_weight!r} is unknown", do='choose "balanced", a dict or None'
                )
            by_class = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
            weight = weight * by_class[code]
        return Target(code, weight, len(self.classes_))

    def predict_proba(self, X: Any, voting: str | None = None) -> np.ndarray:
        """The probability of each class (rows, classes), in the order of `classes_`.

        "soft": the mean of the leaves' class fractions. "hard": the share of trees whose leaf's largest class it is.
        """
        voting = voting or getattr(self, "voting", "soft")
        if voting not in ("soft", "hard"):
            raise InputError(f"voting={voting!r} is unknown", do='choose "soft" (mean of fractions) or "hard" (votes)')
        X = self._rows(X)
        return (vote_shares if voting == "hard" else leaf_values)(self._walk(), X, self._threads())

    def votes(self, X: Any) -> np.ndarray:
        """How many trees vote for each class (rows, classes)."""
        X = self._rows(X)
        shares = vote_shares(self._walk(), X, self._threads())
        return np.rint(shares * len(self.trees_)).astype(np.int64)

    def predict(self, X: Any) -> np.ndarray:
        """The class with the largest probability; of equal ones, the first."""
        winners = np.argmax(self.predict_proba(X), axis=1)
        return self.classes_[winners]


class Regresses(RegressorMixin, TreeBased):
    """Learning numbers."""

    def _target(self, y: np.ndarray, weight: np.ndarray) -> Target:
        return Target(np.asarray(y, dtype=np.float64), weight, 0)

    def predict(self, X: Any) -> np.ndarray:
        """The mean over the trees of the leaves' mean targets (rows,)."""
        X = self._rows(X)
        return leaf_values(self._walk(), X, self._threads())[:, 0]
