"""Trees and forests as scikit-learn estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from openbook.errors import InputError, ModelError
from openbook.forest.base import Classifies, Regresses, TreeBased
from openbook.forest.parameters import count, threads, whole
from openbook.forest.prediction import Walk, leaf_values
from openbook.forest.pruning import pruning_path
from openbook.forest.training import Target
from openbook.forest.tree import Tree

__all__ = ["DecisionTreeClassifier", "DecisionTreeRegressor", "RandomForestClassifier", "RandomForestRegressor"]


class _SingleTree(TreeBased):
    """One tree, over all rows."""

    def _thresholds_are_drawn(self) -> bool:
        if self.splitter not in ("best", "random"):
            raise InputError(f"splitter={self.splitter!r} is unknown", do='choose "best" or "random"')
        return self.splitter == "random"

    def cost_complexity_pruning_path(self, X: Any, y: Any, sample_weight: Any = None) -> Bunch:
        """The `ccp_alphas` at which pruning makes this tree smaller, and the `impurities` of its leaves after each step."""
        grown = clone(self).set_params(ccp_alpha=0.0).fit(X, y, sample_weight)
        alphas, impurities = pruning_path(grown.tree_, self._root_impurity(grown.tree_, y, sample_weight))
        return Bunch(ccp_alphas=alphas, impurities=impurities)

    def _root_impurity(self, tree: Tree, y: Any, sample_weight: Any) -> float:
        if self.criterion == "squared_error":
            return float(np.average((np.asarray(y) - tree.value[0, 0]) ** 2, weights=sample_weight))
        p = tree.fractions(0)
        p = p[p > 0]
        return float(1 - np.sum(p**2) if self.criterion == "gini" else -np.sum(p * np.log2(p)))

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


class _Forest(TreeBased):
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
        if not self.seeds_:
            raise ModelError("this forest was grown by another library, which draws rows another way",
                             do="ask its own estimators_samples_")  # fmt: skip
        return self._sample(self.seeds_[tree], self.n_rows_)

    def _threads(self) -> int:
        return threads(self.n_jobs)

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


class DecisionTreeClassifier(Classifies, _SingleTree):
    """A tree that asks one question at a time until its leaves are pure; probabilities are the leaves' class fractions.

    Parameters mean what they mean in scikit-learn. Missing values (NaN) are learnt.
    """

    def __init__(
        self,
        *,
        criterion: str = "gini",
        splitter: str = "best",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: Any = None,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        class_weight: Any = None,
        random_state: Any = None,
        ccp_alpha: float = 0.0,
    ):
        self.criterion = criterion
        self.splitter = splitter
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.class_weight = class_weight
        self.random_state = random_state
        self.ccp_alpha = ccp_alpha


class DecisionTreeRegressor(Regresses, _SingleTree):
    """A tree that asks one question at a time; its prediction is the mean target of a leaf.

    Parameters mean what they mean in scikit-learn. Missing values (NaN) are learnt.
    """

    def __init__(
        self,
        *,
        criterion: str = "squared_error",
        splitter: str = "best",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: Any = None,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        random_state: Any = None,
        ccp_alpha: float = 0.0,
    ):
        self.criterion = criterion
        self.splitter = splitter
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.random_state = random_state
        self.ccp_alpha = ccp_alpha


class RandomForestClassifier(Classifies, _Forest):
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
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = True,
        max_samples: Any = None,
        oob_score: bool = False,
        class_weight: Any = None,
        voting: str = "soft",
        n_jobs: int | None = None,
        random_state: Any = None,
        ccp_alpha: float = 0.0,
    ):
        self.n_estimators = n_estimators
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.bootstrap = bootstrap
        self.max_samples = max_samples
        self.oob_score = oob_score
        self.class_weight = class_weight
        self.voting = voting
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.ccp_alpha = ccp_alpha

    def _keep_oob(self, estimate: np.ndarray, target: Target) -> None:
        self.oob_decision_function_ = estimate
        seen = ~np.isnan(estimate[:, 0])
        self.oob_score_ = float(np.mean(np.argmax(estimate[seen], axis=1) == target.y[seen]))


class RandomForestRegressor(Regresses, _Forest):
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
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = True,
        max_samples: Any = None,
        oob_score: bool = False,
        n_jobs: int | None = None,
        random_state: Any = None,
        ccp_alpha: float = 0.0,
    ):
        self.n_estimators = n_estimators
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.max_features = max_features
        self.max_leaf_nodes = max_leaf_nodes
        self.min_impurity_decrease = min_impurity_decrease
        self.bootstrap = bootstrap
        self.max_samples = max_samples
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.ccp_alpha = ccp_alpha

    def _keep_oob(self, estimate: np.ndarray, target: Target) -> None:
        from sklearn.metrics import r2_score

        self.oob_prediction_ = estimate[:, 0]
        seen = ~np.isnan(self.oob_prediction_)
        self.oob_score_ = float(r2_score(target.y[seen], self.oob_prediction_[seen]))
