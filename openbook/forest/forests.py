"""What forests can do beside predicting: draw rows, grow on, stop early, learn from the rows their trees have not seen."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, cast

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.validation import check_is_fitted

from openbook.errors import InputError, ModelError, StoppedWarning
from openbook.forest.base import Callback, TreeBased
from openbook.forest.bootstrap import Bootstrap
from openbook.forest.impurities import class_impurities
from openbook.forest.kept import KeptTrees
from openbook.forest.measured import MeasuredTree
from openbook.forest.out_of_bag import oob_importances, oob_means
from openbook.forest.parameters import drawn_rows, whole
from openbook.forest.paths import decision_paths
from openbook.forest.training import Growth, Sample, Target
from openbook.forest.tree import Tree
from openbook.forest.watching import (
    CallbackSupport,
    asking,
    memory_limit,
    progress_bar,
    telling,
    time_limit,
    with_callbacks,
)

__all__ = ["Forest"]

# What is known of the trees that are there, and no longer true once there are others.
_OF_THE_TREES = ("oob_score_", "oob_decision_function_", "oob_prediction_", "oob_residuals_", "leaf_targets_")


@dataclass(eq=False, repr=False, kw_only=True)
class Forest(CallbackSupport, TreeBased):
    """Many trees, each over its own bootstrap sample."""

    n_estimators: int = field(default=100, kw_only=False)
    bootstrap: bool = True
    max_samples: Any = None
    oob_score: Any = False
    n_jobs: int | None = None
    verbose: int = 0
    warm_start: bool = False
    max_time: float | None = None
    max_memory: int | None = None

    _single: ClassVar[type]
    _splitter: ClassVar[str] = "best"

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None, callback: Callback | None = None) -> Forest:
        """Grow from X (rows, features) and y (rows,) or (rows, outputs); NaN in X is missing, and each split learns where it
        goes.

        X may be a frame or one of SciPy's sparse matrices; float32 and float64 are not copied. With `bootstrap`,
        `sample_weight` says how likely a row is to be drawn. With `warm_start` trees are added to those that are there.
        `callback(done, of)` is called after each tree, and no more are grown once it returns False. Raises InputError (a
        ValueError) for bad parameters or data.
        """
        super().fit(X, y, sample_weight, callback)
        return self

    def _table(self, X: Any, y: Any) -> tuple[Any, np.ndarray]:
        grown, before = self.warm_start and hasattr(self, "trees_"), self.levels()
        X, y = super()._table(X, y)
        after = self.levels()
        if grown and not (before.keys() == after.keys() and all(np.array_equal(before[f], after[f]) for f in after)):
            raise InputError(
                "the forest knows other categories, or other levels of them", do="fit with warm_start=False"
            )
        return X, y

    def _grow(self, X: Any, targets: tuple[Target, ...], growth: Growth, callback: Callback | None) -> None:
        targets = self._drawing(targets)
        wanted, kept = whole("n_estimators", self.n_estimators, 1), self._kept(targets)
        if len(kept) > wanted:
            raise InputError(
                f"n_estimators={wanted} must be larger or equal to len(estimators_)={len(kept)} when warm_start==True"
            )
        if len(kept) == wanted:
            warnings.warn("Warm-start fitting without increasing n_estimators does not fit new trees.", stacklevel=4)
        self.seeds_ = self._seeds(wanted)
        self.trees_, self.stopped_ = KeptTrees(kept), None
        if len(kept) < wanted:
            for name in _OF_THE_TREES:
                self.__dict__.pop(name, None)
            self._add(X, targets, growth, callback)
        if self.oob_score and (len(kept) < wanted or not hasattr(self, "oob_score_")):
            self._keep_oob(self._oob_means(X), targets)

    def _add(self, X: Any, targets: tuple[Target, ...], growth: Growth, callback: Callback | None) -> None:
        wanted = len(self.seeds_)
        with ExitStack() as stack:
            watches = [stack.enter_context(watch) for watch in self._watches(X, targets, callback)]
            seeds, sample = self.seeds_[len(self.trees_) :], self._sampling(targets)
            grown = stack.enter_context(closing(self._grown(X, targets, growth, seeds, sample, as_kept=True)))
            for tree in grown:
                self.trees_.append(tree)
                self.stopped_ = next((why for watch in watches if (why := watch(self.trees_, wanted))), None)
                if self.stopped_:
                    break
        if len(self.trees_) < wanted:
            self.seeds_ = self.seeds_[: len(self.trees_)]
            warnings.warn(
                f"{len(self.trees_)} trees instead of {wanted}: {self.stopped_}", StoppedWarning, stacklevel=5
            )
        else:
            self.stopped_ = None

    def _watches(self, X: Any, targets: tuple[Target, ...], callback: Callback | None) -> list[Any]:
        """What looks on while trees are grown, and may want to stop."""
        found = [telling(self, X, targets, self.n_estimators)]
        if callback is not None:
            found.append(asking(callback))
        if self.max_time is not None:
            found.append(time_limit(self.max_time))
        if self.max_memory is not None:
            found.append(memory_limit(self.max_memory))
        if self.verbose:
            found.append(progress_bar(self.n_estimators))
        return found

    # --- which rows --------------------------------------------------------------------------------------------

    def _drawing(self, targets: tuple[Target, ...]) -> tuple[Target, ...]:
        """The targets as trees see them. Weights are chances of being drawn, if rows are drawn."""
        self.bootstrap_: Bootstrap | None = None
        if not self.bootstrap:
            if self.max_samples is not None:
                raise InputError("max_samples needs bootstrap=True", do="leave max_samples=None, or draw samples")
            if self.oob_score:
                raise InputError(
                    "Out of bag estimation only available if bootstrap=True", where="oob_score",
                    do="draw samples: without them no row is left out of any tree",
                )  # fmt: skip
            return targets
        weight = targets[0].weight
        size = drawn_rows(self.max_samples, len(weight), float(weight.sum()))
        self.bootstrap_ = Bootstrap(len(weight), size, None if (weight == weight[0]).all() else weight)
        if size < max(10, len(weight) ** (1 / 3)) and not isinstance(self.max_samples, int | None):
            warnings.warn(
                f"max_samples={self.max_samples} makes a low number ({size}) of bootstrap samples; give it as a whole number"
                " if that is meant", stacklevel=5,
            )  # fmt: skip
        return tuple(replace(target, weight=np.broadcast_to(1.0, len(weight))) for target in targets)

    def _sampling(self, targets: tuple[Target, ...]) -> Sample:
        """How often each row is drawn for the tree of a seed; None where all are used as they are."""
        return self.bootstrap_.counts if self.bootstrap_ else lambda seed: None

    def drawn(self, tree: int) -> np.ndarray | None:
        """How often each training row was drawn for one tree; None without bootstrap."""
        self._require_own_draws()
        return self.bootstrap_.counts(self.seeds_[tree]) if self.bootstrap_ else None

    @property
    def estimators_samples_(self) -> list[np.ndarray]:
        """The numbers of the rows each tree was grown from; drawn again when asked for."""
        self._require_own_draws()
        if not self.bootstrap_:
            return [np.arange(self.n_rows_, dtype=np.int32) for _ in self.trees_]
        return [self.bootstrap_.drawn(seed).astype(np.int32) for seed in self.seeds_]

    def _require_own_draws(self) -> None:
        check_is_fitted(self)
        if not self.seeds_:
            raise ModelError("this forest was grown by another library, which draws rows another way",
                             do="ask its own estimators_samples_")  # fmt: skip

    # --- trees -------------------------------------------------------------------------------------------------

    def _kept(self, targets: tuple[Target, ...]) -> Sequence[Tree]:
        """The trees that are there already, if more are to be added to them."""
        if not self.warm_start or not hasattr(self, "trees_"):
            return []
        width = sum(max(target.classes, 1) for target in targets)
        if self.trees_[0].value.shape[1] != width:
            raise InputError("the forest knows other classes or outputs", do="fit with warm_start=False")
        if max(int(tree.feature.max()) for tree in self.trees_) >= self.n_features_in_:
            raise InputError("the forest knows more features than X has", do="fit with warm_start=False")
        return self.trees_

    @property
    def estimators_(self) -> list[Any]:
        """Each tree as an estimator of its own."""
        check_is_fitted(self)
        seeds: list[int | None] = [*self.seeds_] or [None] * len(self.trees_)  # another library's are not known
        return [self._alone(tree, seed) for tree, seed in zip(self.trees_, seeds, strict=True)]

    def _alone(self, tree: Tree, seed: int | None) -> Any:
        known = self._single._get_param_names()  # type: ignore[attr-defined]
        mine = {name: value for name, value in self.get_params(deep=False).items() if name in known}
        # scikit-learn takes no more than 32 bits of a seed.
        state = None if seed is None else seed % 2**32
        single = self._single(**{**mine, "splitter": self._splitter, "random_state": state})
        shared = ["classes_", "n_classes_", "n_outputs_", "n_rows_", "n_features_in_", "max_features_", "categories_"]
        for name in [*shared, "feature_names_in_"] if self.levels() else shared:
            if hasattr(self, name):
                setattr(single, name, getattr(self, name))
        single.trees_, single.seeds_ = [self._measured(tree)], [] if seed is None else [seed]
        return single

    def _measured(self, tree: Tree) -> Tree:
        """The tree with the impurity of its nodes, where what it holds says that: the weights of classes."""
        widths = self._widths()
        if not widths or self.monotonic_cst is not None:
            return tree
        impurity = class_impurities(self.criterion, tree.value, widths)
        return MeasuredTree.knowing(tree, impurity, self.n_features_in_, widths)

    def _thresholds_are_drawn(self) -> bool:
        return self._splitter == "random"

    def _threads(self) -> int:
        return effective_n_jobs(self.n_jobs)

    def apply(self, X: Any) -> np.ndarray:
        """The leaf each row ends in, for every tree (rows, trees)."""
        return self._leaves(X)

    def decision_path(self, X: Any) -> tuple[Any, np.ndarray]:
        """Which nodes each row passes: a sparse matrix (rows, all nodes) of ones, and where each tree's nodes begin."""
        return decision_paths(self.trees_, self._leaves(X))

    def __len__(self) -> int:
        return len(self.trees_)

    def __getitem__(self, tree: int) -> Any:
        return self.estimators_[tree]

    # --- out of bag --------------------------------------------------------------------------------------------

    def _oob_means(self, X: Any) -> np.ndarray:
        bootstrap = cast("Bootstrap", self.bootstrap_)  # `_drawing` has seen to it
        means = oob_means(self.trees_, self.seeds_, bootstrap, X, self._widths())
        if np.isnan(means).any():
            warnings.warn("Some inputs do not have OOB scores: every tree has drawn them. They are NaN; more trees help.",
                          stacklevel=5)  # fmt: skip
        return means

    def _keep_oob(self, means: np.ndarray, targets: tuple[Target, ...]) -> None:
        raise TypeError("said by the classifier or the regressor")

    def oob_importances(self, X: Any, y: Any, repeats: int = 1, random_state: int = 0) -> np.ndarray:
        """How much worse the trees get, on rows they have not seen, when a feature's values are shuffled (Breiman 2001).

        X and y are what the forest was fitted to. Returns (features,): the loss of accuracy, or the gain of squared error,
        of a tree's out-of-bag rows, on average over trees, outputs and `repeats`. Negative values are chance.
        """
        self._require_own_draws()
        if not self.bootstrap_:
            raise InputError("out-of-bag importances need bootstrap=True", do="fit with bootstrap=True")
        X = self.encoded(X)
        if X.shape[0] != self.n_rows_:
            raise InputError(
                f"X has {X.shape[0]} rows, the forest was fitted to {self.n_rows_}", do="pass the training rows"
            )
        return oob_importances(self, X, np.asarray(y).reshape(len(y), -1), self.bootstrap_, repeats, random_state)
