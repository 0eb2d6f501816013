"""Trees and forests as scikit-learn estimators."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from openbook.errors import InputError
from openbook.forest.parameters import count, features, whole, within
from openbook.forest.prediction import Walk, leaf_values, leaves_of, vote_shares, walk_of
from openbook.forest.training import CRITERIA, Growth, Target, grow_forest
from openbook.forest.tree import Tree
from openbook.record import Explains

__all__ = ["DecisionTreeClassifier", "DecisionTreeRegressor", "RandomForestClassifier", "RandomForestRegressor"]

_LARGEST_SEED = np.iinfo(np.int64).max


class _TreeBased(Explains, BaseEstimator):
    """What trees and forests, for classes and numbers, share."""

    trees_: list[Tree]
    n_features_in_: int

    # --- fitting -----------------------------------------------------------------------------------------------

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, callback: Callable[[int, int], None] | None = None
    ) -> _TreeBased:
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
        self.trees_ = grow_forest(X, target, growth, lambda seed: self._sample(seed, len(X)), self.seeds_,
                                  self._threads(), callback)  # fmt: skip
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
        )

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


class _Classifies(ClassifierMixin, _TreeBased):
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


class _Regresses(RegressorMixin, _TreeBased):
    """Learning numbers."""

    def _target(self, y: np.ndarray, weight: np.ndarray) -> Target:
        return Target(np.asarray(y, dtype=np.float64), weight, 0)

    def predict(self, X: Any) -> np.ndarray:
        """The mean over the trees of the leaves' mean targets (rows,)."""
        X = self._rows(X)
        return leaf_values(self._walk(), X, self._threads())[:, 0]


class _SingleTree(_TreeBased):
    """One tree, over all rows."""

    def apply(self, X: Any) -> np.ndarray:
        """The leaf each row ends in (rows,)."""
        return self._leaves(X)[:, 0]

    @property
    def tree_(self) -> Tree:
        """The grown tree."""
        check_is_fitted(self)
        return self.trees_[0]

    def get_depth(self) -> int:
        """The number of decisions on the longest way down."""
        return self.tree_.depth

    def get_n_leaves(self) -> int:
        """The number of leaves."""
        return int(self.tree_.is_leaf.sum())


class _Forest(_TreeBased):
    """Many trees, each over its own bootstrap sample."""

    def _n_trees(self) -> int:
        return whole("n_estimators", self.n_estimators, 1)

    def _sample(self, seed: int, n: int) -> np.ndarray | None:
        if not self.bootstrap:
            if self.max_samples is not None:
                raise InputError("max_samples needs bootstrap=True", do="leave max_samples=None, or draw samples")
            return None
        size = n if self.max_samples is None else count("max_samples", self.max_samples, n, 1)
        drawn = np.random.default_rng(seed).integers(0, n, size)
        return np.bincount(drawn, minlength=n)

    def drawn(self, tree: int) -> np.ndarray | None:
        """How often each training row was drawn for one tree; None without bootstrap."""
        check_is_fitted(self)
        return self._sample(self.seeds_[tree], self.n_rows_)

    def _threads(self) -> int:
        return os.cpu_count() or 1 if self.n_jobs == -1 else max(1, self.n_jobs or 1)

    def _after_fit(self, X: np.ndarray, target: Target) -> None:
        if not self.oob_score:
            return
        if not self.bootstrap:
            raise InputError("oob_score needs bootstrap=True", do="without it no row is left out of any tree")
        width = target.classes or 1
        total, seen = np.zeros((len(X), width)), np.zeros(len(X))
        for tree, seed in zip(self.trees_, self.seeds_, strict=True):
            out = np.flatnonzero(self._sample(seed, len(X)) == 0)
            total[out] += leaf_values(Walk.of([tree], X.shape[1]), X[out])
            seen[out] += 1
        with np.errstate(invalid="ignore"):
            self._keep_oob(total / seen[:, None], target)

    def _keep_oob(self, estimate: np.ndarray, target: Target) -> None:
        raise TypeError("said by the classifier or the regressor")

    def apply(self, X: Any) -> np.ndarray:
        """The leaf each row ends in, for every tree (rows, trees)."""
        return self._leaves(X)

    def __len__(self) -> int:
        return len(self.trees_)


class DecisionTreeClassifier(_Classifies, _SingleTree):
    """A tree that asks one question at a time until its leaves are pure; probabilities are the leaves' class fractions.

    Parameters mean what they mean in scikit-learn. Missing values (NaN) are learnt.
    """

    def __init__(
        self,
        *,
        criterion: str = "gini",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: Any = None,
        min_impurity_decrease: float = 0.0,
        class_weight: Any = None,
        random_state: Any = None,
    ):
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.min_impurity_decrease = min_impurity_decrease
        self.class_weight = class_weight
        self.random_state = random_state


class DecisionTreeRegressor(_Regresses, _SingleTree):
    """A tree that asks one question at a time; its prediction is the mean target of a leaf.

    Parameters mean what they mean in scikit-learn. Missing values (NaN) are learnt.
    """

    def __init__(
        self,
        *,
        criterion: str = "squared_error",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: Any = None,
        min_impurity_decrease: float = 0.0,
        random_state: Any = None,
    ):
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.min_impurity_decrease = min_impurity_decrease
        self.random_state = random_state


class RandomForestClassifier(_Classifies, _Forest):
    """Trees over bootstrap samples, each split choosing among a few random features (Breiman 2001).

    `voting` says what `predict_proba` is: "soft", the mean of the trees' leaf fractions (as in scikit-learn), or "hard",
    the share of trees voting for a class. With `oob_score=True`, `oob_decision_function_` holds for each training row
    the probabilities from the trees that did not see it (NaN where every tree did). The other parameters mean what they
    mean in scikit-learn. The same `random_state` gives the same forest on any number of threads (`n_jobs`).
    """

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "gini",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: Any = "sqrt",
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = True,
        max_samples: Any = None,
        oob_score: bool = False,
        class_weight: Any = None,
        voting: str = "soft",
        n_jobs: int | None = None,
        random_state: Any = None,
    ):
        self.n_estimators = n_estimators
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.min_impurity_decrease = min_impurity_decrease
        self.bootstrap = bootstrap
        self.max_samples = max_samples
        self.oob_score = oob_score
        self.class_weight = class_weight
        self.voting = voting
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _keep_oob(self, estimate: np.ndarray, target: Target) -> None:
        self.oob_decision_function_ = estimate
        seen = ~np.isnan(estimate[:, 0])
        self.oob_score_ = float(np.mean(np.argmax(estimate[seen], axis=1) == target.y[seen]))


class RandomForestRegressor(_Regresses, _Forest):
    """The mean of trees over bootstrap samples (Breiman 2001).

    With `oob_score=True`, `oob_prediction_` holds each training row's mean over the trees that did not see it (NaN where
    every tree did), `oob_score_` their R². The other parameters mean what they mean in scikit-learn.
    """

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "squared_error",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: Any = 1.0,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = True,
        max_samples: Any = None,
        oob_score: bool = False,
        n_jobs: int | None = None,
        random_state: Any = None,
    ):
        self.n_estimators = n_estimators
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.min_impurity_decrease = min_impurity_decrease
        self.bootstrap = bootstrap
        self.max_samples = max_samples
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _keep_oob(self, estimate: np.ndarray, target: Target) -> None:
        from sklearn.metrics import r2_score

        self.oob_prediction_ = estimate[:, 0]
        seen = ~np.isnan(self.oob_prediction_)
        self.oob_score_ = float(r2_score(target.y[seen], self.oob_prediction_[seen]))
